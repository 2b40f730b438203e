// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The role of a host that moves. Flows come in and are held and claimed;
 * when routes or addresses change it asks handoff.c, and carries a hand-off
 * out: dummy, rule and map first (original.c), then a Bind to every
 * correspondent with live connections (bind.c). Called by node.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "roles.h"

static const struct config *cfg;

static void on_settled_bind(const struct addr *local);

int mobile_init(const struct config *config)
{
	cfg = config;
	claim_init(config);
	move_init(config);
	bind_init(config, on_settled_bind);
	return original_load();
}

void mobile_exit(void)
{
	original_exit();
}

/* --------------------------------------------------- flows come and go */

static void on_settled_bind(const struct addr *local)
{
	struct original *o = original_find(local);

	if (o)
		original_check(o);
}

static bool is_usable(const struct addr *a)
{
	const struct link_addr *l = link_addr_find(a);

	return l && l->usable && !l->held;
}

/* The address is held as long as one flow of the pair needs it. */
static void hold(const struct flow *f)
{
	struct original *o = original_find(&f->local.addr);

	if (!o && !is_usable(&f->local.addr))
		return;
	if (!o)
		o = original_get(&f->local.addr);
	if (o)
		original_check(o);
}

/**
 * mobile_on_flow - a flow that can carry data
 * @f: new, or known already (events may repeat)
 */
void mobile_on_flow(struct flow *f)
{
	if (!claim_is_candidate(f) && !f->owner)
		return;
	hold(f);
	claim_schedule(f->pair);
}

/*
 * Away from home the peer is told, so that it need not wait for the lifetime
 * to end; at home there is nothing to tell.
 */
static void on_last_flow(struct assoc *a)
{
	assoc_idle(a);
	if (assoc_away(a) && !node_module_gone())
		bind_withdraw(a);
	else
		bind_stop(a);
}

/**
 * mobile_on_end - a flow is gone
 * @owner: the owner that it had, or 0
 * @local: the address that it was born with
 */
void mobile_on_end(uint64_t owner, const struct addr *local)
{
	struct original *o = original_find(local);
	struct assoc *a = owner ? assoc_find_owner(owner) : NULL;

	if (a && !a->flows)
		on_last_flow(a);
	if (o)
		original_check(o);
}

/* ------------------------------------------------------------ links change */

static void claim_all(void)
{
	struct pair *p;
	struct flow *f;

	for (p = pair_first(); p; p = p->next) {
		for (f = p->flows; f; f = f->next)
			if (f->owner || claim_is_candidate(f))
				break;
		if (f)
			mobile_on_flow(f);
	}
}

/* Addresses, links or routes have changed. */
void mobile_on_link(void)
{
	struct original *o;

	if (node_module_gone())
		return;
	move_check();
	for (o = original_first(); o; o = o->next)
		original_check(o);
	claim_all();
}

/* ------------------------------------------------------------- restarts */

static void count_word(void *arg, const struct kernel_peer_word *w)
{
	struct assoc *a = assoc_find_owner(w->owner);
	struct original *o = a ? original_find(&a->local) : NULL;

	if (!o || !addr_equal(&w->current, &o->current))
		return;
	if (w->state == KERNEL_ACCEPTED && addr_equal(&a->bound_to,
						      &o->current))
		a->phase = assoc_away(a) ? ASSOC_BOUND : ASSOC_HOME;
}

/*
 * After a restart: the kernel tells where we are and which peers know. Who
 * does not, or whose lifetime we have forgotten, is told.
 */
static void resume(struct assoc *a)
{
	struct original *o = original_find(&a->local);

	if (!a->flows) {
		assoc_idle(a);
		return;
	}
	if (!o || a->txn || a->timer.armed || a->phase == ASSOC_NEW ||
	    a->phase == ASSOC_REFUSED)
		return;
	if (a->phase == ASSOC_HOME && addr_equal(&o->current, &a->local))
		return;
	bind_prepare(a, &o->current);
	state_save();
	bind_send(a);
}

static void restore_words(void)
{
	struct assoc *a;

	for (a = assoc_first(); a; a = a->next) {
		struct kernel_peer_word p = {
			.remote = a->remote, .owner = a->owner,
			.current = a->bound_to, .state = KERNEL_ACCEPTED,
		};

		if (a->phase == ASSOC_BOUND && kernel_peer_set(&p))
			log_print(LOG_ERROR, "word of the peer: %s",
				  kernel_error());
	}
}

/**
 * mobile_on_resync - kernel and agent agree on the flows again
 * @reloaded: the module was loaded anew and knows nothing but flows
 */
void mobile_on_resync(bool reloaded)
{
	struct assoc *a, *next;

	if (reloaded) {
		if (original_restore())
			log_print(LOG_ERROR, "local map: %s", kernel_error());
		restore_words();
	} else {
		kernel_peer_dump(count_word, NULL);
	}
	for (a = assoc_first(); a; a = next) {
		next = a->next;
		resume(a);
	}
	mobile_on_link();
}
