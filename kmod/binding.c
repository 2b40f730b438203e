// SPDX-License-Identifier: GPL-2.0
/*
 * The table of bindings: address 1 of a far end is bound to address 2, for the
 * flows of an owner or, at a router, for every packet. It is read by packets
 * under RCU; a binding is written once and replaced whole (binding_set.c).
 */
#include <linux/jhash.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include "hmmp.h"
#include "trace.h"

static unsigned int binding_buckets = 4096;
module_param(binding_buckets, uint, 0444);
MODULE_PARM_DESC(binding_buckets, "Buckets of the table of bindings, a power of two");

static unsigned int binding_max = 1U << 20;
module_param(binding_max, uint, 0644);
MODULE_PARM_DESC(binding_max, "Bindings of all network namespaces together");

static struct hlist_head *binding_table;
static DEFINE_SPINLOCK(hmmp_binding_lock);
static atomic_t binding_total = ATOMIC_INIT(0);
static u32 binding_secret;

static u32 binding_bucket(const struct net *net, u8 family,
			  const union nf_inet_addr *original)
{
	u32 secret = binding_secret ^ net_hash_mix(net);

	if (family == AF_INET)
		return jhash_1word((__force u32)original->ip, secret) &
		       (binding_buckets - 1);
	return jhash2((const u32 *)original, 4, secret) &
	       (binding_buckets - 1);
}

static bool same_original(const struct hmmp_binding *b, const struct net *net,
			  u8 family, const union nf_inet_addr *original)
{
	return net_eq(b->net, net) && b->family == family &&
	       hmmp_addr_equal(&b->original, original);
}

/**
 * hmmp_binding_find - the binding of a far end for an owner's flows
 * @net: namespace
 * @family: AF_INET or AF_INET6
 * @original: address 1
 * @owner: owner of the flows, 0 for the one of scope host
 *
 * Caller: RCU read side. Return: the binding, or NULL.
 */
struct hmmp_binding *hmmp_binding_find(struct net *net, u8 family,
				       const union nf_inet_addr *original,
				       u64 owner)
{
	u32 bucket = binding_bucket(net, family, original);
	struct hmmp_binding *b;

	hlist_for_each_entry_rcu(b, &binding_table[bucket], node)
		if (b->owner == owner && same_original(b, net, family,
						       original))
			return b;
	return NULL;
}

/**
 * hmmp_binding_first - the first of a far end's bindings, whosoever it is
 * @net: namespace
 * @family: AF_INET or AF_INET6
 * @original: address 1
 *
 * Caller: RCU read side. Return: a binding; or NULL, and packets to or from it
 * need no look.
 */
struct hmmp_binding *hmmp_binding_first(struct net *net, u8 family,
					const union nf_inet_addr *original)
{
	u32 bucket = binding_bucket(net, family, original);
	struct hmmp_binding *b;

	hlist_for_each_entry_rcu(b, &binding_table[bucket], node)
		if (same_original(b, net, family, original))
			return b;
	return NULL;
}

/**
 * hmmp_binding_leads - a binding of a far end that leads to some address, or
 *	led there before
 * @net: namespace
 * @family: AF_INET or AF_INET6
 * @original: address 1
 * @to: where it has to lead; not none
 *
 * Caller: RCU read side. Return: the first one, or NULL.
 */
struct hmmp_binding *hmmp_binding_leads(struct net *net, u8 family,
					const union nf_inet_addr *original,
					const struct hmmp_addr *to)
{
	u32 bucket = binding_bucket(net, family, original);
	struct hmmp_binding *b;

	hlist_for_each_entry_rcu(b, &binding_table[bucket], node)
		if (same_original(b, net, family, original) &&
		    (hmmp_same(&b->current_addr, to) ||
		     hmmp_same(&b->via, to) || hmmp_same(&b->previous, to) ||
		     (b->status == HMMP_STATUS_PROVISIONAL &&
		      hmmp_same(&b->before.to, to))))
			return b;
	return NULL;
}

/**
 * hmmp_binding_where - where a binding leads at a moment
 * @b: binding
 * @now: CLOCK_BOOTTIME ns
 * @w: filled
 *
 * A lapsed binding is held before the gc work says so; a provisional one that
 * nobody verified falls back to what was before.
 */
