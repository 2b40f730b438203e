/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The second half of the map: addresses, packets, and the files that they pass.
 * What these functions look things up in is in hmmp.h.
 */
#ifndef _HMMP_PACKET_H
#define _HMMP_PACKET_H

#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/timekeeping.h>
#include <net/ip.h>
#include <net/ipv6.h>

/* Minimal encapsulation (RFC 2004). */
#define HMMP_IPPROTO_MINENC	55

struct hmmp_net;
struct hmmp_binding;
struct hmmp_buffer;

/* ------------------------------------------------------------ addresses */

/**
 * struct hmmp_tuple - the ends of a TCP connection, as its socket knows them
 * @local: this end's address, network byte order; IPv4 in the first 4 bytes,
 *	the rest zero
 * @remote: the far end's address
 * @lport: this end's port, network byte order
 * @rport: the far end's port
 * @family: AF_INET or AF_INET6
 */
struct hmmp_tuple {
	union nf_inet_addr local;
	union nf_inet_addr remote;
	__be16 lport;
	__be16 rport;
	u8 family;
};

static inline bool hmmp_addr_equal(const union nf_inet_addr *a,
				   const union nf_inet_addr *b)
{
	return nf_inet_addr_cmp(a, b);
}

/**
 * struct hmmp_addr - where packets are sent or received, in either family
 * @ip: network byte order; IPv4 in the first 4 bytes, the rest zero
 * @family: AF_INET, AF_INET6, or AF_UNSPEC for none
 */
struct hmmp_addr {
	union nf_inet_addr ip;
	u8 family;
};

static inline bool hmmp_same(const struct hmmp_addr *a,
			     const struct hmmp_addr *b)
{
	return a->family == b->family && hmmp_addr_equal(&a->ip, &b->ip);
}

/* Is it this address of an object of that family? */
static inline bool hmmp_is(const struct hmmp_addr *a, u8 family,
			   const union nf_inet_addr *ip)
{
	return a->family == family && hmmp_addr_equal(&a->ip, ip);
}

static inline u64 hmmp_now(void)
{
	return ktime_get_coarse_boottime_ns();
}

/* ------------------------------------------------------------- packet.c */

/**
 * struct hmmp_packet - what matters of a packet's headers
 * @key: its addresses, and its ports if @ports
 * @proto: protocol behind all extension headers
 * @tcp: offset of the TCP header from skb->data, 0 if it is not a whole segment
 * @ports: it is a whole TCP segment, or the first fragment of one
 * @fragment: it is one
 */
struct hmmp_packet {
	struct hmmp_tuple key;
	u8 proto;
	int tcp;
	bool ports;
	bool fragment;
};

/* Does a packet that leaves come from elsewhere? */
static inline bool hmmp_packet_forwarded(const struct sk_buff *skb, u8 family)
{
	return family == AF_INET ? IPCB(skb)->flags & IPSKB_FORWARDED :
				   IP6CB(skb)->flags & IP6SKB_FORWARDED;
}

/* An address of a packet whose header is at hand; the rest of it is zero. */
static inline void hmmp_packet_addr(const struct sk_buff *skb, u8 family,
				    bool source, union nf_inet_addr *a)
{
	if (family == AF_INET)
		*a = (union nf_inet_addr){ .ip = source ? ip_hdr(skb)->saddr :
						ip_hdr(skb)->daddr };
	else
		a->in6 = source ? ipv6_hdr(skb)->saddr : ipv6_hdr(skb)->daddr;
}

bool hmmp_packet_read(const struct sk_buff *skb, int off, u8 family, bool out,
		      struct hmmp_packet *p);
bool hmmp_packet_loops(struct net *net, const struct sk_buff *skb, u8 family,
		       bool forwarded, const struct hmmp_addr *self);
bool hmmp_packet_own(struct net *net, u8 family, const union nf_inet_addr *a);

/* -------------------------------------------------------------- route.c */

/**
 * struct hmmp_route - the route of an outer packet, remembered
 * @dst: the route, or NULL; holds a reference
 * @saddr: the outer source that it was looked up for, IPv4
 * @cookie: what IPv6 asks back for
 * @daddr: where it leads, IPv4; not of interest here, but it is read together
 *
 * Read by packets under RCU without a lock, see hmmp_route_get().
 */
struct hmmp_route {
	struct dst_entry __rcu *dst;
	union {
		__be32 saddr;
		u32 cookie;
	};
	__be32 daddr;
};

/**
 * struct hmmp_outer - what an outer packet is sent with
 * @saddr: outer source
 * @daddr: outer destination, of the same family
 * @route: where the route is remembered, or NULL
 * @saddr6: for IPv6, where that route's source is remembered
 * @mark: for the route look-up and on the packet
 * @oif: interface that it has to leave by, or 0
 * @encap: HMMP_ENCAP_*, never none
 */
