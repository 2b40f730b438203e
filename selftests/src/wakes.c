// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wakes ID up|down WHAT [MS]: one TCP connection between mob and cor of path.sh
 * on which mob (up) or cor (down) writes for ever. Router ara becomes a black
 * hole for it, mob hands off to network b, and nothing gets through: what mob
 * sends is refused by its own module, what cor sends dies at ara.
 *
 *	outage MS	lets MS pass from the last byte on, and then until TCP's
 *			timer still has half of its time to run. Then both hosts
 *			are told: the path is whole. Says when the first data
 *			left by a tunnel, and when its first byte was read, in
 *			ms from then
 *	deadline MS	cor is told of ways that lead nowhere, one after the
 *			other. Says after how many ms without an acknowledgment
 *			which error ended the connection, whose TCP_USER_TIMEOUT
 *			is MS (0: none)
 *	closed		the reader does not read. When its window is closed, cor
 *			is told of WAYS ways that lead nowhere, then of the
 *			right one; and the reader reads on
 *
 * Prints one JSON object. Started by K10.sh, in the guest.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <linux/tcp.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hmmpnl.h"
#include "netns.h"
#include "rtnl.h"
#include "stream.h"

#define PORT		5201		/* firewalls let it in */
#define OWNER		0x77
#define LIMIT		(60 * NSEC_PER_SEC)
#define SETTLED		(600 * NSEC_PER_MSEC)	/* before the outage */
#define WATCHED		(300 * NSEC_PER_MSEC)	/* after its end */
#define TICK		NSEC_PER_MSEC
#define FLAP		(100 * NSEC_PER_MSEC)	/* from one way to the next */
#define WAYS		20
#define SOME		300000		/* bytes */
#define NAME		64
#define ESTABLISHED	1		/* tcpi_state */

static struct stream stream;
static struct stream_end from, to;
static char mob_name[NAME], cor_name[NAME], ara_name[NAME];
static in_addr_t a1, a2, ca, nobody[2];
static struct hmmpnl mob, cor;
static struct rtnl ara;
static uint32_t seq;			/* of cor's binding */
static int tap = -1;			/* sees what the writer's host sends */
static int64_t offset;			/* of its clock, ns */

static void die(const char *what, int err)
{
	fprintf(stderr, "wakes: %s: %s\n", what, strerror(-err));
	exit(1);
}

static void must(const char *what, int err)
{
	if (err < 0)
		die(what, err);
}

static struct tcp_info info(void)
{
	struct tcp_info i = { 0 };
	socklen_t len = sizeof(i);

	if (getsockopt(stream.tx, IPPROTO_TCP, TCP_INFO, &i, &len))
		die("TCP_INFO", -errno);
	return i;
}

static struct stream_read last_read(void)
{
	unsigned int n = stream_reads(&stream);

	return n ? stream.read[n - 1] : (struct stream_read){ 0 };
}

static int error_of(void)
{
	return __atomic_load_n(&stream.error, __ATOMIC_RELAXED);
}

/* --------------------------------------------------- what happens to it */

static void bind_to(in_addr_t current)
{
	const struct hmmpnl_binding b = {
		.original = a1, .current = current, .owner = OWNER,
		.seq = ++seq,
	};

	must("binding", hmmpnl_bind(&cor, &b));
}

static void accept_mob(void)
{
	must("peer", hmmpnl_peer(&mob, ca, OWNER, a2,
				 HMMP_PEER_STATE_ACCEPTED));
}

/* All that mob and cor say to each other natively is lost from now on. */
static void break_path(void)
{
	struct rtnl_route r = { .dst = a1, .bits = 32, .type = RTN_BLACKHOLE };

	must("route of ara", rtnl_route_add(&ara, &r));
	r.dst = ca;
	must("route of ara", rtnl_route_add(&ara, &r));
	must("hand-off", hmmpnl_handoff(&mob, a1, a2));
}

static void mend_path(void)
{
	struct rtnl_route r = { .dst = a1, .bits = 32, .type = RTN_BLACKHOLE };

	rtnl_route_del(&ara, &r);
	r.dst = ca;
	rtnl_route_del(&ara, &r);
	hmmpnl_unbind(&cor, a1, OWNER);
	hmmpnl_forget(&mob, a1);
	hmmpnl_peer(&mob, ca, OWNER, a2, HMMP_PEER_STATE_UNKNOWN);
}

