// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a binding: installed, updated, verified, released, withdrawn,
 * lapsed. A binding's life ends by the clock, never by silence. One of a flow
 * that lapsed is held, which means that nothing goes to address 1, where
 * another host may be by now; one of a host just ends.
 */
#include <net/tcp.h>
#include "hmmp.h"

/* What an update takes over from the binding in whose place it comes. */
static void carry_over(struct hmmp_terms *t, const struct hmmp_terms *old)
{
	t->id = old->id;
	t->buffer = old->buffer;
	t->previous = old->previous;
	if (!hmmp_same(&t->current_addr, &old->current_addr))
		t->previous = old->current_addr;
	else
		t->since = old->since;
}

static const struct hmmp_before nothing_before = {
	.home = true,
	.status = HMMP_STATUS_VERIFIED,
	.expires = U64_MAX,
};

/* What a provisional binding falls back to. */
static void remember_before(struct hmmp_terms *t, const struct hmmp_binding *b,
			    const struct hmmp_terms *old)
{
	struct hmmp_where w;

	hmmp_binding_where(b, t->since, &w);
	if (w.status == HMMP_STATUS_PROVISIONAL) {
		t->before = old->before;
		return;
	}
	t->before = (struct hmmp_before){
		.to = w.to,
		.via = w.before ? old->before.via : old->via,
		.local_outer = w.before ? old->before.local_outer :
					  old->local_outer,
		.encap = w.encap,
		.home = w.home,
		.status = w.status,
		.expires = w.before ? old->before.expires : old->expires,
	};
	if (!w.before && w.status == HMMP_STATUS_HELD)
		t->before.expires = U64_MAX;
}

/* Since when is somebody else at address 1? */
static u64 settled(const struct hmmp_terms *t, u64 before)
{
	if (t->home)
		return 0;
	if (before)
		return before;
	return t->status == HMMP_STATUS_PROVISIONAL ? 0 : hmmp_now();
}

/*
 * A lower number is an older message. The same number may only verify what it
 * brought, or say again what stands.
 */
static int check_seq(struct hmmp_net *hn, const struct hmmp_binding *old,
		     const struct hmmp_terms *seed,
		     struct netlink_ext_ack *extack)
{
	struct hmmp_addr to = hmmp_binding_to(old);

	if ((s32)(seed->seq - old->seq) > 0)
		return 0;
	if (seed->seq == old->seq && seed->status == HMMP_STATUS_VERIFIED &&
	    hmmp_same(&seed->current_addr, &to))
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

static bool leads_there(const struct hmmp_binding *b,
			const struct hmmp_terms *t)
{
	struct hmmp_addr to = hmmp_binding_to(b);

	return hmmp_same(&to, &t->current_addr);
}

/*
 * Is it what stands verified already? Until it is verified again, an
 * unverified word that it goes on changes nothing.
 */
static bool refreshes_unverified(const struct hmmp_terms *seed,
				 const struct hmmp_binding *old)
{
	return seed->status == HMMP_STATUS_PROVISIONAL &&
	       leads_there(old, seed) &&
	       hmmp_binding_status(old, hmmp_now()) == HMMP_STATUS_VERIFIED;
}

static void wake_flows(struct hmmp_net *hn, const struct hmmp_terms *t)
{
	struct hmmp_outer o = {
		.daddr = t->via.family ? t->via : t->current_addr,
		.saddr = t->local_outer,
		.mark = t->mark,
		.oif = t->owner ? t->ifindex : 0,
		.encap = t->encap,
	};

	if (!t->owner || t->status == HMMP_STATUS_HELD)
		return;
	if (!o.saddr.family)
		o.saddr.family = o.daddr.family;
	hmmp_wake(hn, &t->original, t->owner, tcp_jiffies32,
		  t->home ? NULL : &o, t->flags & HMMP_BINDING_FLAGS_LOST);
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
	b = hmmp_binding_find(hn, family, original, owner);
	rcu_read_unlock();
	return b;
}

/* A host's packets are held on request, and while it is not verified. */
static int give_buffer(struct hmmp_net *hn, struct hmmp_terms *t)
{
	if (t->owner || (!(t->flags & HMMP_BINDING_FLAGS_BUFFER) &&
			 t->status != HMMP_STATUS_PROVISIONAL))
		return 0;
	if (!t->buffer)
		t->buffer = hmmp_buffer_new(hn, t->family, &t->original);
	return t->buffer ? 0 : -ENOMEM;
}

static void put_in_place(struct hmmp_net *hn, struct hmmp_binding *b,
			 struct hmmp_binding *old)
{
	if (old)
		hmmp_binding_replace(hn, b, old);
	else
		hmmp_binding_insert(hn, b);
}

/* From a request and what stands to the terms of what will. */
static void agree(struct hmmp_terms *t, const struct hmmp_terms *seed,
		  const struct hmmp_binding *old, u32 lifetime_ms)
{
	struct hmmp_terms was = {};

	*t = *seed;
	t->since = hmmp_now();
	t->home = hmmp_is(&t->current_addr, t->family, &t->original);
	t->expires = t->since + (u64)lifetime_ms * NSEC_PER_MSEC;
	t->before = nothing_before;
	if (old) {
		hmmp_binding_read(old, &was);
		if (t->status == HMMP_STATUS_PROVISIONAL && t->owner)
			remember_before(t, old, &was);
		carry_over(t, &was);
	}
	t->settled = settled(t, was.settled);
}

/*
 * Return: the binding to be put in place, or an error pointer; nothing has
 * changed yet.
 */
static struct hmmp_binding *make(struct hmmp_net *hn, struct hmmp_terms *t)
{
	struct hmmp_buffer *had = t->buffer;
	struct hmmp_binding *b;

