// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See stream.h. Byte n of the stream has a value that follows from n, so the
 * reader knows whether all of them came. Used by handoffs.c and wakes.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netns.h"
#include "rtnl.h"
#include "stream.h"

#define REPAIR_ON	1
#define REPAIR_OFF	(-1)	/* without a window probe */

static unsigned char byte_at(uint64_t n)
{
	return (unsigned char)(n / STREAM_BLOCK + n % STREAM_BLOCK);
}

/*
 * A child that ends interrupts calls that have a time limit, although nobody
 * handles its signal.
 */
static ssize_t send_block(int fd, const void *buf, size_t len)
{
	ssize_t n;

	do {
		n = send(fd, buf, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n;
}

static ssize_t recv_some(int fd, void *buf, size_t len)
{
	ssize_t n;

	do {
		n = recv(fd, buf, len, 0);
	} while (n < 0 && errno == EINTR);
	return n;
}

static void fail(struct stream *s)
{
	if (!s->error)
		s->error = errno ? errno : EPIPE;
}

/* After a write that had to wait the pace goes on from there. */
static void *writer(void *arg)
{
	unsigned char block[STREAM_BLOCK];
	uint64_t sent = 0, next = clock_now();
	struct stream *s = arg;
	ssize_t n;
	int i;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		for (i = 0; i < STREAM_BLOCK; i++)
			block[i] = byte_at(sent + i);
		n = send_block(s->tx, block, sizeof(block));
		if (n < 0) {
			fail(s);
			break;
		}
		sent += (uint64_t)n;
		next += STREAM_SPACING;
		if (clock_now() > next + STREAM_SPACING)
			next = clock_now();
		clock_wait(next);
	}
	shutdown(s->tx, SHUT_WR);
	return NULL;
}

static void check(struct stream *s, const unsigned char *buf, size_t n,
		  uint64_t at)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (buf[i] != byte_at(at + i))
			s->wrong = true;
}

static void *reader(void *arg)
{
	unsigned char buf[65536];
	struct stream *s = arg;
	uint64_t bytes = 0;
	ssize_t n;

	while ((n = recv_some(s->rx, buf, sizeof(buf))) > 0) {
		while (__atomic_load_n(&s->hold, __ATOMIC_RELAXED))
			clock_wait(clock_now() + STREAM_SPACING);

		struct stream_read r = { clock_now(), bytes + (uint64_t)n };

		check(s, buf, (size_t)n, bytes);
		bytes = r.bytes;
		pthread_mutex_lock(&s->lock);
		if (s->n < STREAM_READS)
			s->read[s->n++] = r;
		pthread_mutex_unlock(&s->lock);
	}
	if (n < 0)
		fail(s);
	return NULL;
}

/* The first sequence number, which later tells what is unacknowledged. */
static int note_isn(struct stream *s)
{
	int on = REPAIR_ON, off = REPAIR_OFF, queue = TCP_SEND_QUEUE;
	socklen_t len = sizeof(s->isn);

	if (setsockopt(s->tx, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) ||
	    setsockopt(s->tx, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue,
		       sizeof(queue)) ||
	    getsockopt(s->tx, IPPROTO_TCP, TCP_QUEUE_SEQ, &s->isn, &len) ||
	    setsockopt(s->tx, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)))
		return -errno;
	return 0;
}

static int listen_at(const struct stream_end *from, in_port_t port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = from->addr,
		.sin_port = htons(port),
	};
	int fd, on = 1;

	if (netns_enter(from->netns))
		return -1;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || listen(fd, 1)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Where it connects from is the kernel's choice, as for any program. */
static int connect_to(struct stream *s, const struct stream_end *from,
		      const struct stream_end *to, in_port_t port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = from->addr,
		.sin_port = htons(port),
	};

	if (netns_enter(to->netns))
		return -errno;
	s->rx = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->rx < 0 || connect(s->rx, (struct sockaddr *)&sin, sizeof(sin)))
		return -errno;
	return 0;
}

/**
 * stream_open - connects and starts to write
 * @s: filled
 * @from: who writes; it listens
 * @to: who reads; it connects
 * @port: of the writer, host byte order
 */
int stream_open(struct stream *s, const struct stream_end *from,
		const struct stream_end *to, in_port_t port)
{
	struct timeval limit = { .tv_sec = STREAM_LIMIT };
	int fd, err, on = 1;

	memset(s, 0, offsetof(struct stream, read));
	pthread_mutex_init(&s->lock, NULL);
	s->tx = -1;
	s->rx = -1;
	fd = listen_at(from, port);
	if (fd < 0)
		return -errno;
	err = connect_to(s, from, to, port);
	if (!err) {
		s->tx = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		err = s->tx < 0 ? -errno : note_isn(s);
	}
	close(fd);
	if (err)
		return err;
	setsockopt(s->tx, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(s->rx, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(s->tx, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	/* taken away by TCP_REPAIR */
	setsockopt(s->tx, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	err = -pthread_create(&s->reader, NULL, reader, s);
	if (!err)
		err = -pthread_create(&s->writer, NULL, writer, s);
	return err;
}

/* The writer ends, and the reader when it has everything. */
void stream_close(struct stream *s)
{
	__atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
	pthread_join(s->writer, NULL);
	pthread_join(s->reader, NULL);
	close(s->rx);
	close(s->tx);
}

/* The reader stops after what it reads now, until it may go on. */
void stream_hold(struct stream *s, bool on)
{
	__atomic_store_n(&s->hold, on, __ATOMIC_RELAXED);
}

unsigned int stream_reads(struct stream *s)
{
	unsigned int n;

	pthread_mutex_lock(&s->lock);
	n = s->n;
	pthread_mutex_unlock(&s->lock);
	return n;
}

unsigned int stream_retransmitted(const struct stream *s)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(s->tx, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_total_retrans;
}
