/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TCP connection on which one host writes a block each SPACING, for ever,
 * and another notes when it can read what. Both ends live in this process, in
 * a thread and a network namespace each; so there is one clock.
 */
#ifndef SELFTESTS_STREAM_H
#define SELFTESTS_STREAM_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "clock.h"

#define STREAM_BLOCK	1000			/* bytes */
#define STREAM_SPACING	(2 * NSEC_PER_MSEC)	/* between blocks */
#define STREAM_READS	65536
#define STREAM_LIMIT	30	/* s without a byte are an error */

/**
 * struct stream_read - a read() that returned
 * @at: when, clock_now()
 * @bytes: how many there have been by then
 */
struct stream_read {
	uint64_t at;
	uint64_t bytes;
};

/**
 * struct stream - both ends
 * @tx: socket of the host that writes
 * @rx: socket of the host that reads
 * @isn: sequence number of the first byte that @tx writes
 * @stop: the writer shall end
 * @hold: the reader shall not read
 * @wrong: a byte was not what it must be
 * @error: errno of the first call that failed, or 0
 * @n: reads up to now
 * @lock: guards @n; reads before it do not change any more
 * @read: what was read
 */
struct stream {
	int tx;
	int rx;
	uint32_t isn;
	bool stop;
	bool hold;
	bool wrong;
	int error;
	unsigned int n;
	pthread_mutex_t lock;
	pthread_t writer;
	pthread_t reader;
	struct stream_read read[STREAM_READS];
};

/**
 * struct stream_end - where one end is
 * @netns: name of its network namespace
 * @addr: its address, network byte order
 */
struct stream_end {
	const char *netns;
	in_addr_t addr;
};

int stream_open(struct stream *s, const struct stream_end *from,
		const struct stream_end *to, in_port_t port);
void stream_close(struct stream *s);
void stream_hold(struct stream *s, bool on);
unsigned int stream_reads(struct stream *s);
unsigned int stream_retransmitted(const struct stream *s);

#endif
