// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All that the module tells of a namespace, so that two moments can be
 * compared: flows, bindings, local addresses, peers, limits and what is used of
 * them, whether it works there at all. Times, counters and sequence numbers are
 * left out, and where a binding led before.
 */
#include <errno.h>
#include <string.h>
#include <linux/genetlink.h>
#include <linux/hmmp.h>

#include "nlask.h"
#include "nlstate.h"

static const struct {
	uint8_t cmd;
	uint16_t attr;
} passed_over[] = {
	{ HMMP_CMD_INFO_GET, HMMP_A_INFO_COUNTERS },
	{ HMMP_CMD_FLOW_GET, HMMP_A_FLOW_AGE },
	{ HMMP_CMD_LOCAL_GET, HMMP_A_LOCAL_GRACE },
	{ HMMP_CMD_LOCAL_GET, HMMP_A_LOCAL_VIA_LIFETIME },
	{ HMMP_CMD_BINDING_GET, HMMP_A_BINDING_LIFETIME },
	{ HMMP_CMD_BINDING_GET, HMMP_A_BINDING_SEQ },
	{ HMMP_CMD_BINDING_GET, HMMP_A_BINDING_PREVIOUS },
	{ HMMP_CMD_BINDING_GET, HMMP_A_BINDING_TX_PACKETS },
	{ HMMP_CMD_BINDING_GET, HMMP_A_BINDING_TX_BYTES },
	{ HMMP_CMD_BINDING_GET, HMMP_A_BINDING_RX_PACKETS },
	{ HMMP_CMD_BINDING_GET, HMMP_A_BINDING_RX_BYTES },
	{ HMMP_CMD_BINDING_GET, HMMP_A_BINDING_DROPS },
};

static void add(struct state *s, const void *bytes, size_t len)
{
	if (s->len + len > sizeof(s->bytes)) {
		errno = E2BIG;
		die("state");
	}
	memcpy(s->bytes + s->len, bytes, len);
	s->len += len;
}

static bool counts(uint8_t cmd, uint16_t attr)
{
	size_t i;

	for (i = 0; i < sizeof(passed_over) / sizeof(passed_over[0]); i++)
		if (passed_over[i].cmd == cmd && passed_over[i].attr == attr)
			return false;
	return true;
}

/* An object: its command, the length of what follows, attributes. */
static int on_object(const struct nlmsghdr *h, void *arg)
{
	const struct genlmsghdr *g = mnl_nlmsg_get_payload(h);
	struct state *s = arg;
	const struct nlattr *a;
	size_t head = s->len;
	uint32_t len = 0;

	add(s, &g->cmd, 1);
	add(s, &len, sizeof(len));
	mnl_attr_for_each(a, h, sizeof(*g))
		if (counts(g->cmd, mnl_attr_get_type(a)))
			add(s, a, a->nla_len);
	len = s->len - head;
	memcpy(s->bytes + head + 1, &len, sizeof(len));
	return MNL_CB_OK;
}

void state_read(struct state *s)
{
	static const uint8_t dumps[] = {
		HMMP_CMD_FLOW_GET, HMMP_CMD_BINDING_GET, HMMP_CMD_LOCAL_GET,
		HMMP_CMD_PEER_GET,
	};
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *h;
	size_t i;

	s->len = 0;
	errno = nl_ask(nl_start(buf, nl_family, HMMP_CMD_INFO_GET), on_object,
		       s);
	for (i = 0; !errno && i < sizeof(dumps); i++) {
		h = nl_start(buf, nl_family, dumps[i]);
		h->nlmsg_flags |= NLM_F_DUMP;
		errno = nl_ask(h, on_object, s);
	}
	if (errno)
		die("reading the state");
}

bool state_equal(const struct state *a, const struct state *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

/* How many objects of a kind there are. */
unsigned int state_count(const struct state *s, int cmd)
{
	unsigned int n = 0;
	uint32_t len;
	size_t at;

	for (at = 0; at < s->len; at += len) {
		n += (uint8_t)s->bytes[at] == cmd;
		memcpy(&len, s->bytes + at + 1, sizeof(len));
	}
	return n;
}
