// SPDX-License-Identifier: GPL-2.0
/*
 * Outer headers off. Handlers of tunnel4 and tunnel6, before those of the
 * tunnel devices: outer packets have passed PRE_ROUTING, INPUT and reassembly.
 * What does not agree with a binding in all four addresses (and a tracked
 * flow, where it covers flows) is not touched, so that other tunnels of the
 * host go on working (K3).
 *
 * An inner packet for this host enters the stack again as itself, with a
 * private route of the namespace and its family attached. That route lets it
 * pass the reverse-path filter, which the match has replaced, and is the mark
 * by which PRE_ROUTING knows it from a plain segment (K2): nothing else has a
 * route there. It is born obsolete, so that a socket that remembers it will
 * not use it for others. A packet for somebody else enters on the interface
 * of the host route, where its source is routed to, so that the filter stays on.
 */
#include <linux/netdevice.h>
#include <net/addrconf.h>
#include <net/dst.h>
#include <net/ip6_route.h>
#include <net/ip_tunnels.h>
#include <net/protocol.h>
#include <net/route.h>
#include <net/xfrm.h>
#include "hmmp.h"

/* Before vti (0), ipip and ip6_tunnel (1), sit (2) and xfrm (3, 4). */
#define DECAP_PRIORITY	(-10)

static void count_received(struct hmmp_net *hn, const struct hmmp_match *m,
			   u32 len)
{
	struct hmmp_binding *b = m->b;
	struct hmmp_addr to;

	hmmp_count(hn, RX_DECAP);
	if (!b)
		return;
	atomic64_inc(&b->rx_packets);
	atomic64_add(len, &b->rx_bytes);
	if (b->status != HMMP_STATUS_PROVISIONAL)
		return;
	to = hmmp_binding_to(b);
	if (hmmp_same(&m->from, &to))
		atomic64_add(3 * (u64)len, &b->more->credit);
}

static bool allowed(struct hmmp_net *hn, struct sk_buff *skb, u8 family,
		    const struct hmmp_match *m)
{
	if (m->secured && !secpath_exists(skb)) {
		hmmp_drop(hn, DROP_SECURED);
		return false;
	}
	if (family == AF_INET ? !xfrm4_policy_check(NULL, XFRM_POLICY_IN, skb) :
				!xfrm6_policy_check(NULL, XFRM_POLICY_IN, skb)) {
		hmmp_drop(hn, DROP_POLICY);
		return false;
	}
	return true;
}

/* Congestion that the outer packet met (RFC 6040 4.2). */
static bool ecn(struct sk_buff *skb, u8 outer_family, u8 outer_tos)
{
	struct iphdr v4 = { .tos = outer_tos };
	struct ipv6hdr v6 = {};

	if (outer_family == AF_INET)
		return IP_ECN_decapsulate(&v4, skb) <= 1;
	ip6_flow_hdr(&v6, outer_tos, 0);
	return IP6_ECN_decapsulate(&v6, skb) <= 1;
}

/* Return: false if the packet has to be dropped; that has been counted. */
static bool strip(struct hmmp_net *hn, struct sk_buff *skb, u8 family)
{
	u8 version = *skb->data >> 4;
	u8 tos = family == AF_INET ? ip_hdr(skb)->tos :
				     ipv6_get_dsfield(ipv6_hdr(skb));

	if (__iptunnel_pull_header(skb, 0, version == 4 ? htons(ETH_P_IP) :
				   htons(ETH_P_IPV6), false, false)) {
		hmmp_drop(hn, DROP_MALFORMED);
		return false;
	}
	/* others may look at the outer packet still */
	if (skb_cow_head(skb, 0)) {
		hmmp_drop(hn, DROP_MEMORY);
		return false;
	}
	skb_reset_network_header(skb);
	if (!ecn(skb, family, tos)) {
		hmmp_drop(hn, DROP_ECN);
		return false;
	}
	skb_mac_header_rebuild(skb);
	if (skb_mac_header_was_set(skb) &&
	    skb->network_header - skb->mac_header == ETH_HLEN &&
	    skb->dev->type == ARPHRD_ETHER)
		eth_hdr(skb)->h_proto = skb->protocol;
	return true;
}

/* Where the inner packet enters. Return: false: dropped, counted. */
static bool aim(struct hmmp_net *hn, struct sk_buff *skb,
		const struct hmmp_match *m)
{
	struct net_device *dev;

	if (m->host) {
		dev = dev_get_by_index_rcu(hn->net, m->b->ifindex);
		if (!dev || !(dev->flags & IFF_UP)) {
			hmmp_drop(hn, DROP_NO_ROUTE);
			return false;
		}
		skb->dev = dev;
		skb->pkt_type = PACKET_HOST;
		return true;
	}
	if (skb->protocol == htons(ETH_P_IP))
		skb_dst_set(skb, dst_clone(&hn->input->dst));
	else if (hn->input6)
		skb_dst_set(skb, dst_clone(&hn->input6->dst));
	else	/* this namespace has no IPv6 */
		hmmp_drop(hn, DROP_NO_ROUTE);
	return skb_dst(skb);
}