struct hmmp_outer {
	struct hmmp_addr saddr;
	struct hmmp_addr daddr;
	struct hmmp_route *route;
	struct in6_addr *saddr6;
	u32 mark;
	u32 oif;
	u8 encap;
};

void hmmp_route_exit(struct hmmp_route *r);
struct dst_entry *hmmp_route_get(struct net *net, const struct hmmp_outer *o,
				 u8 tos, bool *held);
u32 hmmp_route_overhead(const struct hmmp_outer *o,
			const union nf_inet_addr *inner_saddr);

/* --------------------------------------------------------------- host.c */

void hmmp_host_frame(struct hmmp_net *hn, const struct sk_buff *skb, u8 family,
		     const union nf_inet_addr *addr,
		     const struct net_device *dev);
void hmmp_host_arp(struct hmmp_net *hn, const struct sk_buff *skb,
		   const struct net_device *dev);
void hmmp_host_nd(struct hmmp_net *hn, const struct sk_buff *skb,
		  const struct net_device *dev);

/* ------------------------------------------------------------- buffer.c */

struct hmmp_buffer *hmmp_buffer_new(struct hmmp_net *hn, u8 family,
				    const union nf_inet_addr *original);
void hmmp_buffer_stop(struct hmmp_buffer *buf);
void hmmp_buffer_free(struct hmmp_buffer *buf);
bool hmmp_buffer_hold(struct hmmp_buffer *buf, struct hmmp_binding *b,
		      struct sk_buff *skb);
void hmmp_buffer_release(struct hmmp_buffer *buf);
void hmmp_buffer_fill(struct hmmp_buffer *buf);
void hmmp_buffer_close(struct hmmp_buffer *buf);
void hmmp_buffer_gc(struct hmmp_buffer *buf);
bool hmmp_buffer_open(const struct hmmp_buffer *buf);
u32 hmmp_buffer_len(const struct hmmp_buffer *buf);

/* --------------------------------------------- encap.c, send.c, header.c */

unsigned int hmmp_encap(struct hmmp_net *hn, struct sk_buff *skb, u8 family);
int hmmp_encap_held(struct hmmp_net *hn, struct sk_buff *skb,
		    struct hmmp_binding *b, u8 family);
unsigned int hmmp_send(struct hmmp_net *hn, struct sk_buff *skb, u8 family,
		       struct hmmp_binding *b, const struct hmmp_outer *o);
u32 hmmp_header_len(const struct hmmp_outer *o, const struct sk_buff *skb);
int hmmp_header_push(struct net *net, struct sk_buff *skb,
		     const struct hmmp_outer *o, bool fits);

/* ------------------------------------------------------------- minenc.c */

bool hmmp_minenc_possible(const struct sk_buff *skb);
void hmmp_minenc_push(struct sk_buff *skb, const struct hmmp_outer *o);
bool hmmp_minenc_quoted(const struct sk_buff *skb, struct hmmp_packet *p);
int hmmp_minenc_init(void);
void hmmp_minenc_exit(void);

/* ------------------------------------------------------ match.c, decap.c */

/**
 * struct hmmp_match - what an encapsulated packet belongs to
 * @b: binding of the far end, or NULL
 * @from: outer source
 * @moved: rests on a binding or a tunnel at least at one end
 * @host: it comes from a bound host and goes on from here
 * @secured: it must have come through IPsec
 */
struct hmmp_match {
	struct hmmp_binding *b;
	struct hmmp_addr from;
	bool moved;
	bool host;
	bool secured;
};

bool hmmp_match_find(struct hmmp_net *hn, const struct sk_buff *skb,
		     u8 outer_family, const struct hmmp_packet *p,
		     struct hmmp_match *m);
int hmmp_decap_init(void);
void hmmp_decap_exit(void);
int hmmp_decap_net_init(struct hmmp_net *hn);
void hmmp_decap_net_pre_exit(struct hmmp_net *hn);
void hmmp_decap_net_exit(struct hmmp_net *hn);
void hmmp_decap_deliver(struct hmmp_net *hn, struct sk_buff *skb,
			u8 outer_family, struct hmmp_match *m);
bool hmmp_decap_is_ours(const struct hmmp_net *hn, const struct sk_buff *skb,
			u8 family);
unsigned int hmmp_decap_plain(struct hmmp_net *hn, const struct sk_buff *skb,
			      u8 family);

/* --------------------------------------------------------------- pmtu.c */

unsigned int hmmp_pmtu_too_big(struct hmmp_net *hn, struct sk_buff *skb,
			       u8 family, u32 mtu);
int hmmp_pmtu_err4(struct sk_buff *skb, u32 info, u8 inner_family);
int hmmp_pmtu_err6(struct sk_buff *skb, u8 type, u8 code, int offset,
		   __be32 info, u8 inner_family);

#endif
