// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * churn: are dumps whole while what is dumped comes and goes? What is there all
 * the time must be in every dump exactly once, and nothing twice.
 *
 *	churn bindings N DUMPS OUTER DEVICE
 *			N bindings of scope host, while CLIENTS others bind,
 *			update, withdraw and dump, each by a socket of its own
 *	churn flows N DUMPS NETNS ADDRESS PORT
 *			N connections to a server that runs in NETNS, while
 *			others are opened and reset
 *	churn linear N DUMPS OUTER DEVICE
 *			no changes: the time of a dump of N bindings, and of
 *			four times as many
 *
 * Prints one JSON object. Started by K12.sh, in the guest.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "hmmpnl.h"
#include "netns.h"
#include "rtnl.h"

#define CLIENTS		6
#define OWN		200		/* bindings of a client, connections */
#define FIXED		0x0a400000u	/* 10.64.0.0: the first address */
#define OTHERS		0x0a600000u	/* 10.96.0.0 */
#define ANYWHERE	0x0a02000au	/* 10.2.0.10 */
#define MANY		8192
#define LISTENERS	4096
#define ENOUGH		20		/* changes */
#define LONGEST		(60 * NSEC_PER_SEC)

/**
 * struct seen - one dump
 * @key: of each object, sorted in the end
 * @n: how many
 */
struct seen {
	uint64_t key[MANY];
	unsigned int n;
};

static uint16_t key_attr;		/* what tells objects apart */
static bool key_is_address;
static struct hmmpnl_binding pattern;
static struct sockaddr_in server;
static bool stop;
static unsigned int changes, errors;

static void die(const char *what, int err)
{
	fprintf(stderr, "churn: %s: %s\n", what, strerror(-err));
	exit(1);
}

static void must(const char *what, int err)
{
	if (err < 0)
		die(what, err);
}

static void changed(int err)
{
	__atomic_add_fetch(err ? &errors : &changes, 1, __ATOMIC_RELAXED);
}

static bool few(void)
{
	return __atomic_load_n(&changes, __ATOMIC_RELAXED) <= ENOUGH;
}

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

/* ------------------------------------------------------------------ dumps */