/* The module sees a connection with its first packets. */
static void own(struct hmmpnl *h, int fd)
{
	uint64_t end = clock_now() + LIMIT;
	struct sockaddr_in l, r;
	socklen_t len = sizeof(l);
	int err;

	if (getsockname(fd, (struct sockaddr *)&l, &len) ||
	    getpeername(fd, (struct sockaddr *)&r, &len))
		die("names", -errno);
	do {
		clock_wait(clock_now() + TICK);
		err = hmmpnl_own(h, &l, &r, OWNER);
	} while (err == -ENOENT && clock_now() < end);
	must("owner", err);
}

static void open_all(const char *id, bool up)
{
	snprintf(mob_name, sizeof(mob_name), "mob-%s", id);
	snprintf(cor_name, sizeof(cor_name), "cor-%s", id);
	snprintf(ara_name, sizeof(ara_name), "ara-%s", id);
	a1 = inet_addr("10.1.0.10");
	a2 = inet_addr("10.2.0.10");
	nobody[0] = inet_addr("10.2.0.98");
	nobody[1] = inet_addr("10.2.0.99");
	ca = inet_addr("10.9.0.2");
	must(ara_name, rtnl_open(&ara, ara_name));
	must(mob_name, hmmpnl_open(&mob, mob_name));
	must(cor_name, hmmpnl_open(&cor, cor_name));
	mend_path();
	must("local", hmmpnl_at(&mob, a1, a1));
	from = up ? (struct stream_end){ mob_name, a1 } :
		    (struct stream_end){ cor_name, ca };
	to = up ? (struct stream_end){ cor_name, ca } :
		  (struct stream_end){ mob_name, a1 };
	must("stream", stream_open(&stream, &from, &to, PORT));
	own(up ? &mob : &cor, stream.tx);
	own(up ? &cor : &mob, stream.rx);
	clock_wait(clock_now() + SETTLED);
}

/* ------------------------------------------------- what leaves by a tunnel */

