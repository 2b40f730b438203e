/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seam to the module. kernel_genl.c speaks generic netlink to it,
 * kernel_fake.c plays it in tests. Every call is synchronous and returns 0 or
 * a negative errno; kernel_error() then gives the module's own sentence.
 * -ENOENT: no such object; -ESRCH from any call: the module is not loaded.
 */
#ifndef HMMP_KERNEL_H
#define HMMP_KERNEL_H

#include "agent.h"

/* Values equal those of the uapi header; kernel_genl_parse.c asserts it. */
enum kernel_status { KERNEL_PROVISIONAL, KERNEL_VERIFIED, KERNEL_HELD,
		     KERNEL_SUSPENDED };
enum kernel_peer { KERNEL_UNKNOWN, KERNEL_ACCEPTED, KERNEL_REFUSED };
enum kernel_tcp { KERNEL_TCP_NONE, KERNEL_SETUP_REQ, KERNEL_SETUP_PROG,
		  KERNEL_ESTABLISHED, KERNEL_RELEASE_REQ, KERNEL_RELEASE_ACK,
		  KERNEL_RELEASE_ACCEPT, KERNEL_DISCONNECT };

#define KERNEL_FLOW_OPENER		(1u << 0)
#define KERNEL_FLOW_OPENER_UNKNOWN	(1u << 1)
#define KERNEL_FLOW_DEVICE_BOUND	(1u << 2)
#define KERNEL_FLOW_IPSEC		(1u << 3)
#define KERNEL_FLOW_NAT			(1u << 4)
#define KERNEL_FLOW_FORMER		(1u << 5)
#define KERNEL_FLOW_REPAIR		(1u << 6)
/* any of these: it cannot move */
#define KERNEL_FLOW_FIXED		0x7cu

enum kernel_flow_event { KERNEL_FLOW_ESTABLISHED, KERNEL_FLOW_ENDED,
			 KERNEL_FLOW_CONTESTED };
enum kernel_binding_event { KERNEL_BINDING_EXPIRED, KERNEL_BINDING_ENDED,
			    KERNEL_BINDING_CREDIT, KERNEL_BINDING_OVERFLOW,
			    KERNEL_BINDING_UNREACHABLE, KERNEL_BINDING_SEEN };

/* What sent a frame with a bound address, in a "seen" event. */
enum kernel_seen { KERNEL_SEEN_OWN, KERNEL_SEEN_FOREIGN };

/* Options of a binding, and of a via. */
#define KERNEL_BINDING_BUFFER		(1u << 0)
#define KERNEL_BINDING_SECURED		(1u << 1)
#define KERNEL_BINDING_GRANTED		(1u << 2)
#define KERNEL_BINDING_LOST		(1u << 3)	/* in requests */
#define KERNEL_BINDING_FLAGS		0xfu	/* all of them */

struct kernel_flow {
	struct endpoint local, remote;
	enum kernel_tcp state;
	uint64_t owner;
	uint32_t flags;
	uint32_t isn_local, isn_remote;
	uint64_t age;			/* ms */
	uint64_t id;
	struct addr current, previous, remote_current;
	enum kernel_flow_event event;	/* in events */
};

#define KERNEL_LLADDR 32			/* MAX_ADDR_LEN */

struct kernel_lladdr {
	uint8_t len;			/* 0: none */
	uint8_t b[KERNEL_LLADDR];
};

/*
 * original may be of another family than the rest, which are where current
 * is. In a request what is 0 or none is left out, and so is what only the
 * module knows: previous, verified, held_packets, the counters.
 */
struct kernel_binding {
	enum body_scope scope;
	struct addr original, current, previous, local_outer;
	struct addr via;		/* outer destination, not current */
	struct addr verified;		/* while provisional, the last one */
	uint64_t owner;
	enum body_encap encap;
	enum kernel_status status;
	uint32_t lifetime;		/* ms */
	uint32_t seq;
	uint32_t flags;			/* KERNEL_BINDING_* */
	uint32_t mark;
	uint64_t credit;		/* bytes */
	uint32_t ifindex;		/* dummy (host), way out (flow) */
	uint32_t link;			/* the served interface */
	struct kernel_lladdr lladdr;	/* the host's own on that link */
	uint32_t held_packets;		/* in its buffer */
	uint64_t tx_packets, tx_bytes, rx_packets, rx_bytes, drops;
	enum kernel_binding_event event;
	enum kernel_seen seen;		/* with KERNEL_BINDING_SEEN */
};

