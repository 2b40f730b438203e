/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hmmpctl says to the module by a process each, from within a program:
 * some microseconds each. IPv4; addresses in network byte order. Functions
 * return 0 or a negative errno.
 */
#ifndef SELFTESTS_HMMPNL_H
#define SELFTESTS_HMMPNL_H

#include <libmnl/libmnl.h>
#include <linux/hmmp.h>
#include <netinet/in.h>
#include <stdint.h>

/**
 * struct hmmpnl - a socket in a namespace; one thread at a time
 * @nl: the socket
 * @family: number of the module's family
 * @seq: of the last request
 */
struct hmmpnl {
	struct mnl_socket *nl;
	uint16_t family;
	uint32_t seq;
};

/**
 * struct hmmpnl_binding - one to ask for
 * @original: address 1
 * @current: address 2
 * @owner: of its flows; 0: scope host
 * @seq: number
 * @outer: scope host, outer source
 * @ifindex: scope host, the interface of the host route
 */
struct hmmpnl_binding {
	in_addr_t original;
	in_addr_t current;
	uint64_t owner;
	uint32_t seq;
	in_addr_t outer;
	uint32_t ifindex;
};

int hmmpnl_open(struct hmmpnl *h, const char *netns);
void hmmpnl_close(struct hmmpnl *h);
int hmmpnl_own(struct hmmpnl *h, const struct sockaddr_in *local,
	       const struct sockaddr_in *remote, uint64_t owner);
int hmmpnl_bind(struct hmmpnl *h, const struct hmmpnl_binding *b);
int hmmpnl_unbind(struct hmmpnl *h, in_addr_t original, uint64_t owner);
int hmmpnl_at(struct hmmpnl *h, in_addr_t original, in_addr_t current);
int hmmpnl_forget(struct hmmpnl *h, in_addr_t original);
int hmmpnl_handoff(struct hmmpnl *h, in_addr_t old, in_addr_t new);
int hmmpnl_peer(struct hmmpnl *h, in_addr_t remote, uint64_t owner,
		in_addr_t current, uint32_t state);
int hmmpnl_dump(struct hmmpnl *h, uint8_t cmd, mnl_cb_t cb, void *arg);

#endif
