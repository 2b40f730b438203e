// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The seam to the module, spoken: kernel.h on one side, the attributes of
 * Documentation/netlink/specs/hmmp.yaml on the other. What comes back is read
 * by kernel_genl_parse.c. Called from the loop and by hmmpctl.
 *
 * Dumps are read to their end before the first callback: a callback may ask
 * the module something else, and a dump that was interrupted is repeated.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/genetlink.h>
#include <linux/hmmp.h>
#include "genl.h"
#include "kernel_genl_priv.h"

#define DUMP_TRIES 5

static const struct kernel_events *events;

const char *kernel_error(void)
{
	return genl_error();
}

/* ---------------------------------------------------------------- events */

static int on_message(const struct nlmsghdr *h, void *arg)
{
	const struct genlmsghdr *g = mnl_nlmsg_get_payload(h);
	struct kernel_binding b;
	struct kernel_flow f;

	if (g->cmd == HMMP_CMD_FLOW_NTF && !kernel_genl_parse_flow(h, &f))
		events->flow(&f);
	else if (g->cmd == HMMP_CMD_BINDING_NTF &&
		 !kernel_genl_parse_binding(h, &b))
		events->binding(&b);
	return 0;
}

static struct genl_events genl_events = { .message = on_message };

int kernel_init(const struct kernel_events *ev)
{
	events = ev;
	if (ev) {
		genl_events.resync = ev->resync;
		genl_events.gone = ev->gone;
	}
	return genl_init(HMMP_FAMILY_NAME, HMMP_FAMILY_VERSION,
			 HMMP_MCGRP_EVENTS, ev ? &genl_events : NULL);
}

void kernel_exit(void)
{
	genl_exit();
}

/* ----------------------------------------------------------------- dumps */

typedef int (*parse_fn)(const struct nlmsghdr *h, void *item);

/* The items of a dump, of one size. */
struct list {
	parse_fn parse;
	size_t size;
	size_t n, room;
	char *items;
};

#define LIST(parse_item, type) \
	{ .parse = parse_item, .size = sizeof(type) }

static int add_item(const struct nlmsghdr *h, void *arg)
{
	struct list *l = arg;
	int err;

	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		void *items = reallocarray(l->items, room, l->size);

		if (!items)
			return -ENOMEM;
		l->items = items;
		l->room = room;
	}
	err = l->parse(h, l->items + l->n * l->size);
	if (!err)
		l->n++;
	return err;
}

/* The caller frees l->items in any case. */
static int dump(struct nlmsghdr *req, struct list *l)
{
	int err = -EINTR;
	unsigned int i;

	for (i = 0; i < DUMP_TRIES && err == -EINTR; i++) {
		l->n = 0;
		err = genl_dump(req, add_item, l);
	}
	return err;
}

int kernel_flow_dump(const struct addr *local, const struct addr *remote,
		     uint64_t owner, kernel_flow_cb cb, void *arg)
{
	struct nlmsghdr *h = genl_build(HMMP_CMD_FLOW_GET, 0);
	struct list l = LIST(kernel_genl_parse_flow, struct kernel_flow);
	size_t i;
	int err;

	if (local)
		nl_put_addr(h, HMMP_A_FLOW_LOCAL_ADDR, local);
	if (remote)
		nl_put_addr(h, HMMP_A_FLOW_REMOTE_ADDR, remote);
	if (owner)
		mnl_attr_put_u64(h, HMMP_A_FLOW_OWNER, owner);
	err = dump(h, &l);
	for (i = 0; !err && i < l.n; i++)
		cb(arg, (struct kernel_flow *)l.items + i);
	free(l.items);
	return err;
}

int kernel_binding_dump(kernel_binding_cb cb, void *arg)
{
	struct list l = LIST(kernel_genl_parse_binding, struct kernel_binding);
	size_t i;
	int err = dump(genl_build(HMMP_CMD_BINDING_GET, 0), &l);

	for (i = 0; !err && i < l.n; i++)
		cb(arg, (struct kernel_binding *)l.items + i);
	free(l.items);
	return err;
}

int kernel_local_dump(kernel_local_cb cb, void *arg)
{
	struct list l = LIST(kernel_genl_parse_local, struct kernel_local);
	size_t i;
	int err = dump(genl_build(HMMP_CMD_LOCAL_GET, 0), &l);

	for (i = 0; !err && i < l.n; i++)
		cb(arg, (struct kernel_local *)l.items + i);
	free(l.items);
	return err;
}

