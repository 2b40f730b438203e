// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The seam to the module, spoken: kernel.h on one side, the attributes of
 * Documentation/netlink/specs/hmmp.yaml on the other. The only file that
 * includes the module's header. Called from the loop and by hmmpctl.
 *
 * Dumps are read to their end before the first callback: a callback may ask
 * the module something else, and a dump that was interrupted is repeated.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/genetlink.h>
#include <linux/hmmp.h>
#include "genl.h"
#include "kernel.h"

#define DUMP_TRIES 5

#define SAME(a, b)	static_assert((int)(a) == (int)(b), #a)

SAME(KERNEL_PROVISIONAL, HMMP_STATUS_PROVISIONAL);
SAME(KERNEL_VERIFIED, HMMP_STATUS_VERIFIED);
SAME(KERNEL_HELD, HMMP_STATUS_HELD);
SAME(KERNEL_HELD, HMMP_STATUS_MAX);
SAME(KERNEL_UNKNOWN, HMMP_PEER_STATE_UNKNOWN);
SAME(KERNEL_ACCEPTED, HMMP_PEER_STATE_ACCEPTED);
SAME(KERNEL_REFUSED, HMMP_PEER_STATE_REFUSED);
SAME(KERNEL_REFUSED, HMMP_PEER_STATE_MAX);
SAME(KERNEL_TCP_NONE, HMMP_TCP_STATE_NONE);
SAME(KERNEL_SETUP_REQ, HMMP_TCP_STATE_SETUP_REQ);
SAME(KERNEL_SETUP_PROG, HMMP_TCP_STATE_SETUP_PROG);
SAME(KERNEL_ESTABLISHED, HMMP_TCP_STATE_ESTABLISHED);
SAME(KERNEL_RELEASE_REQ, HMMP_TCP_STATE_RELEASE_REQ);
SAME(KERNEL_RELEASE_ACK, HMMP_TCP_STATE_RELEASE_ACK);
SAME(KERNEL_RELEASE_ACCEPT, HMMP_TCP_STATE_RELEASE_ACCEPT);
SAME(KERNEL_DISCONNECT, HMMP_TCP_STATE_DISCONNECT);
SAME(KERNEL_DISCONNECT, HMMP_TCP_STATE_MAX);
SAME(KERNEL_FLOW_OPENER, HMMP_FLOW_FLAGS_OPENER);
SAME(KERNEL_FLOW_OPENER_UNKNOWN, HMMP_FLOW_FLAGS_OPENER_UNKNOWN);
SAME(KERNEL_FLOW_DEVICE_BOUND, HMMP_FLOW_FLAGS_DEVICE_BOUND);
SAME(KERNEL_FLOW_IPSEC, HMMP_FLOW_FLAGS_IPSEC);
SAME(KERNEL_FLOW_NAT, HMMP_FLOW_FLAGS_NAT);
SAME(KERNEL_FLOW_FORMER, HMMP_FLOW_FLAGS_FORMER);
SAME(KERNEL_FLOW_REPAIR, HMMP_FLOW_FLAGS_REPAIR);
SAME(KERNEL_FLOW_FIXED | 3, HMMP_FLOW_FLAGS_MASK);
SAME(KERNEL_FLOW_ESTABLISHED, HMMP_FLOW_EVENT_ESTABLISHED);
SAME(KERNEL_FLOW_ENDED, HMMP_FLOW_EVENT_ENDED);
SAME(KERNEL_FLOW_CONTESTED, HMMP_FLOW_EVENT_CONTESTED);
SAME(KERNEL_FLOW_CONTESTED, HMMP_FLOW_EVENT_MAX);
SAME(KERNEL_BINDING_EXPIRED, HMMP_BINDING_EVENT_EXPIRED);
SAME(KERNEL_BINDING_ENDED, HMMP_BINDING_EVENT_ENDED);
SAME(KERNEL_BINDING_CREDIT, HMMP_BINDING_EVENT_CREDIT);
SAME(KERNEL_BINDING_OVERFLOW, HMMP_BINDING_EVENT_OVERFLOW);
SAME(KERNEL_BINDING_UNREACHABLE, HMMP_BINDING_EVENT_UNREACHABLE);
SAME(KERNEL_BINDING_SEEN, HMMP_BINDING_EVENT_SEEN);
SAME(KERNEL_BINDING_SEEN, HMMP_BINDING_EVENT_MAX);
SAME(ENCAP_NONE, HMMP_ENCAP_NONE);
SAME(ENCAP_IPIP, HMMP_ENCAP_IPIP);
SAME(ENCAP_IP6IP6, HMMP_ENCAP_IP6IP6);
SAME(ENCAP_4IN6, HMMP_ENCAP_4IN6);
SAME(ENCAP_6IN4, HMMP_ENCAP_6IN4);
SAME(ENCAP_MINENC, HMMP_ENCAP_MINENC);
SAME(ENCAP_GUE, HMMP_ENCAP_GUE);
SAME(ENCAP_GUE, HMMP_ENCAP_MAX);
SAME(SCOPE_FLOW, HMMP_SCOPE_FLOW + 1);
SAME(SCOPE_HOST, HMMP_SCOPE_HOST + 1);
SAME(SCOPE_HOST, HMMP_SCOPE_MAX + 1);

