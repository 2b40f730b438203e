// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a binding: installed, updated, verified, released, withdrawn,
 * lapsed. A binding's life ends by the clock, never by silence. One of a flow
 * that lapsed is held, which means that nothing goes to address 1, where
 * another host may be by now; one of a host just ends.
 */
#include <linux/slab.h>
#include <net/tcp.h>
#include "hmmp.h"

static struct hmmp_binding *binding_alloc(const struct hmmp_binding *seed,
					  gfp_t gfp)
{
	struct hmmp_binding *b = kmalloc(sizeof(*b), gfp);

	if (!b)
		return NULL;
	*b = *seed;
	hmmp_route_init(&b->route);
	b->since = hmmp_now();
	b->told = 0;
	b->seen = 0;
	return b;
}

/* What an update takes over from the binding in whose place it comes. */
static void carry_over(struct hmmp_binding *b, const struct hmmp_binding *old)
{
	b->id = old->id;
	b->buffer = old->buffer;
	b->previous = old->previous;
	if (!hmmp_same(&b->current_addr, &old->current_addr))
		b->previous = old->current_addr;
	else
		b->since = old->since;
	atomic64_set(&b->tx_packets, atomic64_read(&old->tx_packets));
	atomic64_set(&b->tx_bytes, atomic64_read(&old->tx_bytes));
	atomic64_set(&b->rx_packets, atomic64_read(&old->rx_packets));
	atomic64_set(&b->rx_bytes, atomic64_read(&old->rx_bytes));
	atomic64_set(&b->drops, atomic64_read(&old->drops));
}

/* What a provisional binding falls back to. */
static void remember_before(struct hmmp_binding *b,
			    const struct hmmp_binding *old)
{
	struct hmmp_where w;

	if (!old) {
		b->before = (struct hmmp_before){
			.home = true,
			.status = HMMP_STATUS_VERIFIED,
			.expires = U64_MAX,
		};
		return;
	}
	hmmp_binding_where(old, b->since, &w);
	if (w.status == HMMP_STATUS_PROVISIONAL) {
		b->before = old->before;
		return;
	}
	b->before = (struct hmmp_before){
		.to = *w.to,
		.via = old->via,
		.local_outer = old->local_outer,
		.encap = w.encap,
		.home = w.home,
		.status = w.status,
		.expires = w.status == HMMP_STATUS_HELD ? U64_MAX :
							  old->expires,
	};
	if (w.to != &old->current_addr) {
		b->before.via = old->before.via;
		b->before.local_outer = old->before.local_outer;
		b->before.expires = old->before.expires;
	}
}

/* Since when is somebody else at address 1? */
static u64 settled(const struct hmmp_binding *b, const struct hmmp_binding *old)
{
	if (b->home)
		return 0;
	if (old && old->settled)
		return old->settled;
	return b->status == HMMP_STATUS_PROVISIONAL ? 0 : hmmp_now();
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
	    hmmp_same(&seed->current_addr, &old->current_addr))
		return 0;
	hmmp_count(hn, BINDING_STALE);
	NL_SET_ERR_MSG(extack, "a message with this or a later sequence number has been applied");
	return -ESTALE;
}

static int check_room(struct hmmp_net *hn, struct netlink_ext_ack *extack)
{
	if (hmmp_binding_room(hn))
		return 0;
	NL_SET_ERR_MSG(extack, "the limit of bindings is reached");
	return -ENOSPC;
}

/* True if the binding says nothing new: then nobody has to be woken. */
static bool says_the_same(const struct hmmp_binding *b,
			  const struct hmmp_binding *old, u64 now)
{
	return old && hmmp_binding_status(old, now) == b->status &&
	       hmmp_same(&b->current_addr, &old->current_addr);
}

/*
 * Is it what stands verified already? Until it is verified again, an
 * unverified word that it goes on changes nothing.
 */
static bool refreshes_unverified(const struct hmmp_binding *seed,
				 const struct hmmp_binding *old)
{
	return seed->status == HMMP_STATUS_PROVISIONAL &&
	       hmmp_same(&seed->current_addr, &old->current_addr) &&
	       hmmp_binding_status(old, hmmp_now()) == HMMP_STATUS_VERIFIED;
}

