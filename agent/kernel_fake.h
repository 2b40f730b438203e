/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A module in memory, for tests: kernel.h with the rules of the netlink spec
 * and handles to make things happen. The kernel_*() calls act on the instance
 * that was chosen by kernel_fake_use(); an instance outlives kernel_exit(), as
 * the module outlives an agent that is killed.
 *
 * Bindings of every kind are kept, but no packets: credit is not used up,
 * nothing is buffered, and nobody is seen on a served link.
 *
 * Events are queued, never delivered from inside a call: kernel_fake_deliver()
 * hands them to the agent that has attached itself by kernel_init().
 */
#ifndef HMMP_KERNEL_FAKE_H
#define HMMP_KERNEL_FAKE_H

#include "kernel.h"

struct kernel_fake;

/* Calls that can be told to fail, and are counted. */
enum fake_call { FAKE_INFO, FAKE_LIMITS_SET, FAKE_FLOW_GET, FAKE_FLOW_DUMP,
		 FAKE_FLOW_NEW, FAKE_FLOW_SET, FAKE_BINDING_NEW,
		 FAKE_BINDING_DEL, FAKE_BINDING_GET, FAKE_BINDING_DUMP,
		 FAKE_RELEASE, FAKE_LOCAL_SET, FAKE_LOCAL_DEL,
		 FAKE_LOCAL_DUMP, FAKE_HANDOFF, FAKE_PEER_SET, FAKE_PEER_DUMP,
		 FAKE_CALLS };

struct kernel_fake *kernel_fake_alloc(void);
void kernel_fake_free(struct kernel_fake *fake);
void kernel_fake_use(struct kernel_fake *fake);

/* A connection appears; ESTABLISHED is queued if its state says so. */
void kernel_fake_flow_add(const struct kernel_flow *f);
/* A socket that only kernel_flow_new() makes a flow of (older than all). */
void kernel_fake_socket_add(const struct kernel_flow *f);
/* Its state changes; DISCONNECT ends it (event ENDED). -ENOENT. */
int kernel_fake_flow_state(const struct endpoint *local,
			   const struct endpoint *remote,
			   enum kernel_tcp state);
void kernel_fake_limits(const struct kernel_limits *l);
/* An event that the fake does not find out by itself (UNREACHABLE...). */
void kernel_fake_binding_event(const struct kernel_binding *b);
/* The next calls of this kind, that many, return err (< 0). */
void kernel_fake_fail(enum fake_call call, int err, unsigned int times);
/* How often it was called, failures included. */
unsigned int kernel_fake_calls(enum fake_call call);
/* rmmod and insmod: everything is forgotten; gone() and resync() follow. */
void kernel_fake_gone(void);
void kernel_fake_back(void);
/* Queued events are lost (ENOBUFS): resync() takes their place. */
void kernel_fake_lose(void);

/* Time (loop_now()) at which the next binding expires, or UINT64_MAX. */
uint64_t kernel_fake_next(void);
/* Expire what is due, hand out all events. Returns how many. */
unsigned int kernel_fake_deliver(void);

#endif