static const char *const counter_names[] = {
	[HMMP_A_COUNTER_FLOW_NEW] = "flow_new",
	[HMMP_A_COUNTER_FLOW_PICKED] = "flow_picked",
	[HMMP_A_COUNTER_FLOW_ENDED] = "flow_ended",
	[HMMP_A_COUNTER_FLOW_LIMIT] = "flow_limit",
	[HMMP_A_COUNTER_FLOW_MEMORY] = "flow_memory",
	[HMMP_A_COUNTER_BINDING_LIMIT] = "binding_limit",
	[HMMP_A_COUNTER_BINDING_STALE] = "binding_stale",
	[HMMP_A_COUNTER_BINDING_EXPIRED] = "binding_expired",
	[HMMP_A_COUNTER_HANDOFFS] = "handoffs",
	[HMMP_A_COUNTER_WOKEN] = "woken",
	[HMMP_A_COUNTER_EVENT_LOST] = "event_lost",
	[HMMP_A_COUNTER_TX_ENCAP] = "tx_encap",
	[HMMP_A_COUNTER_RX_DECAP] = "rx_decap",
	[HMMP_A_COUNTER_RX_NO_MATCH] = "rx_no_match",
	[HMMP_A_COUNTER_DROP_PEER_UNKNOWN] = "drop_peer_unknown",
	[HMMP_A_COUNTER_DROP_PEER_REFUSED] = "drop_peer_refused",
	[HMMP_A_COUNTER_DROP_FORMER] = "drop_former",
	[HMMP_A_COUNTER_DROP_HELD] = "drop_held",
	[HMMP_A_COUNTER_DROP_CREDIT] = "drop_credit",
	[HMMP_A_COUNTER_DROP_PLAIN] = "drop_plain",
	[HMMP_A_COUNTER_DROP_TOO_BIG] = "drop_too_big",
	[HMMP_A_COUNTER_DROP_NO_ROUTE] = "drop_no_route",
	[HMMP_A_COUNTER_DROP_MEMORY] = "drop_memory",
	[HMMP_A_COUNTER_DROP_LOOP] = "drop_loop",
	[HMMP_A_COUNTER_DROP_CONNTRACK] = "drop_conntrack",
	[HMMP_A_COUNTER_DROP_CGROUP] = "drop_cgroup",
	[HMMP_A_COUNTER_DROP_POLICY] = "drop_policy",
	[HMMP_A_COUNTER_DROP_ECN] = "drop_ecn",
	[HMMP_A_COUNTER_DROP_MALFORMED] = "drop_malformed",
};

/* a counter that was added to the header and not here */
#define N_COUNTERS (sizeof(counter_names) / sizeof(counter_names[0]))
SAME(N_COUNTERS, HMMP_A_COUNTER_MAX + 1);
SAME(HMMP_A_COUNTER_MAX <= KERNEL_COUNTERS, 1);

static const struct kernel_events *events;

const char *kernel_error(void)
{
	return genl_error();
}

/* --------------------------------------------------------------- parsing */

static uint16_t parse_port(const struct nlattr *a)
{
	if (!a || mnl_attr_get_payload_len(a) < sizeof(uint16_t))
		return 0;
	return ntohs(mnl_attr_get_u16(a));
}