void hmmp_binding_where(const struct hmmp_binding *b, u64 now,
			struct hmmp_where *w)
{
	w->to = &b->current_addr;
	w->encap = b->encap;
	w->home = b->home;
	w->status = b->status;
	if (now < b->expires) {
		if (READ_ONCE(b->seen) == HMMP_SEEN_FOREIGN + 1)
			w->status = HMMP_STATUS_HELD;
		else if (READ_ONCE(b->seen))
			w->status = HMMP_STATUS_SUSPENDED;
		return;
	}
	if (b->status != HMMP_STATUS_PROVISIONAL || !b->owner) {
		w->status = HMMP_STATUS_HELD;
		return;
	}
	w->to = &b->before.to;
	w->encap = b->before.encap;
	w->home = b->before.home;
	w->status = now < b->before.expires ? b->before.status :
					      HMMP_STATUS_HELD;
}

/**
 * hmmp_binding_status - status of a binding at a moment
 * @b: binding
 * @now: CLOCK_BOOTTIME ns
 *
 * Return: HMMP_STATUS_*; with scope host, held means that it has ended.
 */
u8 hmmp_binding_status(const struct hmmp_binding *b, u64 now)
{
	struct hmmp_where w;

	hmmp_binding_where(b, now, &w);
	return w.status;
}

/**
 * hmmp_binding_credit - may a provisional binding carry a packet?
 * @hn: namespace
 * @b: binding
 * @len: bytes
 *
 * Return: false if its credit does not suffice; said once by an event.
 */
bool hmmp_binding_credit(struct hmmp_net *hn, struct hmmp_binding *b, u32 len)
{
	if (atomic64_sub_return(len, &b->credit) >= 0)
		return true;
	atomic64_add(len, &b->credit);
	if (!test_and_set_bit(HMMP_TOLD_CREDIT, &b->told))
		hmmp_event_binding(hn, b, HMMP_BINDING_EVENT_CREDIT);
	return false;
}

/**
 * hmmp_binding_unreachable - ICMP says that an outer address is unreachable
 * @hn: namespace
 * @b: binding that packets were sent for
 * @to: outer destination
 *
 * Said once in the life of the binding. Nothing ends because of it, anybody on
 * the way could say so; only the excess over a credit no longer goes there.
 */
void hmmp_binding_unreachable(struct hmmp_net *hn, struct hmmp_binding *b,
			      const struct hmmp_addr *to)
{
	if (b->status == HMMP_STATUS_PROVISIONAL && !b->before.home &&
	    hmmp_same(to, &b->before.to))
		set_bit(HMMP_BEFORE_UNREACHABLE, &b->told);
	else if (hmmp_same(to, b->via.family ? &b->via : &b->current_addr) &&
		 !test_and_set_bit(HMMP_TOLD_UNREACHABLE, &b->told))
		hmmp_event_binding(hn, b, HMMP_BINDING_EVENT_UNREACHABLE);
}

/**
 * hmmp_binding_walk - visit all bindings of a namespace
 * @net: namespace
 * @at: where to begin; tells afterwards where to go on
 * @fn: called for each; non-zero ends the walk
 * @arg: for @fn
 *
 * The same promise as hmmp_flow_walk(): an update keeps number and place.
 *
 * Return: 0 at the end of the table, else what @fn returned.
 */
int hmmp_binding_walk(struct net *net, struct hmmp_cursor *at,
		      hmmp_binding_walk_t fn, void *arg)
{
	struct hmmp_binding *b;
	int err;

	for (; at->bucket < binding_buckets; at->bucket++, at->id = 0) {
		rcu_read_lock();
		hlist_for_each_entry_rcu(b, &binding_table[at->bucket], node) {
			if (!net_eq(b->net, net) ||
			    (at->id && b->id >= at->id))
				continue;
			err = fn(b, arg);
			if (err) {
				rcu_read_unlock();
				return err;
			}
			at->id = b->id;
		}
		rcu_read_unlock();
		cond_resched();
	}
	return 0;
}

static void binding_free(struct rcu_head *rcu)
{
	struct hmmp_binding *b = container_of(rcu, struct hmmp_binding, rcu);

	hmmp_route_exit(&b->route);
	kfree(b);
}

static void count_host(struct hmmp_net *hn, const struct hmmp_binding *b,
		       int by)
{
	if (!b->owner && b->link)
		atomic_add(by, &hn->n_hosts);
}

/**
 * hmmp_binding_replace - let a binding take the place of another
 * @hn: namespace; its lock is held
 * @b: new one, of the same key; gets the old one's buffer
 * @old: old one; freed
 */
void hmmp_binding_replace(struct hmmp_net *hn, struct hmmp_binding *b,
			  struct hmmp_binding *old)
{
	count_host(hn, b, 1);
	spin_lock_bh(&hmmp_binding_lock);
	hlist_replace_rcu(&old->node, &b->node);
	spin_unlock_bh(&hmmp_binding_lock);
	count_host(hn, old, -1);
	trace_hmmp_binding_set(b);
	call_rcu(&old->rcu, binding_free);
}

