// SPDX-License-Identifier: GPL-2.0
/*
 * No black holes (K8): the sender of what does not fit is told, and an ICMP
 * error about an outer packet is told to the inner sender. Nothing reaches into
 * a socket from here: its lock may be held by our caller.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/icmp.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include "hmmp.h"

/* No sender is asked for less than any network has to carry. */
static u32 at_least(u8 family, u32 mtu)
{
	return max_t(u32, mtu, family == AF_INET ? IPV4_MIN_MTU :
						   IPV6_MIN_MTU);
}

/* The sender of a packet: what fits, or with 0 that it cannot arrive. */
static void tell4(struct sk_buff *skb, u32 mtu)
{
	if (mtu) {
		skb_dst_update_pmtu_no_confirm(skb, mtu);
		icmp_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, htonl(mtu));
	} else {
		icmp_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
	}
}

static void tell6(struct sk_buff *skb, u32 mtu)
{
	if (mtu) {
		skb_dst_update_pmtu_no_confirm(skb, mtu);
		icmpv6_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	} else {
		icmpv6_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH, 0);
	}
}

/**
 * hmmp_pmtu_too_big - a packet does not fit into its tunnel
 * @hn: namespace
 * @skb: inner packet in the send hook; one that was held has no route, and no
 *	sender that could still be told
 * @family: of the packet
 * @mtu: what would fit
 *
 * The sender learns of it by its route and by ICMP, which goes the long way
 * round through the stack.
 *
 * Return: NF_DROP with the error, counted.
 */
unsigned int hmmp_pmtu_too_big(struct hmmp_net *hn, struct sk_buff *skb,
			       u8 family, u32 mtu)
{
	hmmp_drop(hn, DROP_TOO_BIG);
	mtu = at_least(family, mtu);
	if (!skb_dst(skb))
		return NF_DROP_ERR(-EMSGSIZE);
	if (family == AF_INET)
		tell4(skb, mtu);
	else
		tell6(skb, mtu);
	return NF_DROP_ERR(-EMSGSIZE);
}

/**
 * struct report - an ICMP error about an outer packet
 * @o: the outer packet's addresses
 * @p: the inner packet, seen from its sender
 * @off: where the inner packet begins, from skb->data
 * @mtu: what fits into the outer path, 0 if it is about something else
 * @unreachable: the outer destination cannot be reached
 */
struct report {
	struct hmmp_outer o;
	struct hmmp_packet p;
	int off;
	u32 mtu;
	bool unreachable;
};

/*
 * Is it about a packet of ours? Then both its outer addresses are those that we
 * use for it, and the inner ones are bound, or have moved, or have a tunnel.
 * *b: the binding that sent it there, or NULL.
 */
static bool is_ours(struct hmmp_net *hn, const struct report *r,
		    struct hmmp_binding **b)
{
	const struct hmmp_tuple *key = &r->p.key;
	const struct hmmp_local *l;

	*b = NULL;
	if (!hmmp_packet_own(hn->net, r->o.saddr.family, &r->o.saddr.ip))
		return false;
	*b = hmmp_binding_leads(hn, key->family, &key->remote,
				&r->o.daddr);
	if (*b)
		return true;
	l = hmmp_local_find(rcu_dereference(hn->local), key->family,
			    &key->local);
	if (!l)
		return false;
	if (hmmp_same(&l->via.local, &r->o.saddr) &&
	    hmmp_same(&l->via.remote, &r->o.daddr))
		return true;
	return hmmp_local_moved(l) &&
	       (hmmp_same(&l->current_addr, &r->o.saddr) ||
		hmmp_same(&l->previous, &r->o.saddr)) &&
	       hmmp_is(&r->o.daddr, key->family, &key->remote);
}

/* The quoted inner packet, routed as if its sender had just sent it to us. */
static int route_back4(struct net *net, struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct flowi4 fl4 = {};
	struct rtable *rt;

	rt = ip_route_output_ports(net, &fl4, NULL, iph->saddr, 0, 0, 0,
				   IPPROTO_IPIP, 0, 0);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	skb->dev = rt->dst.dev;
	if (!(rt->rt_flags & RTCF_LOCAL)) {
		ip_rt_put(rt);
		return ip_route_input_noref(skb, iph->daddr, iph->saddr,
					    iph->tos & INET_DSCP_MASK, skb->dev);
	}
	ip_rt_put(rt);
	rt = ip_route_output_ports(net, &fl4, NULL, iph->daddr, iph->saddr, 0,
				   0, IPPROTO_IPIP, 0, 0);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	skb_dst_set(skb, &rt->dst);
	return 0;
}

static int route_back6(struct net *net, struct sk_buff *skb)
{
	const struct ipv6hdr *iph = ipv6_hdr(skb);
	struct flowi6 fl6 = { .daddr = iph->saddr };
	struct dst_entry *dst = ip6_route_output(net, NULL, &fl6);

	if (dst->error) {
		dst_release(dst);
		return -ENETUNREACH;
	}
	skb->dev = dst->dev;
	dst_release(dst);
	fl6 = (struct flowi6){ .daddr = iph->daddr };
	dst = ip6_route_output(net, NULL, &fl6);
	if (dst->error) {
		dst_release(dst);
		return -ENETUNREACH;
	}
	skb_dst_set(skb, dst);
	return 0;
}

/*
 * Tell the inner sender. @skb quotes the outer packet; with minimal
 * encapsulation there is no inner header in it that could be quoted again, so
 * the route alone has learnt (RFC 2003 4: soft state).
 */
