// SPDX-License-Identifier: GPL-2.0-or-later
/* The holder of former addresses, as a list; it outlives the agent. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define DUMMY 9

static struct host_anchor *find(const struct addr *a)
{
	struct host *h = world.in;
	unsigned int i;

	for (i = 0; i < h->n_anchors; i++)
		if (addr_equal(&h->anchors[i].addr, a))
			return &h->anchors[i];
	return NULL;
}

int anchor_hold(const struct addr *original)
{
	struct host *h = world.in;
	struct host_anchor *n = find(original);

	if (!n) {
		if (h->n_anchors == HOST_ANCHORS)
			abort();
		n = &h->anchors[h->n_anchors++];
		memset(n, 0, sizeof(*n));
		n->addr = *original;
	}
	n->held = true;
	return DUMMY;
}

int anchor_detach(const struct addr *original, unsigned int mtu)
{
	struct host_anchor *n = find(original);

	if (!n)
		return -ENOENT;
	n->detached = true;
	n->mtu = mtu;
	return 0;
}

int anchor_attach(const struct addr *original)
{
	struct host_anchor *n = find(original);

	if (n)
		n->detached = false;
	return 0;
}

int anchor_drop(const struct addr *original)
{
	struct host *h = world.in;
	struct host_anchor *n = find(original);

	if (n)
		*n = h->anchors[--h->n_anchors];
	return 0;
}

void anchor_check(void)
{
}

unsigned int anchor_list(struct addr *list, unsigned int max)
{
	struct host *h = world.in;
	unsigned int i;

	for (i = 0; i < h->n_anchors && i < max; i++)
		list[i] = h->anchors[i].addr;
	return i;
}
