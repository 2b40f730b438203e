// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The address that lost its network. TCP looks for a route, and for its source
 * address on this host, before any hook of the module sees the packet. So the
 * address lives on, on a dummy device, and when its network is gone a rule
 * leads its packets to a table of its own, whose default route ends in the
 * dummy: there is always a route, nothing leaks into the visited network, and
 * the route's mtu tells TCP what fits the tunnel.
 *
 * All that is set here is recognised after a restart: addresses by the device,
 * rules and routes by their protocol number, old sysctls by the device's
 * alias. Used from the loop only.
 */
#include <errno.h>
#include <string.h>
#include "agent.h"
#include "anchor_nl.h"
#include "holder.h"
#include "knob.h"

#define ADDRS		64
#define TABLES		(2 * ADDRS)	/* looked through for a free one */
#define WINDOW		10000		/* ms: so many repairs in it ... */
#define REPAIRS		10		/* ... mean that somebody insists */
#define BACK_OFF	30000		/* ms of rest then */

struct held {
	struct addr addr;
	uint32_t table;			/* 0: it has its network */
	uint32_t priority;
	unsigned int mtu;
	bool on_device;			/* found by the check going on */
	bool ruled;			/* likewise */
};

static struct {
	uint32_t first_table;
	uint32_t priority;
	unsigned int n;
	struct held held[ADDRS];
	uint64_t window;		/* began then */
	unsigned int repairs;		/* in it */
	struct timer rest;
} anchor;

static struct held *find_held(const struct addr *a)
{
	unsigned int i;

	for (i = 0; i < anchor.n; i++) {
		if (addr_equal(&anchor.held[i].addr, a))
			return &anchor.held[i];
	}
	return NULL;
}

static struct held *add_held(const struct addr *a)
{
	struct held *h = find_held(a);

	if (h || anchor.n == ADDRS)
		return h;
	h = &anchor.held[anchor.n++];
	memset(h, 0, sizeof(*h));
	h->addr = *a;
	return h;
}

static struct anchor_detour detour(const struct held *h)
{
	struct anchor_detour d = {
		.original = h->addr, .table = h->table,
		.priority = h->priority, .mtu = h->mtu,
		.ifindex = holder_ifindex(),
	};

	return d;
}

/* ---------------------------------------------------- what is there (again) */

static void on_held_addr(const struct addr *a, void *arg)
{
	struct held *h;

	if (!addr_is_unicast(a))
		return;
	h = add_held(a);
	if (h)
		h->on_device = true;
}

static void on_our_rule(const struct anchor_detour *d, void *arg)
{
	struct held *h = add_held(&d->original);

	if (!h)
		return;
	h->table = d->table;
	h->priority = d->priority;
}

/* After a restart: the device, its addresses, the rules tell everything. */
static int read_back(void)
{
	unsigned int i, routes;
	int err;

	err = anchor_nl_dump_addrs(holder_ifindex(), on_held_addr, NULL);
	if (!err)
		err = anchor_nl_dump_rules(on_our_rule, NULL);
	for (i = 0; !err && i < anchor.n; i++) {
		struct held *h = &anchor.held[i];
		struct anchor_detour d = detour(h);

		if (!h->table)
			continue;
		err = anchor_nl_read_table(&d, &routes);
		h->mtu = d.mtu;
	}
	return err;
}

static void on_rest_over(struct timer *t)
{
	anchor.repairs = 0;
	anchor.window = loop_now();
	anchor_check();
}

int anchor_init(const struct config *cfg)
{
	int err;

	memset(&anchor, 0, sizeof(anchor));
	anchor.first_table = cfg->table;
	anchor.priority = cfg->rule_priority;
	anchor.rest.fire = on_rest_over;
	err = anchor_nl_init();
	if (err)
		return err;
	err = holder_init(cfg->dummy);
	if (err > 0)
		err = read_back();
	if (err)
		anchor_nl_exit();
	else if (anchor.n)
		holder_set_knobs();
	return err;
}

/* Addresses that are still held carry flows: everything stays for them. */
void anchor_exit(void)
{
	timer_stop(&anchor.rest);
	holder_exit(anchor.n);
	anchor_nl_exit();
}

/* ------------------------------------------------------------- operations */

int anchor_hold(const struct addr *original)
{
	int ifindex = holder_ifindex();
	int err;

	if (!ifindex || !anchor.n)
		ifindex = holder_need();
	if (ifindex < 0)
		return ifindex;
	if (!add_held(original))
		return -ENOSPC;
	holder_set_knobs();
	err = anchor_nl_add_addr(ifindex, original);
	if (err == -ENODEV) {		/* somebody has removed it just now */
		ifindex = holder_need();
		if (ifindex < 0)
			return ifindex;
		err = anchor_nl_add_addr(ifindex, original);
	}
	return err ? err : ifindex;
}

