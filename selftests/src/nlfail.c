// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks the module for everything it can do while the first, the second, ...
 * allocation of that request fails, until all have failed once. A request that
 * is refused must be refused for want of memory and have changed nothing; one
 * that the kernel carried out all the same must have changed what it says, and
 * is taken back. Only the answer may get lost (ENOBUFS): then it is either.
 * Prints TAP without a plan.
 *
 *	nlfail LOCAL REMOTE RPORT LPORT...
 *
 * The first connection is tracked, the others are not yet.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include <linux/hmmp.h>

#include "failnth.h"
#include "nlask.h"
#include "nlstate.h"

#define OWNER	0x1234u
#define MANY	2000		/* allocations of a request */
#define B(name)	HMMP_A_BINDING_##name
#define L(name)	HMMP_A_LOCAL_##name

typedef struct nlmsghdr *(*request_t)(char *buf);

/**
 * struct test - a request
 * @name: for people
 * @make: builds it
 * @undo: takes it back, NULL if it changes nothing
 * @first: what has to be there
 * @last: takes @first back
 */
struct test {
	const char *name;
	request_t make;
	void (*undo)(void);
	request_t first;
	request_t last;
};

static in_addr_t local_ip, remote_ip, other_ip, third_ip;
static uint16_t rport;
static char **lport;		/* of the connection in question */
static bool failed;