static int on_object(const struct nlmsghdr *n, void *arg)
{
	struct seen *s = arg;
	const struct nlattr *a;

	mnl_attr_for_each(a, n, 4 /* struct genlmsghdr */)
		if (mnl_attr_get_type(a) == key_attr && s->n < MANY)
			s->key[s->n++] = key_is_address ?
				ntohl(mnl_attr_get_u32(a)) :
				mnl_attr_get_u64(a);
	return MNL_CB_OK;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int dump(struct hmmpnl *h, uint8_t cmd, struct seen *s)
{
	int err;

	s->n = 0;
	err = hmmpnl_dump(h, cmd, on_object, s);
	qsort(s->key, s->n, sizeof(s->key[0]), compare);
	return err;
}

static unsigned int count_twice(const struct seen *s)
{
	unsigned int i, n = 0;

	for (i = 1; i < s->n; i++)
		n += s->key[i] == s->key[i - 1];
	return n;
}

static unsigned int count_missing(const struct seen *s,
				  const struct seen *fixed)
{
	unsigned int i, n = 0;

	for (i = 0; i < fixed->n; i++)
		n += !bsearch(&fixed->key[i], s->key, s->n, sizeof(s->key[0]),
			      compare);
	return n;
}

/*
 * What is there now stays; then something else comes and goes, too. On a busy
 * machine that may begin late: so many dumps, and more until it has been seen.
 */
static void dump_often(struct hmmpnl *h, uint8_t cmd, unsigned int dumps,
		       const struct seen *fixed)
{
	unsigned int i, missing = 0, twice = 0, most = 0, least = MANY;
	uint64_t end = clock_now() + LONGEST;
	static struct seen s;

	for (i = 0; i < dumps || ((most <= least || few()) &&
				  clock_now() < end); i++) {
		must("dump", dump(h, cmd, &s));
		twice += count_twice(&s);
		missing += count_missing(&s, fixed);
		most = s.n > most ? s.n : most;
		least = s.n < least ? s.n : least;
	}
	printf("{\"dumps\":%u,\"fixed\":%u,\"least\":%u,\"most\":%u,"
	       "\"missing\":%u,\"twice\":%u,\"changes\":%u,\"errors\":%u}\n",
	       i, fixed->n, least, most, missing, twice,
	       __atomic_load_n(&changes, __ATOMIC_RELAXED),
	       __atomic_load_n(&errors, __ATOMIC_RELAXED));
}

/* --------------------------------------------------------------- bindings */

static int bind_one(struct hmmpnl *h, uint32_t original, uint32_t seq)
{
	struct hmmpnl_binding b = pattern;

	b.original = htonl(original);
	b.seq = seq;
	return hmmpnl_bind(h, &b);
}

/* One that binds and withdraws its own, or updates the fixed ones, or dumps. */
static void *client(void *arg)
{
	struct seen *s = malloc(sizeof(*s));
	unsigned int me = (unsigned int)(uintptr_t)arg, seq = 1, i;
	struct hmmpnl h;

	must("client", s ? hmmpnl_open(&h, NULL) : -ENOMEM);
	while (!stopped()) {
		seq++;
		for (i = 0; i < OWN && !stopped(); i++)
			changed(bind_one(&h, me % 3 ? OTHERS + me * OWN + i :
					 FIXED + me * OWN + i, seq));
		changed(dump(&h, HMMP_CMD_BINDING_GET, s));
		for (i = 0; me % 3 && i < OWN; i++)
			changed(hmmpnl_unbind(&h, htonl(OTHERS + me * OWN + i),
					      0));
	}
	hmmpnl_close(&h);
	free(s);
	return NULL;
}

static void bind_many(struct hmmpnl *h, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		must("binding", bind_one(h, FIXED + i, 1));
}

static void unbind_many(struct hmmpnl *h, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		must("withdrawal", hmmpnl_unbind(h, htonl(FIXED + i), 0));
}

static void bindings(unsigned int n, unsigned int dumps)
{
	static struct seen fixed;
	pthread_t t[CLIENTS];
	struct hmmpnl h;
	uintptr_t i;

	must("netlink", hmmpnl_open(&h, NULL));
	bind_many(&h, n);
	must("dump", dump(&h, HMMP_CMD_BINDING_GET, &fixed));
	for (i = 0; i < CLIENTS; i++)
		must("thread", -pthread_create(&t[i], NULL, client, (void *)i));
	dump_often(&h, HMMP_CMD_BINDING_GET, dumps, &fixed);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < CLIENTS; i++)
		pthread_join(t[i], NULL);
	unbind_many(&h, n);
}

/* Processor time of the shortest of some dumps, which includes the kernel's. */
static double time_of(struct hmmpnl *h, unsigned int dumps, unsigned int n)
{
	static struct seen s;
	struct timespec a, b;
	double ms, best = -1;
	unsigned int i;

	for (i = 0; i < dumps; i++) {
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
		s.n = 0;
		must("dump", hmmpnl_dump(h, HMMP_CMD_BINDING_GET, on_object,
					 &s));
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
		if (s.n != n)
			die("number of bindings", -EINVAL);
		ms = 1000.0 * (double)(b.tv_sec - a.tv_sec) +
		     (double)(b.tv_nsec - a.tv_nsec) / NSEC_PER_MSEC;
		best = best < 0 || ms < best ? ms : best;
	}
	return best;
}

