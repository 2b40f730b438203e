// SPDX-License-Identifier: GPL-2.0
/*
 * The table of flows: one for all namespaces, of fixed size, keyed with a
 * secret of this load, one lock for a group of buckets, read under RCU. A
 * second set of chains finds the flows of an owner. Nothing is evicted: when
 * the table is full, new flows are refused and counted.
 */
#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <net/inet_hashtables.h>
#include <net/tcp.h>
#include "hmmp.h"
#include "trace.h"

#define FLOW_LOCKS	256
#define FLOW_CHECK	(8 * HZ)	/* how often a socket is asked */

static unsigned int flow_buckets;
module_param(flow_buckets, uint, 0444);
MODULE_PARM_DESC(flow_buckets, "Buckets of the flow table, a power of two; 0: by the machine's memory");

static unsigned int flow_max = 1U << 20;
module_param(flow_max, uint, 0644);
MODULE_PARM_DESC(flow_max, "Flows of all network namespaces together");

static struct hlist_head *flow_table;
static struct hlist_head *owner_table;
static spinlock_t flow_locks[FLOW_LOCKS];
static DEFINE_SPINLOCK(hmmp_owner_lock);
static struct kmem_cache *flow_cache;
static atomic_t flow_total = ATOMIC_INIT(0);
static u32 flow_secret;

static u32 key_hash(const struct net *net, const struct hmmp_tuple *key)
{
	u32 ports = ((__force u32)key->lport << 16) | (__force u32)key->rport;
	u32 secret = flow_secret ^ net_hash_mix(net);

	if (key->family == AF_INET)
		return jhash_3words((__force u32)key->local.ip,
				    (__force u32)key->remote.ip, ports, secret);
	return jhash2((const u32 *)key, 8, secret ^ ports);
}

static u32 flow_bucket(const struct net *net, const struct hmmp_tuple *key)
{
	return key_hash(net, key) & (flow_buckets - 1);
}

static u32 owner_bucket(const struct net *net, u64 owner)
{
	return jhash_3words((u32)owner, (u32)(owner >> 32), net_hash_mix(net),
			    flow_secret) & (flow_buckets - 1);
}

static spinlock_t *bucket_lock(u32 bucket)
{
	return &flow_locks[bucket & (FLOW_LOCKS - 1)];
}

/**
 * hmmp_flow_lock - lock what is written in a flow
 * @f: flow
 */
void hmmp_flow_lock(const struct hmmp_flow *f)
	__acquires(f)
{
	spin_lock_bh(bucket_lock(flow_bucket(f->net, &f->key)));
}

/**
 * hmmp_flow_unlock - the opposite
 * @f: flow
 */
void hmmp_flow_unlock(const struct hmmp_flow *f)
	__releases(f)
{
	spin_unlock_bh(bucket_lock(flow_bucket(f->net, &f->key)));
}

static bool same_key(const struct hmmp_tuple *a, const struct hmmp_tuple *b)
{
	return a->lport == b->lport && a->rport == b->rport &&
	       a->family == b->family &&
	       hmmp_addr_equal(&a->local, &b->local) &&
	       hmmp_addr_equal(&a->remote, &b->remote);
}

/**
 * hmmp_flow_find - find a flow
 * @net: namespace
 * @key: its ends
 *
 * Caller: RCU read side. Return: the flow, valid until the read side ends, or
 * NULL.
 */
struct hmmp_flow *hmmp_flow_find(struct net *net, const struct hmmp_tuple *key)
{
	struct hlist_head *head = &flow_table[flow_bucket(net, key)];
	struct hmmp_flow *f;

	hlist_for_each_entry_rcu(f, head, node)
		if (net_eq(f->net, net) && same_key(&f->key, key))
			return f;
	return NULL;
}

static bool room_for_one(struct hmmp_net *hn)
{
	if (atomic_inc_return(&hn->n_flows) > READ_ONCE(hn->limit.flows))
		goto err_net;
	if (atomic_inc_return(&flow_total) > READ_ONCE(flow_max))
		goto err_total;
	return true;
err_total:
	atomic_dec(&flow_total);
err_net:
	atomic_dec(&hn->n_flows);
	hmmp_count(hn, FLOW_LIMIT);
	return false;
}

static void room_back(struct hmmp_net *hn)
{
	atomic_dec(&flow_total);
	atomic_dec(&hn->n_flows);
}