static void point(bool good, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void point(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%sok - ", good ? "" : "not ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	failed |= !good;
}

/* -------------------------------------------------------------- requests */

static struct nlmsghdr *start(char *buf, uint8_t cmd)
{
	return nl_start(buf, nl_family, cmd);
}

static void put_ip(struct nlmsghdr *h, uint16_t attr, in_addr_t ip)
{
	mnl_attr_put(h, attr, sizeof(ip), &ip);
}

static struct nlmsghdr *flow(char *buf, uint8_t cmd)
{
	struct nlmsghdr *h = start(buf, cmd);

	put_ip(h, HMMP_A_FLOW_LOCAL_ADDR, local_ip);
	mnl_attr_put_u16(h, HMMP_A_FLOW_LOCAL_PORT, htons(atoi(*lport)));
	put_ip(h, HMMP_A_FLOW_REMOTE_ADDR, remote_ip);
	mnl_attr_put_u16(h, HMMP_A_FLOW_REMOTE_PORT, rport);
	return h;
}

static struct nlmsghdr *info_get(char *buf)
{
	return start(buf, HMMP_CMD_INFO_GET);
}

static struct nlmsghdr *flow_get(char *buf)
{
	return flow(buf, HMMP_CMD_FLOW_GET);
}

static struct nlmsghdr *flow_new(char *buf)
{
	return flow(buf, HMMP_CMD_FLOW_NEW);
}

static struct nlmsghdr *own(char *buf)
{
	struct nlmsghdr *h = flow(buf, HMMP_CMD_FLOW_SET);

	mnl_attr_put_u64(h, HMMP_A_FLOW_OWNER, OWNER);
	return h;
}

static struct nlmsghdr *disown(char *buf)
{
	struct nlmsghdr *h = flow(buf, HMMP_CMD_FLOW_SET);

	mnl_attr_put_u64(h, HMMP_A_FLOW_OWNER, 0);
	return h;
}

static struct nlmsghdr *dump(char *buf, uint8_t cmd)
{
	struct nlmsghdr *h = start(buf, cmd);

	h->nlmsg_flags |= NLM_F_DUMP;
	return h;
}

static struct nlmsghdr *flow_dump(char *buf)
{
	return dump(buf, HMMP_CMD_FLOW_GET);
}

static struct nlmsghdr *binding_dump(char *buf)
{
	return dump(buf, HMMP_CMD_BINDING_GET);
}

static struct nlmsghdr *local_dump(char *buf)
{
	return dump(buf, HMMP_CMD_LOCAL_GET);
}

static struct nlmsghdr *peer_dump(char *buf)
{
	return dump(buf, HMMP_CMD_PEER_GET);
}

/* The far end's binding for the owner's flows, or another host's for all. */
static struct nlmsghdr *binding_key(char *buf, uint8_t cmd, bool host)
{
	struct nlmsghdr *h = start(buf, cmd);

	mnl_attr_put_u32(h, B(SCOPE), host ? HMMP_SCOPE_HOST : HMMP_SCOPE_FLOW);
	put_ip(h, B(ORIGINAL), host ? other_ip : remote_ip);
	if (!host)
		mnl_attr_put_u64(h, B(OWNER), OWNER);
	return h;
}

static struct nlmsghdr *bind_to(char *buf, in_addr_t current, bool host)
{
	struct nlmsghdr *h = binding_key(buf, HMMP_CMD_BINDING_NEW, host);
	static uint32_t seq;

	put_ip(h, B(CURRENT), current);
	put_ip(h, B(LOCAL_OUTER), local_ip);
	mnl_attr_put_u32(h, B(ENCAP), HMMP_ENCAP_IPIP);
	mnl_attr_put_u32(h, B(LIFETIME), 3600000);
	mnl_attr_put_u32(h, B(SEQ), ++seq);
	if (host)
		mnl_attr_put_u32(h, B(IFINDEX), 1);
	return h;
}

static struct nlmsghdr *bind_flows(char *buf)
{
	return bind_to(buf, other_ip, false);
}

static struct nlmsghdr *bind_on_credit(char *buf)
{
	struct nlmsghdr *h = bind_to(buf, third_ip, false);

	mnl_attr_put_u32(h, B(STATUS), HMMP_STATUS_PROVISIONAL);
	mnl_attr_put_u64(h, B(CREDIT), 1000);
	return h;
}

static struct nlmsghdr *bind_host(char *buf)
{
	return bind_to(buf, remote_ip, true);
}

static struct nlmsghdr *bind_held(char *buf)
{
	struct nlmsghdr *h = bind_to(buf, remote_ip, true);

	mnl_attr_put_u32(h, B(FLAGS), HMMP_BINDING_FLAGS_BUFFER);
	return h;
}

static struct nlmsghdr *binding_get(char *buf)
{
	return binding_key(buf, HMMP_CMD_BINDING_GET, false);
}

static struct nlmsghdr *unbind_flows(char *buf)
{
	return binding_key(buf, HMMP_CMD_BINDING_DEL, false);
}

static struct nlmsghdr *unbind_host(char *buf)
{
	return binding_key(buf, HMMP_CMD_BINDING_DEL, true);
}

static struct nlmsghdr *release(char *buf)
{
	return binding_key(buf, HMMP_CMD_RELEASE, true);
}

static struct nlmsghdr *at_home(char *buf)
{
	struct nlmsghdr *h = start(buf, HMMP_CMD_LOCAL_SET);

	put_ip(h, L(ORIGINAL), local_ip);
	put_ip(h, L(CURRENT), local_ip);
	mnl_attr_put_u32(h, L(IFINDEX), 1);
	return h;
}

static struct nlmsghdr *at_via(char *buf)
{
	struct nlmsghdr *h = at_home(buf);

	put_ip(h, L(VIA_LOCAL), other_ip);
	put_ip(h, L(VIA_REMOTE), remote_ip);
	mnl_attr_put_u32(h, L(VIA_ENCAP), HMMP_ENCAP_IPIP);
	mnl_attr_put_u32(h, L(VIA_LIFETIME), 3600000);
	return h;
}

static struct nlmsghdr *forget(char *buf)
{
	struct nlmsghdr *h = start(buf, HMMP_CMD_LOCAL_DEL);

	put_ip(h, L(ORIGINAL), local_ip);
	return h;
}

static struct nlmsghdr *hand_off(char *buf)
{
	struct nlmsghdr *h = start(buf, HMMP_CMD_HANDOFF);

	put_ip(h, HMMP_A_HANDOFF_OLD, local_ip);
	put_ip(h, HMMP_A_HANDOFF_NEW, other_ip);
	return h;
}

static struct nlmsghdr *peer(char *buf, uint32_t state)
{
	struct nlmsghdr *h = start(buf, HMMP_CMD_PEER_SET);

	put_ip(h, HMMP_A_PEER_REMOTE, remote_ip);
	mnl_attr_put_u64(h, HMMP_A_PEER_OWNER, OWNER);
	put_ip(h, HMMP_A_PEER_CURRENT, local_ip);
	mnl_attr_put_u32(h, HMMP_A_PEER_STATE, state);
	return h;
}

static struct nlmsghdr *peer_accepts(char *buf)
{
	return peer(buf, HMMP_PEER_STATE_ACCEPTED);
}

static struct nlmsghdr *peer_refuses(char *buf)
{
	return peer(buf, HMMP_PEER_STATE_REFUSED);
}

static struct nlmsghdr *limit(char *buf, uint32_t peers)
{
	struct nlmsghdr *h = start(buf, HMMP_CMD_LIMITS_SET);

	mnl_attr_put_u32(h, HMMP_A_LIMITS_PEERS, peers);
	return h;
}

static struct nlmsghdr *limit_low(char *buf)
{
	return limit(buf, 100);
}

static struct nlmsghdr *limit_high(char *buf)
{
	return limit(buf, 16384);
}

/* ------------------------------------------------- what takes them back */

static void must(request_t make)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];

	errno = nl_ask(make(buf), NULL, NULL);
	if (errno)
		die("a request without a failure");
}

