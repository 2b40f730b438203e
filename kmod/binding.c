// SPDX-License-Identifier: GPL-2.0
/*
 * The table of bindings: address 1 of a far end is bound to address 2, for the
 * flows of an owner or, at a router, for every packet. It is read by packets
 * under RCU; a binding is written once and replaced whole (binding_set.c).
 */
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include "hmmp.h"
#include "trace.h"

static unsigned int binding_buckets;
module_param(binding_buckets, uint, 0444);
MODULE_PARM_DESC(binding_buckets, "Buckets of the table of bindings, a power of two; 0: by the machine's memory");

static unsigned int binding_max = 1U << 20;
module_param(binding_max, uint, 0644);
MODULE_PARM_DESC(binding_max, "Bindings of all network namespaces together");

static struct hlist_head *binding_table;
static DEFINE_SPINLOCK(hmmp_binding_lock);
static atomic_t binding_total = ATOMIC_INIT(0);
static u64 binding_secret;	/* odd */
static unsigned int binding_bits;

/*
 * Twice a product, of which the upper bits count: the secret factor spreads
 * what is far apart, the fixed one what the first left close together.
 */
static u32 binding_bucket(u32 netno, u32 key)
{
	u64 x = ((u64)netno << 32 | key) * binding_secret;

	return hash_64(x ^ x >> 32, binding_bits);
}

/**
 * struct sought - whose binding is looked for
 * @hn: namespace
 * @original: address 1
 * @key: hmmp_binding_key() of it
 * @family: of it
 */
struct sought {
	const struct hmmp_net *hn;
	const union nf_inet_addr *original;
	u32 key;
	u8 family;
};

static struct hlist_head *chain_of(const struct sought *s)
{
	return &binding_table[binding_bucket(s->hn->number, s->key)];
}

static bool fits(const struct hmmp_binding *b, const struct sought *s)
{
	if (b->key != s->key || b->netno != s->hn->number)
		return false;
	if (s->family == AF_INET)
		return !b->inner6;
	return b->inner6 && hmmp_addr_equal(&b->wide->original, s->original);
}

/**
 * hmmp_binding_find - the binding of a far end for an owner's flows
 * @hn: namespace
 * @family: AF_INET or AF_INET6
 * @original: address 1
 * @owner: owner of the flows, 0 for the one of scope host
 *
 * Caller: RCU read side. Return: the binding, or NULL.
 */
struct hmmp_binding *hmmp_binding_find(const struct hmmp_net *hn, u8 family,
				       const union nf_inet_addr *original,
				       u64 owner)
{
	struct sought s = { hn, original, hmmp_binding_key(family, original),
			    family };
	struct hmmp_binding *b;

	hlist_for_each_entry_rcu(b, chain_of(&s), node)
		if (b->owner == owner && fits(b, &s))
			return b;
	return NULL;
}

/**
 * hmmp_binding_first - the first of a far end's bindings, whosoever it is
 * @hn: namespace
 * @family: AF_INET or AF_INET6
 * @original: address 1
 *
 * Caller: RCU read side. Return: a binding; or NULL, and packets to or from it
 * need no look.
 */
struct hmmp_binding *hmmp_binding_first(const struct hmmp_net *hn, u8 family,
					const union nf_inet_addr *original)
{
	struct sought s = { hn, original, hmmp_binding_key(family, original),
			    family };
	struct hmmp_binding *b;

	hlist_for_each_entry_rcu(b, chain_of(&s), node)
		if (fits(b, &s))
			return b;
	return NULL;
}

static bool led_to(const struct hmmp_binding *b, const struct hmmp_addr *to)
{
	const struct hmmp_more *m = b->more;
	struct hmmp_addr now = hmmp_binding_to(b);

	return hmmp_same(&now, to) ||
	       (m && (hmmp_same(&m->via, to) || hmmp_same(&m->previous, to) ||
		      (b->status == HMMP_STATUS_PROVISIONAL &&
		       hmmp_same(&m->before.to, to))));
}

