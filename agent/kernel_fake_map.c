// SPDX-License-Identifier: GPL-2.0-or-later
/* The fake module's bindings, local map, peers and limits (kernel_fake.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "kernel_fake_priv.h"

#define NO_FLOW "The owner has no flow to that address"

/* ---------------------------------------------------------------- bindings */

struct fake_binding *kernel_fake_find_binding(enum body_scope scope,
					      const struct addr *original,
					      uint64_t owner)
{
	unsigned int i;

	for (i = 0; i < fake->n_bindings; i++) {
		const struct kernel_binding *b = &fake->binding[i].b;

		if (b->scope == scope && b->owner == owner &&
		    addr_equal(&b->original, original))
			return &fake->binding[i];
	}
	return NULL;
}

static bool encap_fits(enum body_encap encap, const struct addr *inner,
		       const struct addr *outer)
{
	switch (encap) {
	case ENCAP_IPIP:
	case ENCAP_MINENC:
		return inner->len == 4 && outer->len == 4;
	case ENCAP_IP6IP6:
		return inner->len == 16 && outer->len == 16;
	case ENCAP_4IN6:
		return inner->len == 4 && outer->len == 16;
	case ENCAP_6IN4:
		return inner->len == 16 && outer->len == 4;
	default:
		return false;
	}
}

static int check_binding(const struct kernel_binding *b)
{
	if (b->scope == SCOPE_FLOW && !b->owner)
		return kernel_fake_refuse(-EINVAL, "Flow scope needs an owner");
	if (!encap_fits(b->encap, &b->original, &b->current))
		return kernel_fake_refuse(-EINVAL, "The encapsulation does not fit the addresses");
	if (b->status == KERNEL_SUSPENDED)
		return kernel_fake_refuse(-EINVAL, "A binding cannot be made suspended");
	if (!b->lifetime && b->status != KERNEL_HELD)
		return kernel_fake_refuse(-EINVAL, "A lifetime is needed");
	if (b->scope == SCOPE_FLOW &&
	    !kernel_fake_owner_alive(&b->original, b->owner))
		return kernel_fake_refuse(-ENOENT, NO_FLOW);
	return 0;
}

static int check_seq(const struct kernel_binding *old,
		     const struct kernel_binding *b)
{
	if ((int32_t)(b->seq - old->seq) > 0)
		return 0;
	if (b->seq == old->seq && b->status == KERNEL_VERIFIED &&
	    addr_equal(&b->current, &old->current))
		return 0;
	return kernel_fake_refuse(-ESTALE, "A newer binding is in place");
}

int kernel_binding_new(const struct kernel_binding *b)
{
	struct fake_binding *w, old = { 0 };
	int err = kernel_fake_enter(FAKE_BINDING_NEW);

	if (!err)
		err = check_binding(b);
	if (err)
		return err;
	w = kernel_fake_find_binding(b->scope, &b->original, b->owner);
	if (w) {
		err = check_seq(&w->b, b);
		if (err)
			return err;
		old = *w;
	} else {
		if (fake->n_bindings >= fake->limits.bindings)
			return kernel_fake_refuse(-ENOSPC, "Too many bindings");
		w = &fake->binding[fake->n_bindings++];
	}
	memset(w, 0, sizeof(*w));
	w->b = *b;
	w->b.previous = old.b.current;
	if (b->status == KERNEL_PROVISIONAL)
		w->b.verified = old.b.status == KERNEL_PROVISIONAL ?
			old.b.verified : old.b.current;
	w->end = b->status == KERNEL_HELD ? 0 : loop_now() + b->lifetime;
	return 0;
}

/* What a call about one binding begins with; *err if there is none. */
static struct fake_binding *need_binding(enum body_scope scope,
					 const struct addr *original,
					 uint64_t owner, int *err)
{
	struct fake_binding *w;

	if (*err)
		return NULL;
	w = kernel_fake_find_binding(scope, original, owner);
	if (!w)
		*err = kernel_fake_refuse(-ENOENT, "No such binding");
	return w;
}