static void relay(struct hmmp_net *hn, struct sk_buff *skb,
		  const struct report *r)
{
	u8 family = r->p.key.family;
	struct sk_buff *inner;
	u32 mtu = 0;
	int err;

	if (r->mtu)
		mtu = at_least(family, max_t(u32, r->mtu, IPV4_MIN_MTU) -
			       hmmp_route_overhead(&r->o, NULL));
	inner = skb_clone(skb, GFP_ATOMIC);
	if (!inner)
		return;
	memset(inner->cb, 0, sizeof(inner->cb));
	skb_dst_drop(inner);
	nf_reset_ct(inner);
	if (!pskb_may_pull(inner, r->off + (family == AF_INET ?
			   sizeof(struct iphdr) : sizeof(struct ipv6hdr))))
		goto out;
	skb_pull(inner, r->off);
	skb_reset_network_header(inner);
	inner->protocol = family == AF_INET ? htons(ETH_P_IP) :
					      htons(ETH_P_IPV6);
	err = family == AF_INET ? route_back4(hn->net, inner) :
				  route_back6(hn->net, inner);
	if (err)
		goto out;
	if (family == AF_INET)
		tell4(inner, mtu);
	else
		tell6(inner, mtu);
	hmmp_count(hn, ICMP_RELAYED);
out:
	consume_skb(inner);	/* a copy: no packet is dropped here */
}

/*
 * What is too big for a flow or a host is told to the sender. That a host
 * cannot be reached is told for a host only: a connection waits, and the agent
 * knows better.
 */
static void act(struct hmmp_net *hn, struct sk_buff *skb,
		const struct report *r, struct hmmp_binding *b)
{
	if (r->unreachable && b)
		hmmp_binding_unreachable(hn, b, &r->o.daddr);
	if (!r->off || (!r->mtu && (!r->unreachable || !b || b->owner)))
		return;
	relay(hn, skb, r);
}

/**
 * hmmp_pmtu_err4 - an ICMP error about an IPv4 outer packet
 * @skb: at its data the quoted outer header
 * @info: from ICMP, for "fragmentation needed" the MTU
 * @inner_family: what the outer protocol says
 *
 * Return: 0, or -ENOENT if it is not about ours.
 */
int hmmp_pmtu_err4(struct sk_buff *skb, u32 info, u8 inner_family)
{
	const struct iphdr *outer = (const struct iphdr *)skb->data;
	struct net *net = dev_net(skb->dev);
	struct hmmp_net *hn = hmmp_net(net);
	struct report r = {
		.o = {
			.saddr = { .ip.ip = outer->saddr, .family = AF_INET },
			.daddr = { .ip.ip = outer->daddr, .family = AF_INET },
		},
		.off = outer->ihl * 4,
	};
	const struct icmphdr *icmp = icmp_hdr(skb);
	struct hmmp_binding *b;

	/* pairs with hmmp_net_start() */
	if (!smp_load_acquire(&hn->active))
		return -ENOENT;
	if (outer->protocol == HMMP_IPPROTO_MINENC) {
		r.o.encap = HMMP_ENCAP_MINENC;
		r.off = 0;
		if (!hmmp_minenc_quoted(skb, &r.p))
			return -ENOENT;
	} else if (!hmmp_packet_read(skb, r.off, inner_family, true, &r.p)) {
		return -ENOENT;
	}
	if (!is_ours(hn, &r, &b))
		return -ENOENT;
	if (icmp->type == ICMP_DEST_UNREACH && icmp->code == ICMP_FRAG_NEEDED) {
		ipv4_update_pmtu(skb, net, info, 0, outer->protocol);
		r.mtu = info;
	} else if (icmp->type == ICMP_TIME_EXCEEDED ||
		   (icmp->type == ICMP_DEST_UNREACH &&
		    icmp->code != ICMP_PORT_UNREACH &&
		    icmp->code != ICMP_SR_FAILED)) {
		r.unreachable = true;
	}
	act(hn, skb, &r, b);
	return 0;
}

/**
 * hmmp_pmtu_err6 - an ICMPv6 error about an IPv6 outer packet
 * @skb: at its data the quoted outer header
 * @type: of the error
 * @code: of the error
 * @offset: where the inner packet begins
 * @info: from ICMPv6, for "packet too big" the MTU
 * @inner_family: what the outer protocol says
 *
 * Return: 0, or -ENOENT if it is not about ours.
 */
int hmmp_pmtu_err6(struct sk_buff *skb, u8 type, u8 code, int offset,
		   __be32 info, u8 inner_family)
{
	const struct ipv6hdr *outer = (const struct ipv6hdr *)skb->data;
	struct net *net = dev_net(skb->dev);
	struct hmmp_net *hn = hmmp_net(net);
	struct report r = {
		.o = {
			.saddr = { .ip.in6 = outer->saddr, .family = AF_INET6 },
			.daddr = { .ip.in6 = outer->daddr, .family = AF_INET6 },
		},
		.off = offset,
	};
	struct hmmp_binding *b;

	/* pairs with hmmp_net_start() */
	if (!smp_load_acquire(&hn->active) ||
	    !hmmp_packet_read(skb, offset, inner_family, true, &r.p) ||
	    !is_ours(hn, &r, &b))
		return -ENOENT;
	if (type == ICMPV6_PKT_TOOBIG) {
		ip6_update_pmtu(skb, net, info, 0, 0,
				make_kuid(&init_user_ns, 0));
		r.mtu = ntohl(info);
	} else if (type == ICMPV6_TIME_EXCEED ||
		   (type == ICMPV6_DEST_UNREACH &&
		    code != ICMPV6_PORT_UNREACH)) {
		r.unreachable = true;
	}
	act(hn, skb, &r, b);
	return 0;
}