static void un_own(void) { must(disown); }
static void un_bind(void) { must(unbind_flows); }
static void un_bind_host(void) { must(unbind_host); }
static void re_bind(void) { must(bind_flows); }
static void re_hold(void) { must(bind_held); }
static void un_limit(void) { must(limit_high); }
static void un_peer(void) { must(peer_refuses); }
static void re_home(void) { must(at_home); }
static void un_home(void) { must(forget); }
static void next_connection(void) { lport++; }

static void back_home(void)
{
	must(forget);
	must(at_home);
}

/* A host that was bound without a buffer: nothing takes a buffer away. */
static void un_hold(void)
{
	must(unbind_host);
	must(bind_host);
}

/* A peer goes when its owner has no flow any more. */
static void no_peer(void)
{
	const struct timespec tick = { .tv_nsec = 20000000 };
	static struct state s;
	int i;

	must(disown);
	for (i = 0; i < 3000; i++) {
		state_read(&s);
		if (!state_count(&s, HMMP_CMD_PEER_GET))
			break;
		nanosleep(&tick, NULL);
	}
	must(own);
}

/* --------------------------------------------------------------- failing */

/* The answer of a request whose n-th allocation fails; *hit: there was one. */
static int ask_failing(request_t make, unsigned int n, bool *hit)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *h;
	int err;

	nl_open();
	h = make(buf);
	fail_arm(n);
	err = nl_ask(h, NULL, NULL);
	*hit = !fail_disarm();
	nl_open();	/* what is left of a dump, or an answer */
	return err;
}

static bool no_memory(int err)
{
	return err == ENOMEM || err == ENOBUFS;
}

/* Every allocation of one request. */
static void each(const struct test *t)
{
	static struct state before, after, now;
	unsigned int n, refused = 0, done = 0;
	bool hit = true, same, changed, good = true;
	int err;

	if (t->first)
		must(t->first);
	state_read(&before);
	must(t->make);
	state_read(&after);
	if (t->undo)
		t->undo();
	for (n = 1; hit && good && n < MANY; n++) {
		err = ask_failing(t->make, n, &hit);
		state_read(&now);
		same = state_equal(&now, &before);
		changed = !t->undo || !same;
		if (changed && t->undo != next_connection)
			changed = state_equal(&now, &after);
		if (!err && changed)
			done++;
		else if (no_memory(err) && hit && same)
			refused++;
		else if (err != ENOBUFS || !changed)
			good = false;
		if (good && t->undo && !same)
			t->undo();
		if (t->undo == next_connection)
			before = now;	/* it stays tracked */
	}
	if (t->last)
		must(t->last);
	point(good && !hit && refused,
	      "%s: of %u allocations, %u refused, %u done all the same%s%s%s",
	      t->name, n - 2, refused, done - 1, good ? "" : "; the last: ",
	      good ? "" : strerror(err),
	      good ? "" : same ? ", and nothing has changed" : ", and changed");
}