/**
 * hmmp_binding_insert - put a new binding into the table
 * @hn: namespace; its lock is held
 * @b: binding; counted already
 */
void hmmp_binding_insert(struct hmmp_net *hn, struct hmmp_binding *b)
{
	u32 bucket = binding_bucket(b->net, b->family, &b->original);

	count_host(hn, b, 1);
	spin_lock_bh(&hmmp_binding_lock);
	b->id = hmmp_next_id();
	hlist_add_head_rcu(&b->node, &binding_table[bucket]);
	spin_unlock_bh(&hmmp_binding_lock);
	atomic_inc(&hn->n_chained);
	trace_hmmp_binding_set(b);
}

/**
 * hmmp_binding_erase - take a binding out of the table
 * @hn: namespace; its lock is held, or it is going
 * @b: binding; freed, and what its buffer holds is dropped
 */
void hmmp_binding_erase(struct hmmp_net *hn, struct hmmp_binding *b)
{
	spin_lock_bh(&hmmp_binding_lock);
	hlist_del_rcu(&b->node);
	spin_unlock_bh(&hmmp_binding_lock);
	atomic_dec(&hn->n_chained);
	count_host(hn, b, -1);
	trace_hmmp_binding_expire(b);
	if (!b->leaving)
		hmmp_binding_room_back(hn);
	if (b->buffer)
		hmmp_buffer_free(b->buffer);
	call_rcu(&b->rcu, binding_free);
}

/**
 * hmmp_binding_room - may there be one more?
 * @hn: namespace; its lock is held
 *
 * Return: true, and it is counted; or false, which is counted as well.
 */
bool hmmp_binding_room(struct hmmp_net *hn)
{
	if (atomic_inc_return(&binding_total) > READ_ONCE(binding_max))
		goto err_total;
	if (atomic_inc_return(&hn->n_bindings) > hn->limit.bindings)
		goto err_net;
	return true;
err_net:
	atomic_dec(&hn->n_bindings);
err_total:
	atomic_dec(&binding_total);
	hmmp_count(hn, BINDING_LIMIT);
	return false;
}

/**
 * hmmp_binding_room_back - one less
 * @hn: namespace
 */
void hmmp_binding_room_back(struct hmmp_net *hn)
{
	atomic_dec(&hn->n_bindings);
	atomic_dec(&binding_total);
}

/**
 * hmmp_binding_machine_limit - what all namespaces may use together
 *
 * Return: number of bindings.
 */
u32 hmmp_binding_machine_limit(void)
{
	return READ_ONCE(binding_max);
}

static int stop_one(struct hmmp_binding *b, void *arg)
{
	if (b->buffer)
		hmmp_buffer_stop(b->buffer);
	return 0;
}

/**
 * hmmp_binding_net_pre_exit - nothing is sent from a buffer any more
 * @hn: namespace; its hooks have gone, its devices will
 */
void hmmp_binding_net_pre_exit(struct hmmp_net *hn)
{
	struct hmmp_cursor at = {};

	if (atomic_read(&hn->n_chained))
		hmmp_binding_walk(hn->net, &at, stop_one, NULL);
}

static int exit_one(struct hmmp_binding *b, void *arg)
{
	hmmp_binding_erase(arg, b);
	return 0;
}

/**
 * hmmp_binding_net_exit - forget all bindings of a namespace
 * @hn: namespace; its hooks have gone
 */
void hmmp_binding_net_exit(struct hmmp_net *hn)
{
	struct hmmp_cursor at = {};

	if (atomic_read(&hn->n_chained))
		hmmp_binding_walk(hn->net, &at, exit_one, hn);
}

/**
 * hmmp_binding_init - make the table
 *
 * Return: 0, -EINVAL for a bad size, -ENOMEM.
 */
int hmmp_binding_init(void)
{
	if (binding_buckets < 16 || binding_buckets > 1U << 24 ||
	    !is_power_of_2(binding_buckets)) {
		pr_err("binding_buckets has to be a power of two, 16 to 2^24\n");
		return -EINVAL;
	}
	get_random_bytes(&binding_secret, sizeof(binding_secret));
	binding_table = kvcalloc(binding_buckets, sizeof(*binding_table),
				 GFP_KERNEL);
	return binding_table ? 0 : -ENOMEM;
}

/**
 * hmmp_binding_exit - give the table back
 *
 * All namespaces have left, and RCU has come to an end.
 */
void hmmp_binding_exit(void)
{
	kvfree(binding_table);
}
