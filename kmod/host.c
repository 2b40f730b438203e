// SPDX-License-Identifier: GPL-2.0
/*
 * Served links of a router (K6). While a host's packets are tunnelled to where
 * it is now, a frame with its address on the link where it used to be means
 * that it is back, or that somebody else has the address. Strict reverse-path
 * filtering would drop such a frame, since the host route leads elsewhere; so
 * it is looked at before.
 */
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <net/ipv6.h>
#include <net/ndisc.h>
#include "hmmp.h"

/* Of a binding with a served link. Return: false if the frame does not tell. */
static bool sent_by(const struct sk_buff *skb, const struct hmmp_binding *b,
		    bool *own)
{
	unsigned char from[MAX_ADDR_LEN];
	int len;

	if (!skb_mac_header_was_set(skb))
		return false;
	len = dev_parse_header(skb, from);
	if (len <= 0)
		return false;
	*own = b->more->lladdr_len == len &&
	       !memcmp(from, b->more->lladdr, len);
	return true;
}

/* The host may still be leaving: its own frames right after mean nothing. */
static bool too_early(const struct hmmp_binding *b)
{
	return !(b->flags & HMMP_BINDING_FLAGS_GRANTED) &&
	       hmmp_now() < b->more->since + HMMP_GRACE_NS;
}

static void seen(struct hmmp_net *hn, struct hmmp_binding *b, u32 who)
{
	union nf_inet_addr original;
	u8 was = READ_ONCE(b->seen);

	/* from own to foreign, never back; the first one tells */
	if (was > who || cmpxchg(&b->seen, was, who + 1) != was)
		return;
	if (who == HMMP_SEEN_OWN)
		hmmp_count(hn, SEEN_OWN);
	else
		hmmp_count(hn, SEEN_FOREIGN);
	hmmp_event_binding(hn, b, HMMP_BINDING_EVENT_SEEN);
	if (who != HMMP_SEEN_FOREIGN)
		return;
	original = hmmp_binding_original(b);
	hmmp_binding_touch(hn, hmmp_binding_family(b), &original);
	hmmp_net_gc_soon(hn, 0);
}

/**
 * hmmp_host_frame - a frame came whose sender claims an address
 * @hn: namespace
 * @skb: frame
 * @family: AF_INET or AF_INET6
 * @addr: address
 * @dev: interface that it came in on
 *
 * Context: softirq, RCU read side.
 */
void hmmp_host_frame(struct hmmp_net *hn, const struct sk_buff *skb, u8 family,
		     const union nf_inet_addr *addr,
		     const struct net_device *dev)
{
	struct hmmp_binding *b;
	bool own;

	b = hmmp_binding_find(hn, family, addr, 0);
	if (!b || !b->more || b->more->link != dev->ifindex || b->leaving ||
	    !sent_by(skb, b, &own))
		return;
	if (!own)
		seen(hn, b, HMMP_SEEN_FOREIGN);
	else if (!too_early(b))
		seen(hn, b, HMMP_SEEN_OWN);
}

/* The target of a message that claims it or asks whether it is free. */
static const struct in6_addr *claimed(const struct sk_buff *skb,
				      struct nd_msg *buf)
{
	const struct ipv6hdr *iph = ipv6_hdr(skb);
	const struct nd_msg *msg;

	if (iph->nexthdr != IPPROTO_ICMPV6)
		return NULL;
	msg = skb_header_pointer(skb, skb_network_offset(skb) + sizeof(*iph),
				 sizeof(*buf), buf);
	if (!msg)
		return NULL;
	if (msg->icmph.icmp6_type == NDISC_NEIGHBOUR_ADVERTISEMENT)
		return &msg->target;
	if (msg->icmph.icmp6_type == NDISC_NEIGHBOUR_SOLICITATION &&
	    ipv6_addr_any(&iph->saddr))
		return &msg->target;
	return NULL;
}

/**
 * hmmp_host_nd - look at an IPv6 packet for an address that is claimed
 * @hn: namespace
 * @skb: packet at PRE_ROUTING
 * @dev: interface that it came in on
 *
 * Its source is one; the target of a neighbour advertisement is one; that of
 * duplicate address detection is as good as one.
 */
void hmmp_host_nd(struct hmmp_net *hn, const struct sk_buff *skb,
		  const struct net_device *dev)
{
	union nf_inet_addr addr = { .in6 = ipv6_hdr(skb)->saddr };
	const struct in6_addr *target;
	struct nd_msg buf;

	hmmp_host_frame(hn, skb, AF_INET6, &addr, dev);
	target = claimed(skb, &buf);
	if (!target)
		return;
	addr.in6 = *target;
	hmmp_host_frame(hn, skb, AF_INET6, &addr, dev);
}

/**
 * hmmp_host_arp - look at an ARP packet for an address that is claimed
 * @hn: namespace
 * @skb: packet
 * @dev: interface that it came in on
 *
 * The sender's address is one, and so is the target of a probe, which has no
 * sender's address (RFC 5227).
 */
void hmmp_host_arp(struct hmmp_net *hn, const struct sk_buff *skb,
		   const struct net_device *dev)
{
	unsigned int skip = sizeof(struct arphdr) + dev->addr_len;
	union nf_inet_addr addr = {};
	__be32 buf, *ip;

	ip = skb_header_pointer(skb, skip, sizeof(buf), &buf);
	if (ip && !*ip)
		ip = skb_header_pointer(skb, skip + sizeof(buf) + dev->addr_len,
					sizeof(buf), &buf);
	if (!ip || !*ip)
		return;
	addr.ip = *ip;
	hmmp_host_frame(hn, skb, AF_INET, &addr, dev);
}
