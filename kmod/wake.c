// SPDX-License-Identifier: GPL-2.0
/*
 * When a path becomes whole, the sockets that wait on a timer are woken, so
 * that nobody waits for a retransmission time-out (K10). A work item does it,
 * away from the packets and from netlink; what is held by its user, or has
 * been quiet for less than a round trip, is tried again, within bounds.
 */
#include <linux/slab.h>
#include <net/dst.h>
#include <net/inet_hashtables.h>
#include <net/tcp.h>
#include "hmmp.h"

#define WAKE_PATHS	4096		/* at once, in a namespace */
#define WAKE_TRY	(2 * HZ)	/* for how long one is tried */

/**
 * struct wake_path - one path that became whole
 * @list: in the namespace's list
 * @remote: the far end's original address
 * @outer: what packets to it are sent with now; no encapsulation: natively
 * @owner: owner of the flows
 * @since: when the path changed, in TCP's jiffies
 * @until: when to give up, jiffies
 * @lost: what was sent before that does not arrive any more
 */
struct wake_path {
	struct list_head list;
	union nf_inet_addr remote;
	struct hmmp_outer outer;
	u64 owner;
	u32 since;
	unsigned long until;
	bool lost;
};

struct wake_walk {
	struct hmmp_net *hn;
	const struct wake_path *path;
	u32 mtu;
	bool again;
};

static int wake_flow(struct hmmp_flow *f, void *arg)
{
	struct wake_walk *w = arg;
	enum hmmp_wake_result result = HMMP_WAKE_IDLE;
	struct sock *sk;

	if (!hmmp_addr_equal(&f->key.remote, &w->path->remote))
		return 0;
	local_bh_disable();
	sk = hmmp_sock_get(f->net, &f->key, f->bound_if);
	if (sk && sk_fullsock(sk))
		result = hmmp_sock_wake(sk, w->path->since, w->mtu,
					w->path->lost);
	local_bh_enable();
	if (sk)
		sock_gen_put(sk);
	if (result == HMMP_WAKE_DONE)
		hmmp_count(w->hn, WOKEN);
	w->again |= result == HMMP_WAKE_LATER;
	return 0;
}

/* What fits into the tunnel, or 0 if there is none or it is not known. */
static u32 tunnel_mtu(struct net *net, const struct wake_path *p)
{
	struct dst_entry *dst;
	bool held;
	u32 mtu;

	if (!p->outer.encap)
		return 0;
	rcu_read_lock();
	dst = hmmp_route_get(net, &p->outer, 0, &held);
	rcu_read_unlock();
	if (IS_ERR(dst))
		return 0;
	mtu = dst_mtu(dst) - hmmp_route_overhead(&p->outer, NULL);
	dst_release(dst);
	return mtu;
}

/* Return: true if it has to be tried again. */
static bool wake_one(struct hmmp_net *hn, const struct wake_path *p)
{
	struct wake_walk w = { .hn = hn, .path = p };

	w.mtu = tunnel_mtu(hn->net, p);
	hmmp_flow_walk_owner(hn->net, p->owner, wake_flow, &w);
	return w.again && time_before(jiffies, p->until);
}

static void wake_work(struct work_struct *work)
{
	struct hmmp_net *hn = container_of(to_delayed_work(work),
					   struct hmmp_net, wake);
	struct wake_path *p, *next;
	LIST_HEAD(paths);
	u32 gone = 0;

	spin_lock_bh(&hn->wake_lock);
	list_splice_init(&hn->wake_list, &paths);
	spin_unlock_bh(&hn->wake_lock);

	list_for_each_entry_safe(p, next, &paths, list) {
		if (wake_one(hn, p))
			continue;
		list_del(&p->list);
		kfree(p);
		gone++;
	}

	spin_lock_bh(&hn->wake_lock);
	hn->wake_n -= gone;
	list_splice_tail(&paths, &hn->wake_list);
	spin_unlock_bh(&hn->wake_lock);
	if (!list_empty_careful(&hn->wake_list))
		queue_delayed_work(system_highpri_wq, &hn->wake, 1);
}

/* A path that changes again is tried for the later change only. */
static bool merge(struct hmmp_net *hn, const struct wake_path *new)
{
	struct wake_path *p;

	list_for_each_entry(p, &hn->wake_list, list) {
		if (p->owner != new->owner ||
		    !hmmp_addr_equal(&p->remote, &new->remote))
			continue;
		p->outer = new->outer;
		p->since = new->since;
		p->until = new->until;
		p->lost = new->lost;
		return true;
	}
	return false;
}

/**
 * hmmp_wake - the path to a far end is whole again
 * @hn: namespace
 * @remote: the far end's original address
 * @owner: owner of the flows in question
 * @since: when the path changed, in TCP's jiffies
 * @outer: what packets to it are sent with now, NULL if they go natively
 * @lost: what was sent before that does not arrive any more
 *
 * Context: process. If too many paths change at once, the rest is left to the
 * sockets' own timers.
 */
void hmmp_wake(struct hmmp_net *hn, const union nf_inet_addr *remote,
	       u64 owner, u32 since, const struct hmmp_outer *outer,
	       bool lost)
{
	struct wake_path *p = kzalloc(sizeof(*p), GFP_ATOMIC);

	if (!p)
		return;
	p->remote = *remote;
	if (outer)
		p->outer = *outer;
	p->owner = owner;
	p->since = since;
	p->until = jiffies + WAKE_TRY;
	p->lost = lost;
	spin_lock_bh(&hn->wake_lock);
	if (!merge(hn, p)) {
		if (hn->wake_n < WAKE_PATHS) {
			list_add_tail(&p->list, &hn->wake_list);
			hn->wake_n++;
			p = NULL;
		} else {
			hmmp_count(hn, WAKE_LIMIT);
		}
	}
	spin_unlock_bh(&hn->wake_lock);
	kfree(p);
	mod_delayed_work(system_highpri_wq, &hn->wake, 0);
}

/**
 * hmmp_wake_net_init - nothing to wake yet
 * @hn: namespace
 */
void hmmp_wake_net_init(struct hmmp_net *hn)
{
	spin_lock_init(&hn->wake_lock);
	INIT_LIST_HEAD(&hn->wake_list);
	INIT_DELAYED_WORK(&hn->wake, wake_work);
}

/**
 * hmmp_wake_net_exit - give up what is still to be woken
 * @hn: namespace; nobody calls hmmp_wake() any more
 */
void hmmp_wake_net_exit(struct hmmp_net *hn)
{
	struct wake_path *p, *next;

	cancel_delayed_work_sync(&hn->wake);
	list_for_each_entry_safe(p, next, &hn->wake_list, list)
		kfree(p);
}
