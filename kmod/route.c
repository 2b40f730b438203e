// SPDX-License-Identifier: GPL-2.0
/*
 * The route of an outer packet, kept beside what it leads to: one pointer, no
 * per-CPU copies, because there is one such object for every far end.
 */
#include <net/addrconf.h>
#include <net/inet_ecn.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/xfrm.h>
#include "hmmp.h"

/* Writers of all remembered routes; it is taken when one is looked up anew. */
static DEFINE_SPINLOCK(hmmp_route_lock);

/**
 * hmmp_route_exit - forget it
 * @r: route; no packet can find it any more
 */
void hmmp_route_exit(struct hmmp_route *r)
{
	dst_release(rcu_dereference_protected(r->dst, 1));
}

/*
 * While it is written there is none. One that is there before and after the
 * rest was read may be another writer's by then, but it is the same route: for
 * either source, and good at the moment of either cookie.
 */
static struct dst_entry *remembered(const struct hmmp_outer *o)
{
	struct hmmp_route *r = o->route;
	struct dst_entry *dst = rcu_dereference(r->dst);
	u32 cookie = 0;
	bool same;

	if (!dst)
		return NULL;
	smp_rmb();	/* pairs with remember() */
	if (o->saddr.family == AF_INET) {
		same = READ_ONCE(r->saddr) == o->saddr.ip.ip;
	} else {
		cookie = READ_ONCE(r->cookie);
		same = ipv6_addr_equal(o->saddr6, &o->saddr.ip.in6);
	}
	smp_rmb();	/* the same */
	if (!same || rcu_access_pointer(r->dst) != dst)
		return NULL;
	return dst_check(dst, cookie);
}

static void remember(const struct hmmp_outer *o, struct dst_entry *dst)
{
	struct hmmp_route *r = o->route;
	struct dst_entry *old;

	spin_lock_bh(&hmmp_route_lock);
	old = rcu_dereference_protected(r->dst,
					lockdep_is_held(&hmmp_route_lock));
	RCU_INIT_POINTER(r->dst, NULL);
	smp_wmb();	/* pairs with remembered() */
	if (o->saddr.family == AF_INET) {
		WRITE_ONCE(r->saddr, o->saddr.ip.ip);
	} else {
		WRITE_ONCE(r->cookie,
			   rt6_get_cookie(container_of(dst, struct rt6_info,
						       dst)));
		*o->saddr6 = o->saddr.ip.in6;
	}
	rcu_assign_pointer(r->dst, dst_clone(dst));
	spin_unlock_bh(&hmmp_route_lock);
	dst_release(old);
}

static u8 outer_proto(const struct hmmp_outer *o)
{
	switch (o->encap) {
	case HMMP_ENCAP_IPIP:
	case HMMP_ENCAP_4IN6:
		return IPPROTO_IPIP;
	case HMMP_ENCAP_MINENC:
		return HMMP_IPPROTO_MINENC;
	default:
		return IPPROTO_IPV6;
	}
}

static struct dst_entry *look_up4(struct net *net, const struct hmmp_outer *o,
				  u8 tos)
{
	struct flowi4 fl4 = {
		.saddr = o->saddr.ip.ip,
		.daddr = o->daddr.ip.ip,
		.flowi4_proto = outer_proto(o),
		.flowi4_tos = tos & INET_DSCP_MASK,
		.flowi4_mark = o->mark,
		.flowi4_oif = o->oif,
	};
	struct rtable *rt = ip_route_output_flow(net, &fl4, NULL);

	return IS_ERR(rt) ? ERR_CAST(rt) : &rt->dst;
}

/* IPv6 does not ask whether the source is this host's: it may have gone. */
static struct dst_entry *look_up6(struct net *net, const struct hmmp_outer *o,
				  u8 tos)
{
	struct flowi6 fl6 = {
		.saddr = o->saddr.ip.in6,
		.daddr = o->daddr.ip.in6,
		.flowi6_proto = outer_proto(o),
		.flowlabel = ip6_make_flowinfo(tos & ~INET_ECN_MASK, 0),
		.flowi6_mark = o->mark,
		.flowi6_oif = o->oif,
	};

	struct dst_entry *dst;
	int err;

	if (!ipv6_addr_any(&o->saddr.ip.in6) &&
	    !ipv6_chk_addr(net, &o->saddr.ip.in6, NULL, 0))
		return ERR_PTR(-EADDRNOTAVAIL);
	if (!o->oif)
		return ip6_dst_lookup_flow(net, NULL, &fl6, NULL);
	/* with a source the interface would only be a wish */
	dst = ip6_route_output_flags(net, NULL, &fl6, RT6_LOOKUP_F_IFACE);
	err = dst->error;
	if (err) {
		dst_release(dst);
		return ERR_PTR(err);
	}
	return xfrm_lookup_route(net, dst, flowi6_to_flowi(&fl6), NULL, 0);
}

/**
 * hmmp_route_get - the outer route of a packet
 * @net: namespace
 * @o: addresses, encapsulation, mark, interface, and where it is remembered
 * @tos: of the inner packet
 * @held: set if the caller has to release the route (dst_release())
 *
 * Context: RCU read side, which has to last until the packet is sent when the
 * route is not held. Routes under an IPsec policy are looked up each time.
 *
 * Return: the route, or an error pointer.
 */
struct dst_entry *hmmp_route_get(struct net *net, const struct hmmp_outer *o,
				 u8 tos, bool *held)
{
	struct dst_entry *dst;

	*held = false;
	if (o->saddr.family != o->daddr.family)
		return ERR_PTR(-EAFNOSUPPORT);
	dst = o->route ? remembered(o) : NULL;
	if (dst)
		return dst;
	dst = o->daddr.family == AF_INET ? look_up4(net, o, tos) :
					   look_up6(net, o, tos);
	if (IS_ERR(dst))
		return dst;
	if (o->route && !dst_xfrm(dst))
		remember(o, dst);
	*held = true;
	return dst;
}

/**
 * hmmp_route_overhead - by how much a packet grows
 * @o: addresses and encapsulation
 * @inner_saddr: its source, or NULL if it is not the outer one
 *
 * Return: bytes (RFC 2003, 2004, 2473, 4213).
 */
u32 hmmp_route_overhead(const struct hmmp_outer *o,
			const union nf_inet_addr *inner_saddr)
{
	if (o->encap == HMMP_ENCAP_MINENC)
		return inner_saddr &&
		       hmmp_addr_equal(inner_saddr, &o->saddr.ip) ? 8 : 12;
	return o->daddr.family == AF_INET ? sizeof(struct iphdr) :
					    sizeof(struct ipv6hdr);
}
