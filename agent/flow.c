// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The agent's copy of the kernel's flows, grouped by pairs of original
 * addresses, because that is what associations and hand-offs are about.
 * node.c feeds it with events and dumps; it counts the flows of associations.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "roles.h"

#define BUCKETS 4096

static struct flow *buckets[BUCKETS];
static struct pair *pairs;

static unsigned int hash_end(unsigned int h, const struct endpoint *e)
{
	unsigned int i;

	for (i = 0; i < e->addr.len; i++)
		h = (h ^ e->addr.b[i]) * 16777619u;
	h = (h ^ (e->port & 0xff)) * 16777619u;
	return (h ^ (e->port >> 8)) * 16777619u;
}

static struct flow **bucket(const struct endpoint *local,
			    const struct endpoint *remote)
{
	return &buckets[hash_end(hash_end(2166136261u, local), remote) %
			BUCKETS];
}

static bool end_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

struct flow *flow_find(const struct endpoint *local,
		       const struct endpoint *remote)
{
	struct flow *f;

	for (f = *bucket(local, remote); f; f = f->chain)
		if (end_equal(&f->local, local) &&
		    end_equal(&f->remote, remote))
			break;
	return f;
}

struct pair *pair_first(void)
{
	return pairs;
}

struct pair *pair_find(const struct addr *local, const struct addr *remote)
{
	struct pair *p;

	for (p = pairs; p; p = p->next)
		if (addr_equal(&p->local, local) &&
		    addr_equal(&p->remote, remote))
			break;
	return p;
}

static struct pair *pair_get(const struct addr *local,
			     const struct addr *remote)
{
	struct pair *p = pair_find(local, remote);

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->local = *local;
	p->remote = *remote;
	p->next = pairs;
	pairs = p;
	return p;
}

static void pair_del(struct pair *pair)
{
	struct pair **p = &pairs;

	while (*p != pair)
		p = &(*p)->next;
	*p = pair->next;
	claim_stop(pair);
	free(pair);
}

static struct flow *add(const struct kernel_flow *k)
{
	struct pair *p = pair_get(&k->local.addr, &k->remote.addr);
	struct flow **b = bucket(&k->local, &k->remote);
	struct flow *f;

	if (!p)
		return NULL;
	f = calloc(1, sizeof(*f));
	if (!f) {
		if (!p->n)
			pair_del(p);
		return NULL;
	}
	f->local = k->local;
	f->remote = k->remote;
	f->pair = p;
	f->chain = *b;
	*b = f;
	f->next = p->flows;
	p->flows = f;
	p->n++;
	return f;
}

static void set_owner(struct flow *f, uint64_t owner)
{
	struct assoc *a;

	if (f->owner == owner)
		return;
	a = assoc_find_owner(f->owner);
	if (a && a->flows)
		a->flows--;
	f->owner = owner;
	a = assoc_find_owner(owner);
	if (a)
		a->flows++;
}

static void restart(struct flow *f)
{
	f->stuck = FLOW_FREE;
	f->asked = 0;
	f->not_before = 0;
	f->tries = 0;
	f->other_isn = false;
}

/* What the kernel cannot move, or not any more, or can again. */
static enum flow_stuck stuck_by_kernel(const struct flow *f)
{
	if (f->local.addr.len != 4)
		return FLOW_FAMILY;
	if (f->flags & KERNEL_FLOW_FIXED)
		return FLOW_FIXED;
	return f->stuck == FLOW_FIXED ? FLOW_FREE : f->stuck;
}

/**
 * flow_update - take what the kernel says of a flow
 * @k: from an event, a dump or a request
 *
 * Same ports with another id are another connection, of which the end of the
 * earlier one was not heard. While a module that was loaded anew is being
 * filled (lost), an owner that only the agent remembers is kept.
 *
 * Return: the flow; NULL without memory.
 */
struct flow *flow_update(const struct kernel_flow *k)
{
	struct flow *f = flow_find(&k->local, &k->remote);
	uint64_t now = loop_now();

