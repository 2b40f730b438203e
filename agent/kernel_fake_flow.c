// SPDX-License-Identifier: GPL-2.0-or-later
/* The fake module's flows (kernel_fake.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "kernel_fake_priv.h"

static bool same_end(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

static struct fake_flow *find_flow(const struct endpoint *local,
				   const struct endpoint *remote)
{
	unsigned int i;

	for (i = 0; i < fake->n_flows; i++) {
		if (same_end(&fake->flow[i].f.local, local) &&
		    same_end(&fake->flow[i].f.remote, remote))
			return &fake->flow[i];
	}
	return NULL;
}

unsigned int kernel_fake_count(uint64_t owner)
{
	unsigned int i, n = 0;

	for (i = 0; i < fake->n_flows; i++) {
		if (fake->flow[i].tracked &&
		    (!owner || fake->flow[i].f.owner == owner))
			n++;
	}
	return n;
}

bool kernel_fake_owner_alive(const struct addr *remote, uint64_t owner)
{
	unsigned int i;

	for (i = 0; i < fake->n_flows; i++) {
		if (fake->flow[i].tracked && fake->flow[i].f.owner == owner &&
		    addr_equal(&fake->flow[i].f.remote.addr, remote))
			return true;
	}
	return false;
}

static struct fake_flow *add_flow(const struct kernel_flow *f)
{
	struct fake_flow *w = find_flow(&f->local, &f->remote);

	if (!w) {
		if (fake->n_flows == FLOWS)
			abort();
		w = &fake->flow[fake->n_flows++];
	}
	memset(w, 0, sizeof(*w));
	w->f = *f;
	w->f.id = ++fake->next_id;
	w->born = loop_now() - f->age;
	return w;
}

void kernel_fake_flow_add(const struct kernel_flow *f)
{
	struct fake_flow *w = add_flow(f);

	w->tracked = true;
	if (f->state == KERNEL_ESTABLISHED)
		kernel_fake_queue_flow(w, KERNEL_FLOW_ESTABLISHED);
}

void kernel_fake_socket_add(const struct kernel_flow *f)
{
	add_flow(f);
}

static void end_bindings(uint64_t owner)
{
	unsigned int i = 0;

	while (i < fake->n_bindings) {
		struct fake_binding *w = &fake->binding[i];

		if (w->b.scope != SCOPE_FLOW || w->b.owner != owner) {
			i++;
			continue;
		}
		kernel_fake_queue_binding(&w->b, KERNEL_BINDING_ENDED);
		*w = fake->binding[--fake->n_bindings];
	}
}

static void end_flow(struct fake_flow *w)
{
	uint64_t owner = w->f.owner;

	if (w->tracked)
		kernel_fake_queue_flow(w, KERNEL_FLOW_ENDED);
	*w = fake->flow[--fake->n_flows];
	if (owner && !kernel_fake_count(owner))
		end_bindings(owner);
}

int kernel_fake_flow_state(const struct endpoint *local,
			   const struct endpoint *remote,
			   enum kernel_tcp state)
{
	struct fake_flow *w = find_flow(local, remote);
	bool news = state == KERNEL_ESTABLISHED;

	if (!w)
		return -ENOENT;
	news = news && w->f.state != KERNEL_ESTABLISHED && w->tracked;
	w->f.state = state;
	if (state == KERNEL_DISCONNECT)
		end_flow(w);
	else if (news)
		kernel_fake_queue_flow(w, KERNEL_FLOW_ESTABLISHED);
	return 0;
}

/* The draft's four integers are computed when asked for. */
static void show_flow(const struct fake_flow *w, struct kernel_flow *f)
{
	const struct fake_local *l = kernel_fake_find_local(&w->f.local.addr);
	const struct fake_binding *b = w->f.owner ?
		kernel_fake_find_binding(SCOPE_FLOW, &w->f.remote.addr,
					 w->f.owner) : NULL;

	*f = w->f;
	f->age = loop_now() - w->born;
	if (l) {
		f->current = l->l.current;
		f->previous = l->l.previous;
	}
	if (b)
		f->remote_current = b->b.current;
}

int kernel_flow_get(const struct endpoint *local,
		    const struct endpoint *remote, struct kernel_flow *f)
{
	const struct fake_flow *w;
	int err = kernel_fake_enter(FAKE_FLOW_GET);

	if (err)
		return err;
	w = find_flow(local, remote);
	if (!w || !w->tracked)
		return kernel_fake_refuse(-ENOENT, "No such flow");
	show_flow(w, f);
	return 0;
}

static bool wanted(const struct fake_flow *w, const struct addr *local,
		   const struct addr *remote, uint64_t owner)
{
	return w->tracked && (!owner || w->f.owner == owner) &&
	       (!local || addr_equal(&w->f.local.addr, local)) &&
	       (!remote || addr_equal(&w->f.remote.addr, remote));
}

int kernel_flow_dump(const struct addr *local, const struct addr *remote,
		     uint64_t owner, kernel_flow_cb cb, void *arg)
{
	struct kernel_flow *copy;
	unsigned int i, n = 0;
	int err = kernel_fake_enter(FAKE_FLOW_DUMP);

	if (err)
		return err;
	copy = calloc(fake->n_flows + 1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	for (i = 0; i < fake->n_flows; i++) {
		if (wanted(&fake->flow[i], local, remote, owner))
			show_flow(&fake->flow[i], &copy[n++]);
	}
	for (i = 0; i < n; i++)
		cb(arg, &copy[i]);
	free(copy);
	return 0;
}

int kernel_flow_new(const struct endpoint *local,
		    const struct endpoint *remote, uint32_t flags)
{
	struct fake_flow *w;
	int err = kernel_fake_enter(FAKE_FLOW_NEW);

	if (err)
		return err;
	w = find_flow(local, remote);
	if (!w)
		return kernel_fake_refuse(-ENOENT, "No such socket");
	if (w->tracked)
		return kernel_fake_refuse(-EEXIST, "The flow is tracked already");
	if (kernel_fake_count(0) >= fake->limits.flows)
		return kernel_fake_refuse(-ENOSPC, "Too many flows");
	w->tracked = true;
	w->f.flags &= ~(KERNEL_FLOW_OPENER | KERNEL_FLOW_OPENER_UNKNOWN);
	w->f.flags |= flags & (KERNEL_FLOW_OPENER | KERNEL_FLOW_OPENER_UNKNOWN);
	return 0;
}

int kernel_flow_set(const struct endpoint *local,
		    const struct endpoint *remote, uint64_t owner)
{
	struct fake_flow *w;
	int err = kernel_fake_enter(FAKE_FLOW_SET);

	if (err)
		return err;
	w = find_flow(local, remote);
	if (!w || !w->tracked)
		return kernel_fake_refuse(-ENOENT, "No such flow");
	if (owner && w->f.owner && w->f.owner != owner) {
		kernel_fake_queue_flow(w, KERNEL_FLOW_CONTESTED);
		return kernel_fake_refuse(-EBUSY, "The flow has another owner");
	}
	w->f.owner = owner;
	return 0;
}