static void wake_flows(struct hmmp_net *hn, const struct hmmp_binding *b)
{
	struct hmmp_outer o = {
		.daddr = b->via.family ? b->via : b->current_addr,
		.saddr = b->local_outer,
		.mark = b->mark,
		.oif = b->owner ? b->ifindex : 0,
		.encap = b->encap,
	};

	if (!b->owner || b->status == HMMP_STATUS_HELD)
		return;
	if (!o.saddr.family)
		o.saddr.family = o.daddr.family;
	hmmp_wake(hn, &b->original, b->owner, tcp_jiffies32,
		  b->home ? NULL : &o, b->flags & HMMP_BINDING_FLAGS_LOST);
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

/* A host's packets are held on request, and while it is not verified. */
static int give_buffer(struct hmmp_net *hn, struct hmmp_binding *b)
{
	if (b->owner || (!(b->flags & HMMP_BINDING_FLAGS_BUFFER) &&
			 b->status != HMMP_STATUS_PROVISIONAL))
		return 0;
	if (b->buffer) {
		hmmp_buffer_fill(b->buffer);
		return 0;
	}
	b->buffer = hmmp_buffer_new(hn, b->family, &b->original);
	return b->buffer ? 0 : -ENOMEM;
}

static void put_in_place(struct hmmp_net *hn, struct hmmp_binding *b,
			 struct hmmp_binding *old)
{
	if (old)
		hmmp_binding_replace(hn, b, old);
	else
		hmmp_binding_insert(hn, b);
}

/*
 * Return: the binding to be put in place, or an error pointer; nothing has
 * changed yet.
 */
static struct hmmp_binding *make(struct hmmp_net *hn,
				 const struct hmmp_binding *seed,
				 struct hmmp_binding *old, u32 lifetime_ms)
{
	struct hmmp_binding *b = binding_alloc(seed, GFP_KERNEL_ACCOUNT);

	if (!b)
		return ERR_PTR(-ENOMEM);
	b->home = hmmp_is(&b->current_addr, b->family, &b->original);
	b->expires = b->since + (u64)lifetime_ms * NSEC_PER_MSEC;
	if (b->status == HMMP_STATUS_PROVISIONAL && b->owner)
		remember_before(b, old);
	if (old)
		carry_over(b, old);
	b->settled = settled(b, old);
	if (give_buffer(hn, b)) {
		kfree(b);
		return ERR_PTR(-ENOMEM);
	}
	return b;
}

/**
 * hmmp_binding_set - install or update a binding (Draft 4.2.2)
 * @hn: namespace; its lock is held
 * @seed: net, family, original, owner, current_addr, local_outer, via, encap,
 *	status, seq, mark, ifindex, link, lladdr, flags and credit
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
	bool fresh, news, verified;
	int err;

	old = find_locked(hn, seed->family, &seed->original, seed->owner);
	fresh = !old || old->leaving;
	err = fresh ? check_room(hn, extack) : check_seq(hn, old, seed, extack);
	if (err)
		return err;
	if (!fresh && refreshes_unverified(seed, old))
		return 0;
	b = make(hn, seed, old, lifetime_ms);
	if (IS_ERR(b)) {
		if (fresh)
			hmmp_binding_room_back(hn);
		return PTR_ERR(b);
	}
	news = !says_the_same(b, old, b->since);
	verified = old && old->status == HMMP_STATUS_PROVISIONAL &&
		   !((old->flags | b->flags) & HMMP_BINDING_FLAGS_BUFFER) &&
		   b->status == HMMP_STATUS_VERIFIED;
	put_in_place(hn, b, old);
	if (b->buffer && verified)
		hmmp_buffer_release(b->buffer);
	if (news)
		wake_flows(hn, b);
	hmmp_net_gc_soon(hn, msecs_to_jiffies(lifetime_ms) + 1);
	return 0;
}

/*
 * It stays for the packets that are under way from its last address, at home
 * for everything that is sent.
 */
static int let_go(struct hmmp_net *hn, struct hmmp_binding *old, gfp_t gfp)
{
	struct hmmp_binding *b = binding_alloc(old, gfp);

	if (!b)
		return -ENOMEM;
	b->current_addr.ip = b->original;
	b->current_addr.family = b->family;
	carry_over(b, old);
	memset(&b->via, 0, sizeof(b->via));
	b->home = true;
	b->leaving = true;
	b->settled = 0;
	b->link = 0;
	b->flags &= ~HMMP_BINDING_FLAGS_LOST;	/* not said of this change */
	b->status = HMMP_STATUS_VERIFIED;
	b->expires = b->since + HMMP_GRACE_NS;
	hmmp_binding_replace(hn, b, old);
	hmmp_binding_room_back(hn);
	if (b->buffer)
		hmmp_buffer_close(b->buffer);
	wake_flows(hn, b);
	hmmp_net_gc_soon(hn, nsecs_to_jiffies(HMMP_GRACE_NS) + 1);
	return 0;
}

static struct hmmp_binding *find_for(struct hmmp_net *hn, u8 family,
				     const union nf_inet_addr *original,
				     u64 owner, struct netlink_ext_ack *extack)
{
	struct hmmp_binding *b = find_locked(hn, family, original, owner);

	if (b && !b->leaving)
		return b;
	NL_SET_ERR_MSG(extack, "no such binding");
	return NULL;
}

/**
 * hmmp_binding_del - end a binding; its packets go natively again
 * @hn: namespace; its lock is held
 * @family: AF_INET or AF_INET6
 * @original: address 1
 * @owner: owner of the flows, 0 for scope host
 * @seq: if not NULL, only if the binding is not newer than this
 * @extack: for the sentence of a refusal
 *
 * Return: 0, -ENOENT, -ESTALE or -ENOMEM.
 */
int hmmp_binding_del(struct hmmp_net *hn, u8 family,
		     const union nf_inet_addr *original, u64 owner,
		     const u32 *seq, struct netlink_ext_ack *extack)
{
	struct hmmp_binding *b = find_for(hn, family, original, owner, extack);

	if (!b)
		return -ENOENT;
	if (seq && (s32)(b->seq - *seq) > 0) {
		hmmp_count(hn, BINDING_STALE);
		NL_SET_ERR_MSG(extack, "the binding is newer than that");
		return -ESTALE;
	}
	return let_go(hn, b, GFP_KERNEL_ACCOUNT);
}

/**
 * hmmp_binding_release - let a buffer go, in order (K11)
 * @hn: namespace; its lock is held
 * @family: AF_INET or AF_INET6
 * @original: address 1
 * @owner: 0, only hosts have buffers
 * @extack: for the sentence of a refusal
 *
 * Return: 0 or -ENOENT.
 */
int hmmp_binding_release(struct hmmp_net *hn, u8 family,
			 const union nf_inet_addr *original, u64 owner,
			 struct netlink_ext_ack *extack)
{
	struct hmmp_binding *b = find_for(hn, family, original, owner, extack);

	if (!b)
		return -ENOENT;
	if (!hmmp_buffer_open(b->buffer)) {
		NL_SET_ERR_MSG(extack, "the binding holds nothing back");
		return -ENOENT;
	}
	hmmp_buffer_release(b->buffer);
	return 0;
}

/* Nobody verified it: what was before, is. */
static void fall_back(struct hmmp_binding *b)
{
	b->current_addr = b->before.to;
	b->encap = b->before.encap;
	b->status = b->before.status;
	b->expires = b->before.expires;
	b->via = b->before.via;
	b->local_outer = b->before.local_outer;
}

static void lapse(struct hmmp_binding *b)
{
	b->status = HMMP_STATUS_HELD;
	b->expires = U64_MAX;
}

/* Packets do it already; again in a second. */
static void expire_later(struct hmmp_net *hn)
{
	hmmp_net_gc_soon(hn, HZ);
}

static void expire(struct hmmp_net *hn, struct hmmp_binding *old)
{
	struct hmmp_binding *b;

	if (old->status == HMMP_STATUS_PROVISIONAL && old->owner &&
	    old->before.home) {
		if (let_go(hn, old, GFP_ATOMIC)) {
			expire_later(hn);
			return;
		}
		hmmp_count(hn, BINDING_EXPIRED);
		hmmp_event_binding(hn, old, HMMP_BINDING_EVENT_EXPIRED);
		return;
	}
	if (old->home || !old->owner) {
		if (!old->home)
			hmmp_count(hn, BINDING_EXPIRED);
		if (!old->leaving && !old->home)
			hmmp_event_binding(hn, old, HMMP_BINDING_EVENT_EXPIRED);
		hmmp_binding_erase(hn, old);
		return;
	}
	b = binding_alloc(old, GFP_ATOMIC);
	if (!b) {
		expire_later(hn);
		return;
	}
	b->flags &= ~HMMP_BINDING_FLAGS_LOST;
	if (old->status == HMMP_STATUS_PROVISIONAL)
		fall_back(b);
	else
		lapse(b);
	carry_over(b, old);
	hmmp_binding_replace(hn, b, old);
	hmmp_count(hn, BINDING_EXPIRED);
	hmmp_event_binding(hn, b, HMMP_BINDING_EVENT_EXPIRED);
	if (b->status == HMMP_STATUS_VERIFIED)
		wake_flows(hn, b);
}

static int gc_one(struct hmmp_binding *b, void *arg)
{
	struct hmmp_net *hn = arg;
	u64 now = hmmp_now();

	if (b->buffer)
		hmmp_buffer_gc(b->buffer);
	if (READ_ONCE(b->seen) == HMMP_SEEN_FOREIGN + 1) {
		hmmp_binding_erase(hn, b);
	} else if (b->owner && !b->leaving &&
		   !hmmp_flow_owner_alive(hn->net, &b->original, b->owner)) {
		hmmp_event_binding(hn, b, HMMP_BINDING_EVENT_ENDED);
		hmmp_binding_erase(hn, b);
	} else if (now >= b->expires) {
		if (!b->leaving || !hmmp_buffer_open(b->buffer))
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

	if (atomic_read(&hn->n_chained))
		hmmp_binding_walk(hn->net, &at, gc_one, hn);
}
