// SPDX-License-Identifier: GPL-2.0
/*
 * When a namespace's periodic work has to look at a table again: a time for
 * each group of chains, the soonest of what it has there. So its work follows
 * what is due and not what there is. Lowered by anybody, raised by the work
 * alone. Tables are shared by all namespaces, times are not: whoever looks at a
 * chain cannot see to what others have in it.
 */
#include <linux/mm.h>
#include "hmmp.h"

/**
 * hmmp_due_init - nothing is due
 * @d: times; if they have been made, they stay
 * @buckets: chains of the table, a power of two
 *
 * Return: 0 or -ENOMEM.
 */
int hmmp_due_init(struct hmmp_due *d, u32 buckets)
{
	u32 i;

	if (d->at)
		return 0;
	d->groups = min_t(u32, buckets, HMMP_DUE_GROUPS);
	d->chains = buckets / d->groups;
	d->at = kvmalloc_array(d->groups, sizeof(*d->at), GFP_KERNEL);
	if (!d->at)
		return -ENOMEM;
	for (i = 0; i < d->groups; i++)
		atomic64_set(&d->at[i], S64_MAX);
	return 0;
}

/**
 * hmmp_due_exit - give the times back
 * @d: times, or zero
 */
void hmmp_due_exit(struct hmmp_due *d)
{
	kvfree(d->at);
	d->at = NULL;
}

/**
 * hmmp_due_by - look at a chain no later than this
 * @d: times
 * @bucket: chain
 * @when: CLOCK_BOOTTIME ns; 0: the next time
 *
 * Any context. What it is about was written before.
 */
void hmmp_due_by(struct hmmp_due *d, u32 bucket, u64 when)
{
	atomic64_t *at = &d->at[bucket / d->chains];
	s64 want = min_t(u64, when, S64_MAX), was;

	smp_mb();	/* pairs with hmmp_due_take() */
	was = atomic64_read(at);
	while (want < was && !atomic64_try_cmpxchg(at, &was, want))
		;
}

/**
 * hmmp_due_take - is a group due?
 * @d: times
 * @group: number
 * @now: CLOCK_BOOTTIME ns
 *
 * Return: true, and it is due no more until somebody says so: whoever does from
 * now on, has his say after the caller has looked.
 */
bool hmmp_due_take(struct hmmp_due *d, u32 group, u64 now)
{
	if (atomic64_read(&d->at[group]) > (s64)now)
		return false;
	atomic64_xchg(&d->at[group], S64_MAX);
	return true;
}

/**
 * hmmp_due_next - when the work has to be done again
 * @d: times
 *
 * Return: CLOCK_BOOTTIME ns, S64_MAX for never.
 */
u64 hmmp_due_next(const struct hmmp_due *d)
{
	s64 least = S64_MAX;
	u32 i;

	for (i = 0; i < d->groups; i++)
		least = min_t(s64, least, atomic64_read(&d->at[i]));
	return least;
}
