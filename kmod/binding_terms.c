// SPDX-License-Identifier: GPL-2.0
/*
 * What is said of a binding, into the object that packets read, and back. IPv4
 * bindings are two cache lines, those with IPv6 three; what few of them have
 * is allocated beside. And where they go when they have left the table.
 */
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "hmmp.h"

static struct kmem_cache *narrow_cache;
static struct kmem_cache *wide_cache;
static u32 key_secret;

/**
 * hmmp_binding_key - what is compared first of address 1
 * @family: AF_INET or AF_INET6
 * @original: address 1
 *
 * Return: IPv4 as it is, else a keyed hash.
 */
u32 hmmp_binding_key(u8 family, const union nf_inet_addr *original)
{
	if (family == AF_INET)
		return (__force u32)original->ip;
	return jhash2((const u32 *)original, 4, key_secret);
}

static bool needs_more(const struct hmmp_terms *t)
{
	return t->via.family || t->previous.family || t->buffer || t->mark ||
	       t->link || t->lladdr_len ||
	       t->status == HMMP_STATUS_PROVISIONAL;
}

static struct hmmp_more *make_more(const struct hmmp_terms *t, gfp_t gfp)
{
	struct hmmp_more *m = kmalloc(sizeof(*m), gfp);

	if (!m)
		return NULL;
	m->via = t->via;
	m->previous = t->previous;
	m->before = t->before;
	m->since = t->since;
	m->buffer = t->buffer;
	atomic64_set(&m->credit, t->credit);
	m->mark = t->mark;
	m->link = t->link;
	m->lladdr_len = t->lladdr_len;
	memcpy(m->lladdr, t->lladdr, sizeof(m->lladdr));
	return m;
}

static void read_more(const struct hmmp_more *m, struct hmmp_terms *t)
{
	t->via = m->via;
	t->previous = m->previous;
	t->before = m->before;
	t->since = m->since;
	t->buffer = m->buffer;
	t->credit = atomic64_read(&m->credit);
	t->mark = m->mark;
	t->link = m->link;
	t->lladdr_len = m->lladdr_len;
	memcpy(t->lladdr, m->lladdr, sizeof(t->lladdr));
}

/* Never 0, and the same again for what has been read back. */
static u32 pack_settled(u64 ns)
{
	u32 units = ns >> HMMP_SETTLED_SHIFT;

	return ns ? units ?: 1 : 0;
}

static void write_addresses(struct hmmp_binding *b, const struct hmmp_terms *t)
{
	b->inner6 = t->family == AF_INET6;
	b->outer6 = t->current_addr.family == AF_INET6;
	b->from6 = t->local_outer.family == AF_INET6;
	b->key = hmmp_binding_key(t->family, &t->original);
	if (!hmmp_binding_is_wide(b)) {
		b->route.daddr = t->current_addr.ip.ip;
		b->from = t->local_outer.ip.ip;
		return;
	}
	b->wide->original = t->original;
	b->wide->to = t->current_addr.ip;
	b->wide->from = t->local_outer.ip;
}

/**
 * hmmp_binding_make - an object for what is said of a binding
 * @hn: namespace
 * @t: terms
 * @gfp: how to allocate
 *
 * Return: the binding, nowhere yet and with counters of zero; or NULL.
 */
struct hmmp_binding *hmmp_binding_make(const struct hmmp_net *hn,
				       const struct hmmp_terms *t, gfp_t gfp)
{
	bool wide = t->family == AF_INET6 ||
		    t->current_addr.family == AF_INET6 ||
		    t->local_outer.family == AF_INET6;
	struct hmmp_binding *b;

	b = kmem_cache_zalloc(wide ? wide_cache : narrow_cache, gfp);
	if (!b)
		return NULL;
	write_addresses(b, t);
	if (needs_more(t)) {
		b->more = make_more(t, gfp);
		if (!b->more) {
			hmmp_binding_free(b);
			return NULL;
		}
	}
	b->netno = hn->number;
	b->owner = t->owner;
	b->expires = t->expires;
	b->status = t->status;
	b->encap = t->encap;
	b->flags = t->flags;
	b->home = t->home;
	b->leaving = t->leaving;
	b->plain = t->status == HMMP_STATUS_VERIFIED && !t->home &&
		   !t->via.family && !t->mark;
	b->id = t->id;
	b->seq = t->seq;
	b->settled = pack_settled(t->settled);
	b->ifindex = t->ifindex;
	return b;
}