static const struct test tests[] = {
	{ "what it is", info_get },
	{ "limits", limit_low, un_limit },
	{ "a flow", flow_get },
	{ "flows", flow_dump },
	{ "an owner", own, un_own },
	{ "a binding", bind_flows, un_bind, own },
	{ "a binding on credit", bind_on_credit, un_bind },
	{ "a changed binding", bind_on_credit, re_bind, bind_flows },
	{ "a known binding", binding_get },
	{ "bindings", binding_dump },
	{ "the end of a binding", unbind_flows, re_bind, NULL, unbind_flows },
	{ "a host", bind_host, un_bind_host },
	{ "a held host", bind_held, un_bind_host },
	{ "a host that is held now", bind_held, un_hold, bind_host },
	{ "a release", release, re_hold, bind_held },
	{ "the end of a held host", unbind_host, re_hold, bind_held,
	  unbind_host },
	{ "a local address", at_home, un_home },
	{ "another tunnel", at_via, back_home, at_home },
	{ "a hand-off", hand_off, back_home },
	{ "local addresses", local_dump },
	{ "the end of a local address", forget, re_home, NULL, forget },
	{ "a peer", peer_accepts, no_peer },
	{ "a changed peer", peer_accepts, un_peer, peer_refuses },
	{ "peers", peer_dump, NULL, NULL, disown },
};

/* The first request of a namespace starts the module there. */
static void start_of_namespace(unsigned int n)
{
	static struct state before, now;
	bool hit, same;
	int err;

	if (unshare(CLONE_NEWNET))
		die("unshare");
	fail_open();
	nl_open();
	state_read(&before);
	err = ask_failing(limit_high, n, &hit);
	state_read(&now);
	same = state_equal(&before, &now);
	if (hit && same && no_memory(err))
		must(limit_high);
	else if (same || (err && err != ENOBUFS))
		_exit(3);
	_exit(!hit ? 2 : same);
}

static void each_namespace(void)
{
	unsigned int n, count[4] = { 0 };
	int status = 0;
	pid_t pid;

	for (n = 1; !count[2] && !count[3] && n < MANY; n++) {
		fflush(stdout);
		pid = fork();
		if (pid < 0)
			die("fork");
		if (!pid)
			start_of_namespace(n);
		waitpid(pid, &status, 0);
		count[WIFEXITED(status) ? WEXITSTATUS(status) & 3 : 3]++;
	}
	point(count[1] && count[2] && !count[3],
	      "the start in a namespace: of %u allocations, %u refused, %u done all the same",
	      n - 2, count[1], count[0]);
}

int main(int argc, char **argv)
{
	const struct test take = { "an older connection", flow_new,
				   next_connection };
	struct mnl_socket *listener;
	size_t i;

	if (argc < 6) {
		fprintf(stderr, "usage: nlfail LOCAL REMOTE RPORT LPORT...\n");
		return 2;
	}
	local_ip = inet_addr(argv[1]);
	remote_ip = inet_addr(argv[2]);
	other_ip = inet_addr("10.77.0.1");
	third_ip = inet_addr("10.77.0.2");
	rport = htons(atoi(argv[3]));
	lport = argv + 4;
	nl_open();
	fail_open();
	listener = mnl_socket_open(NETLINK_GENERIC);
	if (!listener || mnl_socket_bind(listener, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_setsockopt(listener, NETLINK_ADD_MEMBERSHIP,
				  &(int){ nl_group }, sizeof(int)))
		die("no events");
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		each(&tests[i]);
	lport++;
	each(&take);
	each_namespace();
	return failed;
}