static int parse_flow(const struct nlmsghdr *h, void *item)
{
	const struct nlattr *tb[HMMP_A_FLOW_MAX + 1];
	struct kernel_flow *f = item;

	memset(f, 0, sizeof(*f));
	if (nl_attrs(h, GENL_HDRLEN, tb, HMMP_A_FLOW_MAX))
		return -EBADMSG;
	nl_addr(tb[HMMP_A_FLOW_LOCAL_ADDR], &f->local.addr);
	nl_addr(tb[HMMP_A_FLOW_REMOTE_ADDR], &f->remote.addr);
	f->local.port = parse_port(tb[HMMP_A_FLOW_LOCAL_PORT]);
	f->remote.port = parse_port(tb[HMMP_A_FLOW_REMOTE_PORT]);
	if (!f->local.addr.len || !f->remote.addr.len)
		return -EBADMSG;
	f->state = nl_u32(tb[HMMP_A_FLOW_STATE]);
	f->owner = nl_u64(tb[HMMP_A_FLOW_OWNER]);
	f->flags = nl_u32(tb[HMMP_A_FLOW_FLAGS]);
	f->isn_local = nl_u32(tb[HMMP_A_FLOW_ISN_LOCAL]);
	f->isn_remote = nl_u32(tb[HMMP_A_FLOW_ISN_REMOTE]);
	f->age = nl_u64(tb[HMMP_A_FLOW_AGE]);
	f->id = nl_u64(tb[HMMP_A_FLOW_ID]);
	nl_addr(tb[HMMP_A_FLOW_CURRENT], &f->current);
	nl_addr(tb[HMMP_A_FLOW_PREVIOUS], &f->previous);
	nl_addr(tb[HMMP_A_FLOW_REMOTE_CURRENT], &f->remote_current);
	f->event = nl_u32(tb[HMMP_A_FLOW_EVENT]);
	return 0;
}

static int parse_binding(const struct nlmsghdr *h, void *item)
{
	const struct nlattr *tb[HMMP_A_BINDING_MAX + 1];
	struct kernel_binding *b = item;

	memset(b, 0, sizeof(*b));
	if (nl_attrs(h, GENL_HDRLEN, tb, HMMP_A_BINDING_MAX))
		return -EBADMSG;
	nl_addr(tb[HMMP_A_BINDING_ORIGINAL], &b->original);
	if (!b->original.len)
		return -EBADMSG;
	b->scope = nl_u32(tb[HMMP_A_BINDING_SCOPE]) + 1;
	b->owner = nl_u64(tb[HMMP_A_BINDING_OWNER]);
	nl_addr(tb[HMMP_A_BINDING_CURRENT], &b->current);
	nl_addr(tb[HMMP_A_BINDING_PREVIOUS], &b->previous);
	nl_addr(tb[HMMP_A_BINDING_LOCAL_OUTER], &b->local_outer);
	b->encap = nl_u32(tb[HMMP_A_BINDING_ENCAP]);
	b->status = nl_u32(tb[HMMP_A_BINDING_STATUS]);
	b->lifetime = nl_u32(tb[HMMP_A_BINDING_LIFETIME]);
	b->seq = nl_u32(tb[HMMP_A_BINDING_SEQ]);
	b->mark = nl_u32(tb[HMMP_A_BINDING_MARK]);
	b->tx_packets = nl_u64(tb[HMMP_A_BINDING_TX_PACKETS]);
	b->tx_bytes = nl_u64(tb[HMMP_A_BINDING_TX_BYTES]);
	b->rx_packets = nl_u64(tb[HMMP_A_BINDING_RX_PACKETS]);
	b->rx_bytes = nl_u64(tb[HMMP_A_BINDING_RX_BYTES]);
	b->drops = nl_u64(tb[HMMP_A_BINDING_DROPS]);
	b->event = nl_u32(tb[HMMP_A_BINDING_EVENT]);
	return 0;
}

static int parse_local(const struct nlmsghdr *h, void *item)
{
	const struct nlattr *tb[HMMP_A_LOCAL_MAX + 1];
	struct kernel_local *l = item;

	memset(l, 0, sizeof(*l));
	if (nl_attrs(h, GENL_HDRLEN, tb, HMMP_A_LOCAL_MAX))
		return -EBADMSG;
	nl_addr(tb[HMMP_A_LOCAL_ORIGINAL], &l->original);
	nl_addr(tb[HMMP_A_LOCAL_CURRENT], &l->current);
	nl_addr(tb[HMMP_A_LOCAL_PREVIOUS], &l->previous);
	if (!l->original.len || !l->current.len)
		return -EBADMSG;
	l->ifindex = nl_u32(tb[HMMP_A_LOCAL_IFINDEX]);
	l->grace = nl_u32(tb[HMMP_A_LOCAL_GRACE]);
	return 0;
}