/**
 * hmmp_binding_read - what is said of a binding
 * @b: binding; RCU read side, or under the lock of the namespace
 * @t: filled
 */
void hmmp_binding_read(const struct hmmp_binding *b, struct hmmp_terms *t)
{
	memset(t, 0, sizeof(*t));
	t->family = hmmp_binding_family(b);
	t->original = hmmp_binding_original(b);
	t->current_addr = hmmp_binding_to(b);
	t->local_outer = hmmp_binding_from(b);
	t->owner = b->owner;
	t->expires = b->expires;
	t->settled = (u64)b->settled << HMMP_SETTLED_SHIFT;
	t->id = b->id;
	t->seq = b->seq;
	t->ifindex = b->ifindex;
	t->flags = b->flags;
	t->status = b->status;
	t->encap = b->encap;
	t->home = b->home;
	t->leaving = b->leaving;
	if (b->more)
		read_more(b->more, t);
}

/**
 * hmmp_binding_free - give a binding's memory back
 * @b: binding; nobody reads it any more
 */
void hmmp_binding_free(struct hmmp_binding *b)
{
	hmmp_route_exit(&b->route);
	kfree(b->more);
	kmem_cache_free(hmmp_binding_is_wide(b) ? wide_cache : narrow_cache, b);
}

/*
 * What has left the table waits here for RCU, linked by what no reader looks
 * at: there is no room in it for more.
 */
static DEFINE_SPINLOCK(hmmp_dead_lock);
static struct hmmp_binding *dead;	/* under hmmp_dead_lock */
static struct hmmp_binding *dying;	/* the work's, while @burying */
static bool burying;			/* under hmmp_dead_lock */
static struct rcu_work bury_work;

static struct hmmp_binding *after(const struct hmmp_binding *b)
{
	return (struct hmmp_binding *)b->node.pprev;
}

/* Caller holds hmmp_dead_lock. */
static void begin_to_bury(void)
{
	dying = dead;
	dead = NULL;
	burying = dying;
	if (burying)
		queue_rcu_work(system_wq, &bury_work);
}

static void bury(struct work_struct *work)
{
	struct hmmp_binding *b, *next;

	for (b = dying; b; b = next) {
		next = after(b);
		hmmp_binding_free(b);
		cond_resched();
	}
	spin_lock_bh(&hmmp_dead_lock);
	begin_to_bury();
	spin_unlock_bh(&hmmp_dead_lock);
}

/**
 * hmmp_binding_bury - free a binding when packets are done with it
 * @b: binding, out of the table
 */
void hmmp_binding_bury(struct hmmp_binding *b)
{
	spin_lock_bh(&hmmp_dead_lock);
	b->node.pprev = (struct hlist_node **)dead;
	dead = b;
	if (!burying)
		begin_to_bury();
	spin_unlock_bh(&hmmp_dead_lock);
}

/**
 * hmmp_binding_terms_init - where bindings are allocated
 *
 * Return: 0 or -ENOMEM.
 */
int hmmp_binding_terms_init(void)
{
	BUILD_BUG_ON(offsetof(struct hmmp_binding, more) != 64);
	BUILD_BUG_ON(sizeof(struct hmmp_binding) != 128);
	get_random_bytes(&key_secret, sizeof(key_secret));
	INIT_RCU_WORK(&bury_work, bury);
	narrow_cache = kmem_cache_create("hmmp_binding",
					 sizeof(struct hmmp_binding), 0,
					 SLAB_HWCACHE_ALIGN, NULL);
	wide_cache = kmem_cache_create("hmmp_binding6",
				       sizeof(struct hmmp_binding) +
				       sizeof(struct hmmp_wide), 0,
				       SLAB_HWCACHE_ALIGN, NULL);
	if (narrow_cache && wide_cache)
		return 0;
	hmmp_binding_terms_exit();
	return -ENOMEM;
}

/**
 * hmmp_binding_terms_exit - nothing is allocated any more
 *
 * Waits for RCU to let go of what was buried.
 */
void hmmp_binding_terms_exit(void)
{
	while (READ_ONCE(burying))
		flush_rcu_work(&bury_work);
	kmem_cache_destroy(wide_cache);
	kmem_cache_destroy(narrow_cache);
}
