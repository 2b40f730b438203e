// SPDX-License-Identifier: GPL-2.0
/*
 * Which way a packet goes. Called for every packet that leaves; one that
 * concerns no binding and no former address is let through after a few loads.
 * Context: the send hook, RCU read side, BH on or off, often under the lock of
 * the packet's socket.
 */
#include <linux/bpf-cgroup.h>
#include <net/dst.h>
#include <net/ipv6.h>
#include <net/ndisc.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include "hmmp.h"

/**
 * struct way - where a packet goes
 * @b: binding of the far end, or NULL
 * @o: what the outer packet is sent with; no destination: it goes natively
 * @host: @b covers all packets, not those of a flow
 * @native: it goes natively, after it has been held
 */
struct way {
	struct hmmp_binding *b;
	struct hmmp_outer o;
	bool host;
	bool native;
};

#define drop(hn, what) ({ hmmp_drop(hn, what); NF_DROP; })

/* Neighbour discovery is of its link. */
static bool is_nd(const struct sk_buff *skb)
{
	const u8 *type;
	u8 buf;

	if (ipv6_hdr(skb)->nexthdr != IPPROTO_ICMPV6)
		return false;
	type = skb_header_pointer(skb, skb_network_offset(skb) +
				  sizeof(struct ipv6hdr), sizeof(buf), &buf);
	return type && *type >= NDISC_ROUTER_SOLICITATION &&
	       *type <= NDISC_REDIRECT;
}

/* What is of the link, and what an IPsec policy of the inner packet owns. */
static bool leave_alone(const struct sk_buff *skb, u8 family)
{
	const struct dst_entry *dst = skb_dst(skb);

	if (!dst || dst_xfrm(dst))
		return true;
	if (family == AF_INET)
		return skb_rtable(skb)->rt_flags &
		       (RTCF_MULTICAST | RTCF_BROADCAST);
	return ipv6_addr_is_multicast(&ipv6_hdr(skb)->daddr) || is_nd(skb);
}

/* IP in IP of these families. */
static u8 plain_encap(u8 inner, u8 outer)
{
	if (inner == AF_INET)
		return outer == AF_INET ? HMMP_ENCAP_IPIP : HMMP_ENCAP_4IN6;
	return outer == AF_INET ? HMMP_ENCAP_6IN4 : HMMP_ENCAP_IP6IP6;
}

/*
 * K1: a former address may be used as a source towards a peer only when that
 * peer has accepted the present one: it said so, or it sends there. Return:
 * the counter of the refusal, or 0.
 */
static int peer_refuses(struct hmmp_net *hn, const struct hmmp_local *l,
			const struct hmmp_flow *f, struct way *w)
{
	u8 state = HMMP_PEER_STATE_UNKNOWN;
	struct hmmp_peer *p;

	p = hmmp_peer_find(hn->net, f->key.family, &f->key.remote, f->owner);
	if (p && hmmp_same(&p->current_addr, &l->current_addr)) {
		state = p->state;
		w->o.route = &p->route;
		w->o.saddr6 = &p->saddr6;
		w->o.encap = p->encap;
	}
	if (state == HMMP_PEER_STATE_REFUSED)
		return HMMP_A_COUNTER_DROP_PEER_REFUSED;
	if (state == HMMP_PEER_STATE_UNKNOWN && READ_ONCE(f->heard) != l->gen)
		return HMMP_A_COUNTER_DROP_PEER_UNKNOWN;
	w->o.saddr = l->current_addr;
	return 0;
}

/* The mobile's end of a tunnel that is chosen by source. */
static void go_via(const struct hmmp_via *via, struct way *w)
{
	memset(w, 0, sizeof(*w));
	w->o.saddr = via->local;
	w->o.daddr = via->remote;
	w->o.encap = via->encap;
	w->host = true;
}

/*
 * The outer source of a binding counts unless this end has moved. A route that
 * a peer has remembered is none to where a binding leads.
 */
static void go_bound(struct hmmp_binding *b, const struct hmmp_where *at,
		     struct way *w)
{
	const struct hmmp_more *m = b->more;
	struct hmmp_addr from;

