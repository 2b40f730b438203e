// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * handoffs ID PAIRS SEED [ideal]: hand-offs of a TCP stream from ca to mob, in pairs:
 * one by a scripted ideal switch, one by HMMP, after the same break, made here
 * in one process by netlink: the old link goes down and its address away, some
 * time passes (the outage), the new link comes up and, when it is running, gets
 * its address and default route. That is the moment "usable".
 *
 *	ideal	both ends have an ipip tunnel for each network, and addresses
 *		inside that stay. When usable, mob's route goes to the new
 *		tunnel, the time that one message needs to reach ca passes, ca's
 *		route goes there, and the writer's socket is woken (kick.c).
 *		No message is sent, nothing is checked.
 *	HMMP	the agents do what they do. Nothing is done here.
 *
 * ID is the suffix of the namespaces of topology.sh; tunnels tun1 to tun3 are
 * made by the scenario. "ideal" leaves ours out. Prints a JSON object a hand-off, times in ms.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "kick.h"
#include "netns.h"
#include "rtnl.h"
#include "stream.h"

#define PORT		5201		/* firewalls let it in */
#define ONE_WAY		(10 * NSEC_PER_MSEC)
#define SETTLED		(1000 * NSEC_PER_MSEC)	/* before the break */
#define WATCHED		(600 * NSEC_PER_MSEC)	/* after the first byte */
#define BETWEEN		(300 * NSEC_PER_MSEC)
#define LIMIT		(20 * NSEC_PER_SEC)
#define RTO_MIN		20			/* ms, see kick.c */
#define NETS		3
#define NAME		64

/**
 * struct network - what mob moves between
 * @addr: mob's address there
 * @gateway: and its router's
 * @ifindex: mob's interface to it
 * @near: the tunnel that starts there, in mob
 * @far: its other end, in ca
 * @router: the access router's namespace
 */
struct network {
	in_addr_t addr;
	in_addr_t gateway;
	unsigned int ifindex;
	unsigned int near;
	unsigned int far;
	struct rtnl router;
};

/**
 * struct move - one hand-off
 * @ideal: by the ideal switch, else by HMMP
 * @from: index of the old network
 * @to: and of the new one
 * @outage: ns that pass without a network
 * @broken: when the old link went down
 * @usable: when the new address was usable
 * @kick: result of kick_send()
 */
struct move {
	bool ideal;
	unsigned int from;
	unsigned int to;
	uint64_t outage;
	uint64_t broken;
	uint64_t usable;
	int kick;
};

static const unsigned int outages[] = { 0, 300, 1000 };	/* ms */

static struct network nets[NETS];
static struct rtnl mob, ca;
static int any_socket;			/* in mob */
static char mob_name[NAME], ca_name[NAME];
static in_addr_t server, inner_mob, inner_ca;
static uint64_t start;
static struct stream stream;

static void die(const char *what, int err)
{
	fprintf(stderr, "handoffs: %s: %s\n", what, strerror(-err));
	exit(1);
}

static void must(const char *what, int err)
{
	if (err < 0)
		die(what, err);
}

/* --------------------------------------------------------- the networks */

static unsigned int index_of(const char *name)
{
	unsigned int i = if_nametoindex(name);

	if (!i)
		die(name, -errno);
	return i;
}

static in_addr_t address(unsigned int a, unsigned int b, unsigned int d)
{
	return htonl(10u << 24 | a << 16 | b << 8 | d);
}

static void open_nets(const char *id)
{
	char name[NAME];
	unsigned int i;

	snprintf(mob_name, sizeof(mob_name), "mob-%s", id);
	snprintf(ca_name, sizeof(ca_name), "ca-%s", id);
	server = address(9, 1, 2);
	inner_mob = address(8, 0, 1);
	inner_ca = address(8, 0, 2);
	must(mob_name, rtnl_open(&mob, mob_name));
	any_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must("socket", any_socket < 0 ? -errno : 0);
	for (i = 0; i < NETS; i++) {
		nets[i].addr = address(i + 1, 0, 50);
		nets[i].gateway = address(i + 1, 0, 1);
		snprintf(name, sizeof(name), "w%c", 'a' + i);
		nets[i].ifindex = index_of(name);
		snprintf(name, sizeof(name), "tun%u", i + 1);
		nets[i].near = index_of(name);
	}
	must(ca_name, rtnl_open(&ca, ca_name));
	for (i = 0; i < NETS; i++) {
		snprintf(name, sizeof(name), "tun%u", i + 1);
		nets[i].far = index_of(name);
	}
	for (i = 0; i < NETS; i++) {
		snprintf(name, sizeof(name), "ar%c-%s", 'a' + i, id);
		must(name, rtnl_open(&nets[i].router, name));
	}
}

