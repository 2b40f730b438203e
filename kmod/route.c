// SPDX-License-Identifier: GPL-2.0
/*
 * The route of an outer packet, kept beside what it leads to: one pointer, no
 * per-CPU copies, because there is one such object for every far end.
 */
#include <net/route.h>
#include "hmmp.h"

/**
 * hmmp_route_init - an empty one
 * @r: route
 */
void hmmp_route_init(struct hmmp_route *r)
{
	RCU_INIT_POINTER(r->dst, NULL);
	r->saddr = 0;
	spin_lock_init(&r->lock);
}

/**
 * hmmp_route_exit - forget it
 * @r: route; no packet can find it any more
 */
void hmmp_route_exit(struct hmmp_route *r)
{
	dst_release(rcu_dereference_protected(r->dst, 1));
}

/*
 * The pair (dst, saddr) is read without a lock: a writer clears the pointer,
 * changes the source, then sets the pointer, so an unchanged pointer around
 * the source means that they belong together.
 */
static struct dst_entry *remembered(struct hmmp_route *r, __be32 saddr)
{
	struct dst_entry *dst = rcu_dereference(r->dst);
	__be32 was;

	if (!dst)
		return NULL;
	smp_rmb();	/* pairs with the first smp_wmb() in remember() */
	was = READ_ONCE(r->saddr);
	smp_rmb();	/* pairs with the second */
	if (was != saddr || rcu_access_pointer(r->dst) != dst)
		return NULL;
	return dst_check(dst, 0);
}

static void remember(struct hmmp_route *r, struct dst_entry *dst, __be32 saddr)
{
	struct dst_entry *old;

	spin_lock_bh(&r->lock);
	old = rcu_dereference_protected(r->dst, lockdep_is_held(&r->lock));
	RCU_INIT_POINTER(r->dst, NULL);
	smp_wmb();	/* nobody takes the old route for the new source */
	WRITE_ONCE(r->saddr, saddr);
	smp_wmb();	/* nor the new route for the old source */
	rcu_assign_pointer(r->dst, dst_clone(dst));
	spin_unlock_bh(&r->lock);
	dst_release(old);
}

/**
 * hmmp_route_get - the outer route of a packet
 * @net: namespace
 * @r: where it is remembered, or NULL
 * @fl4: outer source and destination, protocol, mark and TOS
 * @held: set if the caller has to release the route (dst_release())
 *
 * Context: RCU read side, which has to last until the packet is sent when the
 * route is not held. Routes under an IPsec policy are looked up each time.
 *
 * Return: the route, or an error pointer.
 */
struct dst_entry *hmmp_route_get(struct net *net, struct hmmp_route *r,
				 struct flowi4 *fl4, bool *held)
{
	__be32 saddr = fl4->saddr;
	struct dst_entry *dst;
	struct rtable *rt;

	*held = false;
	dst = r ? remembered(r, saddr) : NULL;
	if (dst)
		return dst;
	rt = ip_route_output_flow(net, fl4, NULL);
	if (IS_ERR(rt))
		return ERR_CAST(rt);
	if (r && !dst_xfrm(&rt->dst))
		remember(r, &rt->dst, saddr);
	*held = true;
	return &rt->dst;
}