	w->b = b;
	w->o.encap = at->encap;
	w->o.mark = m ? m->mark : 0;
	if (!at->before) {
		w->o.route = &b->route;
		w->o.saddr6 = &b->wide->saddr;
		w->o.daddr = m && m->via.family ? m->via : at->to;
		from = hmmp_binding_from(b);
	} else {
		w->o.route = NULL;
		w->o.daddr = m->before.via.family ? m->before.via : at->to;
		from = m->before.local_outer;
	}
	if (!w->o.saddr.family)
		w->o.saddr = from;
}

static unsigned int held(struct hmmp_net *hn, struct hmmp_binding *b)
{
	atomic_inc(&b->drops);
	return drop(hn, DROP_HELD);
}

/* Beyond its credit a provisional binding leads where the last one led. */
static unsigned int beyond_credit(struct hmmp_net *hn, struct hmmp_binding *b,
				  struct hmmp_where *at)
{
	const struct hmmp_before *was = &b->more->before;

	if (READ_ONCE(b->told) & HMMP_BEFORE_UNREACHABLE) {
		atomic_inc(&b->drops);
		return drop(hn, DROP_CREDIT);
	}
	at->to = was->to;
	at->encap = was->encap;
	at->home = was->home;
	at->before = true;
	if (!was->home && (was->status == HMMP_STATUS_HELD ||
			   hmmp_now() >= was->expires))
		return held(hn, b);
	return NF_ACCEPT;
}

static unsigned int flow_binding(struct hmmp_net *hn, struct hmmp_binding *b,
				 const struct sk_buff *skb, struct way *w)
{
	struct hmmp_where at;
	unsigned int verdict;

	hmmp_binding_where(b, hmmp_now(), &at);
	if (!at.home && at.status == HMMP_STATUS_HELD)
		return held(hn, b);
	if (!at.home && at.status == HMMP_STATUS_PROVISIONAL &&
	    !hmmp_binding_credit(hn, b, skb->len)) {
		verdict = beyond_credit(hn, b, &at);
		if (verdict != NF_ACCEPT)
			return verdict;
	}
	if (at.home)
		return NF_ACCEPT;
	go_bound(b, &at, w);
	w->o.oif = b->ifindex;
	return NF_ACCEPT;
}

/* K2: whoever opens a connection anew is not in the flow of that name. */
static bool opens(const struct sk_buff *skb, const struct hmmp_packet *p)
{
	struct tcphdr buf, *th;

	th = skb_header_pointer(skb, p->tcp, sizeof(buf), &buf);
	return !th || (th->syn && !th->ack);
}

/* *took: the flow has a way of its own, which may be the native one. */
static unsigned int flow_way(struct hmmp_net *hn, const struct sk_buff *skb,
			     const struct hmmp_packet *p,
			     const struct hmmp_local *l, struct way *w,
			     bool *took)
{
	struct hmmp_binding *b;
	struct hmmp_flow *f;
	int refusal;

	f = p->tcp ? hmmp_flow_find(hn->net, &p->key) : NULL;
	if (!f || !f->owner || f->flags & HMMP_FLOW_FIXED || opens(skb, p))
		return NF_ACCEPT;
	if (l && hmmp_local_moved(l)) {
		*took = true;
		refusal = peer_refuses(hn, l, f, w);
		if (refusal && hmmp_via_alive(&l->via, hmmp_now())) {
			go_via(&l->via, w);
			return NF_ACCEPT;
		}
		if (refusal) {
			hmmp_mib_drop(hn, refusal);
			return NF_DROP;
		}
	}
	b = hmmp_binding_find(hn, p->key.family, &p->key.remote, f->owner);
	if (!b)
		return NF_ACCEPT;
	*took = true;
	return flow_binding(hn, b, skb, w);
}

/*
 * A buffer may hold also what would go natively (K11), but not for somebody
 * else: what is held for a binding that has ended is dropped.
 */
