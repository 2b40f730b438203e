// SPDX-License-Identifier: GPL-2.0-or-later
/* See rawtcp.h. Used by segment.c and synflood.c. */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>

#include "rawtcp.h"

static uint32_t add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t i;

	for (i = 0; i < len; i += 2)
		sum += p[i] << 8 | p[i + 1];
	return sum;
}

static uint16_t folded(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/**
 * rawtcp_init - all but ports, numbers and flags
 * @p: filled
 * @from: source address
 * @to: destination
 */
void rawtcp_init(struct rawtcp *p, in_addr_t from, in_addr_t to)
{
	*p = (struct rawtcp){
		.ip = { .version = 4, .ihl = 5, .ttl = 64,
			.protocol = IPPROTO_TCP, .saddr = from, .daddr = to,
			.tot_len = htons(sizeof(*p)) },
		.tcp = { .doff = 5, .window = htons(65535) },
	};
}

/* The checksums: of the IP header, and of a pseudo header and the TCP header
 * (RFC 9293 3.1).
 */
void rawtcp_finish(struct rawtcp *p)
{
	uint32_t sum = IPPROTO_TCP + sizeof(p->tcp);

	p->tcp.check = 0;
	sum = add(sum, &p->ip.saddr, 2 * sizeof(p->ip.saddr));
	p->tcp.check = folded(add(sum, &p->tcp, sizeof(p->tcp)));
	p->ip.check = 0;
	p->ip.check = folded(add(0, &p->ip, sizeof(p->ip)));
}