/**
 * hmmp_decap_deliver - take the outer header off and let the packet go on
 * @hn: namespace
 * @skb: packet, the outer header is its network header and the inner one its
 *	data; consumed
 * @outer_family: of the outer header
 * @m: what it belongs to
 *
 * Context: softirq, RCU read side.
 */
void hmmp_decap_deliver(struct hmmp_net *hn, struct sk_buff *skb,
			u8 outer_family, struct hmmp_match *m)
{
	if (!allowed(hn, skb, outer_family, m) ||
	    !strip(hn, skb, outer_family) || !aim(hn, skb, m)) {
		kfree_skb(skb);
		return;
	}
	count_received(hn, m, skb->len);
	netif_receive_skb(skb);
}

static int receive(struct sk_buff *skb, u8 outer_family, u8 inner_family)
{
	struct hmmp_net *hn = hmmp_net(dev_net(skb->dev));
	struct hmmp_match m = {};
	struct hmmp_packet p;

	/* pairs with hmmp_net_start() */
	if (!smp_load_acquire(&hn->active))
		return -ENOENT;
	if (!atomic_read(&hn->n_chained) && !rcu_access_pointer(hn->local))
		return -ENOENT;
	if (!pskb_may_pull(skb, inner_family == AF_INET ?
			   sizeof(struct iphdr) : sizeof(struct ipv6hdr)))
		return -ENOENT;
	if (!hmmp_packet_read(skb, 0, inner_family, false, &p)) {
		hmmp_count(hn, RX_NO_MATCH);
		return -ENOENT;
	}
	if (!hmmp_match_find(hn, skb, outer_family, &p, &m))
		return -ENOENT;
	hmmp_decap_deliver(hn, skb, outer_family, &m);
	return 0;
}

static int rcv_4in4(struct sk_buff *skb)
{
	return receive(skb, AF_INET, AF_INET);
}

static int rcv_6in4(struct sk_buff *skb)
{
	return receive(skb, AF_INET, AF_INET6);
}

static int rcv_6in6(struct sk_buff *skb)
{
	return receive(skb, AF_INET6, AF_INET6);
}

static int rcv_4in6(struct sk_buff *skb)
{
	return receive(skb, AF_INET6, AF_INET);
}

static int err_4in4(struct sk_buff *skb, u32 info)
{
	return hmmp_pmtu_err4(skb, info, AF_INET);
}

static int err_6in4(struct sk_buff *skb, u32 info)
{
	return hmmp_pmtu_err4(skb, info, AF_INET6);
}

static int err_6in6(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type,
		    u8 code, int offset, __be32 info)
{
	return hmmp_pmtu_err6(skb, type, code, offset, info, AF_INET6);
}

static int err_4in6(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type,
		    u8 code, int offset, __be32 info)
{
	return hmmp_pmtu_err6(skb, type, code, offset, info, AF_INET);
}

static struct xfrm_tunnel hmmp_4in4 = {
	.handler = rcv_4in4,
	.err_handler = err_4in4,
	.priority = DECAP_PRIORITY,
};

static struct xfrm_tunnel hmmp_6in4 = {
	.handler = rcv_6in4,
	.err_handler = err_6in4,
	.priority = DECAP_PRIORITY,
};

static struct xfrm6_tunnel hmmp_6in6 = {
	.handler = rcv_6in6,
	.err_handler = err_6in6,
	.priority = DECAP_PRIORITY,
};

static struct xfrm6_tunnel hmmp_4in6 = {
	.handler = rcv_4in6,
	.err_handler = err_4in6,
	.priority = DECAP_PRIORITY,
};

/**
 * hmmp_decap_is_ours - does a packet carry the mark of what was decapsulated?
 * @hn: namespace
 * @skb: packet at PRE_ROUTING
 * @family: of the packet
 *
 * Return: true if it has the private route.
 */
bool hmmp_decap_is_ours(const struct hmmp_net *hn, const struct sk_buff *skb,
			u8 family)
{
	const struct dst_entry *dst = skb_dst(skb);

	if (!dst)
		return false;
	return family == AF_INET ? dst == &hn->input->dst :
				   hn->input6 && dst == &hn->input6->dst;
}

/* The clock of @settled goes round once in 208 days. */
static bool just_settled(const struct hmmp_binding *b)
{
	return (u32)(hmmp_now() >> HMMP_SETTLED_SHIFT) - b->settled <=
	       HMMP_GRACE_NS >> HMMP_SETTLED_SHIFT;
}

/**
 * hmmp_decap_plain - refuse a plain segment of a flow that has moved away
 * @hn: namespace
 * @skb: packet that is not a decapsulated one, at the very beginning of
 *	PRE_ROUTING; of fragments, the first one has the ports, and without it
 *	the others are of no use
 * @family: of the packet
 *
 * From a while after the move was verified, whoever sends from the address
 * that the far end has left is somebody else (K2).
 *
 * Return: NF_ACCEPT or NF_DROP, counted.
 */
