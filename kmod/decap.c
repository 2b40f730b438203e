// SPDX-License-Identifier: GPL-2.0
/*
 * Outer headers off (RFC 2003). A handler of tunnel4, before those of the ipip
 * device: outer packets have passed PRE_ROUTING, INPUT and reassembly. What
 * does not agree with a binding in all four addresses and a tracked flow is
 * not touched, so that other tunnels of the host go on working (K3).
 *
 * The inner packet enters the stack again as itself, with a private route of
 * the namespace attached. That route lets it pass the reverse-path filter,
 * which the match has replaced, and is the mark by which PRE_ROUTING knows it
 * from a plain segment (K2): nothing else has a route there. It is born
 * obsolete, so that a socket that remembers it will not use it for others.
 */
#include <linux/icmp.h>
#include <linux/netdevice.h>
#include <net/dst.h>
#include <net/ip_tunnels.h>
#include <net/protocol.h>
#include <net/route.h>
#include <net/xfrm.h>
#include "hmmp.h"

/* Before vti (0), ipip (1), sit (2) and xfrm (3, 4). */
#define DECAP_PRIORITY	(-10)

/**
 * struct match - what an encapsulated packet belongs to
 * @b: binding of the far end, or NULL
 * @moved: rests on a binding at least at one end
 */
struct match {
	struct hmmp_binding *b;
	bool moved;
};

static bool in_grace(u64 since)
{
	return hmmp_now() < since + HMMP_GRACE_NS;
}

/* Is this where the far end sends from? */
static bool far_end(struct hmmp_net *hn, const struct hmmp_flow *f,
		    __be32 outer, struct match *m)
{
	struct hmmp_binding *b;

	b = hmmp_binding_find(hn->net, AF_INET, &f->key.remote, f->owner);
	m->b = b;
	if (!b)
		return outer == f->key.remote.ip;
	if (outer == b->current_addr.ip) {
		m->moved |= !b->home;
		return true;
	}
	if (!outer || outer != b->previous.ip || !in_grace(b->since))
		return false;
	m->moved = true;
	return true;
}

/*
 * Is this where we receive for the flow's local address? If it is where we
 * have moved to, the far end has accepted that (K1), and its answer may come
 * later than this packet.
 */
static bool near_end(struct hmmp_net *hn, struct hmmp_flow *f, __be32 outer,
		     struct match *m)
{
	const struct hmmp_local *l;

	l = hmmp_local_find(rcu_dereference(hn->local), AF_INET,
			    &f->key.local);
	if (!l)
		return outer == f->key.local.ip;
	if (outer == l->current_addr.ip) {
		m->moved |= hmmp_local_moved(l);
		if (hmmp_local_moved(l) && READ_ONCE(f->heard) != l->gen)
			WRITE_ONCE(f->heard, l->gen);
		return true;
	}
	if (!outer || outer != l->previous.ip || !in_grace(l->changed))
		return false;
	m->moved = true;
	return true;
}

/* The inner header is at skb->data, the outer one is the network header. */
static bool inner_tuple(struct sk_buff *skb, struct hmmp_tuple *key)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	const __be16 *port;

	if (iph->version != 4 || iph->ihl < 5 || ip_is_fragment(iph) ||
	    iph->protocol != IPPROTO_TCP ||
	    ntohs(iph->tot_len) < iph->ihl * 4 + sizeof(struct tcphdr) ||
	    !pskb_may_pull(skb, iph->ihl * 4 + sizeof(struct tcphdr)))
		return false;
	iph = (const struct iphdr *)skb->data;
	port = (const __be16 *)(skb->data + iph->ihl * 4);
	memset(key, 0, sizeof(*key));
	key->family = AF_INET;
	key->local.ip = iph->daddr;
	key->remote.ip = iph->saddr;
	key->lport = port[1];
	key->rport = port[0];
	return true;
}

static bool find_match(struct hmmp_net *hn, struct sk_buff *skb,
		       struct match *m)
{
	const struct iphdr *outer;
	struct hmmp_tuple key;
	struct hmmp_flow *f;