int kernel_peer_dump(kernel_peer_cb cb, void *arg)
{
	struct list l = LIST(kernel_genl_parse_peer, struct kernel_peer_word);
	size_t i;
	int err = dump(genl_build(HMMP_CMD_PEER_GET, 0), &l);

	for (i = 0; !err && i < l.n; i++)
		cb(arg, (struct kernel_peer_word *)l.items + i);
	free(l.items);
	return err;
}

/* -------------------------------------------------------------- requests */

/* What is 0 or none is not said: an attribute that is there changes things. */
static void put_u32(struct nlmsghdr *h, uint16_t type, uint32_t value)
{
	if (value)
		mnl_attr_put_u32(h, type, value);
}

static void put_addr(struct nlmsghdr *h, uint16_t type, const struct addr *a)
{
	if (a->len)
		nl_put_addr(h, type, a);
}

int kernel_info(struct kernel_info *info)
{
	return genl_ask(genl_build(HMMP_CMD_INFO_GET, 0),
			kernel_genl_parse_info, info);
}

int kernel_limits_set(const struct kernel_limits *l)
{
	struct nlmsghdr *h = genl_build(HMMP_CMD_LIMITS_SET, 0);

	put_u32(h, HMMP_A_LIMITS_FLOWS, l->flows);
	put_u32(h, HMMP_A_LIMITS_BINDINGS, l->bindings);
	put_u32(h, HMMP_A_LIMITS_LOCALS, l->locals);
	put_u32(h, HMMP_A_LIMITS_PEERS, l->peers);
	put_u32(h, HMMP_A_LIMITS_BUFFER_PACKETS, l->buffer_packets);
	put_u32(h, HMMP_A_LIMITS_BUFFER_BYTES, l->buffer_bytes);
	put_u32(h, HMMP_A_LIMITS_BUFFER_TIME, l->buffer_time);
	put_u32(h, HMMP_A_LIMITS_BUFFER_RATE, l->buffer_rate);
	return genl_ask(h, NULL, NULL);
}

static struct nlmsghdr *build_flow(uint8_t cmd, const struct endpoint *local,
				   const struct endpoint *remote)
{
	struct nlmsghdr *h = genl_build(cmd, 0);

	nl_put_addr(h, HMMP_A_FLOW_LOCAL_ADDR, &local->addr);
	mnl_attr_put_u16(h, HMMP_A_FLOW_LOCAL_PORT, htons(local->port));
	nl_put_addr(h, HMMP_A_FLOW_REMOTE_ADDR, &remote->addr);
	mnl_attr_put_u16(h, HMMP_A_FLOW_REMOTE_PORT, htons(remote->port));
	return h;
}

int kernel_flow_get(const struct endpoint *local,
		    const struct endpoint *remote, struct kernel_flow *f)
{
	return genl_ask(build_flow(HMMP_CMD_FLOW_GET, local, remote),
			kernel_genl_parse_flow, f);
}

int kernel_flow_new(const struct endpoint *local,
		    const struct endpoint *remote, uint32_t flags)
{
	struct nlmsghdr *h = build_flow(HMMP_CMD_FLOW_NEW, local, remote);

	mnl_attr_put_u32(h, HMMP_A_FLOW_FLAGS, flags);
	return genl_ask(h, NULL, NULL);
}

int kernel_flow_set(const struct endpoint *local,
		    const struct endpoint *remote, uint64_t owner)
{
	struct nlmsghdr *h = build_flow(HMMP_CMD_FLOW_SET, local, remote);

	mnl_attr_put_u64(h, HMMP_A_FLOW_OWNER, owner);
	return genl_ask(h, NULL, NULL);
}

static struct nlmsghdr *build_binding(uint8_t cmd, enum body_scope scope,
				      const struct addr *original,
				      uint64_t owner)
{
	struct nlmsghdr *h = genl_build(cmd, 0);

	mnl_attr_put_u32(h, HMMP_A_BINDING_SCOPE, scope - 1);
	nl_put_addr(h, HMMP_A_BINDING_ORIGINAL, original);
	mnl_attr_put_u64(h, HMMP_A_BINDING_OWNER, owner);
	return h;
}

/* Beside what every binding has. */
static void put_options(struct nlmsghdr *h, const struct kernel_binding *b)
{
	put_addr(h, HMMP_A_BINDING_LOCAL_OUTER, &b->local_outer);
	put_addr(h, HMMP_A_BINDING_VIA, &b->via);
	put_u32(h, HMMP_A_BINDING_FLAGS, b->flags);
	if (b->credit)
		mnl_attr_put_u64(h, HMMP_A_BINDING_CREDIT, b->credit);
	put_u32(h, HMMP_A_BINDING_IFINDEX, b->ifindex);
	put_u32(h, HMMP_A_BINDING_MARK, b->mark);
	put_u32(h, HMMP_A_BINDING_LINK, b->link);
	if (b->lladdr.len)
		mnl_attr_put(h, HMMP_A_BINDING_LLADDR, b->lladdr.len,
			     b->lladdr.b);
}