/**
 * hmmp_flow_add - track a connection
 * @hn: namespace
 * @seed: key, flags, bound_if and tcp are taken from it
 *
 * Any context, RCU read side. Return: the flow, an older one if another CPU
 * was first, or -ENOSPC or -ENOMEM as an error pointer (counted).
 */
struct hmmp_flow *hmmp_flow_add(struct hmmp_net *hn,
				const struct hmmp_flow *seed)
{
	u32 bucket = flow_bucket(hn->net, &seed->key);
	struct hmmp_flow *f, *old;

	if (!room_for_one(hn))
		return ERR_PTR(-ENOSPC);
	f = kmem_cache_alloc(flow_cache, GFP_ATOMIC);
	if (!f) {
		hmmp_count(hn, FLOW_MEMORY);
		room_back(hn);
		return ERR_PTR(-ENOMEM);
	}
	*f = *seed;
	f->net = hn->net;
	f->birth = hmmp_now();
	f->checked = (u32)jiffies;
	INIT_HLIST_NODE(&f->owner_node);

	spin_lock_bh(bucket_lock(bucket));
	old = hmmp_flow_find(hn->net, &seed->key);
	if (!old) {
		f->id = hmmp_next_id();	/* here, so that chains are in order */
		hlist_add_head_rcu(&f->node, &flow_table[bucket]);
	}
	spin_unlock_bh(bucket_lock(bucket));
	if (!old) {
		hmmp_due_by(&hn->flow_due, bucket, 0);
		trace_hmmp_flow_new(f);
		return f;
	}
	kmem_cache_free(flow_cache, f);
	room_back(hn);
	return old;
}

/* It may have been what keeps a binding alive. */
static void leaves_bindings(const struct hmmp_flow *f)
{
	hmmp_binding_touch(hmmp_net(f->net), f->key.family, &f->key.remote);
}

/**
 * hmmp_flow_set_owner - give a flow its owner, once
 * @f: flow; RCU read side
 * @owner: handle, or 0 to take it away
 *
 * Return: 0, -EBUSY if it has another one, -ENOENT if it ended meanwhile.
 */
int hmmp_flow_set_owner(struct hmmp_flow *f, u64 owner)
{
	struct hlist_head *head;
	bool had = false;
	int err = 0;

	hmmp_flow_lock(f);
	if (f->dead)
		err = -ENOENT;
	else if (f->owner && owner && f->owner != owner)
		err = -EBUSY;
	if (err || f->owner == owner)
		goto out;
	had = f->owner;
	spin_lock(&hmmp_owner_lock);
	if (f->owner)
		hlist_del_init_rcu(&f->owner_node);
	WRITE_ONCE(f->owner, owner);
	if (owner) {
		head = &owner_table[owner_bucket(f->net, owner)];
		hlist_add_head_rcu(&f->owner_node, head);
	}
	spin_unlock(&hmmp_owner_lock);
out:
	hmmp_flow_unlock(f);
	if (had)
		leaves_bindings(f);
	return err;
}

/**
 * hmmp_flow_walk_owner - visit the flows of an owner
 * @net: namespace
 * @owner: handle, not 0
 * @fn: called for each; non-zero ends the walk
 * @arg: for @fn
 */
void hmmp_flow_walk_owner(struct net *net, u64 owner, hmmp_flow_walk_t fn,
			  void *arg)
{
	struct hlist_head *head = &owner_table[owner_bucket(net, owner)];
	struct hmmp_flow *f;

	rcu_read_lock();
	hlist_for_each_entry_rcu(f, head, owner_node)
		if (READ_ONCE(f->owner) == owner && net_eq(f->net, net) &&
		    fn(f, arg))
			break;
	rcu_read_unlock();
}

struct alive {
	const union nf_inet_addr *remote;
	bool found;
};

static int find_alive(struct hmmp_flow *f, void *arg)
{
	struct alive *a = arg;

	a->found = hmmp_addr_equal(&f->key.remote, a->remote);
	return a->found;
}

/**
 * hmmp_flow_owner_alive - does an owner have a flow to a far end?
 * @net: namespace
 * @remote: the far end's original address
 * @owner: handle
 *
 * Return: true if there is one.
 */
