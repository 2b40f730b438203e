// SPDX-License-Identifier: GPL-2.0
/*
 * Outer headers on (RFC 2003). Called for every packet that leaves; one that
 * concerns no binding and no former address is let through after two loads.
 * Context: the send hook, RCU read side, BH on or off.
 */
#include <linux/bpf-cgroup.h>
#include <net/dst.h>
#include <net/gso.h>
#include <net/icmp.h>
#include <net/ip_tunnels.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include "hmmp.h"

/**
 * struct way - where a packet goes
 * @b: binding of the far end, or NULL
 * @route: where the outer route is remembered, or NULL
 * @saddr: outer source, 0: that of the packet
 * @daddr: outer destination, 0: that of the packet
 */
struct way {
	struct hmmp_binding *b;
	struct hmmp_route *route;
	__be32 saddr;
	__be32 daddr;
};

#define drop(hn, what) ({ hmmp_count(hn, what); NF_DROP; })

static bool leave_alone(const struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);

	return !rt || rt->rt_flags & (RTCF_MULTICAST | RTCF_BROADCAST) ||
	       IPCB(skb)->flags & IPSKB_FORWARDED || dst_xfrm(&rt->dst);
}

/*
 * K1: a former address may be used as a source towards a peer only when that
 * peer has accepted the present one: it said so, or it sends there. Otherwise
 * the packet is dropped; TCP keeps what it has to send.
 */
static unsigned int peer_allows(struct hmmp_net *hn, const struct hmmp_local *l,
				const struct hmmp_flow *f, struct way *w)
{
	u8 state = HMMP_PEER_STATE_UNKNOWN;
	struct hmmp_peer *p;

	p = hmmp_peer_find(hn->net, f->key.family, &f->key.remote, f->owner);
	if (p && hmmp_addr_equal(&p->current_addr, &l->current_addr)) {
		state = p->state;
		w->route = &p->route;
	}
	if (state == HMMP_PEER_STATE_REFUSED)
		return drop(hn, DROP_PEER_REFUSED);
	if (state == HMMP_PEER_STATE_UNKNOWN && READ_ONCE(f->heard) != l->gen)
		return drop(hn, DROP_PEER_UNKNOWN);
	w->saddr = l->current_addr.ip;
	return NF_ACCEPT;
}

static unsigned int binding_allows(struct hmmp_net *hn, struct hmmp_binding *b,
				   struct way *w)
{
	if (b->home)
		return NF_ACCEPT;
	if (hmmp_binding_status(b, hmmp_now()) == HMMP_STATUS_HELD) {
		atomic64_inc(&b->drops);
		return drop(hn, DROP_HELD);
	}
	w->b = b;
	w->daddr = b->current_addr.ip;
	w->route = &b->route;
	if (b->local_outer.ip && !w->saddr)
		w->saddr = b->local_outer.ip;
	return NF_ACCEPT;
}

/* Which way does this packet go? Leaves *w zero if it goes natively. */
static unsigned int find_way(struct hmmp_net *hn, struct sk_buff *skb,
			     struct way *w)
{
	const struct hmmp_local *l;
	struct hmmp_tuple key = {};
	struct hmmp_binding *b;
	struct hmmp_flow *f;
	unsigned int verdict;
	bool moved;

	key.local.ip = ip_hdr(skb)->saddr;
	key.remote.ip = ip_hdr(skb)->daddr;
	l = hmmp_local_find(rcu_dereference(hn->local), AF_INET, &key.local);
	moved = l && hmmp_local_moved(l);
	if (!moved && !hmmp_binding_any(hn->net, AF_INET, &key.remote))
		return NF_ACCEPT;
	f = hmmp_tuple_from_skb(skb, true, &key) ?
	    hmmp_flow_find(hn->net, &key) : NULL;
	if (!f || !f->owner || f->flags & HMMP_FLOW_FIXED)
		return moved ? drop(hn, DROP_FORMER) : NF_ACCEPT;
	if (moved) {
		verdict = peer_allows(hn, l, f, w);
		if (verdict != NF_ACCEPT)
			return verdict;
	}
	b = hmmp_binding_find(hn->net, AF_INET, &key.remote, f->owner);
	return b ? binding_allows(hn, b, w) : NF_ACCEPT;
}

/*
 * What POST_ROUTING and the output path would still have done for the inner
 * packet: it is the last that they see of it.
 */
static unsigned int finish_inner(struct hmmp_net *hn, struct sk_buff *skb)
{
	const struct nf_ct_hook *hook;
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);
	struct sock *sk __maybe_unused = skb->sk;	/* no cgroup BPF */

	if (ct && !nf_ct_is_confirmed(ct)) {
		hook = rcu_dereference(nf_ct_hook);
		if (hook && hook->confirm(skb) != NF_ACCEPT)
			return drop(hn, DROP_CONNTRACK);
	}
	if (BPF_CGROUP_RUN_PROG_INET_EGRESS(sk, skb) < 0)
		return drop(hn, DROP_CGROUP);
	return NF_ACCEPT;
}

static bool too_big(const struct sk_buff *skb, u32 mtu)
{
	if (!(ip_hdr(skb)->frag_off & htons(IP_DF)))
		return false;	/* the outer packet is fragmented */
	if (skb_is_gso(skb))
		return !skb_gso_validate_network_len(skb, mtu);
	return skb->len > mtu;
}

