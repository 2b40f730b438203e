// SPDX-License-Identifier: GPL-2.0
/*
 * What far ends said of this host's current address. A word counts for the
 * address that it speaks of only, so a hand-off makes all of them unknown in
 * the same step.
 */
#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <net/tcp.h>
#include "hmmp.h"

#define PEER_BUCKETS	1024

static unsigned int peer_max = 1U << 20;
module_param(peer_max, uint, 0644);
MODULE_PARM_DESC(peer_max, "Far ends of all network namespaces together");

static atomic_t peer_total = ATOMIC_INIT(0);
static struct hlist_head peer_table[PEER_BUCKETS];
static DEFINE_SPINLOCK(hmmp_peer_lock);

/* Owners are random, and chosen by this host: no secret is needed. */
static u32 peer_bucket(const struct net *net, u64 owner)
{
	return jhash_2words((u32)owner, (u32)(owner >> 32),
			    net_hash_mix(net)) & (PEER_BUCKETS - 1);
}

/**
 * hmmp_peer_find - what a far end said
 * @net: namespace
 * @family: AF_INET or AF_INET6
 * @remote: its original address
 * @owner: owner of the flows in question
 *
 * Caller: RCU read side. Return: the peer, or NULL if it said nothing.
 */
struct hmmp_peer *hmmp_peer_find(struct net *net, u8 family,
				 const union nf_inet_addr *remote, u64 owner)
{
	struct hmmp_peer *p;

	hlist_for_each_entry_rcu(p, &peer_table[peer_bucket(net, owner)], node)
		if (p->owner == owner && p->family == family &&
		    net_eq(p->net, net) && hmmp_addr_equal(&p->remote, remote))
			return p;
	return NULL;
}

static void peer_free(struct rcu_head *rcu)
{
	struct hmmp_peer *p = container_of(rcu, struct hmmp_peer, rcu);

	hmmp_route_exit(&p->route);
	kfree(p);
}

static void publish(struct hmmp_net *hn, struct hmmp_peer *p,
		    struct hmmp_peer *old)
{
	u32 bucket = peer_bucket(hn->net, p->owner);

	spin_lock_bh(&hmmp_peer_lock);
	p->id = old ? old->id : hmmp_next_id();
	if (old)
		hlist_replace_rcu(&old->node, &p->node);
	else
		hlist_add_head_rcu(&p->node, &peer_table[bucket]);
	spin_unlock_bh(&hmmp_peer_lock);
	if (old) {
		call_rcu(&old->rcu, peer_free);
	} else {
		atomic_inc(&hn->n_peers);
		atomic_inc(&peer_total);
	}
}

static void peer_del(struct hmmp_net *hn, struct hmmp_peer *p)
{
	spin_lock_bh(&hmmp_peer_lock);
	hlist_del_rcu(&p->node);
	spin_unlock_bh(&hmmp_peer_lock);
	atomic_dec(&hn->n_peers);
	atomic_dec(&peer_total);
	call_rcu(&p->rcu, peer_free);
}

/* When did this host come to the address that the peer speaks of? */
static u32 moved_at(struct hmmp_net *hn, const struct hmmp_peer *p)
{
	const struct hmmp_local_map *map;
	u32 stamp = tcp_jiffies32;
	u32 i;

	map = rcu_dereference_protected(hn->local,
					lockdep_is_held(&hn->lock));
	for (i = 0; map && i < map->n; i++)
		if (hmmp_same(&map->entry[i].current_addr, &p->current_addr))
			stamp = map->entry[i].stamp;
	return stamp;
}

/**
 * hmmp_peer_set - record what a far end said
 * @hn: namespace; its lock is held
 * @seed: net, family, remote, owner, current_addr, state and encap
 *
 * The first time that it accepts an address, the sockets of the owner's flows
 * to it are woken (K10).
 *
 * Return: 0, -ENOSPC at the limit, or -ENOMEM.
 */
int hmmp_peer_set(struct hmmp_net *hn, const struct hmmp_peer *seed)
{
	struct hmmp_peer *old, *p;
	bool news;

	rcu_read_lock();
	old = hmmp_peer_find(hn->net, seed->family, &seed->remote,
			     seed->owner);
	rcu_read_unlock();
	if (!old && (atomic_read(&hn->n_peers) >= hn->limit.peers ||
		     atomic_read(&peer_total) >= READ_ONCE(peer_max))) {
		hmmp_count(hn, PEER_LIMIT);
		return -ENOSPC;
	}
	p = kmalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p)
		return -ENOMEM;
	*p = *seed;
	memset(&p->route, 0, sizeof(p->route));
	news = p->state == HMMP_PEER_STATE_ACCEPTED &&
	       !(old && old->state == p->state &&
		 hmmp_same(&old->current_addr, &p->current_addr));
	publish(hn, p, old);
	if (news)
		hmmp_wake(hn, &p->remote, p->owner, moved_at(hn, p), NULL,
			  false);
	return 0;
}

/**
 * hmmp_peer_machine_limit - what all namespaces may use together
 *
 * Return: number of far ends.
 */
u32 hmmp_peer_machine_limit(void)
{
	return READ_ONCE(peer_max);
}

/**
 * hmmp_peer_walk - visit all peers of a namespace
 * @net: namespace
 * @at: where to begin; tells afterwards where to go on
 * @fn: called for each; non-zero ends the walk
 * @arg: for @fn
 *
 * The same promise as hmmp_flow_walk().
 *
 * Return: 0 at the end of the table, else what @fn returned.
 */
int hmmp_peer_walk(struct net *net, struct hmmp_cursor *at,
		   hmmp_peer_walk_t fn, void *arg)
{
	struct hmmp_peer *p;
	int err;

	for (; at->bucket < PEER_BUCKETS; at->bucket++, at->id = 0) {
		rcu_read_lock();
		hlist_for_each_entry_rcu(p, &peer_table[at->bucket], node) {
			if (!net_eq(p->net, net) ||
			    (at->id && p->id >= at->id))
				continue;
			err = fn(p, arg);
			if (err) {
				rcu_read_unlock();
				return err;
			}
			at->id = p->id;
		}
		rcu_read_unlock();
	}
	return 0;
}

static int gc_one(struct hmmp_peer *p, void *arg)
{
	struct hmmp_net *hn = arg;

	if (!hmmp_flow_owner_alive(hn->net, &p->remote, p->owner))
		peer_del(hn, p);
	return 0;
}

/**
 * hmmp_peer_gc - forget the words of peers without a flow
 * @hn: namespace; its lock is held
 */
void hmmp_peer_gc(struct hmmp_net *hn)
{
	struct hmmp_cursor at = {};

	hmmp_peer_walk(hn->net, &at, gc_one, hn);
}

static int exit_one(struct hmmp_peer *p, void *arg)
{
	peer_del(arg, p);
	return 0;
}

/**
 * hmmp_peer_net_exit - forget all peers of a namespace
 * @hn: namespace; its hooks have gone
 */
void hmmp_peer_net_exit(struct hmmp_net *hn)
{
	struct hmmp_cursor at = {};

	hmmp_peer_walk(hn->net, &at, exit_one, hn);
}