/**
 * hmmp_binding_leads - a binding of a far end that leads to some address, or
 *	led there before
 * @hn: namespace
 * @family: AF_INET or AF_INET6
 * @original: address 1
 * @to: where it has to lead; not none
 *
 * Caller: RCU read side. Return: the first one, or NULL.
 */
struct hmmp_binding *hmmp_binding_leads(const struct hmmp_net *hn, u8 family,
					const union nf_inet_addr *original,
					const struct hmmp_addr *to)
{
	struct sought s = { hn, original, hmmp_binding_key(family, original),
			    family };
	struct hmmp_binding *b;

	hlist_for_each_entry_rcu(b, chain_of(&s), node)
		if (fits(b, &s) && led_to(b, to))
			return b;
	return NULL;
}

/* What a provisional binding that nobody verified falls back to. */
static void where_before(const struct hmmp_before *was, u64 now,
			 struct hmmp_where *w)
{
	w->to = was->to;
	w->encap = was->encap;
	w->home = was->home;
	w->status = now < was->expires ? was->status : HMMP_STATUS_HELD;
	w->before = true;
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
	w->to = hmmp_binding_to(b);
	w->encap = b->encap;
	w->home = b->home;
	w->status = b->status;
	w->before = false;
	if (now < b->expires) {
		if (READ_ONCE(b->seen) == HMMP_SEEN_FOREIGN + 1)
			w->status = HMMP_STATUS_HELD;
		else if (READ_ONCE(b->seen))
			w->status = HMMP_STATUS_SUSPENDED;
		return;
	}
	if (b->status != HMMP_STATUS_PROVISIONAL || !b->owner)
		w->status = HMMP_STATUS_HELD;
	else
		where_before(&b->more->before, now, w);
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

/* Is it the first time? */
static bool tell(struct hmmp_binding *b, u8 what)
{
	u8 was = READ_ONCE(b->told), is;

	while (!(was & what)) {
		is = cmpxchg(&b->told, was, was | what);
		if (is == was)
			return true;
		was = is;
	}
	return false;
}

/**
 * hmmp_binding_credit - may a provisional binding carry a packet?
 * @hn: namespace
 * @b: binding, provisional
 * @len: bytes
 *
 * Return: false if its credit does not suffice; said once by an event.
 */
bool hmmp_binding_credit(struct hmmp_net *hn, struct hmmp_binding *b, u32 len)
{
	if (atomic64_sub_return(len, &b->more->credit) >= 0)
		return true;
	atomic64_add(len, &b->more->credit);
	if (tell(b, HMMP_TOLD_CREDIT))
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
	const struct hmmp_more *m = b->more;
	struct hmmp_addr now = hmmp_binding_to(b);

	if (b->status == HMMP_STATUS_PROVISIONAL && !m->before.home &&
	    hmmp_same(to, &m->before.to))
		tell(b, HMMP_BEFORE_UNREACHABLE);
	else if (hmmp_same(to, m && m->via.family ? &m->via : &now) &&
		 tell(b, HMMP_TOLD_UNREACHABLE))
		hmmp_event_binding(hn, b, HMMP_BINDING_EVENT_UNREACHABLE);
}

/**
 * hmmp_binding_walk - visit all bindings of a namespace
 * @hn: namespace
 * @at: where to begin; tells afterwards where to go on
 * @fn: called for each; non-zero ends the walk
 * @arg: for @fn
 *
 * The same promise as hmmp_flow_walk(): an update keeps number and place.
 *
 * Return: 0 at the end of the table, else what @fn returned.
 */
int hmmp_binding_walk(struct hmmp_net *hn, struct hmmp_cursor *at,
		      hmmp_binding_walk_t fn, void *arg)
{
	struct hmmp_binding *b;
	u64 id;
	int err;

	for (; at->bucket < binding_buckets; at->bucket++, at->id = 0) {
		if (hlist_empty(&binding_table[at->bucket]))
			continue;
		rcu_read_lock();
		hlist_for_each_entry_rcu(b, &binding_table[at->bucket], node) {
			if (b->netno != hn->number || (at->id && b->id >= at->id))
				continue;
			id = b->id;
			err = fn(b, arg);
			if (err) {
				rcu_read_unlock();
				return err;
			}
			at->id = id;
		}
		rcu_read_unlock();
		cond_resched();
	}
	return 0;
}

/**
 * hmmp_binding_touch - something has changed for a far end's bindings
 * @hn: namespace
 * @family: AF_INET or AF_INET6
 * @original: address 1
 *
 * The periodic work will look at them the next time. Any context.
 */
void hmmp_binding_touch(struct hmmp_net *hn, u8 family,
			const union nf_inet_addr *original)
{
	u32 key = hmmp_binding_key(family, original);

	hmmp_due_by(&hn->binding_due, binding_bucket(hn->number, key), 0);
}

/*
 * When a binding has to be looked at, if nobody touches it before. That its
 * owner has a flow was seen under the lock of the namespace, which the periodic
 * work takes: if it ends at any time after, that touches the chain.
 */
static u64 next_look(const struct hmmp_binding *b, u64 now)
{
	if (READ_ONCE(b->seen) == HMMP_SEEN_FOREIGN + 1)
		return 0;
	if (hmmp_buffer_open(hmmp_binding_buffer(b)))
		return min(b->expires, now + NSEC_PER_SEC);
	return b->expires;
}

static void visit_chain(struct hmmp_net *hn, u32 bucket, u64 now,
			void (*fn)(struct hmmp_net *hn, struct hmmp_binding *b))
{
	struct hlist_head *head = &binding_table[bucket];
	struct hmmp_binding *b;

	if (hlist_empty(head))
		return;
	rcu_read_lock();
	hlist_for_each_entry_rcu(b, head, node)
		if (b->netno == hn->number)
			fn(hn, b);
	hlist_for_each_entry_rcu(b, head, node)
		if (b->netno == hn->number)
			hmmp_due_by(&hn->binding_due, bucket,
				    next_look(b, now));
	rcu_read_unlock();
}

/**
 * hmmp_binding_visit - look at the bindings that are due
 * @hn: namespace; its lock is held
 * @fn: called for those, and for others near them; may replace or erase
 *
 * What stands in a group of chains is looked at when the first of it is due.
 *
 * Return: when to come again, CLOCK_BOOTTIME ns.
 */
u64 hmmp_binding_visit(struct hmmp_net *hn,
		       void (*fn)(struct hmmp_net *hn, struct hmmp_binding *b))
{
	struct hmmp_due *due = &hn->binding_due;
	u64 now = hmmp_now();
	u32 group, i;

	for (group = 0; group < due->groups; group++) {
		if (!hmmp_due_take(due, group, now))
			continue;
		for (i = 0; i < due->chains; i++)
			visit_chain(hn, group * due->chains + i, now, fn);
		cond_resched();
	}
	return hmmp_due_next(due);
}

/**
 * hmmp_binding_net_init - a namespace is about to be used
 * @hn: namespace; its lock is held
 *
 * Return: 0 or -ENOMEM; calling it again does nothing.
 */
int hmmp_binding_net_init(struct hmmp_net *hn)
{
	return hmmp_due_init(&hn->binding_due, binding_buckets);
}

static void count_host(struct hmmp_net *hn, const struct hmmp_binding *b,
		       int by)
{
	if (!b->owner && b->more && b->more->link)
		atomic_add(by, &hn->n_hosts);
}

/* What was counted goes on being counted. */
static void hand_on(struct hmmp_binding *b, const struct hmmp_binding *old)
{
	atomic64_set(&b->tx_packets, atomic64_read(&old->tx_packets));
	atomic64_set(&b->tx_bytes, atomic64_read(&old->tx_bytes));
	atomic64_set(&b->rx_packets, atomic64_read(&old->rx_packets));
	atomic64_set(&b->rx_bytes, atomic64_read(&old->rx_bytes));
	atomic_set(&b->drops, atomic_read(&old->drops));
}

/**
 * hmmp_binding_replace - let a binding take the place of another
 * @hn: namespace; its lock is held
 * @b: new one, of the same key; gets the old one's counters
 * @old: old one; freed, but its buffer is the new one's
 */
void hmmp_binding_replace(struct hmmp_net *hn, struct hmmp_binding *b,
			  struct hmmp_binding *old)
{
	hand_on(b, old);
	count_host(hn, b, 1);
	count_host(hn, old, -1);
	spin_lock_bh(&hmmp_binding_lock);
	hlist_replace_rcu(&old->node, &b->node);
	spin_unlock_bh(&hmmp_binding_lock);
	hmmp_binding_bury(old);
	hmmp_due_by(&hn->binding_due, binding_bucket(b->netno, b->key),
		    next_look(b, hmmp_now()));
	trace_hmmp_binding_set(hn->net, b);
}

/**
 * hmmp_binding_insert - put a new binding into the table
 * @hn: namespace; its lock is held
 * @b: binding; counted already
 */
void hmmp_binding_insert(struct hmmp_net *hn, struct hmmp_binding *b)
{
	u32 bucket = binding_bucket(b->netno, b->key);

	count_host(hn, b, 1);
	spin_lock_bh(&hmmp_binding_lock);
	b->id = hmmp_next_id();
	hlist_add_head_rcu(&b->node, &binding_table[bucket]);
	spin_unlock_bh(&hmmp_binding_lock);
	hmmp_due_by(&hn->binding_due, bucket, next_look(b, hmmp_now()));
	atomic_inc(&hn->n_chained);
	trace_hmmp_binding_set(hn->net, b);
}

/**
 * hmmp_binding_erase - take a binding out of the table
 * @hn: namespace; its lock is held, or it is going
 * @b: binding; freed after RCU, and what its buffer holds is dropped
 */
void hmmp_binding_erase(struct hmmp_net *hn, struct hmmp_binding *b)
{
	struct hmmp_buffer *buffer = hmmp_binding_buffer(b);

	atomic_dec(&hn->n_chained);
	count_host(hn, b, -1);
	trace_hmmp_binding_expire(hn->net, b);
	if (!b->leaving)
		hmmp_binding_room_back(hn);
	spin_lock_bh(&hmmp_binding_lock);
	hlist_del_rcu(&b->node);
	spin_unlock_bh(&hmmp_binding_lock);
	hmmp_binding_bury(b);
	if (buffer)
		hmmp_buffer_free(buffer);
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
	struct hmmp_buffer *buffer = hmmp_binding_buffer(b);

	if (buffer)
		hmmp_buffer_stop(buffer);
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
		hmmp_binding_walk(hn, &at, stop_one, NULL);
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
		hmmp_binding_walk(hn, &at, exit_one, hn);
}

/**
 * hmmp_binding_init - make the table
 *
 * Return: 0, -EINVAL for a bad size, -ENOMEM.
 */
int hmmp_binding_init(void)
{
	int err;

	err = hmmp_table_size(&binding_buckets, 4096, "binding_buckets");
	if (err)
		return err;
	get_random_bytes(&binding_secret, sizeof(binding_secret));
	binding_secret |= 1;
	binding_bits = ilog2(binding_buckets);
	err = hmmp_binding_terms_init();
	if (err)
		return err;
	binding_table = kvcalloc(binding_buckets, sizeof(*binding_table),
				 GFP_KERNEL);
	if (binding_table)
		return 0;
	hmmp_binding_terms_exit();
	return -ENOMEM;
}

/**
 * hmmp_binding_exit - give the table back
 *
 * All namespaces have left; waits for RCU to let go of their bindings.
 */
void hmmp_binding_exit(void)
{
	hmmp_binding_terms_exit();
	kvfree(binding_table);
}