/* The router is silent about an address of its network, or knows it again. */
static void silence(struct network *n, bool on)
{
	struct rtnl_route r = {
		.dst = n->addr, .bits = 32, .type = RTN_BLACKHOLE,
	};
	int err;

	err = on ? rtnl_route_add(&n->router, &r) :
		   rtnl_route_del(&n->router, &r);
	if (err != -ESRCH)
		must("route of a router", err);
}

static void leave(struct network *n)
{
	silence(n, true);
	must("link down", rtnl_link(&mob, n->ifindex, false));
	must("address away", rtnl_addr(&mob, n->ifindex, n->addr, false));
}

/*
 * What gives addresses to hosts waits for this too. The kernel says so a little
 * later than that the link is up, and an agent may go by it.
 */
static void wait_running(const struct network *n)
{
	uint64_t end = clock_now() + LIMIT;
	struct ifreq r = { .ifr_name = "wa" };

	r.ifr_name[1] = (char)('a' + (n - nets));
	for (;;) {
		must("state of a link",
		     ioctl(any_socket, SIOCGIFFLAGS, &r) ? -errno : 0);
		if (r.ifr_flags & IFF_RUNNING)
			return;
		if (clock_now() > end)
			die("link is not running", -ETIMEDOUT);
		clock_wait(clock_now() + NSEC_PER_MSEC / 4);
	}
}

static void enter(struct network *n)
{
	struct rtnl_route r = {
		.type = RTN_UNICAST, .gateway = n->gateway,
		.ifindex = n->ifindex,
	};

	silence(n, false);
	must("link up", rtnl_link(&mob, n->ifindex, true));
	wait_running(n);
	must("address", rtnl_addr(&mob, n->ifindex, n->addr, true));
	must("default route", rtnl_route_add(&mob, &r));
}

/* ------------------------------------------------------ the ideal switch */

static struct rtnl_route inner_route(bool near, const struct network *n)
{
	return (struct rtnl_route) {
		.dst = near ? inner_ca : inner_mob,
		.bits = 32,
		.type = RTN_UNICAST,
		.source = near ? inner_mob : inner_ca,
		.ifindex = near ? n->near : n->far,
		.rto_min = RTO_MIN,
	};
}

static void switch_route(struct rtnl *r, bool near, const struct network *n)
{
	struct rtnl_route route = inner_route(near, n);

	must("route into a tunnel", rtnl_route_add(r, &route));
}

/* New routes, that remember no MTU. */
static void forget_routes(void)
{
	struct rtnl_route route = {
		.dst = inner_ca, .bits = 32, .type = RTN_UNICAST,
	};

	rtnl_route_del(&mob, &route);
	route.dst = inner_mob;
	rtnl_route_del(&ca, &route);
}

static void switch_ideally(struct move *m, const struct kick *k)
{
	switch_route(&mob, true, &nets[m->to]);
	clock_wait(clock_now() + ONE_WAY);
	switch_route(&ca, false, &nets[m->to]);
	m->kick = kick_send(k, &stream);
}

/* ---------------------------------------------------------- measurements */

/**
 * struct stall - what the reader felt
 * @first: when it read the first byte after "usable", 0: never
 * @gap: time since the read before
 * @again: longest time without a byte afterwards
 */
struct stall {
	uint64_t first;
	uint64_t gap;
	uint64_t again;
};

/*
 * Nothing arrives between "broken" and "usable": both links are down. Nor does
 * anything within a one-way delay after it, for nobody could know where to send
 * it: what is read then had arrived before, and the reader is late.
 */
static bool find_stall(const struct move *m, struct stall *s)
{
	unsigned int n = stream_reads(&stream), i;
	const struct stream_read *r = stream.read;

	memset(s, 0, sizeof(*s));
	for (i = 1; i < n; i++) {
		uint64_t gap = r[i].at - r[i - 1].at;

		if (r[i].at <= m->usable + ONE_WAY)
			continue;
		if (!s->first) {
			s->first = r[i].at;
			s->gap = gap;
		} else if (gap > s->again) {
			s->again = gap;
		}
	}
	return s->first;
}

static bool wait_stall(const struct move *m, struct stall *s)
{
	uint64_t end = m->usable + LIMIT;

	while (clock_now() < end) {
		clock_wait(clock_now() + WATCHED / 4);
		if (find_stall(m, s) && clock_now() > s->first + WATCHED)
			return true;
	}
	return find_stall(m, s);
}

static double since_start(uint64_t at)
{
	return at ? clock_ms(at - start) : -1;
}