static void host_way(struct hmmp_binding *b, struct way *w)
{
	struct hmmp_where at;

	hmmp_binding_where(b, hmmp_now(), &at);
	w->host = true;
	if (at.status == HMMP_STATUS_HELD || at.home ||
	    at.status == HMMP_STATUS_SUSPENDED) {
		if ((at.status != HMMP_STATUS_HELD || b->leaving) &&
		    hmmp_buffer_open(hmmp_binding_buffer(b)))
			w->b = b;
		w->native = true;
		return;
	}
	go_bound(b, &at, w);
}

/**
 * struct concern - what the addresses of a packet have to do with us
 * @first: the first binding of its destination, or NULL
 * @l: the former address that is its source, or NULL
 * @forward: it comes from elsewhere
 */
struct concern {
	struct hmmp_binding *first;
	const struct hmmp_local *l;
	bool forward;
};

/* Most packets have nothing to do with us, and go on from here. */
static bool concerns(struct hmmp_net *hn, const struct sk_buff *skb, u8 family,
		     struct concern *c)
{
	const struct hmmp_local_map *map = rcu_dereference(hn->local);
	union nf_inet_addr a;

	c->first = NULL;
	c->l = NULL;
	if (atomic_read(&hn->n_chained)) {
		hmmp_packet_addr(skb, family, false, &a);
		c->first = hmmp_binding_first(hn, family, &a);
	}
	c->forward = hmmp_packet_forwarded(skb, family);
	if (map && map->busy && !c->forward) {
		hmmp_packet_addr(skb, family, true, &a);
		c->l = hmmp_local_find(map, family, &a);
	}
	return c->first || c->l;
}

/* Which way does this packet go? */
static unsigned int find_way(struct hmmp_net *hn, const struct sk_buff *skb,
			     const struct hmmp_packet *p,
			     const struct concern *c, struct way *w)
{
	const struct hmmp_local *l = c->l;
	struct hmmp_binding *b = c->first;
	unsigned int verdict;
	bool took = false;

	if (!c->forward) {
		verdict = NF_ACCEPT;
		if (b || (l && hmmp_local_moved(l)))
			verdict = flow_way(hn, skb, p, l, w, &took);
		if (verdict != NF_ACCEPT || took)
			return verdict;
		if (l && hmmp_via_alive(&l->via, hmmp_now())) {
			go_via(&l->via, w);
			return NF_ACCEPT;
		}
		if (l && hmmp_local_moved(l))
			return drop(hn, DROP_FORMER);
	}
	if (b && b->owner)
		b = hmmp_binding_find(hn, p->key.family, &p->key.remote, 0);
	if (b)
		host_way(b, w);
	return NF_ACCEPT;
}

/* What the way leaves open: the packet's own addresses, and IP in IP. */
static void fill_in(const struct hmmp_packet *p, const struct sk_buff *skb,
		    struct hmmp_outer *o)
{
	if (!o->saddr.family) {
		o->saddr.ip = p->key.local;
		o->saddr.family = p->key.family;
	}
	if (!o->daddr.family) {
		o->daddr.ip = p->key.remote;
		o->daddr.family = p->key.family;
	}
	if (!o->encap ||
	    (o->encap == HMMP_ENCAP_MINENC && !hmmp_minenc_possible(skb)))
		o->encap = plain_encap(p->key.family, o->daddr.family);
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

static unsigned int go(struct hmmp_net *hn, struct sk_buff *skb,
		       const struct hmmp_packet *p, bool forward,
		       struct way *w)
{
	unsigned int verdict;

