// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses and routes of the host whose code runs (world.h). */
#include <errno.h>

#include "world.h"

const struct link_addr *link_addrs(unsigned int *n)
{
	*n = world.in->n_addrs;
	return world.in->addrs;
}

const struct link_addr *link_addr_find(const struct addr *a)
{
	struct host *h = world.in;
	unsigned int i;

	for (i = 0; i < h->n_addrs; i++)
		if (!h->addrs[i].held && addr_equal(&h->addrs[i].addr, a))
			return &h->addrs[i];
	return NULL;
}

int link_route_source(const struct addr *dst, struct addr *src, int *ifindex)
{
	struct host *h = world.in;
	const struct link_addr *l;
	unsigned int i, best = HOST_ROUTES;

	for (i = 0; i < h->n_routes; i++) {
		if (!h->routes[i].dst.len && best == HOST_ROUTES)
			best = i;
		if (addr_equal(&h->routes[i].dst, dst))
			best = i;
	}
	if (best == HOST_ROUTES || !h->routes[best].src.len)
		return -ENETUNREACH;
	*src = h->routes[best].src;
	l = link_addr_find(src);
	*ifindex = l ? l->ifindex : 0;
	return 0;
}

int link_mtu(int ifindex)
{
	return 1500;
}

const char *link_name(int ifindex)
{
	static const char * const names[] = { "?", "lo", "eth0", "wlan0",
					      "wwan0" };

	return names[ifindex > 0 && ifindex < 5 ? ifindex : 0];
}

int diag_dump(diag_cb cb, void *arg)
{
	struct host *h = world.in;
	unsigned int i;

	for (i = 0; i < h->n_socks; i++)
		cb(arg, &h->socks[i].local, &h->socks[i].remote,
		   h->socks[i].opener);
	return 0;
}
