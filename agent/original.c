// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The addresses that this host's connections were born with: the agent's copy
 * of the kernel's LOCAL map, and the order in which dummy device, rule and map
 * are changed so that nothing with a former source leaks. mobile.c decides,
 * this file carries out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "roles.h"

#define OVERHEAD 20			/* of IPIP */
#define MTU_GUESS 1500
#define MTU_MIN 576
#define STRAYS 64
#define UNUSED_MS 30000			/* kept at home without a flow */
#define LATE_MS 5000			/* until a young flow has had its chance */

static struct original *list;

struct original *original_find(const struct addr *a)
{
	struct original *o;

	for (o = list; o; o = o->next)
		if (addr_equal(&o->addr, a))
			break;
	return o;
}

struct original *original_first(void)
{
	return list;
}

static struct original *add(const struct addr *a)
{
	struct original *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->addr = *a;
	o->current = *a;
	o->since = loop_now();
	o->mtu = MTU_GUESS;
	o->next = list;
	list = o;
	return o;
}

static void forget(struct original *o)
{
	struct original **p = &list;

	while (*p != o)
		p = &(*p)->next;
	*p = o->next;
	timer_stop(&o->timer);
	timer_stop(&o->unused);
	free(o);
}

static void complain(const char *what, const struct addr *a, int err)
{
	char text[ADDR_TEXT];

	log_print(LOG_ERROR, "%s: %s: %s", addr_format(a, text), what,
		  strerror(-err));
}

static unsigned int usable_mtu(int ifindex)
{
	int mtu = link_mtu(ifindex);

	return mtu < MTU_MIN + OVERHEAD ? MTU_GUESS : (unsigned int)mtu;
}

static void note_mtu(struct original *o)
{
	const struct link_addr *l = link_addr_find(&o->current);

	if (l)
		o->mtu = usable_mtu(l->ifindex);
}

static int tell_map(const struct addr *original, const struct addr *current,
		    int dummy)
{
	struct kernel_local l = {
		.original = *original, .current = *current,
		.ifindex = (uint32_t)dummy,
	};

	return kernel_local_set(&l);
}

/**
 * original_get - the entry of an address; made when it is new
 * @a: an address of this host
 *
 * A new one is put on the dummy already now, because nobody knows beforehand
 * when it will go. NULL after a logged error.
 */
struct original *original_get(const struct addr *a)
{
	struct original *o = original_find(a);
	int dummy, err;

	if (o)
		return o;
	dummy = anchor_hold(a);
	if (dummy < 0) {
		complain("cannot be held", a, dummy);
		return NULL;
	}
	err = tell_map(a, a, dummy);
	if (err) {
		log_print(LOG_ERROR, "local map: %s", kernel_error());
		anchor_drop(a);
		return NULL;
	}
	o = add(a);
	if (!o)
		return NULL;
	o->dummy = dummy;
	note_mtu(o);
	return o;
}

/* No flow needs it: it leaves the map and the host. */
void original_del(struct original *o)
{
	char text[ADDR_TEXT];
	int err;

	err = kernel_local_del(&o->addr);
	if (err && err != -ENOENT && err != -ESRCH)
		log_print(LOG_ERROR, "local map: %s", kernel_error());
	err = anchor_drop(&o->addr);
	if (err)
		complain("cannot be dropped", &o->addr, err);
	log_print(LOG_INFO, "original %s: released, no flow is left on it",
		  addr_format(&o->addr, text));
	forget(o);
}

static void detach(struct original *o, unsigned int mtu)
{
	int err = anchor_detach(&o->addr, mtu - OVERHEAD);

	if (err)
		complain("no rule and route for it", &o->addr, err);
	else
		o->detached = true;
}

/*
 * The network of the current address is gone and there is no other. An
 * address at home gets its rule and route at once: TCP goes on having a
 * route, to the dummy, and no packet with a lost source leaves by another
 * interface while nothing is decided. The map is not touched, so the same
 * address may come back as if nothing had happened.
 */
void original_lost(struct original *o)
{
	o->waiting = true;
	if (!o->detached)
		detach(o, o->mtu);
}

/*
 * The current address has its network again. At home the rule must go before
 * anything else, or plain packets would leave by the dummy.
 */
void original_back(struct original *o)
{
	int err;

	o->waiting = false;
	if (!addr_equal(&o->current, &o->addr)) {
		note_mtu(o);
		return;
	}
	err = anchor_attach(&o->addr);
	if (err)
		complain("rule and route stay", &o->addr, err);
	else
		o->detached = false;
	note_mtu(o);
}