	if (!w->native)
		fill_in(p, skb, &w->o);
	if (w->host && !w->native &&
	    hmmp_packet_loops(hn->net, skb, p->key.family, forward,
			      &w->o.saddr))
		return drop(hn, DROP_LOOP);
	verdict = finish_inner(hn, skb);
	if (verdict != NF_ACCEPT)
		return verdict;
	if (w->host && w->b &&
	    hmmp_buffer_hold(hmmp_binding_buffer(w->b), w->b, skb))
		return NF_STOLEN;
	return w->native ? NF_ACCEPT :
			   hmmp_send(hn, skb, p->key.family, w->b, &w->o);
}

/*
 * May a packet skip all questions? It comes from elsewhere, so it is of no flow
 * and of no former address, it is no tunnel's, and the binding of its
 * destination is a host's that leads to address 2, IPv4 in IPv4, without more.
 */
static bool goes_straight(const struct sk_buff *skb, u8 family,
			  const struct concern *c)
{
	const struct hmmp_binding *b = c->first;
	u8 proto;

	if (!c->forward || family != AF_INET || b->owner || !b->from ||
	    hmmp_binding_is_wide(b) || !hmmp_binding_plain(b, hmmp_now()) ||
	    b->more)
		return false;
	proto = ip_hdr(skb)->protocol;
	return proto != IPPROTO_IPIP && proto != IPPROTO_IPV6 &&
	       proto != HMMP_IPPROTO_MINENC;
}

static unsigned int go_straight(struct hmmp_net *hn, struct sk_buff *skb,
				struct hmmp_binding *b)
{
	struct hmmp_outer o = {
		.saddr = { .ip.ip = b->from, .family = AF_INET },
		.daddr = { .ip.ip = b->route.daddr, .family = AF_INET },
		.route = &b->route,
		.encap = b->encap,
	};
	unsigned int verdict;

	if (o.encap != HMMP_ENCAP_MINENC || !hmmp_minenc_possible(skb))
		o.encap = HMMP_ENCAP_IPIP;
	verdict = finish_inner(hn, skb);
	return verdict == NF_ACCEPT ? hmmp_send(hn, skb, AF_INET, b, &o) :
				      verdict;
}

static unsigned int encap_concerned(struct hmmp_net *hn, struct sk_buff *skb,
				    u8 family, const struct concern *c)
{
	unsigned int verdict;
	struct hmmp_packet p;
	struct way w = {};

	if (leave_alone(skb, family))
		return NF_ACCEPT;
	if (c->first && goes_straight(skb, family, c))
		return go_straight(hn, skb, c->first);
	if (!hmmp_packet_read(skb, skb_network_offset(skb), family, true, &p))
		return NF_ACCEPT;
	verdict = find_way(hn, skb, &p, c, &w);
	if (verdict != NF_ACCEPT)
		return verdict;
	if (!w.o.saddr.family && !w.o.daddr.family && !w.b)
		return NF_ACCEPT;
	return go(hn, skb, &p, c->forward, &w);
}

/**
 * hmmp_encap - put a packet into another one if it has to be
 * @hn: namespace
 * @skb: packet at the end of POST_ROUTING
 * @family: of the packet
 *
 * Return: a netfilter verdict; NF_STOLEN with the error of the outer packet.
 */
unsigned int hmmp_encap(struct hmmp_net *hn, struct sk_buff *skb, u8 family)
{
	struct concern c;

	if (!concerns(hn, skb, family, &c))
		return NF_ACCEPT;
	return encap_concerned(hn, skb, family, &c);
}

/**
 * hmmp_encap_held - send a packet that a buffer has held
 * @hn: namespace
 * @skb: packet, network header set; consumed unless -ENOENT
 * @b: binding that covers it
 * @family: of the packet
 *
 * Context: softirq, RCU read side. Return: 0, or -ENOENT if it goes natively.
 */
int hmmp_encap_held(struct hmmp_net *hn, struct sk_buff *skb,
		    struct hmmp_binding *b, u8 family)
{
	struct hmmp_packet p;
	struct way w = {};

	host_way(b, &w);
	if (w.native)
		return -ENOENT;
	if (!hmmp_packet_read(skb, skb_network_offset(skb), family, true,
			      &p)) {
		hmmp_drop(hn, DROP_MALFORMED);
		kfree_skb(skb);
		return 0;
	}
	fill_in(&p, skb, &w.o);
	if ((hmmp_send(hn, skb, family, w.b, &w.o) & NF_VERDICT_MASK) ==
	    NF_DROP)
		kfree_skb(skb);
	return 0;
}
