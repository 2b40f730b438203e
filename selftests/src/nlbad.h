/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The requests of nlbad: each attribute of each command with a good value, and
 * what is wrong with it and to be refused with which error.
 */
#ifndef NLBAD_H
#define NLBAD_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <linux/hmmp.h>

#define ANY	(-1)		/* any refusal will do */
#define OWNER	0x1234u

/* ADDR_ANY: of either family, whatever the others are */
enum kind { END, ADDR, ADDR_ANY, PORT, NUM, BIG };

struct attr {
	uint16_t type;
	enum kind kind;
	bool required;
	uint64_t good;
	uint64_t bad;		/* out of range, 0: everything is in range */
	int error;		/* for bad */
};

struct command {
	const char *name;
	uint8_t cmd;
	const struct attr *attrs;
};

#define F(name) HMMP_A_FLOW_##name
#define B(name) HMMP_A_BINDING_##name

/* good of an ADDR: 0 our end, 1 the far end, 2 another address */
static struct attr flow_key[] = {
	{ F(LOCAL_ADDR), ADDR, true, 0 },
	{ F(LOCAL_PORT), PORT, true, 0 },
	{ F(REMOTE_ADDR), ADDR, true, 1 },
	{ F(REMOTE_PORT), PORT, true, 0 },
	{ END },
};

static struct attr flow_new[] = {
	{ F(LOCAL_ADDR), ADDR, true, 0 },
	{ F(LOCAL_PORT), PORT, true, 0 },
	{ F(REMOTE_ADDR), ADDR, true, 1 },
	{ F(REMOTE_PORT), PORT, true, 0 },
	{ F(FLAGS), NUM, false, HMMP_FLOW_FLAGS_OPENER, 3, EINVAL },
	{ F(FLAGS), NUM, false, HMMP_FLOW_FLAGS_OPENER, 1u << 20, EINVAL },
	{ F(FLAGS), NUM, false, HMMP_FLOW_FLAGS_OPENER, 4, EINVAL },
	{ END },
};

static struct attr flow_set[] = {
	{ F(LOCAL_ADDR), ADDR, true, 0 },
	{ F(LOCAL_PORT), PORT, true, 0 },
	{ F(REMOTE_ADDR), ADDR, true, 1 },
	{ F(REMOTE_PORT), PORT, true, 0 },
	{ F(OWNER), BIG, true, OWNER, OWNER + 1, EBUSY },
	{ END },
};

static const struct attr binding_new[] = {
	{ B(SCOPE), NUM, true, HMMP_SCOPE_FLOW, HMMP_SCOPE_MAX + 1, ERANGE },
	{ B(SCOPE), NUM, true, HMMP_SCOPE_FLOW, HMMP_SCOPE_HOST, EINVAL },
	{ B(ORIGINAL), ADDR, true, 1 },
	{ B(OWNER), BIG, true, OWNER, OWNER + 1, ENOENT },
	{ B(CURRENT), ADDR, true, 2 },
	{ B(LOCAL_OUTER), ADDR, false, 0 },
	{ B(ENCAP), NUM, true, HMMP_ENCAP_IPIP, HMMP_ENCAP_MAX + 1, ERANGE },
	{ B(ENCAP), NUM, true, HMMP_ENCAP_IPIP, HMMP_ENCAP_IP6IP6,
	  EAFNOSUPPORT },
	{ B(ENCAP), NUM, true, HMMP_ENCAP_IPIP, HMMP_ENCAP_GUE, EOPNOTSUPP },
	{ B(STATUS), NUM, false, HMMP_STATUS_VERIFIED, HMMP_STATUS_MAX + 1,
	  ERANGE },
	{ B(STATUS), NUM, false, HMMP_STATUS_VERIFIED, HMMP_STATUS_SUSPENDED,
	  EINVAL },
	{ B(LIFETIME), NUM, true, 60000, 86400001, ERANGE },
	{ B(SEQ), NUM, true, 5 },
	{ B(MARK), NUM, false, 0 },
	{ B(VIA), ADDR, false, 2 },
	{ B(FLAGS), NUM, false, 0, HMMP_BINDING_FLAGS_BUFFER, EINVAL },
	{ B(FLAGS), NUM, false, 0, 1u << 20, EINVAL },
	{ B(IFINDEX), NUM, false, 0 },
	{ END },
};

static const struct attr binding_host[] = {
	{ B(SCOPE), NUM, true, HMMP_SCOPE_HOST, HMMP_SCOPE_FLOW, EINVAL },
	{ B(ORIGINAL), ADDR, true, 2 },
	{ B(CURRENT), ADDR, true, 1 },
	{ B(LOCAL_OUTER), ADDR, true, 0 },
	{ B(ENCAP), NUM, true, HMMP_ENCAP_IPIP, HMMP_ENCAP_6IN4,
	  EAFNOSUPPORT },
	{ B(STATUS), NUM, false, HMMP_STATUS_VERIFIED, HMMP_STATUS_HELD,
	  EINVAL },
	{ B(LIFETIME), NUM, true, 60000, 86400001, ERANGE },
	{ B(SEQ), NUM, true, 5 },
	{ B(IFINDEX), NUM, true, 1 },
	{ END },
};

