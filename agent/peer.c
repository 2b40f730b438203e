// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hosts that were asked in vain. Whoever has no agent is asked once, and not
 * again for ten minutes; nobody is to take a mobile for a port scanner (S9).
 * Called by claim.c, which asks, and status.c, which shows.
 */
#include "roles.h"

#define PEERS 1024
#define ADMIT_MAX 10			/* new hosts */
#define ADMIT_MS 1000			/* in this time */

static struct peer peers[PEERS];
static unsigned int n_peers;
static uint64_t admit_from;
static unsigned int admitted;

static struct peer *find(const struct addr *a)
{
	unsigned int i;

	for (i = 0; i < n_peers; i++)
		if (addr_equal(&peers[i].addr, a))
			return &peers[i];
	return NULL;
}

/* The table is full: whose silence ends first is forgotten first. */
static struct peer *oldest(void)
{
	struct peer *old = &peers[0];
	unsigned int i;

	for (i = 1; i < n_peers; i++)
		if (peers[i].until < old->until)
			old = &peers[i];
	return old;
}

/**
 * peer_quiet - do not ask a host for a while
 * @a: the host
 * @word: why
 * @ms: for how long
 */
void peer_quiet(const struct addr *a, enum peer_word word, unsigned int ms)
{
	struct peer *p = find(a);

	if (!p)
		p = n_peers < PEERS ? &peers[n_peers++] : oldest();
	p->addr = *a;
	p->word = word;
	p->until = loop_now() + ms;
}

/* It has spoken: it may be asked at once. */
void peer_clear(const struct addr *a)
{
	struct peer *p = find(a);

	if (p)
		*p = peers[--n_peers];
}

const struct peer *peer_find(const struct addr *a)
{
	struct peer *p = find(a);

	if (!p)
		return NULL;
	if (p->until > loop_now())
		return p;
	*p = peers[--n_peers];
	return NULL;
}

/* A scanner would ask more hosts in less time: this is the difference (S9). */
bool peer_admit(void)
{
	uint64_t now = loop_now();

	if (now - admit_from >= ADMIT_MS) {
		admit_from = now;
		admitted = 0;
	}
	if (admitted == ADMIT_MAX)
		return false;
	admitted++;
	return true;
}

void peer_exit(void)
{
	n_peers = 0;
	admitted = 0;
	admit_from = 0;
}
