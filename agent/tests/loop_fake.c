// SPDX-License-Identifier: GPL-2.0-or-later
/* Timers in virtual time; each belongs to the host that set it. */
#include <stdlib.h>

#include "world.h"

#define TIMERS 4096

static struct {
	struct timer *t;
	struct host *host;
	uint64_t order;			/* first set, first fired */
} timers[TIMERS];
static unsigned int n_timers;
static uint64_t next_order;

uint64_t loop_now(void)
{
	return world.now;
}

static int find(const struct timer *t)
{
	unsigned int i;

	for (i = 0; i < n_timers; i++)
		if (timers[i].t == t)
			return i;
	return -1;
}

void timer_set(struct timer *t, unsigned int ms)
{
	int i = find(t);

	if (i < 0) {
		if (n_timers == TIMERS)
			abort();
		i = n_timers++;
	}
	timers[i].t = t;
	timers[i].host = world.in;
	timers[i].order = next_order++;
	t->at = world.now + ms;
	t->armed = true;
}

void timer_stop(struct timer *t)
{
	int i = find(t);

	t->armed = false;
	if (i >= 0)
		timers[i] = timers[--n_timers];
}

void loop_fake_kill(struct host *h)
{
	unsigned int i;

	for (i = n_timers; i-- > 0;)
		if (timers[i].host == h)
			timers[i] = timers[--n_timers];
}

static int first(void)
{
	int best = -1;
	unsigned int i;

	for (i = 0; i < n_timers; i++)
		if (best < 0 || timers[i].t->at < timers[best].t->at ||
		    (timers[i].t->at == timers[best].t->at &&
		     timers[i].order < timers[best].order))
			best = i;
	return best;
}

bool loop_fake_step(uint64_t *at)
{
	int i = first();

	if (i >= 0)
		*at = timers[i].t->at;
	return i >= 0;
}

void loop_fake_fire(void)
{
	int i = first();
	struct timer *t = timers[i].t;

	world_enter(timers[i].host);
	timer_stop(t);
	t->fire(t);
}

void loop_fake_end(void)
{
	n_timers = 0;
}