static void print_move(const struct move *m, const struct stall *s,
		       unsigned int pair, unsigned int outage,
		       unsigned int retransmitted)
{
	printf("{\"pair\":%u,\"system\":\"%s\",\"from\":\"%c\",\"to\":\"%c\","
	       "\"outage_ms\":%u,\"broken_ms\":%.3f,\"usable_ms\":%.3f,",
	       pair, m->ideal ? "reference" : "hmmp", 'a' + m->from,
	       'a' + m->to, outage, since_start(m->broken),
	       since_start(m->usable));
	if (s->first)
		printf("\"first_byte_ms\":%.3f,\"stall_ms\":%.3f,"
		       "\"gap_ms\":%.3f,\"again_ms\":%.3f,",
		       since_start(s->first), clock_ms(s->first - m->usable),
		       clock_ms(s->gap), clock_ms(s->again));
	printf("\"retransmitted\":%u,\"kick\":%d,\"lost\":%s,\"error\":%d}\n",
	       retransmitted, m->kick,
	       !s->first || stream.wrong ? "true" : "false", stream.error);
	fflush(stdout);
}

/*
 * A connection follows only if its peer's agent knows of it, which takes some
 * round trips from its birth.
 */
static void wait_claimed(const struct stream_end *to)
{
	uint64_t end = clock_now() + LIMIT;
	char cmd[160], addr[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &to->addr, addr, sizeof(addr));
	snprintf(cmd, sizeof(cmd),
		 "hmmpctl -j flows --local %s | jq -e 'any(.[]; .owner != null and .state == \"established\")' >&2",
		 addr);
	must(mob_name, netns_enter(mob_name));
	while (system(cmd)) {
		if (clock_now() > end)
			die("the agents do not know the connection",
			    -ETIMEDOUT);
		clock_wait(clock_now() + BETWEEN);
	}
}

/* A new stream, one hand-off, its end. */
static void run(struct move *m, unsigned int pair, unsigned int outage)
{
	const struct stream_end from = { ca_name, m->ideal ? inner_ca : server };
	const struct stream_end to = { mob_name, m->ideal ? inner_mob :
				       nets[m->from].addr };
	unsigned int retransmitted;
	struct kick k = { .raw = -1 };
	struct stall s;

	if (m->ideal) {
		forget_routes();
		switch_route(&mob, true, &nets[m->from]);
		switch_route(&ca, false, &nets[m->from]);
		must("socket for ICMP", kick_open(&k, &from, &to));
	}
	must("stream", stream_open(&stream, &from, &to, PORT));
	if (!m->ideal)
		wait_claimed(&to);
	clock_wait(clock_now() + SETTLED);
	retransmitted = stream_retransmitted(&stream);
	m->broken = clock_now();
	leave(&nets[m->from]);
	if (m->outage)
		clock_wait(m->broken + m->outage);
	enter(&nets[m->to]);
	m->usable = clock_now();
	if (m->ideal)
		switch_ideally(m, &k);
	wait_stall(m, &s);
	retransmitted = stream_retransmitted(&stream) - retransmitted;
	stream_close(&stream);
	if (m->ideal)
		kick_close(&k);
	print_move(m, &s, pair, outage, retransmitted);
	clock_wait(clock_now() + BETWEEN);
}

/* What the ideal switch takes here and now, without agents. */
static void run_ideal(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct move m = {
			.ideal = true,
			.from = i % NETS,
			.to = (i + 1) % NETS,
			.outage = 1000 * NSEC_PER_MSEC,
		};

		run(&m, i + 1, 1000);
	}
}

/* Both of a pair have the same outage, a fifth more or less than its name. */
static void run_pairs(unsigned int pairs, unsigned int seed)
{
	const unsigned int kinds = sizeof(outages) / sizeof(outages[0]);
	unsigned int i, at = 0;

	for (i = 0; i < 2 * pairs; i++) {
		unsigned int ms = outages[i / 2 % kinds];
		unsigned int dice = seed ^ (i / 2 + 1) * 2654435761u;
		struct move m = {
			.ideal = i % 2 == 0,
			.from = at,
			.to = (at + 1) % NETS,
		};

		m.outage = ms * NSEC_PER_MSEC / 1000 *
			   (800 + (unsigned int)rand_r(&dice) % 400);
		run(&m, i / 2 + 1, ms);
		at = m.to;
	}
}

int main(int argc, char **argv)
{
	bool ideal = argc == 5 && !strcmp(argv[4], "ideal");

	if (argc != 4 && !ideal) {
		fprintf(stderr, "usage: handoffs ID PAIRS SEED [ideal]\n");
		return 2;
	}
	start = clock_now();
	open_nets(argv[1]);
	if (ideal)
		run_ideal((unsigned int)atoi(argv[2]));
	else
		run_pairs((unsigned int)atoi(argv[2]),
			  (unsigned int)atoi(argv[3]));
	return 0;
}