static bool table_is_taken(uint32_t table)
{
	unsigned int i;

	for (i = 0; i < anchor.n; i++) {
		if (anchor.held[i].table == table)
			return true;
	}
	return false;
}

/* A table of its own, with nobody else's routes in it. */
static int choose_table(struct held *h)
{
	struct anchor_detour d = detour(h);
	unsigned int routes;
	uint32_t i;
	int err;

	for (i = 0; i < TABLES; i++) {
		d.table = anchor.first_table + i;
		if (table_is_taken(d.table))
			continue;
		err = anchor_nl_read_table(&d, &routes);
		if (err)
			return err;
		if (routes > (d.ifindex ? 1 : 0))
			continue;
		h->table = d.table;
		h->priority = anchor.priority;
		return 0;
	}
	return -ENOSPC;
}

int anchor_detach(const struct addr *original, unsigned int mtu)
{
	struct held *h = find_held(original);
	struct anchor_detour d;
	int err;

	if (!h) {
		err = anchor_hold(original);
		if (err < 0)
			return err;
		h = find_held(original);
	}
	if (!h->table) {
		err = choose_table(h);
		if (err)
			return err;
	}
	h->mtu = mtu;
	d = detour(h);
	return anchor_nl_add_detour(&d);
}

int anchor_attach(const struct addr *original)
{
	struct held *h = find_held(original);
	struct anchor_detour d;
	int err;

	if (!h || !h->table)
		return 0;
	d = detour(h);
	err = anchor_nl_del_detour(&d);
	if (err)
		return err;
	h->table = 0;
	h->mtu = 0;
	return 0;
}

int anchor_drop(const struct addr *original)
{
	struct held *h = find_held(original);
	int err;

	if (!h)
		return 0;
	err = anchor_attach(original);
	if (!err && holder_ifindex())
		err = anchor_nl_del_addr(holder_ifindex(), original);
	if (err)
		return err;
	*h = anchor.held[--anchor.n];
	if (!anchor.n)
		holder_restore_knobs();
	return 0;
}

unsigned int anchor_list(struct addr *list, unsigned int max)
{
	unsigned int i;

	for (i = 0; i < anchor.n && i < max; i++)
		list[i] = anchor.held[i].addr;
	return i;
}

/* ---------------------------------------------------------------- the watch */

/* One thing was set again; tell it, and see whether somebody insists. */
static void count_repair(const char *what, const struct addr *a)
{
	char text[ADDR_TEXT] = "";
	uint64_t now = loop_now();

	if (a)
		addr_format(a, text);
	if (now - anchor.window > WINDOW) {
		anchor.window = now;
		anchor.repairs = 0;
	}
	if (++anchor.repairs < REPAIRS) {
		log_print(LOG_NOTE, "another program removed the %s %s: set",
			  what, text);
		return;
	}
	if (anchor.rest.armed)
		return;
	log_print(LOG_WARN,
		  "another program insists on removing the %s %s: left for %u s",
		  what, text, BACK_OFF / 1000);
	timer_set(&anchor.rest, BACK_OFF);
}

/* True if there is a device to go on with. */
static bool check_device(void)
{
	if (holder_is_whole())
		return true;
	if (holder_need() < 0)
		return false;
	count_repair("interface", NULL);
	return true;
}

static void mark_addr(const struct addr *a, void *arg)
{
	struct held *h = find_held(a);

	if (h)
		h->on_device = true;
}

static void mark_rule(const struct anchor_detour *d, void *arg)
{
	struct held *h = find_held(&d->original);

	if (h && h->table == d->table)
		h->ruled = true;
}

static bool detour_is_whole(const struct held *h)
{
	struct anchor_detour d = detour(h);
	unsigned int routes;

	if (!h->ruled)
		return false;
	if (anchor_nl_read_table(&d, &routes))
		return true;		/* not known: leave it alone */
	return d.ifindex == holder_ifindex() && d.mtu == h->mtu;
}

static void check_held(struct held *h)
{
	struct anchor_detour d;

	if (!h->on_device && !anchor_nl_add_addr(holder_ifindex(), &h->addr))
		count_repair("address", &h->addr);
	if (!h->table || detour_is_whole(h))
		return;
	d = detour(h);
	if (!anchor_nl_add_detour(&d))
		count_repair("rule and route of", &h->addr);
}

void anchor_check(void)
{
	unsigned int i;

	if (!anchor.n || anchor.rest.armed || !check_device())
		return;
	for (i = 0; i < anchor.n; i++) {
		anchor.held[i].on_device = false;
		anchor.held[i].ruled = false;
	}
	if (anchor_nl_dump_addrs(holder_ifindex(), mark_addr, NULL) ||
	    anchor_nl_dump_rules(mark_rule, NULL))
		return;
	for (i = 0; i < anchor.n; i++)
		check_held(&anchor.held[i]);
	if (knob_check())
		count_repair("sysctls", NULL);
}
