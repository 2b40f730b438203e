// SPDX-License-Identifier: GPL-2.0-or-later
/* The fake module's bindings, local map, peers and limits (kernel_fake.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "kernel_fake_priv.h"

#define NO_FLOW "The owner has no flow to that address"

/* ---------------------------------------------------------------- bindings */

struct fake_binding *kernel_fake_find_binding(const struct addr *original,
					      uint64_t owner)
{
	unsigned int i;

	for (i = 0; i < fake->n_bindings; i++) {
		if (fake->binding[i].b.owner == owner &&
		    addr_equal(&fake->binding[i].b.original, original))
			return &fake->binding[i];
	}
	return NULL;
}

static int check_binding(const struct kernel_binding *b)
{
	if (b->scope != SCOPE_FLOW)
		return kernel_fake_refuse(-EOPNOTSUPP, "Host scope is not built yet");
	if (!b->owner)
		return kernel_fake_refuse(-EINVAL, "Flow scope needs an owner");
	if (b->encap != ENCAP_IPIP || b->original.len != 4 ||
	    b->current.len != 4)
		return kernel_fake_refuse(-EOPNOTSUPP, "Only ipip is built yet");
	if (b->status == KERNEL_PROVISIONAL)
		return kernel_fake_refuse(-EOPNOTSUPP, "Provisional is not built yet");
	if (!b->lifetime && b->status != KERNEL_HELD)
		return kernel_fake_refuse(-EINVAL, "A lifetime is needed");
	if (!kernel_fake_owner_alive(&b->original, b->owner))
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
	w = kernel_fake_find_binding(&b->original, b->owner);
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
	w->end = b->status == KERNEL_HELD ? 0 : loop_now() + b->lifetime;
	return 0;
}

int kernel_binding_del(enum body_scope scope, const struct addr *original,
		       uint64_t owner)
{
	struct fake_binding *w;
	int err = kernel_fake_enter(FAKE_BINDING_DEL);

	if (err)
		return err;
	w = scope == SCOPE_FLOW ? kernel_fake_find_binding(original, owner) : NULL;
	if (!w)
		return kernel_fake_refuse(-ENOENT, "No such binding");
	*w = fake->binding[--fake->n_bindings];
	return 0;
}

int kernel_binding_dump(kernel_binding_cb cb, void *arg)
{
	struct kernel_binding copy[BINDINGS];
	unsigned int i, n = fake->n_bindings;
	int err = kernel_fake_enter(FAKE_BINDING_DUMP);

	if (err)
		return err;
	for (i = 0; i < n; i++) {
		const struct fake_binding *w = &fake->binding[i];

		copy[i] = w->b;
		copy[i].lifetime = w->end > loop_now() ?
			w->end - loop_now() : 0;
	}
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

int kernel_local_set(const struct addr *original, const struct addr *current,
		     uint32_t ifindex)
{
	struct fake_local *w;
	int err = kernel_fake_enter(FAKE_LOCAL_SET);

	if (err)
		return err;
	if (!current || !current->len)
		return kernel_fake_refuse(-EINVAL, "No current address");
	w = kernel_fake_find_local(original);
	if (!w) {
		if (fake->n_locals >= fake->limits.locals)
			return kernel_fake_refuse(-ENOSPC, "Too many local addresses");
		w = &fake->local[fake->n_locals++];
		memset(w, 0, sizeof(*w));
		w->l.original = *original;
		w->l.current = *current;
	} else {
		move_local(w, current);
	}
	w->l.ifindex = ifindex;
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

int kernel_peer_set(const struct addr *remote, uint64_t owner,
		    const struct addr *current, enum kernel_peer state)
{
	struct kernel_peer_word *p = NULL;
	unsigned int i;
	int err = kernel_fake_enter(FAKE_PEER_SET);

	if (err)
		return err;
	if (!kernel_fake_owner_alive(remote, owner))
		return kernel_fake_refuse(-ENOENT, NO_FLOW);
	for (i = 0; i < fake->n_peers && !p; i++) {
		if (fake->peer[i].owner == owner &&
		    addr_equal(&fake->peer[i].remote, remote))
			p = &fake->peer[i];
	}
	if (!p) {
		if (fake->n_peers >= fake->limits.peers)
			return kernel_fake_refuse(-ENOSPC, "Too many peers");
		p = &fake->peer[fake->n_peers++];
	}
	p->remote = *remote;
	p->owner = owner;
	p->current = *current;
	p->state = state;
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

int kernel_limits_set(uint32_t flows, uint32_t bindings)
{
	int err = kernel_fake_enter(FAKE_LIMITS_SET);

	if (err)
		return err;
	if (flows > FLOWS || bindings > BINDINGS)
		return kernel_fake_refuse(-ERANGE, "More than the table holds");
	if (flows)
		fake->limits.flows = flows;
	if (bindings)
		fake->limits.bindings = bindings;
	return 0;
}