unsigned int hmmp_decap_plain(struct hmmp_net *hn, const struct sk_buff *skb,
			      u8 family)
{
	union nf_inet_addr from;
	struct hmmp_binding *b;
	struct hmmp_packet p;
	struct hmmp_where at;
	struct hmmp_flow *f;

	hmmp_packet_addr(skb, family, true, &from);
	if (!hmmp_binding_first(hn, family, &from))
		return NF_ACCEPT;
	if (!hmmp_packet_read(skb, skb_network_offset(skb), family, false, &p) ||
	    !p.ports)
		return NF_ACCEPT;
	f = hmmp_flow_find(hn->net, &p.key);
	if (!f || !f->owner)
		return NF_ACCEPT;
	b = hmmp_binding_find(hn, family, &p.key.remote, f->owner);
	if (!b || !b->settled || just_settled(b))
		return NF_ACCEPT;
	hmmp_binding_where(b, hmmp_now(), &at);
	if (at.home)
		return NF_ACCEPT;
	hmmp_drop(hn, DROP_PLAIN);
	return NF_DROP;
}

static int input_route6(struct hmmp_net *hn)
{
	struct net_device *lo = hn->net->loopback_dev;
	struct inet6_dev *idev = in6_dev_get(lo);
	struct rt6_info *rt;

	if (!idev)
		return 0;
	rt = ip6_dst_alloc(hn->net, lo, 0);
	if (!rt) {
		in6_dev_put(idev);
		return -ENOMEM;
	}
	rt->rt6i_idev = idev;
	rt->rt6i_flags = RTF_LOCAL;
	rt->dst.input = ip6_input;
	rt->dst.obsolete = DST_OBSOLETE_KILL;
	hn->input6 = rt;
	return 0;
}

/**
 * hmmp_decap_net_init - make the private routes of a namespace
 * @hn: namespace; its lock is held
 *
 * Without IPv6 on the loopback device there is none for IPv6. The one for IPv4
 * is made last, and tells that this is done.
 *
 * Return: 0, or -ENOMEM and it may be called again.
 */
int hmmp_decap_net_init(struct hmmp_net *hn)
{
	struct rtable *rt;
	int err;

	err = hn->input6 ? 0 : input_route6(hn);
	if (err)
		return err;
	rt = rt_dst_alloc(hn->net->loopback_dev, RTCF_LOCAL, RTN_LOCAL, true);
	if (!rt)
		return -ENOMEM;
	rt->rt_is_input = 1;
	rt->dst.obsolete = DST_OBSOLETE_KILL;
	hn->input = rt;
	return 0;
}

/**
 * hmmp_decap_net_pre_exit - the private routes let go of the loopback device
 * @hn: namespace; the device goes before hmmp_decap_net_exit() is called
 *
 * Sockets may remember a route for longer; it holds no device for them.
 */
void hmmp_decap_net_pre_exit(struct hmmp_net *hn)
{
	struct inet6_dev *idev;

	if (hn->input)
		dst_dev_put(&hn->input->dst);
	if (!hn->input6)
		return;
	/* 6.1 would keep it, and packets under way still look at it */
	idev = in6_dev_get(blackhole_netdev);
	if (idev) {
		idev = xchg(&hn->input6->rt6i_idev, idev);
		in6_dev_put(idev);
	}
	dst_dev_put(&hn->input6->dst);
}

/**
 * hmmp_decap_net_exit - let the private routes go
 * @hn: namespace; no packet can get them any more
 */
void hmmp_decap_net_exit(struct hmmp_net *hn)
{
	if (hn->input)
		dst_release(&hn->input->dst);
	if (hn->input6)
		dst_release(&hn->input6->dst);
}

/**
 * hmmp_decap_init - take encapsulated packets, in all namespaces
 *
 * Return: 0 or a negative error.
 */
int hmmp_decap_init(void)
{
	int err;

	err = xfrm4_tunnel_register(&hmmp_4in4, AF_INET);
	if (err)
		return err;
	err = xfrm4_tunnel_register(&hmmp_6in4, AF_INET6);
	if (err)
		goto err_4in4;
	err = xfrm6_tunnel_register(&hmmp_6in6, AF_INET6);
	if (err)
		goto err_6in4;
	err = xfrm6_tunnel_register(&hmmp_4in6, AF_INET);
	if (err)
		goto err_6in6;
	err = hmmp_minenc_init();
	if (err)
		goto err_4in6;
	return 0;

err_4in6:
	xfrm6_tunnel_deregister(&hmmp_4in6, AF_INET);
err_6in6:
	xfrm6_tunnel_deregister(&hmmp_6in6, AF_INET6);
err_6in4:
	xfrm4_tunnel_deregister(&hmmp_6in4, AF_INET6);
err_4in4:
	xfrm4_tunnel_deregister(&hmmp_4in4, AF_INET);
	return err;
}

/**
 * hmmp_decap_exit - take none any more; waits for those under way
 */
void hmmp_decap_exit(void)
{
	hmmp_minenc_exit();
	xfrm6_tunnel_deregister(&hmmp_4in6, AF_INET);
	xfrm6_tunnel_deregister(&hmmp_6in6, AF_INET6);
	xfrm4_tunnel_deregister(&hmmp_6in4, AF_INET6);
	xfrm4_tunnel_deregister(&hmmp_4in4, AF_INET);
}