	if (give_buffer(hn, t))
		return ERR_PTR(-ENOMEM);
	b = hmmp_binding_make(hn, t, GFP_KERNEL_ACCOUNT);
	if (!b) {
		if (!had && t->buffer)
			hmmp_buffer_free(t->buffer);
		return ERR_PTR(-ENOMEM);
	}
	if (had && !t->owner && (t->flags & HMMP_BINDING_FLAGS_BUFFER ||
				 t->status == HMMP_STATUS_PROVISIONAL))
		hmmp_buffer_fill(had);
	return b;
}

/* Does it verify what was held for want of that alone? */
static bool verifies(const struct hmmp_terms *t, const struct hmmp_binding *old)
{
	return old && old->status == HMMP_STATUS_PROVISIONAL &&
	       !((old->flags | t->flags) & HMMP_BINDING_FLAGS_BUFFER) &&
	       t->status == HMMP_STATUS_VERIFIED;
}

/**
 * hmmp_binding_set - install or update a binding (Draft 4.2.2)
 * @hn: namespace; its lock is held
 * @seed: family, original, owner, current_addr, local_outer, via, encap,
 *	status, seq, mark, ifindex, link, lladdr, flags and credit
 * @lifetime_ms: its life from now, milliseconds
 * @extack: for the sentence of a refusal
 *
 * Return: 0; -ESTALE for an old sequence number; -ENOSPC at the limit;
 * -ENOMEM.
 */
int hmmp_binding_set(struct hmmp_net *hn, const struct hmmp_terms *seed,
		     u32 lifetime_ms, struct netlink_ext_ack *extack)
{
	struct hmmp_binding *old, *b;
	bool fresh, news, verified;
	struct hmmp_terms t;
	int err;

	old = find_locked(hn, seed->family, &seed->original, seed->owner);
	fresh = !old || old->leaving;
	err = fresh ? check_room(hn, extack) : check_seq(hn, old, seed, extack);
	if (err)
		return err;
	if (!fresh && refreshes_unverified(seed, old))
		return 0;
	agree(&t, seed, old, lifetime_ms);
	b = make(hn, &t);
	if (IS_ERR(b)) {
		if (fresh)
			hmmp_binding_room_back(hn);
		return PTR_ERR(b);
	}
	/* if it says nothing new, nobody has to be woken */
	news = !old || !leads_there(old, &t) ||
	       hmmp_binding_status(old, hmmp_now()) != t.status;
	verified = verifies(&t, old);
	put_in_place(hn, b, old);
	if (t.buffer && verified)
		hmmp_buffer_release(t.buffer);
	if (news)
		wake_flows(hn, &t);
	hmmp_net_gc_soon(hn, msecs_to_jiffies(lifetime_ms) + 1);
	return 0;
}

/*
 * It stays for the packets that are under way from its last address, at home
 * for everything that is sent.
 */
static int let_go(struct hmmp_net *hn, struct hmmp_binding *old, gfp_t gfp)
{
	struct hmmp_terms t, was;
	struct hmmp_binding *b;

	hmmp_binding_read(old, &was);
	t = was;
	t.since = hmmp_now();
	t.current_addr.ip = t.original;
	t.current_addr.family = t.family;
	carry_over(&t, &was);
	memset(&t.via, 0, sizeof(t.via));
	t.home = true;
	t.leaving = true;
	t.settled = 0;
	t.link = 0;
	t.flags &= ~HMMP_BINDING_FLAGS_LOST;	/* not said of this change */
	t.status = HMMP_STATUS_VERIFIED;
	t.expires = t.since + HMMP_GRACE_NS;
	b = hmmp_binding_make(hn, &t, gfp);
	if (!b)
		return -ENOMEM;
	hmmp_binding_replace(hn, b, old);
	hmmp_binding_room_back(hn);
	if (t.buffer)
		hmmp_buffer_close(t.buffer);
	wake_flows(hn, &t);
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
	struct hmmp_buffer *buffer;

	if (!b)
		return -ENOENT;
	buffer = hmmp_binding_buffer(b);
	if (!hmmp_buffer_open(buffer)) {
		NL_SET_ERR_MSG(extack, "the binding holds nothing back");
		return -ENOENT;
	}
	hmmp_buffer_release(buffer);
	return 0;
}

/* Nobody verified it: what was before, is. */
static void fall_back(struct hmmp_terms *t)
{
	t->current_addr = t->before.to;
	t->encap = t->before.encap;
	t->status = t->before.status;
	t->expires = t->before.expires;
	t->via = t->before.via;
	t->local_outer = t->before.local_outer;
}

static void lapse(struct hmmp_terms *t)
{
	t->status = HMMP_STATUS_HELD;
	t->expires = U64_MAX;
}

/* Packets do it already; again in a second. */
static void expire_later(struct hmmp_net *hn)
{
	hmmp_net_gc_soon(hn, HZ);
}

/* Unverified, with nothing before: it goes as if it had been withdrawn. */
static void expire_first(struct hmmp_net *hn, struct hmmp_binding *old)
{
	if (let_go(hn, old, GFP_ATOMIC)) {
		expire_later(hn);
		return;
	}
	hmmp_count(hn, BINDING_EXPIRED);
	hmmp_event_binding(hn, old, HMMP_BINDING_EVENT_EXPIRED);
}

static void expire_for_good(struct hmmp_net *hn, struct hmmp_binding *old)
{
	if (!old->home)
		hmmp_count(hn, BINDING_EXPIRED);
	if (!old->leaving && !old->home)
		hmmp_event_binding(hn, old, HMMP_BINDING_EVENT_EXPIRED);
	hmmp_binding_erase(hn, old);
}

/* It leads where it led before, or nowhere. */
static void expire_into(struct hmmp_net *hn, struct hmmp_binding *old)
{
	struct hmmp_terms t, was;
	struct hmmp_binding *b;

	hmmp_binding_read(old, &was);
	t = was;
	t.since = hmmp_now();
	t.flags &= ~HMMP_BINDING_FLAGS_LOST;
	if (old->status == HMMP_STATUS_PROVISIONAL)
		fall_back(&t);
	else
		lapse(&t);
	carry_over(&t, &was);
	b = hmmp_binding_make(hn, &t, GFP_ATOMIC);
	if (!b) {
		expire_later(hn);
		return;
	}
	hmmp_binding_replace(hn, b, old);
	hmmp_count(hn, BINDING_EXPIRED);
	hmmp_event_binding(hn, b, HMMP_BINDING_EVENT_EXPIRED);
	if (t.status == HMMP_STATUS_VERIFIED)
		wake_flows(hn, &t);
}

static void expire(struct hmmp_net *hn, struct hmmp_binding *old)
{
	if (old->status == HMMP_STATUS_PROVISIONAL && old->owner &&
	    old->more->before.home)
		expire_first(hn, old);
	else if (old->home || !old->owner)
		expire_for_good(hn, old);
	else
		expire_into(hn, old);
}

static bool orphaned(struct hmmp_net *hn, const struct hmmp_binding *b)
{
	union nf_inet_addr original = hmmp_binding_original(b);

	return b->owner && !b->leaving &&
	       !hmmp_flow_owner_alive(hn->net, &original, b->owner);
}

static void gc_one(struct hmmp_net *hn, struct hmmp_binding *b)
{
	struct hmmp_buffer *buffer = hmmp_binding_buffer(b);

	if (buffer)
		hmmp_buffer_gc(buffer);
	if (READ_ONCE(b->seen) == HMMP_SEEN_FOREIGN + 1) {
		hmmp_binding_erase(hn, b);
	} else if (orphaned(hn, b)) {
		hmmp_event_binding(hn, b, HMMP_BINDING_EVENT_ENDED);
		hmmp_binding_erase(hn, b);
	} else if (hmmp_now() >= b->expires) {
		if (!b->leaving || !hmmp_buffer_open(buffer))
			expire(hn, b);
	}
}

/**
 * hmmp_binding_gc - end what has lapsed, or has no flow any more
 * @hn: namespace; its lock is held
 */
void hmmp_binding_gc(struct hmmp_net *hn)
{
	u64 next, now;

	if (!atomic_read(&hn->n_chained))
		return;
	next = hmmp_binding_visit(hn, gc_one);
	now = hmmp_now();
	if (next > now && next < now + NSEC_PER_SEC)
		hmmp_net_gc_soon(hn, nsecs_to_jiffies(next - now) + 1);
}