/* A tunnel chosen by the source; remote none: there is none. */
struct kernel_via {
	struct addr local, remote;	/* outer addresses */
	enum body_encap encap;
	uint32_t lifetime;		/* ms */
	uint32_t flags;			/* KERNEL_BINDING_SECURED */
};

struct kernel_local {
	struct addr original, current, previous;
	uint32_t ifindex;
	uint32_t grace;			/* ms */
	struct kernel_via via;
};

struct kernel_peer_word {
	struct addr remote, current;
	uint64_t owner;
	enum kernel_peer state;
	enum body_encap encap;		/* ENCAP_NONE: as the families say */
};

struct kernel_limits {
	uint32_t flows, bindings, locals, peers;
	uint32_t buffer_packets, buffer_bytes;	/* of one binding */
	uint32_t buffer_time;			/* ms that a packet is held */
	uint32_t buffer_rate;			/* packets/ms of a release */
	uint32_t flows_used, bindings_used, locals_used, peers_used;
};

#define KERNEL_COUNTERS 64
struct kernel_info {
	char version[32];
	bool active;
	uint32_t table_size;
	struct kernel_limits limits;
	unsigned int n_counters;
	struct { const char *name; uint64_t value; } counter[KERNEL_COUNTERS];
};

struct kernel_events {
	void (*flow)(const struct kernel_flow *f);
	void (*binding)(const struct kernel_binding *b);
	void (*resync)(void);	/* events were lost, or the module is back */
	void (*gone)(void);	/* the module was unloaded */
};

/* ev NULL: no events wanted (hmmpctl). */
int kernel_init(const struct kernel_events *ev);
void kernel_exit(void);
const char *kernel_error(void);

int kernel_info(struct kernel_info *info);
/* 0: unchanged. All 0 brings the namespace into use. */
int kernel_limits_set(const struct kernel_limits *l);
int kernel_flow_get(const struct endpoint *local,
		    const struct endpoint *remote, struct kernel_flow *f);
typedef void (*kernel_flow_cb)(void *arg, const struct kernel_flow *f);
/* NULL filter: all */
int kernel_flow_dump(const struct addr *local, const struct addr *remote,
		     uint64_t owner, kernel_flow_cb cb, void *arg);
int kernel_flow_new(const struct endpoint *local,
		    const struct endpoint *remote, uint32_t flags);
int kernel_flow_set(const struct endpoint *local,
		    const struct endpoint *remote, uint64_t owner);
int kernel_binding_new(const struct kernel_binding *b);
/* seq (or NULL): only if the binding is not newer than that, else -ESTALE. */
int kernel_binding_del(enum body_scope scope, const struct addr *original,
		       uint64_t owner, const uint32_t *seq);
int kernel_binding_get(enum body_scope scope, const struct addr *original,
		       uint64_t owner, struct kernel_binding *b);
/* What its buffer holds is sent, and what comes is not held any more. */
int kernel_release(enum body_scope scope, const struct addr *original,
		   uint64_t owner);
typedef void (*kernel_binding_cb)(void *arg, const struct kernel_binding *b);
int kernel_binding_dump(kernel_binding_cb cb, void *arg);
/* What is 0 or none stays as it is; previous and grace are the module's. */
int kernel_local_set(const struct kernel_local *l);
int kernel_local_del(const struct addr *original);
typedef void (*kernel_local_cb)(void *arg, const struct kernel_local *l);
int kernel_local_dump(kernel_local_cb cb, void *arg);
/* Number of entries that changed, or -ENOENT. */
int kernel_handoff(const struct addr *old, const struct addr *now);
int kernel_peer_set(const struct kernel_peer_word *p);
typedef void (*kernel_peer_cb)(void *arg, const struct kernel_peer_word *p);
int kernel_peer_dump(kernel_peer_cb cb, void *arg);

#endif
