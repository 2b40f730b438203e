// SPDX-License-Identifier: GPL-2.0
/*
 * What an encapsulated packet belongs to (K3): outer source and destination and
 * the inner addresses have to agree with a binding and a flow, with a binding
 * of scope host, or with a via. Called for what arrives by the protocols of
 * tunnels; nothing is changed here but what a flow has heard.
 */
#include "hmmp.h"

/**
 * struct ends - the outer addresses of a packet
 * @src: source
 * @dst: destination
 */
struct ends {
	struct hmmp_addr src;
	struct hmmp_addr dst;
};

static bool in_grace(u64 since)
{
	return hmmp_now() < since + HMMP_GRACE_NS;
}

static void read_ends(const struct sk_buff *skb, u8 family, struct ends *e)
{
	memset(e, 0, sizeof(*e));
	e->src.family = family;
	e->dst.family = family;
	if (family == AF_INET) {
		e->src.ip.ip = ip_hdr(skb)->saddr;
		e->dst.ip.ip = ip_hdr(skb)->daddr;
	} else {
		e->src.ip.in6 = ipv6_hdr(skb)->saddr;
		e->dst.ip.in6 = ipv6_hdr(skb)->daddr;
	}
}

/* Where it sent from before, or may still while nobody has verified. */
static bool binding_sent(const struct hmmp_binding *b,
			 const struct hmmp_addr *from)
{
	const struct hmmp_more *m = b->more;

	if (!m)
		return false;
	if (b->status == HMMP_STATUS_PROVISIONAL && !m->before.home &&
	    (hmmp_same(from, &m->before.to) || hmmp_same(from, &m->before.via)))
		return true;
	return m->previous.family && hmmp_same(from, &m->previous) &&
	       in_grace(m->since);
}

/* Is this where a bound far end sends from? */
static bool binding_sends(const struct hmmp_binding *b,
			  const struct hmmp_addr *from, bool *moved)
{
	struct hmmp_where at;

	hmmp_binding_where(b, hmmp_now(), &at);
	if (hmmp_same(from, &at.to) ||
	    (b->more && hmmp_same(from, &b->more->via))) {
		*moved |= !at.home;
		return true;
	}
	*moved = true;
	return binding_sent(b, from);
}

static bool far_end(struct hmmp_net *hn, const struct hmmp_flow *f,
		    const struct ends *e, struct hmmp_match *m)
{
	struct hmmp_binding *b;

	b = hmmp_binding_find(hn, f->key.family, &f->key.remote, f->owner);
	m->b = b;
	if (!b)
		return hmmp_is(&e->src, f->key.family, &f->key.remote);
	m->secured = b->flags & HMMP_BINDING_FLAGS_SECURED;
	return binding_sends(b, &e->src, &m->moved);
}

/* Is this where a binding says that we are? */
static bool binding_receives(const struct hmmp_binding *b,
			     const struct hmmp_addr *at)
{
	struct hmmp_addr from = hmmp_binding_from(b);

	return hmmp_same(at, &from) ||
	       (b->status == HMMP_STATUS_PROVISIONAL &&
		hmmp_same(at, &b->more->before.local_outer));
}

/*
 * Is this where we receive for the flow's local address? If it is where we
 * have moved to, the far end has accepted that (K1), and its answer may come
 * later than this packet.
 */
static bool near_end(struct hmmp_net *hn, struct hmmp_flow *f,
		     const struct ends *e, struct hmmp_match *m)
{
	const struct hmmp_local *l;

	if (m->b && binding_receives(m->b, &e->dst))
		return true;
	l = hmmp_local_find(rcu_dereference(hn->local), f->key.family,
			    &f->key.local);
	if (!l)
		return hmmp_is(&e->dst, f->key.family, &f->key.local);
	if (hmmp_same(&e->dst, &l->current_addr)) {
		m->moved |= hmmp_local_moved(l);
		if (hmmp_local_moved(l) && READ_ONCE(f->heard) != l->gen)
			WRITE_ONCE(f->heard, l->gen);
		return true;
	}
	if (!l->previous.family || !hmmp_same(&e->dst, &l->previous) ||
	    !in_grace(l->changed))
		return false;
	m->moved = true;
	return true;
}

static bool match_flow(struct hmmp_net *hn, const struct hmmp_packet *p,
		       const struct ends *e, struct hmmp_match *m)
{
	struct hmmp_flow *f;

	if (!p->tcp)
		return false;
	f = hmmp_flow_find(hn->net, &p->key);
	return f && f->owner && !(f->flags & HMMP_FLOW_FIXED) &&
	       far_end(hn, f, e, m) && near_end(hn, f, e, m) && m->moved;
}

/* From a host whose packets this router tunnels, back through its tunnel. */
static bool match_host(struct hmmp_net *hn, const struct hmmp_packet *p,
		       const struct ends *e, struct hmmp_match *m)
{
	struct hmmp_binding *b;
	struct hmmp_addr here;

	b = hmmp_binding_find(hn, p->key.family, &p->key.remote, 0);
	if (!b || hmmp_binding_status(b, hmmp_now()) == HMMP_STATUS_HELD)
		return false;
	here = hmmp_binding_from(b);
	if (!hmmp_same(&e->dst, &here) ||
	    !binding_sends(b, &e->src, &m->moved))
		return false;
	m->b = b;
	m->host = true;
	m->secured = b->flags & HMMP_BINDING_FLAGS_SECURED;
	return true;
}

/* Through the tunnel that this host's packets of that address go through. */
static bool match_via(struct hmmp_net *hn, const struct hmmp_packet *p,
		      const struct ends *e, struct hmmp_match *m)
{
	const struct hmmp_local *l;

	l = hmmp_local_find(rcu_dereference(hn->local), p->key.family,
			    &p->key.local);
	if (!l || !hmmp_via_alive(&l->via, hmmp_now()) ||
	    !hmmp_same(&e->src, &l->via.remote) ||
	    !hmmp_same(&e->dst, &l->via.local))
		return false;
	m->b = NULL;
	m->secured = l->via.flags & HMMP_BINDING_FLAGS_SECURED;
	return true;
}

/**
 * hmmp_match_find - does an encapsulated packet belong to us? (K3)
 * @hn: namespace
 * @skb: packet, the outer header is its network header
 * @outer_family: of that header
 * @p: the inner packet, seen from this end
 * @m: zero; filled
 *
 * Context: RCU read side. Return: false if it is not ours; counted.
 */
bool hmmp_match_find(struct hmmp_net *hn, const struct sk_buff *skb,
		     u8 outer_family, const struct hmmp_packet *p,
		     struct hmmp_match *m)
{
	struct ends e;

	read_ends(skb, outer_family, &e);
	m->from = e.src;
	if (match_flow(hn, p, &e, m))
		return true;
	*m = (struct hmmp_match){ .from = e.src };
	if (match_host(hn, p, &e, m))
		return true;
	*m = (struct hmmp_match){ .from = e.src };
	if (match_via(hn, p, &e, m))
		return true;
	hmmp_count(hn, RX_NO_MATCH);
	return false;
}