static void linear(unsigned int n, unsigned int dumps)
{
	double one, four;
	struct hmmpnl h;

	must("netlink", hmmpnl_open(&h, NULL));
	bind_many(&h, n);
	one = time_of(&h, dumps, n);
	unbind_many(&h, n);
	bind_many(&h, 4 * n);
	four = time_of(&h, dumps, 4 * n);
	unbind_many(&h, 4 * n);
	printf("{\"n\":%u,\"ms\":%.2f,\"ms_of_four\":%.2f}\n", n, one, four);
}

/* ------------------------------------------------------------ connections */

/* Accepts, and closes what the other end has closed. */
static void *serve(void *arg)
{
	struct epoll_event e = { .events = EPOLLIN }, got[64];
	int fd = (int)(intptr_t)arg, all = epoll_create1(EPOLL_CLOEXEC);
	int i, n, c;

	e.data.fd = fd;
	epoll_ctl(all, EPOLL_CTL_ADD, fd, &e);
	while (!stopped()) {
		n = epoll_wait(all, got, 64, 100);
		for (i = 0; i < n; i++) {
			if (got[i].data.fd != fd) {
				close(got[i].data.fd);
				continue;
			}
			c = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
			e.data.fd = c;
			if (c >= 0)
				epoll_ctl(all, EPOLL_CTL_ADD, c, &e);
		}
	}
	return NULL;
}

static int listen_in(const char *netns)
{
	int fd, on = 1;

	must(netns, netns_enter(netns));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
				 sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&server, sizeof(server)) ||
	    listen(fd, LISTENERS))
		die("listen", -errno);
	return fd;
}

/* A reset at its end: no TIME-WAIT. */
static int connect_one(void)
{
	const struct linger now = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_LINGER, &now,
				 sizeof(now)) ||
	    connect(fd, (struct sockaddr *)&server, sizeof(server)))
		die("connect", -errno);
	return fd;
}

static void *come_and_go(void *arg)
{
	unsigned int i, n;
	int fd[OWN];

	while (!stopped()) {
		for (n = 0; n < OWN && !stopped(); n++) {
			fd[n] = connect_one();
			changed(0);
		}
		for (i = 0; i < n; i++) {
			close(fd[i]);
			changed(0);
		}
	}
	return NULL;
}

static void flows(unsigned int n, unsigned int dumps, int fd)
{
	static struct seen fixed;
	pthread_t t, at_server;
	struct hmmpnl h;
	unsigned int i;

	must("thread", -pthread_create(&at_server, NULL, serve,
				       (void *)(intptr_t)fd));
	for (i = 0; i < n; i++)
		connect_one();
	must("netlink", hmmpnl_open(&h, NULL));
	must("dump", dump(&h, HMMP_CMD_FLOW_GET, &fixed));
	must("thread", -pthread_create(&t, NULL, come_and_go, NULL));
	dump_often(&h, HMMP_CMD_FLOW_GET, dumps, &fixed);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	pthread_join(at_server, NULL);
}

int main(int argc, char **argv)
{
	unsigned int n, dumps;
	int fd, home;

	if (argc < 6)
		return 2;
	n = (unsigned int)atoi(argv[2]);
	dumps = (unsigned int)atoi(argv[3]);
	if (strcmp(argv[1], "flows")) {
		key_attr = HMMP_A_BINDING_ORIGINAL;
		key_is_address = true;
		pattern.current = htonl(ANYWHERE);
		pattern.outer = inet_addr(argv[4]);
		pattern.ifindex = if_nametoindex(argv[5]);
		if (!strcmp(argv[1], "linear"))
			linear(n, dumps);
		else
			bindings(n, dumps);
		return 0;
	}
	if (argc != 7)
		return 2;
	key_attr = HMMP_A_FLOW_ID;
	server.sin_family = AF_INET;
	server.sin_addr.s_addr = inet_addr(argv[5]);
	server.sin_port = htons(atoi(argv[6]));
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	fd = listen_in(argv[4]);
	if (home < 0 || setns(home, CLONE_NEWNET))
		die("namespace", -errno);
	flows(n, dumps, fd);
	return 0;
}
