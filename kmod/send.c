// SPDX-License-Identifier: GPL-2.0
/*
 * Putting a packet into another one, which is sent like one of this host: by
 * LOCAL_OUT, POST_ROUTING and its own route. Called by the send hook, and for
 * packets that a buffer has held.
 */
#include <net/dst.h>
#include <net/gso.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include <net/route.h>
#include "hmmp.h"

/**
 * struct trip - how the outer packets of one inner packet are sent
 * @hn: namespace
 * @o: outer addresses and encapsulation
 * @dst: outer route
 * @grow: bytes that the outer header adds
 * @hold: a packet needs a reference to it; else RCU is enough
 * @fits: no fragments are needed
 */
struct trip {
	struct hmmp_net *hn;
	const struct hmmp_outer *o;
	struct dst_entry *dst;
	u32 grow;
	bool hold;
	bool fits;
};

/* Room, and a checksum that the device can finish where it has to. */
static int prepare(struct sk_buff *skb, const struct trip *t)
{
	const struct net_device *dev = t->dst->dev;
	int err;

	err = skb_cow_head(skb, LL_RESERVED_SPACE(dev) + t->grow);
	if (err || t->o->encap != HMMP_ENCAP_MINENC ||
	    skb->ip_summed != CHECKSUM_PARTIAL ||
	    dev->features & NETIF_F_HW_CSUM)
		return err;
	return skb_checksum_help(skb);
}

/* One packet, whose inner header is done with. Consumes it. */
static int put_on(struct sk_buff *skb, const struct trip *t)
{
	struct net *net = t->hn->net;
	int err = prepare(skb, t);

	if (err)
		goto err_drop;
	skb_scrub_packet(skb, false);
	if (t->hold)
		skb_dst_set(skb, dst_clone(t->dst));
	else
		skb_dst_set_noref(skb, t->dst);
	skb_set_dst_pending_confirm(skb, 0);
	skb->mark = t->o->mark;
	err = hmmp_header_push(net, skb, t->o, t->fits);
	if (err)
		goto err_drop;
	memset(skb->cb, 0, sizeof(skb->cb));
	err = t->o->daddr.family == AF_INET ? ip_local_out(net, NULL, skb) :
					      ip6_local_out(net, NULL, skb);
	return net_xmit_eval(err);

err_drop:
	hmmp_drop(t->hn, DROP_MEMORY);
	kfree_skb(skb);
	return err;
}

/*
 * A super-packet stays whole if the kernel knows how to cut it later: not in
 * minimal encapsulation, nor if it is one of a tunnel already, nor if its
 * length would not fit into the outer header.
 */
static bool has_to_be_cut(const struct sk_buff *skb, const struct trip *t)
{
	if (!skb_is_gso(skb))
		return false;
	return t->o->encap == HMMP_ENCAP_MINENC || skb->encapsulation ||
	       skb->len + t->grow > IP_MAX_MTU;
}

static int put_on_each(struct sk_buff *skb, const struct trip *t)
{
	struct sk_buff *seg, *next;
	int err, ret = 0;

	seg = skb_gso_segment(skb, NETIF_F_SG | NETIF_F_HW_CSUM);
	if (IS_ERR_OR_NULL(seg)) {
		hmmp_drop(t->hn, DROP_SEGMENT);
		kfree_skb(skb);
		return -EINVAL;
	}
	consume_skb(skb);
	skb_list_walk_safe(seg, seg, next) {
		skb_mark_not_on_list(seg);
		err = put_on(seg, t);
		if (err && !ret)
			ret = err;
	}
	return ret;
}

static unsigned int stolen(int err)
{
	return err < 0 ? NF_STOLEN | (u32)-err << NF_VERDICT_QBITS : NF_STOLEN;
}

static void count_sent(struct hmmp_net *hn, struct hmmp_binding *b, u32 len)
{
	hmmp_count(hn, TX_ENCAP);
	if (!b)
		return;
	atomic64_inc(&b->tx_packets);
	atomic64_add(len, &b->tx_bytes);
}

static u8 tos_of(const struct sk_buff *skb, u8 family)
{
	return family == AF_INET ? ip_hdr(skb)->tos :
				   ipv6_get_dsfield(ipv6_hdr(skb));
}

static bool longer_than(const struct sk_buff *skb, u32 mtu)
{
	if (skb_is_gso(skb))
		return !skb_gso_validate_network_len(skb, mtu);
	return skb->len > mtu;
}

/*
 * May the outer packet be cut into fragments? IPv6 may where the sender would
 * have done so, which comes after this hook: a datagram that may be cut, and
 * one that was put together here from fragments that fit.
 */
static bool may_fragment(const struct sk_buff *skb, u8 family, u32 mtu)
{
	u16 largest;

	if (family == AF_INET)
		return !(ip_hdr(skb)->frag_off & htons(IP_DF));
	largest = IP6CB(skb)->frag_max_size;
	return skb->ignore_df || (largest && largest <= mtu) ||
	       !longer_than(skb, IPV6_MIN_MTU);
}

/**
 * hmmp_send - put a packet into another one, and send it
 * @hn: namespace
 * @skb: inner packet, which its own output path is done with
 * @family: of the packet
 * @b: binding that it is counted for, or NULL
 * @o: what the outer packet is sent with
 *
 * Context: RCU read side. Return: a netfilter verdict: NF_STOLEN with the error
 * of the outer packet, or NF_DROP, counted.
 */
unsigned int hmmp_send(struct hmmp_net *hn, struct sk_buff *skb, u8 family,
		       struct hmmp_binding *b, const struct hmmp_outer *o)
{
	struct trip t = { .hn = hn, .o = o };
	unsigned int verdict;
	u32 mtu;

	t.dst = hmmp_route_get(hn->net, o, tos_of(skb, family), &t.hold);
	if (IS_ERR(t.dst)) {
		hmmp_drop(hn, DROP_NO_ROUTE);
		return NF_DROP;
	}
	t.grow = hmmp_header_len(o, skb);
	mtu = dst_mtu(t.dst) - t.grow;
	t.fits = !longer_than(skb, mtu);
	if (!t.fits && !may_fragment(skb, family, mtu)) {
		verdict = hmmp_pmtu_too_big(hn, skb, family, mtu);
	} else {
		count_sent(hn, b, skb->len);
		verdict = stolen(has_to_be_cut(skb, &t) ?
				 put_on_each(skb, &t) : put_on(skb, &t));
	}
	if (t.hold)
		dst_release(t.dst);
	return verdict;
}
