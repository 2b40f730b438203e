// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How many answers to invalid requests are sent: 10 a second with a burst of
 * 20 to one address, 2000 a second from this machine. Above that silence, so
 * that nobody is answered into the ground and nothing is amplified.
 *
 * Token buckets in a table of fixed size. Two addresses may share a bucket;
 * they then get fewer answers to invalid requests, nothing else.
 */
#include <string.h>
#include <sys/random.h>

#include "sip.h"

#define SOURCES		1024
#define RATE		10u	/* a second */
#define BURST		20u
#define MACHINE_RATE	2000u
#define MACHINE_BURST	2000u

struct bucket {
	uint64_t at;		/* ms, when tokens were counted last */
	uint64_t tokens;	/* thousandths */
};

static struct bucket sources[SOURCES];
static struct bucket machine;
static uint32_t seed;

static unsigned int hash(const struct addr *a)
{
	uint32_t h = seed;
	unsigned int i;

	for (i = 0; i < a->len; i++)
		h = (h ^ a->b[i]) * 16777619u;
	return (h ^ h >> 16) % SOURCES;
}

static bool take(struct bucket *b, unsigned int rate, unsigned int burst,
		 uint64_t now)
{
	uint64_t full = burst * 1000ull;
	uint64_t passed = now - b->at;

	/* A bucket that was never used is full. */
	if (!b->at || passed >= full / rate)
		b->tokens = full;
	else
		b->tokens += passed * rate;
	if (b->tokens > full)
		b->tokens = full;
	b->at = now;
	if (b->tokens < 1000)
		return false;
	b->tokens -= 1000;
	return true;
}

/**
 * sip_limit_take - may one more answer to an invalid request be sent
 * @a: to whom
 * @now: loop_now()
 */
bool sip_limit_take(const struct addr *a, uint64_t now)
{
	if (!seed && getrandom(&seed, sizeof(seed), 0) < 0)
		seed = 1;
	seed |= 1;
	return take(&sources[hash(a)], RATE, BURST, now) &&
	       take(&machine, MACHINE_RATE, MACHINE_BURST, now);
}