static void tap_open(void)
{
	int on = 1, bytes = 4 << 20;
	struct timespec real;

	must(from.netns, netns_enter(from.netns));
	tap = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		     htons(ETH_P_ALL));
	if (tap < 0 || setsockopt(tap, SOL_SOCKET, SO_TIMESTAMPNS, &on,
				  sizeof(on)) ||
	    setsockopt(tap, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		die("packet socket", -errno);
	clock_gettime(CLOCK_REALTIME, &real);
	offset = (int64_t)real.tv_sec * (int64_t)NSEC_PER_SEC + real.tv_nsec -
		 (int64_t)clock_now();
}

/* A TCP segment with data in IP in IP. */
static bool carries_data(const unsigned char *p, ssize_t len)
{
	const struct iphdr *outer = (const void *)p, *inner;
	const struct tcphdr *th;

	if (len < 60 || outer->version != 4 || outer->protocol != IPPROTO_IPIP)
		return false;
	inner = (const void *)(p + outer->ihl * 4);
	th = (const void *)((const unsigned char *)inner + inner->ihl * 4);
	return inner->protocol == IPPROTO_TCP &&
	       ntohs(inner->tot_len) > inner->ihl * 4 + th->doff * 4;
}

static uint64_t stamp_of(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	struct timespec t;

	if (!c || c->cmsg_type != SCM_TIMESTAMPNS)
		die("no time stamp", -EINVAL);
	memcpy(&t, CMSG_DATA(c), sizeof(t));
	return (uint64_t)((int64_t)t.tv_sec * (int64_t)NSEC_PER_SEC +
			  t.tv_nsec - offset);
}

/* When did the first data leave by a tunnel? 0: it has not. */
static uint64_t tap_first(void)
{
	unsigned char p[128] __attribute__((aligned(8)));
	unsigned char control[64] __attribute__((aligned(8)));
	struct sockaddr_ll ll;
	struct iovec iov = { p, sizeof(p) };
	struct msghdr m = {
		.msg_name = &ll, .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control,
	};
	ssize_t n;

	for (;;) {
		m.msg_namelen = sizeof(ll);
		m.msg_controllen = sizeof(control);
		n = recvmsg(tap, &m, 0);
		if (n < 0)
			return 0;
		if (ll.sll_pkttype == PACKET_OUTGOING && carries_data(p, n))
			return stamp_of(&m);
	}
}

/* ----------------------------------------------------------------- outage */

/* What is left of the timer that runs, ms; negative: not known. */
static int timer_left(const struct tcp_info *i)
{
	return i->tcpi_backoff ? (int)(i->tcpi_rto / 1000) -
				 (int)i->tcpi_last_data_sent : -1;
}

static struct tcp_info wait_outage(unsigned int ms)
{
	uint64_t end = clock_now() + LIMIT;
	struct tcp_info i;

	do {
		clock_wait(clock_now() + TICK);
		i = info();
		if (clock_now() > end)
			die("the timer does not run", -ETIMEDOUT);
	} while (clock_now() < last_read().at + ms * NSEC_PER_MSEC ||
		 timer_left(&i) < (int)(i.tcpi_rto / 2000));
	return i;
}

static double since(uint64_t at, uint64_t start)
{
	return at ? clock_ms(at) - clock_ms(start) : -1;
}

/*
 * The writer's host last. Not earlier than that: a packet that comes by the
 * tunnel tells mob as well as a word.
 */
static void tell_both(bool up)
{
	if (!up)
		accept_mob();
	bind_to(a2);
	if (up)
		accept_mob();
}

static void outage(unsigned int ms, bool up)
{
	uint64_t whole, sent = 0, end, last;
	struct tcp_info before;
	unsigned int n;

	break_path();
	before = wait_outage(ms);
	last = last_read().at;
	n = stream_reads(&stream);
	tap_open();
	whole = clock_now();
	tell_both(up);
	end = whole + LIMIT;
	while (clock_now() < end && (!sent || stream_reads(&stream) == n)) {
		clock_wait(clock_now() + TICK);
		if (!sent)
			sent = tap_first();
	}
	printf("{\"outage_ms\":%.0f,\"rto_ms\":%u,\"left_ms\":%d,"
	       "\"sent_ms\":%.1f,\"stall_ms\":%.1f",
	       since(whole, last), before.tcpi_rto / 1000,
	       timer_left(&before), since(sent, whole),
	       stream_reads(&stream) > n ?
	       since(stream.read[n].at, whole) : -1);
	clock_wait(clock_now() + WATCHED);
	stream_close(&stream);
	printf(",\"error\":%d,\"wrong\":%s}\n", stream.error,
	       stream.wrong ? "true" : "false");
}

/* --------------------------------------------- what the user of it has set */

static const char *error_name(void)
{
	return error_of() ? strerrorname_np(error_of()) : "none";
}

static void deadline(unsigned int ms)
{
	unsigned int quiet = 0, ways = 0;
	uint64_t next = clock_now();
	struct tcp_info i;

	if (ms && setsockopt(stream.tx, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms,
			     sizeof(ms)))
		die("TCP_USER_TIMEOUT", -errno);
	break_path();
	while (!error_of()) {
		i = info();
		if (i.tcpi_state == ESTABLISHED)
			quiet = i.tcpi_last_ack_recv;
		if (clock_now() >= next) {
			bind_to(nobody[ways++ % 2]);
			next = clock_now() + FLAP;
		}
		clock_wait(clock_now() + TICK);
	}
	printf("{\"error\":\"%s\",\"after_ms\":%u,\"ways\":%u}\n",
	       error_name(), quiet, ways);
}

static void closed(void)
{
	uint64_t bytes, end;
	unsigned int i;

	stream_hold(&stream, true);
	while (!info().tcpi_probes)
		clock_wait(clock_now() + TICK);
	break_path();
	for (i = 0; i < WAYS; i++) {
		bind_to(nobody[i % 2]);
		clock_wait(clock_now() + FLAP);
	}
	bytes = last_read().bytes;
	accept_mob();
	bind_to(a2);
	stream_hold(&stream, false);
	end = clock_now() + LIMIT;
	while (!error_of() && last_read().bytes < bytes + SOME &&
	       clock_now() < end)
		clock_wait(clock_now() + TICK);
	printf("{\"error\":\"%s\",\"more\":%s,\"ways\":%u}\n", error_name(),
	       last_read().bytes < bytes + SOME ? "false" : "true", i);
}

int main(int argc, char **argv)
{
	bool up = argc > 2 && !strcmp(argv[2], "up");

	if (argc < 4) {
		fputs("usage: wakes ID up|down WHAT [MS]\n", stderr);
		return 2;
	}
	open_all(argv[1], up);
	if (!strcmp(argv[3], "outage") && argc == 5)
		outage((unsigned int)atoi(argv[4]), up);
	else if (!strcmp(argv[3], "deadline") && argc == 5)
		deadline((unsigned int)atoi(argv[4]));
	else if (!strcmp(argv[3], "closed"))
		closed();
	mend_path();
	return 0;
}