bool hmmp_flow_owner_alive(struct net *net, const union nf_inet_addr *remote,
			   u64 owner)
{
	struct alive a = { .remote = remote };

	hmmp_flow_walk_owner(net, owner, find_alive, &a);
	return a.found;
}

/**
 * hmmp_flow_walk - visit all flows of a namespace
 * @net: namespace
 * @at: where to begin; tells afterwards where to go on
 * @fn: called for each; non-zero ends the walk, and that flow will be the
 *	first of the next one
 * @arg: for @fn
 *
 * A flow that lives during the whole of several such calls is visited exactly
 * once: new ones are put at the head of their chain with ascending numbers,
 * so that a chain is in descending order.
 *
 * Return: 0 at the end of the table, else what @fn returned.
 */
int hmmp_flow_walk(struct net *net, struct hmmp_cursor *at,
		   hmmp_flow_walk_t fn, void *arg)
{
	struct hmmp_flow *f;
	int err;

	for (; at->bucket < flow_buckets; at->bucket++, at->id = 0) {
		if (hlist_empty(&flow_table[at->bucket]))
			continue;
		rcu_read_lock();
		hlist_for_each_entry_rcu(f, &flow_table[at->bucket], node) {
			if (!net_eq(f->net, net) ||
			    (at->id && f->id >= at->id))
				continue;
			err = fn(f, arg);
			if (err) {
				rcu_read_unlock();
				return err;
			}
			at->id = f->id;
		}
		rcu_read_unlock();
		cond_resched();
	}
	return 0;
}

static void flow_free(struct rcu_head *rcu)
{
	kmem_cache_free(flow_cache, container_of(rcu, struct hmmp_flow, rcu));
}

/**
 * hmmp_flow_end - a connection is over
 * @hn: namespace
 * @f: flow; RCU read side
 *
 * Any context; doing it again does nothing.
 */
void hmmp_flow_end(struct hmmp_net *hn, struct hmmp_flow *f)
{
	bool dead;

	hmmp_flow_lock(f);
	dead = f->dead;
	if (!dead) {
		f->dead = true;
		hlist_del_rcu(&f->node);
		spin_lock(&hmmp_owner_lock);
		if (f->owner)
			hlist_del_init_rcu(&f->owner_node);
		spin_unlock(&hmmp_owner_lock);
	}
	hmmp_flow_unlock(f);
	if (dead)
		return;
	if (f->owner)
		leaves_bindings(f);
	room_back(hn);
	hmmp_count(hn, FLOW_ENDED);
	hmmp_event_flow(hn, f, HMMP_FLOW_EVENT_ENDED);
	trace_hmmp_flow_end(f);
	call_rcu(&f->rcu, flow_free);
}

/*
 * Ask the socket. Return: false if there is none any more. Facts are only
 * read while no user holds it, because two counters have to fit together.
 */
static bool ask_socket(struct hmmp_flow *f)
{
	bool opener = f->flags & HMMP_FLOW_OPENERS;
	struct sock *sk;

	local_bh_disable();
	sk = hmmp_sock_get(f->net, &f->key, f->bound_if);
	if (sk && sk_fullsock(sk)) {
		bh_lock_sock(sk);
		if (!sock_owned_by_user(sk)) {
			hmmp_flow_lock(f);
			hmmp_sock_facts(sk, opener, &f->tcp);
			hmmp_flow_unlock(f);
		}
		bh_unlock_sock(sk);
	} else if (sk && sk->sk_state == TCP_TIME_WAIT) {
		f->tcp.state = HMMP_TCP_STATE_DISCONNECT;
	}
	local_bh_enable();
	if (sk)
		sock_gen_put(sk);
	return sk;
}

/* When to ask for the socket: soon while something happens, else now and then */
static u64 next_look(const struct hmmp_flow *f, u64 now)
{
	u32 quiet = (u32)jiffies - f->checked;

	if (f->tcp.state != HMMP_TCP_STATE_ESTABLISHED || quiet >= FLOW_CHECK)
		return now + NSEC_PER_SEC / 2;
	return now + jiffies_to_nsecs(FLOW_CHECK - quiet);
}

/* Some do not wait for their time, so that a chain's are due at the same. */
static void gc_one(struct hmmp_net *hn, struct hmmp_flow *f)
{
	if (f->tcp.state == HMMP_TCP_STATE_ESTABLISHED &&
	    (u32)jiffies - f->checked < FLOW_CHECK / 2)
		return;
	f->checked = (u32)jiffies;
	if (!ask_socket(f))
		hmmp_flow_end(hn, f);
}

