// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * segment SOURCE PORT TARGET PORT FLAGS SEQ ACK: sends one TCP segment as if
 * somebody's socket had sent it. FLAGS are letters of "sarf", numbers are those
 * of the segment. The way is that of any packet of this host, its firewall and
 * the hooks of the module included.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rawtcp.h"

static int send_it(const struct rawtcp *p)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = p->ip.daddr,
	};
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (fd < 0 || sendto(fd, p, sizeof(*p), 0, (struct sockaddr *)&to,
			     sizeof(to)) != sizeof(*p)) {
		perror("segment");
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct in_addr from, to;
	struct rawtcp p;

	if (argc != 8 || inet_pton(AF_INET, argv[1], &from) != 1 ||
	    inet_pton(AF_INET, argv[3], &to) != 1) {
		fputs("segment SOURCE PORT TARGET PORT FLAGS SEQ ACK\n",
		      stderr);
		return 2;
	}
	rawtcp_init(&p, from.s_addr, to.s_addr);
	p.tcp.source = htons(atoi(argv[2]));
	p.tcp.dest = htons(atoi(argv[4]));
	p.tcp.syn = !!strchr(argv[5], 's');
	p.tcp.ack = !!strchr(argv[5], 'a');
	p.tcp.rst = !!strchr(argv[5], 'r');
	p.tcp.fin = !!strchr(argv[5], 'f');
	p.tcp.seq = htonl(strtoul(argv[6], NULL, 10));
	p.tcp.ack_seq = htonl(strtoul(argv[7], NULL, 10));
	rawtcp_finish(&p);
	return send_it(&p);
}