static int parse_peer(const struct nlmsghdr *h, void *item)
{
	const struct nlattr *tb[HMMP_A_PEER_MAX + 1];
	struct kernel_peer_word *p = item;

	memset(p, 0, sizeof(*p));
	if (nl_attrs(h, GENL_HDRLEN, tb, HMMP_A_PEER_MAX))
		return -EBADMSG;
	nl_addr(tb[HMMP_A_PEER_REMOTE], &p->remote);
	nl_addr(tb[HMMP_A_PEER_CURRENT], &p->current);
	if (!p->remote.len)
		return -EBADMSG;
	p->owner = nl_u64(tb[HMMP_A_PEER_OWNER]);
	p->state = nl_u32(tb[HMMP_A_PEER_STATE]);
	return 0;
}

static void parse_limits(const struct nlattr *nest, struct kernel_limits *l)
{
	const struct nlattr *tb[HMMP_A_LIMITS_MAX + 1];

	nl_attrs_nested(nest, tb, HMMP_A_LIMITS_MAX);
	l->flows = nl_u32(tb[HMMP_A_LIMITS_FLOWS]);
	l->bindings = nl_u32(tb[HMMP_A_LIMITS_BINDINGS]);
	l->locals = nl_u32(tb[HMMP_A_LIMITS_LOCALS]);
	l->peers = nl_u32(tb[HMMP_A_LIMITS_PEERS]);
	l->flows_used = nl_u32(tb[HMMP_A_LIMITS_FLOWS_USED]);
	l->bindings_used = nl_u32(tb[HMMP_A_LIMITS_BINDINGS_USED]);
	l->locals_used = nl_u32(tb[HMMP_A_LIMITS_LOCALS_USED]);
	l->peers_used = nl_u32(tb[HMMP_A_LIMITS_PEERS_USED]);
}

static void parse_counters(const struct nlattr *nest, struct kernel_info *info)
{
	const struct nlattr *tb[HMMP_A_COUNTER_MAX + 1];
	unsigned int i;

	nl_attrs_nested(nest, tb, HMMP_A_COUNTER_MAX);
	for (i = HMMP_A_COUNTER_PAD + 1; i <= HMMP_A_COUNTER_MAX; i++) {
		if (!tb[i])
			continue;
		info->counter[info->n_counters].name = counter_names[i];
		info->counter[info->n_counters++].value = nl_u64(tb[i]);
	}
}

static int parse_info(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *tb[HMMP_A_INFO_MAX + 1], *version;
	struct kernel_info *info = arg;

	memset(info, 0, sizeof(*info));
	if (nl_attrs(h, GENL_HDRLEN, tb, HMMP_A_INFO_MAX))
		return -EBADMSG;
	version = tb[HMMP_A_INFO_VERSION];
	if (version && !mnl_attr_validate(version, MNL_TYPE_NUL_STRING))
		snprintf(info->version, sizeof(info->version), "%s",
			 mnl_attr_get_str(version));
	info->active = tb[HMMP_A_INFO_ACTIVE];
	info->table_size = nl_u32(tb[HMMP_A_INFO_TABLE_SIZE]);
	parse_limits(tb[HMMP_A_INFO_LIMITS], &info->limits);
	parse_counters(tb[HMMP_A_INFO_COUNTERS], info);
	return 0;
}

static int parse_changed(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *tb[HMMP_A_HANDOFF_MAX + 1];

	if (nl_attrs(h, GENL_HDRLEN, tb, HMMP_A_HANDOFF_MAX))
		return -EBADMSG;
	*(uint32_t *)arg = nl_u32(tb[HMMP_A_HANDOFF_CHANGED]);
	return 0;
}

/* ---------------------------------------------------------------- events */

static int on_message(const struct nlmsghdr *h, void *arg)
{
	const struct genlmsghdr *g = mnl_nlmsg_get_payload(h);
	struct kernel_binding b;
	struct kernel_flow f;

	if (g->cmd == HMMP_CMD_FLOW_NTF && !parse_flow(h, &f))
		events->flow(&f);
	else if (g->cmd == HMMP_CMD_BINDING_NTF && !parse_binding(h, &b))
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
	struct list l = LIST(parse_flow, struct kernel_flow);
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
	struct list l = LIST(parse_binding, struct kernel_binding);
	size_t i;
	int err = dump(genl_build(HMMP_CMD_BINDING_GET, 0), &l);

	for (i = 0; !err && i < l.n; i++)
		cb(arg, (struct kernel_binding *)l.items + i);
	free(l.items);
	return err;
}

