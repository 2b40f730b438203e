// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the module says, as the structures of kernel.h, and the assertions that
 * both sides mean the same by a number. Pure; called by kernel_genl.c.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/genetlink.h>
#include <linux/hmmp.h>
#include "kernel_genl_priv.h"

#define SAME(a, b)	static_assert((int)(a) == (int)(b), #a)

SAME(KERNEL_PROVISIONAL, HMMP_STATUS_PROVISIONAL);
SAME(KERNEL_VERIFIED, HMMP_STATUS_VERIFIED);
SAME(KERNEL_HELD, HMMP_STATUS_HELD);
SAME(KERNEL_SUSPENDED, HMMP_STATUS_SUSPENDED);
SAME(KERNEL_SUSPENDED, HMMP_STATUS_MAX);
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
SAME(KERNEL_SEEN_OWN, HMMP_SEEN_OWN);
SAME(KERNEL_SEEN_FOREIGN, HMMP_SEEN_FOREIGN);
SAME(KERNEL_SEEN_FOREIGN, HMMP_SEEN_MAX);
SAME(KERNEL_BINDING_BUFFER, HMMP_BINDING_FLAGS_BUFFER);
SAME(KERNEL_BINDING_SECURED, HMMP_BINDING_FLAGS_SECURED);
SAME(KERNEL_BINDING_GRANTED, HMMP_BINDING_FLAGS_GRANTED);
SAME(KERNEL_BINDING_LOST, HMMP_BINDING_FLAGS_LOST);
SAME(KERNEL_BINDING_FLAGS, HMMP_BINDING_FLAGS_MASK);
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
	[HMMP_A_COUNTER_DROP_SECURED] = "drop_secured",
	[HMMP_A_COUNTER_DROP_BUFFER] = "drop_buffer",
	[HMMP_A_COUNTER_DROP_SEGMENT] = "drop_segment",
	[HMMP_A_COUNTER_BUFFERED] = "buffered",
	[HMMP_A_COUNTER_RELEASED] = "released",
	[HMMP_A_COUNTER_ICMP_RELAYED] = "icmp_relayed",
	[HMMP_A_COUNTER_PEER_LIMIT] = "peer_limit",
	[HMMP_A_COUNTER_LOCAL_LIMIT] = "local_limit",
	[HMMP_A_COUNTER_WAKE_LIMIT] = "wake_limit",
	[HMMP_A_COUNTER_SEEN_OWN] = "seen_own",
	[HMMP_A_COUNTER_SEEN_FOREIGN] = "seen_foreign",
};

/* a counter that was added to the header and not here */
#define N_COUNTERS (sizeof(counter_names) / sizeof(counter_names[0]))
SAME(N_COUNTERS, HMMP_A_COUNTER_MAX + 1);
SAME(HMMP_A_COUNTER_MAX <= KERNEL_COUNTERS, 1);

static uint16_t parse_port(const struct nlattr *a)
{
	if (!a || mnl_attr_get_payload_len(a) < sizeof(uint16_t))
		return 0;
	return ntohs(mnl_attr_get_u16(a));
}

int kernel_genl_parse_flow(const struct nlmsghdr *h, void *item)
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

static void parse_lladdr(const struct nlattr *a, struct kernel_lladdr *to)
{
	size_t len = a ? mnl_attr_get_payload_len(a) : 0;

	if (len > sizeof(to->b))
		return;
	if (len)
		memcpy(to->b, mnl_attr_get_payload(a), len);
	to->len = (uint8_t)len;
}

/* What packets of this binding are counted by. */
static void parse_use(const struct nlattr **tb, struct kernel_binding *b)
{
	b->tx_packets = nl_u64(tb[HMMP_A_BINDING_TX_PACKETS]);
	b->tx_bytes = nl_u64(tb[HMMP_A_BINDING_TX_BYTES]);
	b->rx_packets = nl_u64(tb[HMMP_A_BINDING_RX_PACKETS]);
	b->rx_bytes = nl_u64(tb[HMMP_A_BINDING_RX_BYTES]);
	b->drops = nl_u64(tb[HMMP_A_BINDING_DROPS]);
	b->held_packets = nl_u32(tb[HMMP_A_BINDING_HELD_PACKETS]);
}

int kernel_genl_parse_binding(const struct nlmsghdr *h, void *item)
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
	nl_addr(tb[HMMP_A_BINDING_VIA], &b->via);
	nl_addr(tb[HMMP_A_BINDING_VERIFIED], &b->verified);
	parse_lladdr(tb[HMMP_A_BINDING_LLADDR], &b->lladdr);
	b->encap = nl_u32(tb[HMMP_A_BINDING_ENCAP]);
	b->status = nl_u32(tb[HMMP_A_BINDING_STATUS]);
	b->lifetime = nl_u32(tb[HMMP_A_BINDING_LIFETIME]);
	b->seq = nl_u32(tb[HMMP_A_BINDING_SEQ]);
	b->flags = nl_u32(tb[HMMP_A_BINDING_FLAGS]);
	b->mark = nl_u32(tb[HMMP_A_BINDING_MARK]);
	b->credit = nl_u64(tb[HMMP_A_BINDING_CREDIT]);
	b->ifindex = nl_u32(tb[HMMP_A_BINDING_IFINDEX]);
	b->link = nl_u32(tb[HMMP_A_BINDING_LINK]);
	parse_use(tb, b);
	b->event = nl_u32(tb[HMMP_A_BINDING_EVENT]);
	b->seen = nl_u32(tb[HMMP_A_BINDING_SEEN]);
	return 0;
}

int kernel_genl_parse_local(const struct nlmsghdr *h, void *item)
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
	nl_addr(tb[HMMP_A_LOCAL_VIA_LOCAL], &l->via.local);
	nl_addr(tb[HMMP_A_LOCAL_VIA_REMOTE], &l->via.remote);
	l->via.encap = nl_u32(tb[HMMP_A_LOCAL_VIA_ENCAP]);
	l->via.lifetime = nl_u32(tb[HMMP_A_LOCAL_VIA_LIFETIME]);
	l->via.flags = nl_u32(tb[HMMP_A_LOCAL_VIA_FLAGS]);
	return 0;
}

int kernel_genl_parse_peer(const struct nlmsghdr *h, void *item)
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
	p->encap = nl_u32(tb[HMMP_A_PEER_ENCAP]);
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
	l->buffer_packets = nl_u32(tb[HMMP_A_LIMITS_BUFFER_PACKETS]);
	l->buffer_bytes = nl_u32(tb[HMMP_A_LIMITS_BUFFER_BYTES]);
	l->buffer_time = nl_u32(tb[HMMP_A_LIMITS_BUFFER_TIME]);
	l->buffer_rate = nl_u32(tb[HMMP_A_LIMITS_BUFFER_RATE]);
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

int kernel_genl_parse_info(const struct nlmsghdr *h, void *arg)
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

int kernel_genl_parse_changed(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *tb[HMMP_A_HANDOFF_MAX + 1];

	if (nl_attrs(h, GENL_HDRLEN, tb, HMMP_A_HANDOFF_MAX))
		return -EBADMSG;
	*(uint32_t *)arg = nl_u32(tb[HMMP_A_HANDOFF_CHANGED]);
	return 0;
}
