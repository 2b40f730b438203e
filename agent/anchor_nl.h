/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What anchor.c asks of rtnetlink: the holder device, its addresses, and the
 * detour (rule and route) of an address that lost its network. Nothing here
 * remembers anything; every call is harmless when it was done already.
 */
#ifndef HMMP_ANCHOR_NL_H
#define HMMP_ANCHOR_NL_H

#include "agent.h"

/*
 * Rules and routes carry this protocol number, so that what the agent set is
 * told from what others set, also after a restart.
 */
#define ANCHOR_PROTOCOL	77

#define ANCHOR_ALIAS	128

struct anchor_device {
	int ifindex;
	bool dummy;			/* it is of this kind */
	bool up;
	char alias[ANCHOR_ALIAS];
};

/* From an address to its own table, and out into the dummy. */
struct anchor_detour {
	struct addr original;
	uint32_t table;
	uint32_t priority;
	unsigned int mtu;		/* 0: none set */
	int ifindex;
};

int anchor_nl_init(void);
void anchor_nl_exit(void);
const char *anchor_nl_error(void);

/* -ENODEV: there is no such interface. */
int anchor_nl_find_device(const char *name, struct anchor_device *d);
int anchor_nl_add_device(const char *name);
int anchor_nl_set_alias(int ifindex, const char *alias);
int anchor_nl_set_up(int ifindex);
int anchor_nl_del_device(int ifindex);

int anchor_nl_add_addr(int ifindex, const struct addr *a);
int anchor_nl_del_addr(int ifindex, const struct addr *a);
typedef void (*anchor_addr_cb)(const struct addr *a, void *arg);
int anchor_nl_dump_addrs(int ifindex, anchor_addr_cb cb, void *arg);

int anchor_nl_add_detour(const struct anchor_detour *d);
int anchor_nl_del_detour(const struct anchor_detour *d);
/* Our rules: original, table and priority of each. */
typedef void (*anchor_rule_cb)(const struct anchor_detour *d, void *arg);
int anchor_nl_dump_rules(anchor_rule_cb cb, void *arg);
/*
 * What is in a table, for the family of d->original: how many routes, and, if
 * our default route is among them, its ifindex and mtu (else both 0).
 */
int anchor_nl_read_table(struct anchor_detour *d, unsigned int *routes);

#endif