int kernel_binding_del(enum body_scope scope, const struct addr *original,
		       uint64_t owner, const uint32_t *seq)
{
	int err = kernel_fake_enter(FAKE_BINDING_DEL);
	struct fake_binding *w = need_binding(scope, original, owner, &err);

	if (!w)
		return err;
	if (seq && (int32_t)(w->b.seq - *seq) > 0)
		return kernel_fake_refuse(-ESTALE, "A newer binding is in place");
	*w = fake->binding[--fake->n_bindings];
	return 0;
}

static void show_binding(const struct fake_binding *w, struct kernel_binding *b)
{
	*b = w->b;
	b->lifetime = w->end > loop_now() ? w->end - loop_now() : 0;
}

int kernel_binding_get(enum body_scope scope, const struct addr *original,
		       uint64_t owner, struct kernel_binding *b)
{
	int err = kernel_fake_enter(FAKE_BINDING_GET);
	const struct fake_binding *w = need_binding(scope, original, owner,
						    &err);

	if (w)
		show_binding(w, b);
	return err;
}

int kernel_release(enum body_scope scope, const struct addr *original,
		   uint64_t owner)
{
	int err = kernel_fake_enter(FAKE_RELEASE);
	struct fake_binding *w = need_binding(scope, original, owner, &err);

	if (w) {
		w->b.flags &= ~KERNEL_BINDING_BUFFER;
		w->b.held_packets = 0;
	}
	return err;
}

int kernel_binding_dump(kernel_binding_cb cb, void *arg)
{
	struct kernel_binding copy[BINDINGS];
	unsigned int i, n = fake->n_bindings;
	int err = kernel_fake_enter(FAKE_BINDING_DUMP);

	if (err)
		return err;
	for (i = 0; i < n; i++)
		show_binding(&fake->binding[i], &copy[i]);
	for (i = 0; i < n; i++)
		cb(arg, &copy[i]);
	return 0;
}

/* ----------------------------------------------------------- the local map */

struct fake_local *kernel_fake_find_local(const struct addr *original)
{
	unsigned int i;

	for (i = 0; i < fake->n_locals; i++) {
		if (addr_equal(&fake->local[i].l.original, original))
			return &fake->local[i];
	}
	return NULL;
}

static void move_local(struct fake_local *w, const struct addr *now)
{
	if (addr_equal(&w->l.current, now))
		return;
	w->l.previous = w->l.current;
	w->l.current = *now;
	w->grace_end = loop_now() + GRACE;
}

static int add_local(const struct kernel_local *l)
{
	struct fake_local *w;

	if (!l->current.len)
		return kernel_fake_refuse(-EINVAL, "No current address");
	if (fake->n_locals >= fake->limits.locals)
		return kernel_fake_refuse(-ENOSPC, "Too many local addresses");
	w = &fake->local[fake->n_locals++];
	memset(w, 0, sizeof(*w));
	w->l = *l;
	return 0;
}

int kernel_local_set(const struct kernel_local *l)
{
	struct fake_local *w;
	int err = kernel_fake_enter(FAKE_LOCAL_SET);

	if (err)
		return err;
	w = kernel_fake_find_local(&l->original);
	if (!w)
		return add_local(l);
	if (l->current.len)
		move_local(w, &l->current);
	if (l->ifindex)
		w->l.ifindex = l->ifindex;
	if (l->via.remote.len)
		w->l.via = l->via;
	return 0;
}

int kernel_local_del(const struct addr *original)
{
	struct fake_local *w;
	int err = kernel_fake_enter(FAKE_LOCAL_DEL);

	if (err)
		return err;
	w = kernel_fake_find_local(original);
	if (!w)
		return kernel_fake_refuse(-ENOENT, "No such local address");
	*w = fake->local[--fake->n_locals];
	return 0;
}

