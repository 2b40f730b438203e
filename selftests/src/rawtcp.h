/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP segments of IPv4 that no socket has sent: no options, no data.
 */
#ifndef SELFTESTS_RAWTCP_H
#define SELFTESTS_RAWTCP_H

#include <netinet/ip.h>
#include <netinet/tcp.h>

struct rawtcp {
	struct iphdr ip;
	struct tcphdr tcp;
};

void rawtcp_init(struct rawtcp *p, in_addr_t from, in_addr_t to);
void rawtcp_finish(struct rawtcp *p);

#endif
