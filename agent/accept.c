// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which of the connections that a far end claims does it get? First claim
 * wins; both ends must mean the same incarnation. Called by correspondent.c.
 */
#include <string.h>

#include "roles.h"

#define LATE_MS 5000			/* older ones are not named in a move */

/*
 * The flow as the kernel knows it. One that has been silent since the module
 * came may be unknown; its socket will do.
 */
static int get_flow(const struct body_flow *line, struct kernel_flow *k)
{
	const struct endpoint *local = &line->end[1];
	const struct endpoint *remote = &line->end[0];
	int err = kernel_flow_get(local, remote, k);

	if (!err)
		return 0;
	err = kernel_flow_new(local, remote, KERNEL_FLOW_OPENER_UNKNOWN);
	return err ? err : kernel_flow_get(local, remote, k);
}

/* The second candidate: what is right if this end accepted. */
static bool is_proven(const struct body_flow *line, const char *id,
		      const struct kernel_flow *k)
{
	if (line->proof != PROOF_ISN)
		return false;
	if (line->isn_hash == body_isn_hash(id, line->end, k->isn_remote,
					    k->isn_local))
		return true;
	return k->flags & KERNEL_FLOW_OPENER_UNKNOWN &&
	       line->isn_hash == body_isn_hash(id, line->end, k->isn_remote,
					       k->isn_local - 1);
}

/* 0: it may have the flow. */
static enum body_denied judge(const struct body_flow *line,
			      const struct body *b, const struct assoc *a,
			      const struct addr *local)
{
	struct kernel_flow k;

	if (!addr_equal(&line->end[0].addr, &b->from) ||
	    !addr_equal(&line->end[1].addr, local) || get_flow(line, &k))
		return DENIED_UNKNOWN;
	if (k.state < KERNEL_SETUP_PROG || k.state == KERNEL_DISCONNECT ||
	    k.flags & KERNEL_FLOW_FIXED)
		return DENIED_STATE;
	if (k.owner && (!a || k.owner != a->owner))
		return DENIED_OWNED;
	if (!addr_equal(&b->from, &b->to) && k.age > LATE_MS)
		return DENIED_LATE;
	if (!is_proven(line, b->assoc, &k))
		return DENIED_PROOF;
	flow_update(&k);
	return 0;
}

static void deny(struct body *answer, const struct body_flow *line,
		 enum body_denied why)
{
	struct body_flow *d = &answer->denied[answer->n_denied++];

	*d = *line;
	d->denied = why;
}

/**
 * accept_judge - sort the Flow lines of a Bind
 * @b: the Bind; where address 2 is not address 1 its lines are late ones
 * @a: its association, or NULL when there is none yet
 * @local: our original address
 * @acc: the acceptable lines; they point into @b
 * @answer: gets the others as Denied lines
 */
void accept_judge(const struct body *b, const struct assoc *a,
		  const struct addr *local, struct accept *acc,
		  struct body *answer)
{
	enum body_denied why;
	unsigned int i;

	acc->n = 0;
	for (i = 0; i < b->n_flows; i++) {
		why = judge(&b->flows[i], b, a, local);
		if (why)
			deny(answer, &b->flows[i], why);
		else
			acc->line[acc->n++] = &b->flows[i];
	}
}

unsigned int accept_own(const struct accept *acc, const struct assoc *a,
			struct body *answer)
{
	const struct body_flow *line;
	unsigned int i, n = 0;
	struct flow *f;

	for (i = 0; i < acc->n; i++) {
		line = acc->line[i];
		f = flow_find(&line->end[1], &line->end[0]);
		if (f && !flow_own(f, a->owner))
			n++;
		else
			deny(answer, line, DENIED_UNKNOWN);
	}
	return n;
}