static const struct attr release[] = {
	{ B(SCOPE), NUM, true, HMMP_SCOPE_FLOW, HMMP_SCOPE_MAX + 1, ERANGE },
	{ B(ORIGINAL), ADDR, true, 1 },
	{ B(OWNER), BIG, true, OWNER, OWNER + 1, ENOENT },
	{ END },
};

static const struct attr binding_del[] = {
	{ B(SCOPE), NUM, true, HMMP_SCOPE_FLOW, HMMP_SCOPE_MAX + 1, ERANGE },
	{ B(ORIGINAL), ADDR, true, 1 },
	{ B(OWNER), BIG, true, OWNER, OWNER + 1, ENOENT },
	{ B(SEQ), NUM, false, 5, 4, ESTALE },
	{ END },
};

static const struct attr binding_get[] = {
	{ B(SCOPE), NUM, true, HMMP_SCOPE_FLOW, HMMP_SCOPE_MAX + 1, ERANGE },
	{ B(ORIGINAL), ADDR, true, 1 },
	{ B(OWNER), BIG, true, OWNER, OWNER + 1, ENOENT },
	{ END },
};

static const struct attr local_set[] = {
	{ HMMP_A_LOCAL_ORIGINAL, ADDR_ANY, true, 0 },
	{ HMMP_A_LOCAL_CURRENT, ADDR_ANY, true, 0 },
	{ HMMP_A_LOCAL_IFINDEX, NUM, false, 1 },
	{ END },
};

static const struct attr local_del[] = {
	{ HMMP_A_LOCAL_ORIGINAL, ADDR, true, 2 },
	{ END },
};

static const struct attr handoff[] = {
	{ HMMP_A_HANDOFF_OLD, ADDR, true, 2 },
	{ HMMP_A_HANDOFF_NEW, ADDR, true, 0 },
	{ END },
};

static const struct attr peer_set[] = {
	{ HMMP_A_PEER_REMOTE, ADDR, true, 1 },
	{ HMMP_A_PEER_OWNER, BIG, true, OWNER, OWNER + 1, ENOENT },
	{ HMMP_A_PEER_CURRENT, ADDR_ANY, true, 0 },
	{ HMMP_A_PEER_STATE, NUM, true, HMMP_PEER_STATE_ACCEPTED,
	  HMMP_PEER_STATE_MAX + 1, ERANGE },
	{ END },
};

static const struct attr limits_set[] = {
	{ HMMP_A_LIMITS_FLOWS, NUM, false, 65536, 0xffffffff, ERANGE },
	{ HMMP_A_LIMITS_BINDINGS, NUM, false, 16384, 0xffffffff, ERANGE },
	{ HMMP_A_LIMITS_LOCALS, NUM, false, 16, 65, ERANGE },
	{ HMMP_A_LIMITS_PEERS, NUM, false, 16384, 0xffffffff, ERANGE },
	{ HMMP_A_LIMITS_BUFFER_PACKETS, NUM, false, 1024, 65537, ERANGE },
	{ HMMP_A_LIMITS_BUFFER_BYTES, NUM, false, 4 << 20, (1 << 26) + 1,
	  ERANGE },
	{ HMMP_A_LIMITS_BUFFER_TIME, NUM, false, 5000, 60001, ERANGE },
	{ HMMP_A_LIMITS_BUFFER_RATE, NUM, false, 8, 1025, ERANGE },
	{ END },
};

static const struct attr nothing[] = { { END } };

static const struct command commands[] = {
	{ "info-get", HMMP_CMD_INFO_GET, nothing },
	{ "flow-get", HMMP_CMD_FLOW_GET, flow_key },
	{ "flow-new", HMMP_CMD_FLOW_NEW, flow_new },
	{ "flow-set", HMMP_CMD_FLOW_SET, flow_set },
	{ "binding-new", HMMP_CMD_BINDING_NEW, binding_new },
	{ "binding-get", HMMP_CMD_BINDING_GET, binding_get },
	{ "binding-del", HMMP_CMD_BINDING_DEL, binding_del },
	{ "local-set", HMMP_CMD_LOCAL_SET, local_set },
	{ "local-del", HMMP_CMD_LOCAL_DEL, local_del },
	{ "handoff", HMMP_CMD_HANDOFF, handoff },
	{ "peer-set", HMMP_CMD_PEER_SET, peer_set },
	{ "limits-set", HMMP_CMD_LIMITS_SET, limits_set },
	{ "binding-new host", HMMP_CMD_BINDING_NEW, binding_host },
	{ "release", HMMP_CMD_RELEASE, release },
};

#endif
