// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * When is it a hand-off? Old connections go where a new connection to the
 * same peer would go: the trigger is the route, not the list of addresses.
 * Pure; mobile.c gathers the facts and acts.
 */
#include <errno.h>

#include "roles.h"

static bool elsewhere(const struct handoff_facts *f)
{
	return f->route_usable && f->route.len == f->current.len &&
	       !addr_equal(&f->route, &f->current);
}

/**
 * handoff_decide - stay, wait for a network, look again in 50 ms, or go
 * @f: the facts about one current address
 *
 * A place that is lost is left at once, because nothing worse can happen. A
 * place that still works is left only when the route has lasted.
 */
enum handoff_verdict handoff_decide(const struct handoff_facts *f)
{
	if (!f->usable)
		return elsewhere(f) ? HANDOFF_NOW : HANDOFF_WAIT;
	if (f->follow == FOLLOW_KEEP || !elsewhere(f))
		return HANDOFF_STAY;
	return f->lasted ? HANDOFF_NOW : HANDOFF_SOON;
}

int handoff_vote_add(struct handoff_vote v[HANDOFF_VOTES], unsigned int *n,
		     const struct handoff_vote *one)
{
	unsigned int i;

	for (i = 0; i < *n; i++) {
		if (!addr_equal(&v[i].source, &one->source))
			continue;
		v[i].flows += one->flows;
		return 0;
	}
	if (*n == HANDOFF_VOTES)
		return -ENOSPC;
	v[(*n)++] = *one;
	return 0;
}

/* Between equals, the one that was named first. */
const struct handoff_vote *
handoff_vote_best(const struct handoff_vote *v, unsigned int n)
{
	const struct handoff_vote *best = NULL;
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!best || v[i].flows > best->flows)
			best = &v[i];
	return best;
}