	/* the same ports, but another incarnation: its end was not heard */
	if (f && f->id != k->id && !f->lost)
		restart(f);
	if (!f)
		f = add(k);
	if (!f)
		return NULL;
	f->id = k->id;
	f->flags = k->flags;
	f->isn_local = k->isn_local;
	f->isn_remote = k->isn_remote;
	f->born = now > k->age ? now - k->age : 0;
	f->stuck = stuck_by_kernel(f);
	f->seen = true;
	if (f->lost && f->owner && !k->owner)
		return f;
	set_owner(f, k->owner);
	return f;
}

/* It has ended. The association's count goes down, an empty pair goes. */
void flow_del(struct flow *f)
{
	struct pair *p = f->pair;
	struct flow **q = bucket(&f->local, &f->remote);

	while (*q != f)
		q = &(*q)->chain;
	*q = f->chain;
	for (q = &p->flows; *q != f; q = &(*q)->next)
		;
	*q = f->next;
	set_owner(f, 0);
	free(f);
	if (!--p->n)
		pair_del(p);
}

/**
 * flow_own - give a flow its owner
 * @f: the flow
 * @owner: handle of an association; 0 takes it away
 *
 * The kernel is asked first: what it refuses is not counted.
 */
int flow_own(struct flow *f, uint64_t owner)
{
	int err = kernel_flow_set(&f->local, &f->remote, owner);

	if (!err)
		set_owner(f, owner);
	return err;
}

static void sync_one(void *arg, const struct kernel_flow *k)
{
	flow_update(k);
}

/* Give back to a module that was loaded anew what the old one knew. */
static void own_again(struct flow *f)
{
	uint64_t owner = f->owner;

	if (!f->lost)
		return;
	f->lost = false;
	if (owner && f->seen && flow_own(f, owner))
		set_owner(f, 0);
}

static void sweep(struct pair *p, void (*ended)(struct flow *f))
{
	struct flow *f, *next;

	for (f = p->flows; f; f = next) {
		next = f->next;
		own_again(f);
		if (!f->seen)
			ended(f);
	}
}

/**
 * flow_sync - learn all flows anew
 * @reloaded: the module has lost its memory and gets the owners from ours
 * @ended: is given every flow that the kernel does not have, and deletes it
 *
 * The kernel's error; nothing has changed then.
 */
int flow_sync(bool reloaded, void (*ended)(struct flow *f))
{
	struct pair *p, *next;
	struct flow *f;
	int err;

	for (p = pairs; p; p = p->next)
		for (f = p->flows; f; f = f->next) {
			f->seen = false;
			f->lost |= reloaded;
		}
	err = kernel_flow_dump(NULL, NULL, 0, sync_one, NULL);
	if (err)
		return err;
	for (p = pairs; p; p = next) {
		next = p->next;
		sweep(p, ended);
	}
	return 0;
}

void flow_exit(void)
{
	struct pair *p, *next;
	struct flow *f;

	for (p = pairs; p; p = next) {
		next = p->next;
		claim_stop(p);
		while ((f = p->flows)) {
			p->flows = f->next;
			free(f);
		}
		free(p);
	}
	pairs = NULL;
	memset(buckets, 0, sizeof(buckets));
}

const char *flow_stuck_text(enum flow_stuck why)
{
	static const char * const text[FLOW_STUCKS] = {
		[FLOW_FREE] = "not claimed yet",
		[FLOW_UNKNOWN] = "the peer does not know this connection",
		[FLOW_OWNED] = "the peer gave it to another association",
		[FLOW_PROOF] = "sequence numbers are rewritten on the way",
		[FLOW_LATE] = "too old for the peer",
		[FLOW_STATE] = "closing when it was claimed",
		[FLOW_SILENT] = "the peer did not answer",
		[FLOW_FAMILY] = "IPv6 connections do not move yet",
		[FLOW_FIXED] = "tied to an interface, IPsec or NAT",
	};

	return text[why];
}