static void moved(struct original *o, const struct addr *now, unsigned int mtu)
{
	o->previous = o->current;
	o->current = *now;
	o->since = loop_now();
	o->mtu = mtu;
	o->waiting = false;
	o->want.len = 0;
	timer_stop(&o->timer);
	if (addr_equal(now, &o->addr))
		original_back(o);
}

/**
 * original_move - the hand-off of everything that is at one address
 * @old: current address until now
 * @now: current address from now on
 * @ifindex: its interface
 *
 * Rule and route stand before HANDOFF, and go after it when the way leads
 * home. Number of entries that changed, or the kernel's error.
 */
int original_move(const struct addr *old, const struct addr *now, int ifindex)
{
	unsigned int mtu = usable_mtu(ifindex);
	struct original *o;
	int n;

	for (o = list; o; o = o->next)
		if (addr_equal(&o->current, old) &&
		    !addr_equal(&o->addr, now))
			detach(o, mtu);
	n = kernel_handoff(old, now);
	if (n < 0)
		return n;
	for (o = list; o; o = o->next)
		if (addr_equal(&o->current, old))
			moved(o, now, mtu);
	return n;
}

/*
 * Does anything that moves, or may yet be claimed, live on it? Without its
 * network only a young flow may still be named, in the Bind of the next move.
 */
static bool is_needed(const struct original *o)
{
	bool home = addr_equal(&o->current, &o->addr);
	struct pair *p;
	struct flow *f;

	for (p = pair_first(); p; p = p->next) {
		if (!addr_equal(&p->local, &o->addr))
			continue;
		for (f = p->flows; f; f = f->next)
			if (f->owner || f->asked ||
			    (home && (o->waiting ? claim_is_late(f) :
				      claim_is_candidate(f))))
				return true;
	}
	return false;
}

static void on_unused(struct timer *t)
{
	struct original *o = (void *)((char *)t -
				      offsetof(struct original, unused));

	if (!is_needed(o))
		original_del(o);
	else
		original_check(o);
}

/*
 * Away, the address leaves with its last flow. At home it may stay a while:
 * short connections that follow each other are not worth the netlink.
 */
void original_check(struct original *o)
{
	o->unused.fire = on_unused;
	if (is_needed(o)) {
		if (o->waiting)
			timer_set(&o->unused, LATE_MS);
		else
			timer_stop(&o->unused);
		return;
	}
	if (addr_equal(&o->current, &o->addr) && !o->waiting)
		timer_set(&o->unused, UNUSED_MS);
	else
		timer_set(&o->unused, 0);
}

/* The module forgot the map; rules and dummy are still there. */
int original_restore(void)
{
	struct original *o;
	int err, first = 0;

	for (o = list; o; o = o->next) {
		err = tell_map(&o->addr, &o->current, o->dummy);
		if (err && !first)
			first = err;
	}
	return first;
}

static void load_one(void *arg, const struct kernel_local *l)
{
	struct original *o = original_find(&l->original);

	if (!o)
		o = add(&l->original);
	if (!o)
		return;
	o->current = l->current;
	o->previous = l->previous;
	o->dummy = l->ifindex;
	note_mtu(o);
	if (!addr_equal(&o->current, &o->addr))
		o->detached = true;
}

/* Dummy device and rules are made whole, whatever of them is left. */
static void load_anchor(struct original *o)
{
	int dummy = anchor_hold(&o->addr);

	if (dummy < 0) {
		complain("cannot be held", &o->addr, dummy);
		return;
	}
	if (dummy != o->dummy) {
		o->dummy = dummy;
		tell_map(&o->addr, &o->current, dummy);
	}
	if (o->detached)
		detach(o, o->mtu);
	else if (link_addr_find(&o->addr))
		original_back(o);
}

/* Held by an agent that was killed before it told the map. */
static void drop_strays(void)
{
	struct addr held[STRAYS];
	unsigned int i, n = anchor_list(held, STRAYS);

	for (i = 0; i < n; i++)
		if (!original_find(&held[i]))
			anchor_drop(&held[i]);
}

/**
 * original_load - go on where an earlier agent was killed
 *
 * The kernel's map says where this host is; dummy, rule and route are set
 * again in any case, because the agent may have died between two of them.
 *
 * Return: 0, or the kernel's error.
 */
int original_load(void)
{
	struct original *o;
	int err = kernel_local_dump(load_one, NULL);

	if (err)
		return err;
	for (o = list; o; o = o->next)
		load_anchor(o);
	drop_strays();
	return 0;
}

/* Connections that follow this address: those that have an owner. */
unsigned int original_flows(const struct original *o)
{
	unsigned int n = 0;
	struct assoc *a;

	for (a = assoc_first(); a; a = a->next)
		if (addr_equal(&a->local, &o->addr))
			n += a->flows;
	return n;
}

void original_exit(void)
{
	while (list)
		forget(list);
}