/*
 * K8: the sender learns of it by its route and by ICMP, which goes the long
 * way round through the stack: its lock may be held by our caller.
 */
static unsigned int tell_mtu(struct hmmp_net *hn, struct sk_buff *skb, u32 mtu)
{
	skb_dst_update_pmtu_no_confirm(skb, mtu);
	icmp_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, htonl(mtu));
	return drop(hn, DROP_TOO_BIG);
}

/* Room for the outer header, and super-packets that stay whole. */
static int make_room(struct sk_buff *skb, const struct dst_entry *dst)
{
	int err;

	err = skb_cow_head(skb, LL_RESERVED_SPACE(dst->dev) +
			   sizeof(struct iphdr));
	if (err)
		return err;
	err = iptunnel_handle_offloads(skb, SKB_GSO_IPXIP4);
	if (err)
		return err;
	skb_set_inner_ipproto(skb, IPPROTO_IPIP);
	return 0;
}

/* RFC 2003 3.1, RFC 6040 4.1; TTL as it is, so that loops end (K4). */
static void push_header(struct net *net, struct sk_buff *skb,
			const struct way *w)
{
	const struct iphdr *inner = ip_hdr(skb);
	u8 tos = inner->tos, ttl = inner->ttl;
	__be16 df = inner->frag_off & htons(IP_DF);
	struct iphdr *iph;

	iph = skb_push(skb, sizeof(*iph));
	skb_reset_network_header(skb);
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = tos;
	iph->frag_off = df;
	iph->ttl = ttl;
	iph->protocol = IPPROTO_IPIP;
	iph->saddr = w->saddr;
	iph->daddr = w->daddr;
	iph->id = 0;
	if (!df)
		__ip_select_ident(net, iph, skb_shinfo(skb)->gso_segs ?: 1);
}

/* The inner packet is done with; from here on it is the outer one. */
static int send_outer(struct hmmp_net *hn, struct sk_buff *skb,
		      const struct way *w, struct dst_entry *dst, bool held)
{
	int err;

	skb_scrub_packet(skb, false);
	if (held)
		skb_dst_set(skb, dst);
	else
		skb_dst_set_noref(skb, dst);
	skb_set_dst_pending_confirm(skb, 0);
	skb->mark = w->b ? w->b->mark : 0;
	memset(skb->cb, 0, sizeof(skb->cb));
	push_header(hn->net, skb, w);
	local_bh_disable();
	err = ip_local_out(hn->net, NULL, skb);
	local_bh_enable();
	return net_xmit_eval(err);
}

static unsigned int stolen(int err)
{
	return err < 0 ? NF_STOLEN | (u32)-err << NF_VERDICT_QBITS : NF_STOLEN;
}

static unsigned int fits(struct hmmp_net *hn, struct sk_buff *skb,
			 const struct dst_entry *dst)
{
	u32 mtu = dst_mtu(dst) - sizeof(struct iphdr);

	if (too_big(skb, mtu))
		return tell_mtu(hn, skb, mtu);
	if (make_room(skb, dst))
		return drop(hn, DROP_MEMORY);
	return NF_ACCEPT;
}

static void count_sent(struct hmmp_net *hn, struct hmmp_binding *b, u32 len)
{
	hmmp_count(hn, TX_ENCAP);
	if (!b)
		return;
	atomic64_inc(&b->tx_packets);
	atomic64_add(len, &b->tx_bytes);
}

static unsigned int encapsulate(struct hmmp_net *hn, struct sk_buff *skb,
				struct way *w)
{
	struct flowi4 fl4 = {
		.saddr = w->saddr,
		.daddr = w->daddr,
		.flowi4_proto = IPPROTO_IPIP,
		.flowi4_tos = ip_hdr(skb)->tos & INET_DSCP_MASK,
		.flowi4_mark = w->b ? w->b->mark : 0,
	};
	struct dst_entry *dst;
	unsigned int verdict;
	bool held;

	verdict = finish_inner(hn, skb);
	if (verdict != NF_ACCEPT)
		return verdict;
	dst = hmmp_route_get(hn->net, w->route, &fl4, &held);
	if (IS_ERR(dst))
		return drop(hn, DROP_NO_ROUTE);
	verdict = fits(hn, skb, dst);
	if (verdict != NF_ACCEPT) {
		if (held)
			dst_release(dst);
		return verdict;
	}
	count_sent(hn, w->b, skb->len);
	return stolen(send_outer(hn, skb, w, dst, held));
}

/**
 * hmmp_encap4 - put a packet into another one if it has to be
 * @hn: namespace
 * @skb: IPv4 packet at the end of POST_ROUTING
 *
 * Return: a netfilter verdict; NF_STOLEN with the error of the outer packet.
 */
unsigned int hmmp_encap4(struct hmmp_net *hn, struct sk_buff *skb)
{
	const struct hmmp_local_map *map = rcu_dereference(hn->local);
	struct way w = {};
	unsigned int verdict;

	if (!atomic_read(&hn->n_chained) && (!map || !map->moved))
		return NF_ACCEPT;
	if (leave_alone(skb))
		return NF_ACCEPT;
	verdict = find_way(hn, skb, &w);
	if (verdict != NF_ACCEPT || (!w.saddr && !w.daddr))
		return verdict;
	if (!w.saddr)
		w.saddr = ip_hdr(skb)->saddr;
	if (!w.daddr)
		w.daddr = ip_hdr(skb)->daddr;
	return encapsulate(hn, skb, &w);
}