int kernel_binding_new(const struct kernel_binding *b)
{
	struct nlmsghdr *h = build_binding(HMMP_CMD_BINDING_NEW, b->scope,
					   &b->original, b->owner);

	nl_put_addr(h, HMMP_A_BINDING_CURRENT, &b->current);
	mnl_attr_put_u32(h, HMMP_A_BINDING_ENCAP, b->encap);
	mnl_attr_put_u32(h, HMMP_A_BINDING_STATUS, b->status);
	/* it must be there; a held binding has none */
	mnl_attr_put_u32(h, HMMP_A_BINDING_LIFETIME,
			 b->lifetime ? b->lifetime : 1);
	mnl_attr_put_u32(h, HMMP_A_BINDING_SEQ, b->seq);
	put_options(h, b);
	return genl_ask(h, NULL, NULL);
}

int kernel_binding_del(enum body_scope scope, const struct addr *original,
		       uint64_t owner, const uint32_t *seq)
{
	struct nlmsghdr *h = build_binding(HMMP_CMD_BINDING_DEL, scope,
					   original, owner);

	if (seq)
		mnl_attr_put_u32(h, HMMP_A_BINDING_SEQ, *seq);
	return genl_ask(h, NULL, NULL);
}

int kernel_binding_get(enum body_scope scope, const struct addr *original,
		       uint64_t owner, struct kernel_binding *b)
{
	return genl_ask(build_binding(HMMP_CMD_BINDING_GET, scope, original,
				      owner), kernel_genl_parse_binding, b);
}

int kernel_release(enum body_scope scope, const struct addr *original,
		   uint64_t owner)
{
	return genl_ask(build_binding(HMMP_CMD_RELEASE, scope, original,
				      owner), NULL, NULL);
}

int kernel_local_set(const struct kernel_local *l)
{
	struct nlmsghdr *h = genl_build(HMMP_CMD_LOCAL_SET, 0);

	nl_put_addr(h, HMMP_A_LOCAL_ORIGINAL, &l->original);
	put_addr(h, HMMP_A_LOCAL_CURRENT, &l->current);
	put_u32(h, HMMP_A_LOCAL_IFINDEX, l->ifindex);
	put_addr(h, HMMP_A_LOCAL_VIA_LOCAL, &l->via.local);
	put_addr(h, HMMP_A_LOCAL_VIA_REMOTE, &l->via.remote);
	put_u32(h, HMMP_A_LOCAL_VIA_ENCAP, l->via.encap);
	put_u32(h, HMMP_A_LOCAL_VIA_LIFETIME, l->via.lifetime);
	put_u32(h, HMMP_A_LOCAL_VIA_FLAGS, l->via.flags);
	return genl_ask(h, NULL, NULL);
}

int kernel_local_del(const struct addr *original)
{
	struct nlmsghdr *h = genl_build(HMMP_CMD_LOCAL_DEL, 0);

	nl_put_addr(h, HMMP_A_LOCAL_ORIGINAL, original);
	return genl_ask(h, NULL, NULL);
}

int kernel_handoff(const struct addr *old, const struct addr *now)
{
	struct nlmsghdr *h = genl_build(HMMP_CMD_HANDOFF, 0);
	uint32_t changed = 0;
	int err;

	nl_put_addr(h, HMMP_A_HANDOFF_OLD, old);
	nl_put_addr(h, HMMP_A_HANDOFF_NEW, now);
	err = genl_ask(h, kernel_genl_parse_changed, &changed);
	return err ? err : (int)changed;
}

int kernel_peer_set(const struct kernel_peer_word *p)
{
	struct nlmsghdr *h = genl_build(HMMP_CMD_PEER_SET, 0);

	nl_put_addr(h, HMMP_A_PEER_REMOTE, &p->remote);
	mnl_attr_put_u64(h, HMMP_A_PEER_OWNER, p->owner);
	nl_put_addr(h, HMMP_A_PEER_CURRENT, &p->current);
	mnl_attr_put_u32(h, HMMP_A_PEER_STATE, p->state);
	put_u32(h, HMMP_A_PEER_ENCAP, p->encap);
	return genl_ask(h, NULL, NULL);
}
