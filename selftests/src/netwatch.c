// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * netwatch DESTINATION: says when a host's address becomes usable, that is when
 * new connections to the destination have a source address and a route:
 *
 *	MILLISECONDS usable ADDRESS INTERFACE
 *	MILLISECONDS lost
 *
 * in CLOCK_MONOTONIC, one line a change, the first one at once. Looks whenever
 * rtnetlink reports a change, so it sees what any program on the host can see
 * at the earliest. Started by scenarios, in the mobile's namespace.
 */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>

#include "clock.h"
#include "rtnl.h"

static struct rtnl ask;
static in_addr_t known;

static void look(in_addr_t dst, bool always)
{
	char text[INET_ADDRSTRLEN], name[IF_NAMESIZE];
	unsigned int ifindex;
	in_addr_t source;

	if (rtnl_source(&ask, dst, &source, &ifindex))
		source = 0;
	if (source == known && !always)
		return;
	known = source;
	printf("%.3f ", clock_ms(clock_now()));
	if (source)
		printf("usable %s %s\n",
		       inet_ntop(AF_INET, &source, text, sizeof(text)),
		       if_indextoname(ifindex, name) ? name : "-");
	else
		printf("lost\n");
}

static struct mnl_socket *open_events(void)
{
	const unsigned int groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
				    RTMGRP_IPV4_ROUTE;
	struct mnl_socket *nl;

	nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!nl || mnl_socket_bind(nl, groups, MNL_SOCKET_AUTOPID))
		return NULL;
	return nl;
}

int main(int argc, char **argv)
{
	struct mnl_socket *events;
	char buf[16384];
	in_addr_t dst;

	if (argc != 2 || inet_pton(AF_INET, argv[1], &dst) != 1) {
		fprintf(stderr, "usage: netwatch DESTINATION\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	events = open_events();
	if (!events || rtnl_open(&ask, NULL)) {
		perror("netwatch");
		return 1;
	}
	look(dst, true);
	/* What was lost does not matter, the look is at what is. */
	for (;;) {
		mnl_socket_recvfrom(events, buf, sizeof(buf));
		look(dst, false);
	}
}