int kernel_local_dump(kernel_local_cb cb, void *arg)
{
	struct kernel_local copy[LOCALS];
	unsigned int i, n = fake->n_locals;
	int err = kernel_fake_enter(FAKE_LOCAL_DUMP);

	if (err)
		return err;
	for (i = 0; i < n; i++) {
		const struct fake_local *w = &fake->local[i];

		copy[i] = w->l;
		copy[i].grace = w->grace_end > loop_now() ?
			w->grace_end - loop_now() : 0;
	}
	for (i = 0; i < n; i++)
		cb(arg, &copy[i]);
	return 0;
}

int kernel_handoff(const struct addr *old, const struct addr *now)
{
	unsigned int i, n = 0;
	int err = kernel_fake_enter(FAKE_HANDOFF);

	if (err)
		return err;
	if (addr_equal(old, now))
		return kernel_fake_refuse(-EINVAL, "It is the same address");
	for (i = 0; i < fake->n_locals; i++) {
		if (!addr_equal(&fake->local[i].l.current, old))
			continue;
		move_local(&fake->local[i], now);
		n++;
	}
	if (!n)
		return kernel_fake_refuse(-ENOENT, "Nothing has that current address");
	return n;
}

/* ------------------------------------------------------------- peers, info */

int kernel_peer_set(const struct kernel_peer_word *word)
{
	struct kernel_peer_word *p = NULL;
	unsigned int i;
	int err = kernel_fake_enter(FAKE_PEER_SET);

	if (err)
		return err;
	if (!kernel_fake_owner_alive(&word->remote, word->owner))
		return kernel_fake_refuse(-ENOENT, NO_FLOW);
	for (i = 0; i < fake->n_peers && !p; i++) {
		if (fake->peer[i].owner == word->owner &&
		    addr_equal(&fake->peer[i].remote, &word->remote))
			p = &fake->peer[i];
	}
	if (!p) {
		if (fake->n_peers >= fake->limits.peers)
			return kernel_fake_refuse(-ENOSPC, "Too many peers");
		p = &fake->peer[fake->n_peers++];
	}
	*p = *word;
	return 0;
}

int kernel_peer_dump(kernel_peer_cb cb, void *arg)
{
	struct kernel_peer_word copy[PEERS];
	unsigned int i, n = fake->n_peers;
	int err = kernel_fake_enter(FAKE_PEER_DUMP);

	if (err)
		return err;
	memcpy(copy, fake->peer, n * sizeof(copy[0]));
	for (i = 0; i < n; i++)
		cb(arg, &copy[i]);
	return 0;
}

int kernel_info(struct kernel_info *info)
{
	int err = kernel_fake_enter(FAKE_INFO);

	if (err)
		return err;
	memset(info, 0, sizeof(*info));
	snprintf(info->version, sizeof(info->version), "fake");
	info->active = true;
	info->table_size = FLOWS;
	info->limits = fake->limits;
	info->limits.flows_used = kernel_fake_count(0);
	info->limits.bindings_used = fake->n_bindings;
	info->limits.locals_used = fake->n_locals;
	info->limits.peers_used = fake->n_peers;
	return 0;
}

static void change(uint32_t *limit, uint32_t value)
{
	if (value)
		*limit = value;
}

int kernel_limits_set(const struct kernel_limits *l)
{
	struct kernel_limits *now = &fake->limits;
	int err = kernel_fake_enter(FAKE_LIMITS_SET);

	if (err)
		return err;
	if (l->flows > FLOWS || l->bindings > BINDINGS ||
	    l->locals > LOCALS || l->peers > PEERS)
		return kernel_fake_refuse(-ERANGE, "More than the table holds");
	change(&now->flows, l->flows);
	change(&now->bindings, l->bindings);
	change(&now->locals, l->locals);
	change(&now->peers, l->peers);
	change(&now->buffer_packets, l->buffer_packets);
	change(&now->buffer_bytes, l->buffer_bytes);
	change(&now->buffer_time, l->buffer_time);
	change(&now->buffer_rate, l->buffer_rate);
	return 0;
}
