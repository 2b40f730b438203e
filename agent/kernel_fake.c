// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module played in memory (kernel_fake.h). It keeps to the rules that the
 * netlink spec states: owners are given once, sequence numbers go up, limits
 * refuse, a lapsed binding is held, a binding ends with its owner's last flow.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kernel_fake_priv.h"

struct kernel_fake *fake;

/* ------------------------------------------------------------ the instance */

struct kernel_fake *kernel_fake_alloc(void)
{
	struct kernel_fake *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->limits.flows = FLOWS;
	f->limits.bindings = BINDINGS;
	f->limits.locals = LOCALS;
	f->limits.peers = PEERS;
	f->limits.buffer_packets = 256;
	f->limits.buffer_bytes = 1 << 20;
	f->limits.buffer_time = 5000;
	f->limits.buffer_rate = 10;
	return f;
}

void kernel_fake_free(struct kernel_fake *f)
{
	if (f == fake)
		fake = NULL;
	free(f);
}

void kernel_fake_use(struct kernel_fake *f)
{
	fake = f;
}

int kernel_init(const struct kernel_events *ev)
{
	fake->ev = ev;
	return fake->gone ? -ESRCH : 0;
}

void kernel_exit(void)
{
	fake->ev = NULL;
	fake->n_queue = 0;
}

const char *kernel_error(void)
{
	return fake->error;
}

int kernel_fake_refuse(int err, const char *sentence)
{
	snprintf(fake->error, sizeof(fake->error), "%s", sentence);
	return err;
}

/* What every call begins with. */
int kernel_fake_enter(enum fake_call call)
{
	fake->calls[call]++;
	fake->error[0] = 0;
	if (fake->gone)
		return kernel_fake_refuse(-ESRCH, "The kernel module hmmp is not loaded");
	if (fake->fail_times[call]) {
		fake->fail_times[call]--;
		/* the kernel has no sentence of its own for lack of a right */
		return kernel_fake_refuse(fake->fail[call],
					  fake->fail[call] == -EPERM ?
					  strerror(EPERM) :
					  "Refused because a test says so");
	}
	return 0;
}

void kernel_fake_fail(enum fake_call call, int err, unsigned int times)
{
	fake->fail[call] = err;
	fake->fail_times[call] = times;
}

unsigned int kernel_fake_calls(enum fake_call call)
{
	return fake->calls[call];
}

void kernel_fake_limits(const struct kernel_limits *l)
{
	fake->limits = *l;
}

/* ------------------------------------------------------------------ events */

static struct fake_event *queue(enum fake_kind kind)
{
	struct fake_event *e;

	if (fake->n_queue == QUEUE)
		abort();
	e = &fake->queue[fake->n_queue++];
	memset(e, 0, sizeof(*e));
	e->kind = kind;
	return e;
}

void kernel_fake_queue_flow(const struct fake_flow *w,
			    enum kernel_flow_event what)
{
	struct fake_event *e = queue(EV_FLOW);

	e->f = w->f;
	e->f.age = loop_now() - w->born;
	e->f.event = what;
}

void kernel_fake_queue_binding(const struct kernel_binding *b,
			       enum kernel_binding_event what)
{
	struct fake_event *e = queue(EV_BINDING);

	e->b = *b;
	e->b.event = what;
}

void kernel_fake_binding_event(const struct kernel_binding *b)
{
	kernel_fake_queue_binding(b, b->event);
}

void kernel_fake_lose(void)
{
	fake->n_queue = 0;
	queue(EV_RESYNC);
}

static void forget(void)
{
	unsigned int i;

	for (i = 0; i < fake->n_flows; i++) {	/* the sockets live on */
		fake->flow[i].tracked = false;
		fake->flow[i].f.owner = 0;
	}
	fake->n_bindings = 0;
	fake->n_locals = 0;
	fake->n_peers = 0;
}

void kernel_fake_gone(void)
{
	forget();
	fake->gone = true;
	queue(EV_GONE);
}

void kernel_fake_back(void)
{
	fake->gone = false;
	queue(EV_RESYNC);
}

static void expire(void)
{
	uint64_t now = loop_now();
	unsigned int i;

	for (i = 0; i < fake->n_bindings; i++) {
		struct fake_binding *w = &fake->binding[i];

		if (!w->end || w->end > now)
			continue;
		w->end = 0;
		w->b.status = KERNEL_HELD;
		w->b.lifetime = 0;
		kernel_fake_queue_binding(&w->b, KERNEL_BINDING_EXPIRED);
	}
}

uint64_t kernel_fake_next(void)
{
	uint64_t next = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < fake->n_bindings; i++) {
		if (fake->binding[i].end && fake->binding[i].end < next)
			next = fake->binding[i].end;
	}
	return next;
}

static void hand_out(const struct kernel_events *ev, const struct fake_event *e)
{
	switch (e->kind) {
	case EV_FLOW:
		ev->flow(&e->f);
		break;
	case EV_BINDING:
		ev->binding(&e->b);
		break;
	case EV_RESYNC:
		ev->resync();
		break;
	case EV_GONE:
		ev->gone();
		break;
	}
}

unsigned int kernel_fake_deliver(void)
{
	unsigned int n = 0;

	expire();
	while (fake && fake->n_queue) {
		struct fake_event e = fake->queue[0];

		fake->n_queue--;
		memmove(fake->queue, fake->queue + 1,
			fake->n_queue * sizeof(e));
		if (!fake->ev)
			continue;
		hand_out(fake->ev, &e);
		n++;
	}
	return n;
}
