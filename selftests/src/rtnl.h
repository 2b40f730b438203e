/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links, addresses and routes of one network namespace, by rtnetlink: what
 * takes `ip` a process start takes this some microseconds. Functions return 0
 * or a negative errno. IPv4; addresses in network byte order.
 */
#ifndef SELFTESTS_RTNL_H
#define SELFTESTS_RTNL_H

#include <libmnl/libmnl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct rtnl - a socket in a namespace; one thread at a time
 * @nl: the socket
 * @seq: of the last request
 */
struct rtnl {
	struct mnl_socket *nl;
	uint32_t seq;
};

/**
 * struct rtnl_route - a route
 * @dst: destination
 * @bits: length of its prefix
 * @type: RTN_*
 * @gateway: or 0
 * @source: preferred source, or 0
 * @ifindex: or 0
 * @rto_min: ms, for TCP, or 0: the default
 */
struct rtnl_route {
	in_addr_t dst;
	unsigned char bits;
	unsigned char type;
	in_addr_t gateway;
	in_addr_t source;
	unsigned int ifindex;
	unsigned int rto_min;
};

int rtnl_open(struct rtnl *r, const char *netns);
int rtnl_link(struct rtnl *r, unsigned int ifindex, bool up);
int rtnl_addr(struct rtnl *r, unsigned int ifindex, in_addr_t addr, bool add);
int rtnl_route_add(struct rtnl *r, const struct rtnl_route *route);
int rtnl_route_del(struct rtnl *r, const struct rtnl_route *route);
int rtnl_source(struct rtnl *r, in_addr_t dst, in_addr_t *source,
		unsigned int *ifindex);

#endif
