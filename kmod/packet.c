// SPDX-License-Identifier: GPL-2.0
/* Reading headers: of either family, at any offset, without changing a byte. */
#include <linux/inetdevice.h>
#include <net/addrconf.h>
#include <net/ipv6.h>
#include "hmmp.h"

/* More tunnels inside each other than this are taken for a loop (K4). */
#define NESTED_MAX	3

/* An ICMP error may quote less: then it is no whole segment. */
static void read_ports(const struct sk_buff *skb, int at, bool out,
		       struct hmmp_packet *p)
{
	__be16 buf[2], *port;

	port = skb_header_pointer(skb, at, sizeof(buf), buf);
	if (!port)
		return;
	p->key.lport = port[!out];
	p->key.rport = port[out];
	p->ports = true;
	if (!p->fragment)
		p->tcp = at;
}

static bool read4(const struct sk_buff *skb, int off, bool out,
		  struct hmmp_packet *p)
{
	struct iphdr buf, *iph;

	iph = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!iph || iph->version != 4 || iph->ihl < 5)
		return false;
	p->key.local.ip = out ? iph->saddr : iph->daddr;
	p->key.remote.ip = out ? iph->daddr : iph->saddr;
	p->proto = iph->protocol;
	p->fragment = ip_is_fragment(iph);
	if (p->proto == IPPROTO_TCP && !(iph->frag_off & htons(IP_OFFSET)))
		read_ports(skb, off + iph->ihl * 4, out, p);
	return true;
}

static bool read6(const struct sk_buff *skb, int off, bool out,
		  struct hmmp_packet *p)
{
	struct ipv6hdr buf, *iph;
	__be16 frag = 0;
	u8 proto;
	int at;

	iph = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!iph || iph->version != 6)
		return false;
	p->key.local.in6 = out ? iph->saddr : iph->daddr;
	p->key.remote.in6 = out ? iph->daddr : iph->saddr;
	proto = iph->nexthdr;
	at = off + sizeof(*iph);
	if (proto != IPPROTO_TCP) {
		at = ipv6_skip_exthdr(skb, at, &proto, &frag);
		if (at < 0)
			return false;
	}
	p->proto = proto;
	p->fragment = frag;
	if (proto == IPPROTO_TCP && !(ntohs(frag) & ~7))
		read_ports(skb, at, out, p);
	return true;
}

/**
 * hmmp_packet_read - the addresses, protocol and ports of a packet
 * @skb: packet
 * @off: where its header begins, from skb->data
 * @family: AF_INET or AF_INET6
 * @out: sent by this host, else received
 * @p: filled
 *
 * Return: false if it is not what it should be.
 */
bool hmmp_packet_read(const struct sk_buff *skb, int off, u8 family, bool out,
		      struct hmmp_packet *p)
{
	memset(p, 0, sizeof(*p));
	p->key.family = family;
	return family == AF_INET ? read4(skb, off, out, p) :
				   read6(skb, off, out, p);
}

/**
 * hmmp_packet_own - is it an address of this host?
 * @net: namespace
 * @family: AF_INET or AF_INET6
 * @a: address
 *
 * Context: RCU read side. Return: true if it is.
 */
bool hmmp_packet_own(struct net *net, u8 family, const union nf_inet_addr *a)
{
	if (family == AF_INET)
		return __ip_dev_find(net, a->ip, false);
	return ipv6_chk_addr(net, &a->in6, NULL, 0);
}

/* Where a chain of headers leads: to one that is a tunnel's, or not. */
static int upper(const struct sk_buff *skb, int off, u8 family, u8 *proto)
{
	struct ipv6hdr buf6, *ip6h;
	struct iphdr buf, *iph;
	__be16 frag;
	int at;

	if (family == AF_INET) {
		iph = skb_header_pointer(skb, off, sizeof(buf), &buf);
		if (!iph || iph->ihl < 5 || iph->frag_off & htons(IP_OFFSET))
			return -1;
		*proto = iph->protocol;
		return off + iph->ihl * 4;
	}
	ip6h = skb_header_pointer(skb, off, sizeof(buf6), &buf6);
	if (!ip6h)
		return -1;
	*proto = ip6h->nexthdr;
	at = ipv6_skip_exthdr(skb, off + sizeof(*ip6h), proto, &frag);
	return at < 0 || ntohs(frag) & ~7 ? -1 : at;
}

/*
 * The next header of a packet in a packet, or 0. Inside minimal encapsulation
 * there may be none: *family is AF_UNSPEC then.
 */
static int step_into(const struct sk_buff *skb, int off, u8 *family)
{
	bool minimal = false;
	u8 proto, buf, *kept;
	int at = upper(skb, off, *family, &proto);

	if (at < 0)
		return 0;
	if (proto == HMMP_IPPROTO_MINENC && *family == AF_INET) {
		minimal = true;
		kept = skb_header_pointer(skb, at + 1, sizeof(buf), &buf);
		if (!kept || skb_copy_bits(skb, at, &proto, sizeof(proto)))
			return 0;
		at += *kept & 0x80 ? 12 : 8;
	}
	if (proto == IPPROTO_IPIP)
		*family = AF_INET;
	else if (proto == IPPROTO_IPV6)
		*family = AF_INET6;
	else if (minimal)
		*family = AF_UNSPEC;
	else
		return 0;
	return at;
}

/**
 * hmmp_packet_loops - would another outer header make a loop longer? (K4)
 * @net: namespace
 * @skb: packet that leaves
 * @family: of the packet
 * @forwarded: it came from elsewhere
 * @self: the outer source that it would get
 *
 * A host's own tunnels have its address in their outermost header; found
 * further inside, or on a packet from elsewhere, it has been here before.
 * Context: RCU read side.
 *
 * Return: true if it has to be dropped.
 */
bool hmmp_packet_loops(struct net *net, const struct sk_buff *skb, u8 family,
		       bool forwarded, const struct hmmp_addr *self)
{
	int off = skb_network_offset(skb), level, next;
	struct hmmp_packet p;
	u8 is = family;

	for (level = 0; level <= NESTED_MAX; level++) {
		u8 inside = is;

		next = step_into(skb, off, &inside);
		if (!next)
			return false;	/* no tunnel (any more) */
		if (!hmmp_packet_read(skb, off, is, true, &p))
			return false;
		if ((level || forwarded) &&
		    (hmmp_is(self, is, &p.key.local) ||
		     hmmp_packet_own(net, is, &p.key.local)))
			return true;
		if (inside == AF_UNSPEC)
			return false;
		off = next;
		is = inside;
	}
	return true;
}