	if (!inner_tuple(skb, &key))
		return false;
	outer = ip_hdr(skb);
	f = hmmp_flow_find(hn->net, &key);
	return f && f->owner && !(f->flags & HMMP_FLOW_FIXED) &&
	       far_end(hn, f, outer->saddr, m) &&
	       near_end(hn, f, outer->daddr, m) && m->moved;
}

static void count_received(struct hmmp_net *hn, const struct match *m, u32 len)
{
	hmmp_count(hn, RX_DECAP);
	if (!m->b)
		return;
	atomic64_inc(&m->b->rx_packets);
	atomic64_add(len, &m->b->rx_bytes);
}

/* Return: false if the packet has to be dropped; that has been counted. */
static bool strip(struct hmmp_net *hn, struct sk_buff *skb)
{
	struct iphdr outer = *ip_hdr(skb);

	if (!xfrm4_policy_check(NULL, XFRM_POLICY_IN, skb)) {
		hmmp_count(hn, DROP_POLICY);
		return false;
	}
	if (__iptunnel_pull_header(skb, 0, htons(ETH_P_IP), false, false)) {
		hmmp_count(hn, DROP_MALFORMED);
		return false;
	}
	/* others may look at the outer packet still */
	if (skb_cow_head(skb, 0)) {
		hmmp_count(hn, DROP_MEMORY);
		return false;
	}
	skb_reset_network_header(skb);
	if (IP_ECN_decapsulate(&outer, skb) > 1) {
		hmmp_count(hn, DROP_ECN);
		return false;
	}
	skb_mac_header_rebuild(skb);
	return true;
}

static int hmmp_tunnel4_rcv(struct sk_buff *skb)
{
	struct hmmp_net *hn = hmmp_net(dev_net(skb->dev));
	const struct hmmp_local_map *map;
	struct match m = {};

	/* pairs with hmmp_net_start() */
	if (!smp_load_acquire(&hn->active))
		return -ENOENT;
	map = rcu_dereference(hn->local);
	if (!atomic_read(&hn->n_chained) && !map)
		return -ENOENT;
	if (!find_match(hn, skb, &m)) {
		hmmp_count(hn, RX_NO_MATCH);
		return -ENOENT;
	}
	if (!strip(hn, skb)) {
		kfree_skb(skb);
		return 0;
	}
	count_received(hn, &m, skb->len);
	skb_dst_set(skb, dst_clone(&hn->input->dst));
	netif_receive_skb(skb);
	return 0;
}

/*
 * An ICMP error about an outer packet of ours: the path got narrower. Only the
 * outer route is told; the next packet that does not fit tells its sender.
 */
static int hmmp_tunnel4_err(struct sk_buff *skb, u32 info)
{
	struct net *net = dev_net(skb->dev);
	struct hmmp_net *hn = hmmp_net(net);
	const struct iphdr *outer = (const struct iphdr *)skb->data;
	struct hmmp_tuple key = { .family = AF_INET };
	const struct iphdr *inner;
	struct hmmp_flow *f;
	const __be16 *port;
	u32 len = outer->ihl * 4 + sizeof(*inner);

	if (!READ_ONCE(hn->active) || !pskb_may_pull(skb, len + 4))
		return -ENOENT;
	outer = (const struct iphdr *)skb->data;
	inner = (const struct iphdr *)(skb->data + outer->ihl * 4);
	if (inner->ihl != 5 || inner->protocol != IPPROTO_TCP)
		return -ENOENT;
	port = (const __be16 *)(inner + 1);
	key.local.ip = inner->saddr;
	key.remote.ip = inner->daddr;
	key.lport = port[0];
	key.rport = port[1];
	f = hmmp_flow_find(net, &key);
	if (!f || !f->owner)
		return -ENOENT;
	if (icmp_hdr(skb)->type == ICMP_DEST_UNREACH &&
	    icmp_hdr(skb)->code == ICMP_FRAG_NEEDED)
		ipv4_update_pmtu(skb, net, info, 0, IPPROTO_IPIP);
	return 0;
}