static void gc_chain(struct hmmp_net *hn, u32 bucket, u64 now)
{
	struct hlist_head *head = &flow_table[bucket];
	struct hmmp_flow *f;

	if (hlist_empty(head))
		return;
	rcu_read_lock();
	hlist_for_each_entry_rcu(f, head, node)
		if (net_eq(f->net, hn->net))
			gc_one(hn, f);
	hlist_for_each_entry_rcu(f, head, node)
		if (net_eq(f->net, hn->net))
			hmmp_due_by(&hn->flow_due, bucket, next_look(f, now));
	rcu_read_unlock();
}

/**
 * hmmp_flow_soon - ask for its socket the next time, it is ending
 * @f: flow; RCU read side
 */
void hmmp_flow_soon(const struct hmmp_flow *f)
{
	struct hmmp_net *hn = hmmp_net(f->net);

	hmmp_due_by(&hn->flow_due, flow_bucket(f->net, &f->key), 0);
}

/**
 * hmmp_flow_gc - remove the flows whose sockets have gone
 * @hn: namespace; its lock is held
 */
void hmmp_flow_gc(struct hmmp_net *hn)
{
	struct hmmp_due *due = &hn->flow_due;
	u64 now = hmmp_now();
	u32 group, i;

	if (!atomic_read(&hn->n_flows))
		return;
	for (group = 0; group < due->groups; group++) {
		if (!hmmp_due_take(due, group, now))
			continue;
		for (i = 0; i < due->chains; i++)
			gc_chain(hn, group * due->chains + i, now);
		cond_resched();
	}
}

/**
 * hmmp_flow_net_init - a namespace is about to be used
 * @hn: namespace; its lock is held
 *
 * Return: 0 or -ENOMEM; calling it again does nothing.
 */
int hmmp_flow_net_init(struct hmmp_net *hn)
{
	return hmmp_due_init(&hn->flow_due, flow_buckets);
}

static int exit_one(struct hmmp_flow *f, void *arg)
{
	hmmp_flow_end(arg, f);
	return 0;
}

/**
 * hmmp_flow_net_exit - forget all flows of a namespace
 * @hn: namespace; its hooks have gone
 */
void hmmp_flow_net_exit(struct hmmp_net *hn)
{
	struct hmmp_cursor at = {};

	hmmp_flow_walk(hn->net, &at, exit_one, hn);
}

/**
 * hmmp_flow_buckets - size of the table
 *
 * Return: number of buckets.
 */
u32 hmmp_flow_buckets(void)
{
	return flow_buckets;
}

/**
 * hmmp_flow_machine_limit - what all namespaces may use together
 *
 * Return: number of flows.
 */
u32 hmmp_flow_machine_limit(void)
{
	return READ_ONCE(flow_max);
}

/**
 * hmmp_flow_init - make the table
 *
 * Return: 0, -EINVAL for a bad size, -ENOMEM.
 */
int hmmp_flow_init(void)
{
	int err, i;

	BUILD_BUG_ON(offsetof(struct hmmp_flow, owner_node) != 64);
	err = hmmp_table_size(&flow_buckets, 16384, "flow_buckets");
	if (err)
		return err;
	get_random_bytes(&flow_secret, sizeof(flow_secret));
	for (i = 0; i < FLOW_LOCKS; i++)
		spin_lock_init(&flow_locks[i]);
	flow_cache = KMEM_CACHE(hmmp_flow, SLAB_HWCACHE_ALIGN);
	if (!flow_cache)
		return -ENOMEM;
	flow_table = kvcalloc(flow_buckets, sizeof(*flow_table), GFP_KERNEL);
	owner_table = kvcalloc(flow_buckets, sizeof(*owner_table), GFP_KERNEL);
	if (!flow_table || !owner_table) {
		hmmp_flow_exit();
		return -ENOMEM;
	}
	return 0;
}

/**
 * hmmp_flow_exit - give the table back
 *
 * All namespaces have left; waits for what RCU still holds.
 */
void hmmp_flow_exit(void)
{
	rcu_barrier();
	kvfree(owner_table);
	kvfree(flow_table);
	kmem_cache_destroy(flow_cache);
}