int kernel_local_dump(kernel_local_cb cb, void *arg)
{
	struct list l = LIST(parse_local, struct kernel_local);
	size_t i;
	int err = dump(genl_build(HMMP_CMD_LOCAL_GET, 0), &l);

	for (i = 0; !err && i < l.n; i++)
		cb(arg, (struct kernel_local *)l.items + i);
	free(l.items);
	return err;
}

int kernel_peer_dump(kernel_peer_cb cb, void *arg)
{
	struct list l = LIST(parse_peer, struct kernel_peer_word);
	size_t i;
	int err = dump(genl_build(HMMP_CMD_PEER_GET, 0), &l);

	for (i = 0; !err && i < l.n; i++)
		cb(arg, (struct kernel_peer_word *)l.items + i);
	free(l.items);
	return err;
}

/* -------------------------------------------------------------- requests */

int kernel_info(struct kernel_info *info)
{
	return genl_ask(genl_build(HMMP_CMD_INFO_GET, 0), parse_info, info);
}

int kernel_limits_set(uint32_t flows, uint32_t bindings)
{
	struct nlmsghdr *h = genl_build(HMMP_CMD_LIMITS_SET, 0);

	if (flows)
		mnl_attr_put_u32(h, HMMP_A_LIMITS_FLOWS, flows);
	if (bindings)
		mnl_attr_put_u32(h, HMMP_A_LIMITS_BINDINGS, bindings);
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
			parse_flow, f);
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

int kernel_binding_new(const struct kernel_binding *b)
{
	struct nlmsghdr *h = build_binding(HMMP_CMD_BINDING_NEW, b->scope,
					   &b->original, b->owner);

	nl_put_addr(h, HMMP_A_BINDING_CURRENT, &b->current);
	if (b->local_outer.len)
		nl_put_addr(h, HMMP_A_BINDING_LOCAL_OUTER, &b->local_outer);
	mnl_attr_put_u32(h, HMMP_A_BINDING_ENCAP, b->encap);
	mnl_attr_put_u32(h, HMMP_A_BINDING_STATUS, b->status);
	/* it must be there; a held binding has none */
	mnl_attr_put_u32(h, HMMP_A_BINDING_LIFETIME,
			 b->lifetime ? b->lifetime : 1);
	mnl_attr_put_u32(h, HMMP_A_BINDING_SEQ, b->seq);
	if (b->mark)
		mnl_attr_put_u32(h, HMMP_A_BINDING_MARK, b->mark);
	if (b->lost)
		mnl_attr_put_u32(h, HMMP_A_BINDING_FLAGS,
				 HMMP_BINDING_FLAGS_LOST);
	return genl_ask(h, NULL, NULL);
}

int kernel_binding_del(enum body_scope scope, const struct addr *original,
		       uint64_t owner)
{
	return genl_ask(build_binding(HMMP_CMD_BINDING_DEL, scope, original,
				      owner), NULL, NULL);
}

int kernel_local_set(const struct addr *original, const struct addr *current,
		     uint32_t ifindex)
{
	struct nlmsghdr *h = genl_build(HMMP_CMD_LOCAL_SET, 0);

	nl_put_addr(h, HMMP_A_LOCAL_ORIGINAL, original);
	if (current && current->len)
		nl_put_addr(h, HMMP_A_LOCAL_CURRENT, current);
	if (ifindex)
		mnl_attr_put_u32(h, HMMP_A_LOCAL_IFINDEX, ifindex);
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
	err = genl_ask(h, parse_changed, &changed);
	return err ? err : (int)changed;
}

int kernel_peer_set(const struct addr *remote, uint64_t owner,
		    const struct addr *current, enum kernel_peer state)
{
	struct nlmsghdr *h = genl_build(HMMP_CMD_PEER_SET, 0);

	nl_put_addr(h, HMMP_A_PEER_REMOTE, remote);
	mnl_attr_put_u64(h, HMMP_A_PEER_OWNER, owner);
	nl_put_addr(h, HMMP_A_PEER_CURRENT, current);
	mnl_attr_put_u32(h, HMMP_A_PEER_STATE, state);
	return genl_ask(h, NULL, NULL);
}
