/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the fake module share with each other, and nobody else. */
#ifndef HMMP_KERNEL_FAKE_PRIV_H
#define HMMP_KERNEL_FAKE_PRIV_H

#include "kernel_fake.h"

#define FLOWS		2048
#define BINDINGS	256
#define LOCALS		64
#define PEERS		256
#define QUEUE		4096
#define GRACE		2000		/* ms */

enum fake_kind { EV_FLOW, EV_BINDING, EV_RESYNC, EV_GONE };

struct fake_event {
	enum fake_kind kind;
	struct kernel_flow f;
	struct kernel_binding b;
};

struct fake_flow {
	struct kernel_flow f;
	uint64_t born;
	bool tracked;			/* false: a socket only */
};

struct fake_binding {
	struct kernel_binding b;
	uint64_t end;			/* loop_now(); 0: held */
};

struct fake_local {
	struct kernel_local l;
	uint64_t grace_end;
};

struct kernel_fake {
	const struct kernel_events *ev;
	bool gone;
	char error[256];
	struct kernel_limits limits;
	uint64_t next_id;
	int fail[FAKE_CALLS];
	unsigned int fail_times[FAKE_CALLS];
	unsigned int calls[FAKE_CALLS];
	unsigned int n_flows, n_bindings, n_locals, n_peers, n_queue;
	struct fake_flow flow[FLOWS];
	struct fake_binding binding[BINDINGS];
	struct fake_local local[LOCALS];
	struct kernel_peer_word peer[PEERS];
	struct fake_event queue[QUEUE];
};

/* The one in use. */
extern struct kernel_fake *fake;

/* What every call begins with: 0, or the errno that it returns. */
int kernel_fake_enter(enum fake_call call);
/* Keep the sentence, return err. */
int kernel_fake_refuse(int err, const char *sentence);
void kernel_fake_queue_flow(const struct fake_flow *w,
			    enum kernel_flow_event what);
void kernel_fake_queue_binding(const struct kernel_binding *b,
			       enum kernel_binding_event what);
bool kernel_fake_owner_alive(const struct addr *remote, uint64_t owner);
unsigned int kernel_fake_count(uint64_t owner);
struct fake_local *kernel_fake_find_local(const struct addr *original);
struct fake_binding *kernel_fake_find_binding(enum body_scope scope,
					      const struct addr *original,
					      uint64_t owner);

#endif
