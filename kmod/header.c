// SPDX-License-Identifier: GPL-2.0
/*
 * The outer header, byte by byte: IP in IP (RFC 2003), IPv6 tunnels (RFC 2473,
 * 4213) and minimal encapsulation (RFC 2004). TTL and DSCP are those of the
 * inner packet, so that loops end (K4); ECN by RFC 6040, normal mode.
 */
#include <net/dst.h>
#include <net/inet_ecn.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include "hmmp.h"

/**
 * hmmp_header_len - bytes that an outer header adds
 * @o: addresses and encapsulation
 * @skb: inner packet
 *
 * Return: bytes.
 */
u32 hmmp_header_len(const struct hmmp_outer *o, const struct sk_buff *skb)
{
	union nf_inet_addr saddr = {};

	if (o->encap != HMMP_ENCAP_MINENC)
		return hmmp_route_overhead(o, NULL);
	saddr.ip = ip_hdr(skb)->saddr;
	return hmmp_route_overhead(o, &saddr);
}

struct inner {
	u8 tos;
	u8 ttl;
	u8 proto;
	bool df;
};

/*
 * IPv6 is never fragmented on its way, so neither is its tunnel, unless it
 * has to be: what has the least MTU of IPv6 and still does not fit.
 */
static void look_inside(const struct sk_buff *skb, bool fits, struct inner *in)
{
	if (skb->protocol == htons(ETH_P_IP)) {
		const struct iphdr *iph = ip_hdr(skb);

		in->tos = iph->tos;
		in->ttl = iph->ttl;
		in->proto = IPPROTO_IPIP;
		in->df = iph->frag_off & htons(IP_DF);
	} else {
		const struct ipv6hdr *iph = ipv6_hdr(skb);

		in->tos = ipv6_get_dsfield(iph);
		in->ttl = iph->hop_limit;
		in->proto = IPPROTO_IPV6;
		in->df = fits;
	}
}

static void push4(struct net *net, struct sk_buff *skb,
		  const struct hmmp_outer *o, const struct inner *in)
{
	struct iphdr *iph = skb_push(skb, sizeof(*iph));

	skb_reset_network_header(skb);
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = in->tos;
	iph->frag_off = in->df ? htons(IP_DF) : 0;
	iph->ttl = in->ttl;
	iph->protocol = in->proto;
	iph->saddr = o->saddr.ip.ip;
	iph->daddr = o->daddr.ip.ip;
	iph->id = 0;
	if (!in->df)
		__ip_select_ident(net, iph, skb_shinfo(skb)->gso_segs ?: 1);
	skb->protocol = htons(ETH_P_IP);
}

/* The flow label spreads connections over parallel links (RFC 6438). */
static void push6(struct net *net, struct sk_buff *skb,
		  const struct hmmp_outer *o, const struct inner *in)
{
	struct flowi6 fl6 = {
		.saddr = o->saddr.ip.in6,
		.daddr = o->daddr.ip.in6,
	};
	__be32 label = ip6_make_flowlabel(net, skb, 0, true, &fl6);
	struct ipv6hdr *iph = skb_push(skb, sizeof(*iph));

	skb_reset_network_header(skb);
	ip6_flow_hdr(iph, in->tos, label);
	iph->nexthdr = in->proto;
	iph->hop_limit = in->ttl;
	iph->saddr = o->saddr.ip.in6;
	iph->daddr = o->daddr.ip.in6;
	skb->protocol = htons(ETH_P_IPV6);
}

/* What a device may still do for the inner packet. */
static int offloads(struct sk_buff *skb, u8 outer_family)
{
	if (likely(skb->ip_summed != CHECKSUM_PARTIAL && !skb_is_gso(skb))) {
		skb->ip_summed = CHECKSUM_NONE;
		skb->encapsulation = 0;
		return 0;
	}
	return iptunnel_handle_offloads(skb, outer_family == AF_INET ?
					SKB_GSO_IPXIP4 : SKB_GSO_IPXIP6);
}

/**
 * hmmp_header_push - put the outer header on
 * @net: namespace
 * @skb: inner packet, network header set; its own header is private, with
 *	room for the outer one, and it holds nothing of its old way any more
 * @o: addresses and encapsulation
 * @fits: it needs no fragments
 *
 * Return: 0 or a negative error.
 */
int hmmp_header_push(struct net *net, struct sk_buff *skb,
		     const struct hmmp_outer *o, bool fits)
{
	struct inner in;
	int err;

	if (o->encap == HMMP_ENCAP_MINENC) {
		hmmp_minenc_push(skb, o);
		return 0;
	}
	look_inside(skb, fits, &in);
	err = offloads(skb, o->daddr.family);
	if (err)
		return err;
	skb_set_inner_ipproto(skb, in.proto);
	if (o->daddr.family == AF_INET)
		push4(net, skb, o, &in);
	else
		push6(net, skb, o, &in);
	/* only the local end may cut it, and only it has to (RFC 2473 7) */
	if (!fits)
		skb->ignore_df = 1;
	return 0;
}
