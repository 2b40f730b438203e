// SPDX-License-Identifier: GPL-2.0
/*
 * Bindings of far ends: address 1 is bound to address 2, for the flows of an
 * owner. A binding is written once and replaced whole. Its life ends by the
 * clock, never by silence: a lapsed one is held, which means that nothing goes
 * to address 1, where another host may be by now.
 */
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <net/tcp.h>
#include "hmmp.h"

#define BINDING_BUCKETS	4096

static struct hlist_head binding_table[BINDING_BUCKETS];
static DEFINE_SPINLOCK(hmmp_binding_lock);
static u32 binding_secret;

static u32 binding_bucket(const struct net *net, u8 family,
			  const union nf_inet_addr *original)
{
	u32 secret = binding_secret ^ net_hash_mix(net);

	if (family == AF_INET)
		return jhash_1word((__force u32)original->ip, secret) &
		       (BINDING_BUCKETS - 1);
	return jhash2((const u32 *)original, 4, secret) &
	       (BINDING_BUCKETS - 1);
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
 * @owner: owner of the flows
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
 * hmmp_binding_any - is there any binding of a far end?
 * @net: namespace
 * @family: AF_INET or AF_INET6
 * @original: address 1
 *
 * Caller: RCU read side. Return: true if packets to or from it need a look.
 */
bool hmmp_binding_any(struct net *net, u8 family,
		      const union nf_inet_addr *original)
{
	u32 bucket = binding_bucket(net, family, original);
	struct hmmp_binding *b;

	hlist_for_each_entry_rcu(b, &binding_table[bucket], node)
		if (same_original(b, net, family, original))
			return true;
	return false;
}

/**
 * hmmp_binding_status - status of a binding at this moment
 * @b: binding
 * @now: CLOCK_BOOTTIME ns
 *
 * Return: HMMP_STATUS_*; a lapsed binding is held before the gc work says so.
 */
u8 hmmp_binding_status(const struct hmmp_binding *b, u64 now)
{
	return now >= b->expires ? HMMP_STATUS_HELD : b->status;
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

	for (; at->bucket < BINDING_BUCKETS; at->bucket++, at->id = 0) {
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

static struct hmmp_binding *binding_alloc(const struct hmmp_binding *seed,
					  gfp_t gfp)
{
	struct hmmp_binding *b = kmalloc(sizeof(*b), gfp);

	if (!b)
		return NULL;
	*b = *seed;
	hmmp_route_init(&b->route);
	b->since = hmmp_now();
	return b;
}

static void carry_over(struct hmmp_binding *b, const struct hmmp_binding *old)
{
	b->id = old->id;
	b->previous = old->previous;
	if (!hmmp_addr_equal(&b->current_addr, &old->current_addr))
		b->previous = old->current_addr;
	else
		b->since = old->since;
	atomic64_set(&b->tx_packets, atomic64_read(&old->tx_packets));
	atomic64_set(&b->tx_bytes, atomic64_read(&old->tx_bytes));
	atomic64_set(&b->rx_packets, atomic64_read(&old->rx_packets));
	atomic64_set(&b->rx_bytes, atomic64_read(&old->rx_bytes));
	atomic64_set(&b->drops, atomic64_read(&old->drops));
}

static void replace(struct hmmp_binding *b, struct hmmp_binding *old)
{
	spin_lock_bh(&hmmp_binding_lock);
	hlist_replace_rcu(&old->node, &b->node);
	spin_unlock_bh(&hmmp_binding_lock);
	call_rcu(&old->rcu, binding_free);
}

static void insert(struct hmmp_net *hn, struct hmmp_binding *b)
{
	u32 bucket = binding_bucket(b->net, b->family, &b->original);

	spin_lock_bh(&hmmp_binding_lock);
	b->id = hmmp_next_id();
	hlist_add_head_rcu(&b->node, &binding_table[bucket]);
	spin_unlock_bh(&hmmp_binding_lock);
	atomic_inc(&hn->n_chained);
}

static void erase(struct hmmp_net *hn, struct hmmp_binding *b)
{
	spin_lock_bh(&hmmp_binding_lock);
	hlist_del_rcu(&b->node);
	spin_unlock_bh(&hmmp_binding_lock);
	atomic_dec(&hn->n_chained);
	if (!b->leaving)
		atomic_dec(&hn->n_bindings);
	call_rcu(&b->rcu, binding_free);
}

/*
 * A lower number is an older message. The same number may only verify what it
 * brought, or say again what stands.
 */
static int check_seq(struct hmmp_net *hn, const struct hmmp_binding *old,
		     const struct hmmp_binding *seed,
		     struct netlink_ext_ack *extack)
{
	if ((s32)(seed->seq - old->seq) > 0)
		return 0;
	if (seed->seq == old->seq && seed->status == HMMP_STATUS_VERIFIED &&
	    hmmp_addr_equal(&seed->current_addr, &old->current_addr))
		return 0;
	hmmp_count(hn, BINDING_STALE);
	NL_SET_ERR_MSG(extack, "a message with this or a later sequence number has been applied");
	return -ESTALE;
}

/* True if the binding says nothing new: then nobody has to be woken. */
static bool says_the_same(const struct hmmp_binding *b,
			  const struct hmmp_binding *old, u64 now)
{
	return old && hmmp_binding_status(old, now) == b->status &&
	       hmmp_addr_equal(&b->current_addr, &old->current_addr);
}

static int check_room(struct hmmp_net *hn, struct netlink_ext_ack *extack)
{
	if (atomic_inc_return(&hn->n_bindings) <= hn->limit.bindings)
		return 0;
	atomic_dec(&hn->n_bindings);
	hmmp_count(hn, BINDING_LIMIT);
	NL_SET_ERR_MSG(extack, "the limit of bindings is reached");
	return -ENOSPC;
}

static void wake_flows(struct hmmp_net *hn, const struct hmmp_binding *b)
{
	if (b->status == HMMP_STATUS_VERIFIED)
		hmmp_wake(hn, &b->original, b->owner, tcp_jiffies32,
			  b->home ? NULL : &b->current_addr, b->lost);
}

/*
 * Under the lock of the namespace its bindings stay; those of others in the
 * same chain may go, hence RCU.
 */
static struct hmmp_binding *find_locked(struct hmmp_net *hn, u8 family,
					const union nf_inet_addr *original,
					u64 owner)
{
	struct hmmp_binding *b;

	lockdep_assert_held(&hn->lock);
	rcu_read_lock();
	b = hmmp_binding_find(hn->net, family, original, owner);
	rcu_read_unlock();
	return b;
}

/**
 * hmmp_binding_set - install or update a binding (Draft 4.2.2)
 * @hn: namespace; its lock is held
 * @seed: net, family, original, owner, current_addr, local_outer, encap,
 *	status, seq and mark
 * @lifetime_ms: its life from now, milliseconds
 * @extack: for the sentence of a refusal
 *
 * Return: 0; -ESTALE for an old sequence number; -ENOSPC at the limit;
 * -ENOMEM.
 */
int hmmp_binding_set(struct hmmp_net *hn, const struct hmmp_binding *seed,
		     u32 lifetime_ms, struct netlink_ext_ack *extack)
{
	struct hmmp_binding *old, *b;
	bool news;
	int err = 0;

	old = find_locked(hn, seed->family, &seed->original, seed->owner);
	if (old && !old->leaving)
		err = check_seq(hn, old, seed, extack);
	else
		err = check_room(hn, extack);
	if (err)
		return err;
	b = binding_alloc(seed, GFP_KERNEL_ACCOUNT);
	if (!b) {
		if (!old || old->leaving)
			atomic_dec(&hn->n_bindings);
		return -ENOMEM;
	}
	b->home = hmmp_addr_equal(&b->original, &b->current_addr);
	b->expires = b->since + (u64)lifetime_ms * NSEC_PER_MSEC;
	news = !says_the_same(b, old, b->since);
	if (old) {
		carry_over(b, old);
		replace(b, old);
	} else {
		insert(hn, b);
	}
	if (news)
		wake_flows(hn, b);
	hmmp_net_gc_soon(hn, msecs_to_jiffies(lifetime_ms) + 1);
	return 0;
}

/*
 * It stays for the packets that are under way from its last address, at home
 * for everything that is sent.
 */
static int let_go(struct hmmp_net *hn, struct hmmp_binding *old)
{
	struct hmmp_binding *b = binding_alloc(old, GFP_KERNEL_ACCOUNT);

	if (!b)
		return -ENOMEM;
	b->current_addr = b->original;
	carry_over(b, old);
	b->home = true;
	b->leaving = true;
	b->lost = false;	/* nobody said so of this change */
	b->status = HMMP_STATUS_VERIFIED;
	b->expires = b->since + HMMP_GRACE_NS;
	replace(b, old);
	atomic_dec(&hn->n_bindings);
	wake_flows(hn, b);
	hmmp_net_gc_soon(hn, nsecs_to_jiffies(HMMP_GRACE_NS) + 1);
	return 0;
}

/**
 * hmmp_binding_del - end a binding; its flows go natively again
 * @hn: namespace; its lock is held
 * @family: AF_INET or AF_INET6
 * @original: address 1
 * @owner: owner of the flows
 * @seq: if not NULL, only if the binding is not newer than this
 * @extack: for the sentence of a refusal
 *
 * Return: 0, -ENOENT, -ESTALE or -ENOMEM.
 */
int hmmp_binding_del(struct hmmp_net *hn, u8 family,
		     const union nf_inet_addr *original, u64 owner,
		     const u32 *seq, struct netlink_ext_ack *extack)
{
	struct hmmp_binding *b;

	b = find_locked(hn, family, original, owner);
	if (!b || b->leaving) {
		NL_SET_ERR_MSG(extack, "no such binding");
		return -ENOENT;
	}
	if (seq && (s32)(b->seq - *seq) > 0) {
		hmmp_count(hn, BINDING_STALE);
		NL_SET_ERR_MSG(extack, "the binding is newer than that");
		return -ESTALE;
	}
	return let_go(hn, b);
}

static void expire(struct hmmp_net *hn, struct hmmp_binding *old)
{
	struct hmmp_binding *b;

	if (old->home) {
		erase(hn, old);
		return;
	}
	b = binding_alloc(old, GFP_ATOMIC);
	if (!b) {	/* packets hold it already; again in a second */
		hmmp_net_gc_soon(hn, HZ);
		return;
	}
	carry_over(b, old);
	b->status = HMMP_STATUS_HELD;
	b->expires = U64_MAX;
	replace(b, old);
	hmmp_count(hn, BINDING_EXPIRED);
	hmmp_event_binding(hn, b, HMMP_BINDING_EVENT_EXPIRED);
}

static int gc_one(struct hmmp_binding *b, void *arg)
{
	struct hmmp_net *hn = arg;
	u64 now = hmmp_now();

	if (!b->leaving &&
	    !hmmp_flow_owner_alive(hn->net, &b->original, b->owner)) {
		hmmp_event_binding(hn, b, HMMP_BINDING_EVENT_ENDED);
		erase(hn, b);
	} else if (now >= b->expires) {
		expire(hn, b);
	} else if (b->expires != U64_MAX) {
		hmmp_net_gc_soon(hn, nsecs_to_jiffies(b->expires - now) + 1);
	}
	return 0;
}

/**
 * hmmp_binding_gc - end what has lapsed, or has no flow any more
 * @hn: namespace; its lock is held
 */
void hmmp_binding_gc(struct hmmp_net *hn)
{
	struct hmmp_cursor at = {};

	hmmp_binding_walk(hn->net, &at, gc_one, hn);
}

static int exit_one(struct hmmp_binding *b, void *arg)
{
	erase(arg, b);
	return 0;
}

/**
 * hmmp_binding_net_exit - forget all bindings of a namespace
 * @hn: namespace; its hooks have gone
 */
void hmmp_binding_net_exit(struct hmmp_net *hn)
{
	struct hmmp_cursor at = {};

	hmmp_binding_walk(hn->net, &at, exit_one, hn);
}

/**
 * hmmp_binding_init - make the secret of the table
 */
void hmmp_binding_init(void)
{
	get_random_bytes(&binding_secret, sizeof(binding_secret));
}