static struct xfrm_tunnel hmmp_tunnel4 = {
	.handler = hmmp_tunnel4_rcv,
	.err_handler = hmmp_tunnel4_err,
	.priority = DECAP_PRIORITY,
};

static unsigned int plain_segment(struct hmmp_net *hn,
				  const struct sk_buff *skb)
{
	union nf_inet_addr from = { .ip = ip_hdr(skb)->saddr };
	struct hmmp_binding *b;
	struct hmmp_tuple key;
	struct hmmp_flow *f;

	if (!hmmp_binding_any(hn->net, AF_INET, &from) ||
	    !hmmp_tuple_from_skb(skb, false, &key))
		return NF_ACCEPT;
	f = hmmp_flow_find(hn->net, &key);
	if (!f || !f->owner)
		return NF_ACCEPT;
	b = hmmp_binding_find(hn->net, AF_INET, &from, f->owner);
	if (!b || b->home || in_grace(b->since))
		return NF_ACCEPT;
	hmmp_count(hn, DROP_PLAIN);
	return NF_DROP;
}

/**
 * hmmp_decap_plain4 - refuse a plain segment of a flow that has moved away
 * @hn: namespace
 * @skb: IPv4 packet at the very beginning of PRE_ROUTING
 *
 * From a while after the move, whoever sends from the address that the far end
 * has left is somebody else (K2).
 *
 * Return: NF_ACCEPT or NF_DROP, counted.
 */
unsigned int hmmp_decap_plain4(struct hmmp_net *hn, const struct sk_buff *skb)
{
	if (skb_dst(skb) == &hn->input->dst)
		return NF_ACCEPT;
	return plain_segment(hn, skb);
}

/**
 * hmmp_decap_fragmented4 - the same for one that had to be put together
 * @hn: namespace
 * @skb: IPv4 packet at LOCAL_IN that came in fragments
 *
 * Return: NF_ACCEPT or NF_DROP, counted.
 */
unsigned int hmmp_decap_fragmented4(struct hmmp_net *hn,
				    const struct sk_buff *skb)
{
	return plain_segment(hn, skb);
}

/**
 * hmmp_decap_net_init - make the private route of a namespace
 * @hn: namespace; its lock is held
 *
 * Return: 0 or -ENOMEM.
 */
int hmmp_decap_net_init(struct hmmp_net *hn)
{
	struct rtable *rt;

	rt = rt_dst_alloc(hn->net->loopback_dev, RTCF_LOCAL, RTN_LOCAL, true);
	if (!rt)
		return -ENOMEM;
	rt->rt_is_input = 1;
	rt->dst.obsolete = DST_OBSOLETE_KILL;
	hn->input = rt;
	return 0;
}

/**
 * hmmp_decap_net_pre_exit - the private route lets go of the loopback device
 * @hn: namespace; the device goes before hmmp_decap_net_exit() is called
 *
 * Sockets may remember the route for longer; it holds no device for them.
 */
void hmmp_decap_net_pre_exit(struct hmmp_net *hn)
{
	if (hn->input)
		dst_dev_put(&hn->input->dst);
}

/**
 * hmmp_decap_net_exit - let the private route go
 * @hn: namespace; no packet can get it any more
 */
void hmmp_decap_net_exit(struct hmmp_net *hn)
{
	if (hn->input)
		dst_release(&hn->input->dst);
}

/**
 * hmmp_decap_init - take encapsulated packets, in all namespaces
 *
 * Return: 0 or a negative error.
 */
int hmmp_decap_init(void)
{
	return xfrm4_tunnel_register(&hmmp_tunnel4, AF_INET);
}

/**
 * hmmp_decap_exit - take none any more; waits for those under way
 */
void hmmp_decap_exit(void)
{
	xfrm4_tunnel_deregister(&hmmp_tunnel4, AF_INET);
}
