// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wakes a TCP socket that waits for its retransmission timer, with what every
 * Linux has: ICMP errors that the host sends to itself.
 *
 * A socket that has timed out already takes back one doubling of its timer for
 * each "host unreachable" that quotes the first unacknowledged byte (RFC 6069),
 * and retransmits at once if the time is over then; the routes of the benchmark
 * allow a timer of 20 ms, so it is. A socket that has not timed out yet
 * retransmits what is larger than the MTU in a "fragmentation needed" (RFC
 * 1191). Used by handoffs.c for the switch that ours is compared with.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kick.h"
#include "netns.h"
#include "rtnl.h"

#define TRIES	40
#define PAUSE	(NSEC_PER_MSEC / 2)
#define MTU	800		/* less than a block and its headers */

struct error {
	struct icmphdr icmp;
	struct iphdr ip;
	uint16_t sport;
	uint16_t dport;
	uint32_t seq;
} __attribute__((packed));

int kick_open(struct kick *k, const struct stream_end *from,
	      const struct stream_end *to)
{
	int err = netns_enter(from->netns);

	if (err)
		return err;
	k->from = from->addr;
	k->to = to->addr;
	k->raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	return k->raw < 0 ? -errno : 0;
}

void kick_close(struct kick *k)
{
	close(k->raw);
}

static uint16_t checksum(const void *data, size_t len)
{
	const uint16_t *w = data;
	uint32_t sum = 0;

	for (; len > 1; len -= 2)
		sum += *w++;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static int send_error(const struct kick *k, const struct stream *s,
		      uint8_t code, uint32_t seq)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_addr.s_addr = k->from,
	};
	struct sockaddr_in local, remote;
	socklen_t len = sizeof(local);
	struct error e = {
		.icmp = { .type = ICMP_DEST_UNREACH, .code = code },
		.ip = { .version = 4, .ihl = 5, .ttl = 64,
			.protocol = IPPROTO_TCP,
			.tot_len = htons(STREAM_BLOCK + 52),
			.saddr = k->from, .daddr = k->to },
		.seq = htonl(seq),
	};

	if (getsockname(s->tx, (struct sockaddr *)&local, &len) ||
	    getpeername(s->tx, (struct sockaddr *)&remote, &len))
		return -errno;
	e.sport = local.sin_port;
	e.dport = remote.sin_port;
	if (code == ICMP_FRAG_NEEDED)
		e.icmp.un.frag.mtu = htons(MTU);
	e.ip.check = checksum(&e.ip, sizeof(e.ip));
	e.icmp.checksum = checksum(&e, sizeof(e));
	if (sendto(k->raw, &e, sizeof(e), 0, (struct sockaddr *)&to,
		   sizeof(to)) < 0)
		return -errno;
	return 0;
}

/**
 * kick_send - until something has been retransmitted
 * @k: from kick_open()
 * @s: the stream
 *
 * -EALREADY: nothing waits; -ETIME: nothing was retransmitted.
 */
int kick_send(const struct kick *k, const struct stream *s)
{
	struct tcp_info now, before;
	socklen_t len = sizeof(before);
	int i, err;

	if (getsockopt(s->tx, IPPROTO_TCP, TCP_INFO, &before, &len))
		return -errno;
	if (!before.tcpi_unacked)
		return -EALREADY;
	for (i = 0; i < TRIES; i++) {
		len = sizeof(now);
		if (getsockopt(s->tx, IPPROTO_TCP, TCP_INFO, &now, &len))
			return -errno;
		if (now.tcpi_total_retrans != before.tcpi_total_retrans)
			return 0;
		err = send_error(k, s, now.tcpi_backoff ? ICMP_HOST_UNREACH :
				 ICMP_FRAG_NEEDED,
				 s->isn + (uint32_t)now.tcpi_bytes_acked);
		if (err)
			return err;
		clock_wait(clock_now() + PAUSE);
	}
	return -ETIME;
}
