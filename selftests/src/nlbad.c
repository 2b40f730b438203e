// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Says wrong things to the module, one at a time: every attribute of every
 * command missing, short, long, out of range and of the wrong family; what does
 * not fit together; and everything without the right to. Each has to be refused
 * with the expected error and with a sentence. Prints TAP; the scenario looks
 * whether anything has changed.
 *
 *	nlbad LOCAL LPORT REMOTE RPORT	the ends of a connection that is tracked
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nlask.h"
#include "nlbad.h"

/* What to do to one attribute of a request. */
enum harm { NONE, MISSING, SHORT, LONG, RANGE, FAMILY, NULL_ADDR };

static in_addr_t local_ip, remote_ip;
static unsigned int tests, failures;

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void point(bool good, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void point(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %u - ", good ? "" : "not ", ++tests);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	failures += !good;
}

/* -------------------------------------------------------------- requests */

static bool is_addr(const struct attr *a)
{
	return a->kind == ADDR || a->kind == ADDR_ANY;
}

static void put_addr(struct nlmsghdr *h, const struct attr *a, enum harm harm)
{
	const uint8_t v6[16] = { 0x20, 0x01, 0xd, 0xb8, [15] = 1 };
	in_addr_t ip[] = { local_ip, remote_ip, inet_addr("10.77.0.1") };
	uint8_t long_addr[20] = { 10 };

	switch (harm) {
	case SHORT:
		mnl_attr_put(h, a->type, 3, &ip[a->good]);
		break;
	case LONG:
		mnl_attr_put(h, a->type, sizeof(long_addr), long_addr);
		break;
	case RANGE:		/* neither family */
		mnl_attr_put(h, a->type, 7, long_addr);
		break;
	case FAMILY:
		mnl_attr_put(h, a->type, sizeof(v6), v6);
		break;
	case NULL_ADDR:
		mnl_attr_put_u32(h, a->type, 0);
		break;
	default:
		mnl_attr_put(h, a->type, 4, &ip[a->good]);
	}
}

static void put_number(struct nlmsghdr *h, const struct attr *a,
		       enum harm harm)
{
	uint64_t value = harm == RANGE ? a->bad : a->good;
	uint32_t num = value;
	uint16_t port = htons(a->good);
	uint8_t buf[16] = { 1 };
	size_t len = a->kind == PORT ? 2 : a->kind == NUM ? 4 : 8;

	if (harm == SHORT)
		mnl_attr_put(h, a->type, len - 1, buf);
	else if (harm == LONG)
		mnl_attr_put(h, a->type, len + 4, buf);
	else if (a->kind == PORT)
		mnl_attr_put(h, a->type, len, &port);
	else if (a->kind == NUM)
		mnl_attr_put(h, a->type, len, &num);
	else
		mnl_attr_put(h, a->type, len, &value);
}

/* A good request, but for one attribute. */
static int request(const struct command *c, const struct attr *hurt,
		   enum harm harm)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *h = nl_start(buf, nl_family, c->cmd);
	const struct attr *a;
	enum harm now;

	for (a = c->attrs; a->kind != END; a++) {
		/* the same attribute may have several rows */
		if (hurt && a != hurt && a->type == hurt->type)
			continue;
		if (a != hurt && a > c->attrs && a[-1].type == a->type)
			continue;
		now = a == hurt ? harm : NONE;
		if (now == MISSING)
			continue;
		if (is_addr(a))
			put_addr(h, a, now);
		else
			put_number(h, a, now);
	}
	return nl_ask(h, NULL, NULL);
}

static void refused(const struct command *c, const struct attr *a,
		    enum harm harm, int want, const char *what)
{
	int got = request(c, a, harm);
	const char *says = harm == MISSING ? "_A_" : "";	/* its name */

	point(got && (want == ANY || got == want) && nl_sentence[0] &&
	      strstr(nl_sentence, says),
	      "%s: attribute %u %s: %s, \"%s\"", c->name, a->type, what,
	      strerror(got), nl_sentence);
}

static void hurt_attr(const struct command *c, const struct attr *a)
{
	bool again = a > c->attrs && a[-1].type == a->type;

	if (a->bad)
		refused(c, a, RANGE, a->error, "out of range");
	if (again)
		return;
	if (a->required)
		refused(c, a, MISSING, EINVAL, "missing");
	refused(c, a, SHORT, is_addr(a) ? ERANGE : ANY, "short");
	refused(c, a, LONG, is_addr(a) ? ERANGE : ANY, "long");
	if (!is_addr(a))
		return;
	refused(c, a, RANGE, EINVAL, "of 7 bytes");
	if (a->kind == ADDR)
		refused(c, a, FAMILY, ANY, "of the other family");
	refused(c, a, NULL_ADDR, EINVAL, "zero");
}

static void hurt_all(void)
{
	const struct attr *a;
	size_t i;

	for (i = 0; i < N_COMMANDS; i++)
		for (a = commands[i].attrs; a->kind != END; a++)
			hurt_attr(&commands[i], a);
}

/* --------------------------------------------- attributes without a place */

static int alone(uint8_t cmd, uint16_t type, size_t len)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *h = nl_start(buf, nl_family, cmd);
	uint8_t value[16] = { 1 };

	mnl_attr_put(h, type, len, value);
	return nl_ask(h, NULL, NULL);
}

static void strangers(void)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	size_t i;
	int got;

	for (i = 0; i < N_COMMANDS; i++) {
		got = alone(commands[i].cmd, 200, 4);
		point(got == EINVAL && nl_sentence[0],
		      "%s: unknown attribute: \"%s\"", commands[i].name,
		      nl_sentence);
	}
	got = nl_ask(nl_start(buf, nl_family, 250), NULL, NULL);
	point(got == EOPNOTSUPP, "unknown command: %s", strerror(got));
}

/* What fits no request of that kind. */
struct misplaced {
	const char *what;
	const struct command *base;
	uint16_t type;
	size_t len;
};

static void misplaced(void)
{
	const struct command *binding = &commands[4], *local = &commands[7];
	const struct misplaced of[] = {
		{ "credit of a verified binding", binding, B(CREDIT), 8 },
		{ "served link of scope flow", binding, B(LINK), 4 },
		{ "served link without a link-layer address", &commands[12],
		  B(LINK), 4 },
		{ "owner of scope host", &commands[12], B(OWNER), 8 },
		{ "via without a lifetime", local, HMMP_A_LOCAL_VIA_LOCAL, 4 },
		{ "via with nothing but a lifetime", local,
		  HMMP_A_LOCAL_VIA_LIFETIME, 4 },
	};
	char buf[MNL_SOCKET_BUFFER_SIZE];
	const uint8_t one[8] = { 1, 0, 0, 0 };
	const struct attr *a;
	struct nlmsghdr *h;
	size_t i;
	int got;

	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		h = nl_start(buf, nl_family, of[i].base->cmd);
		for (a = of[i].base->attrs; a->kind != END; a++) {
			if (a > of[i].base->attrs && a[-1].type == a->type)
				continue;
			if (is_addr(a))
				put_addr(h, a, NONE);
			else
				put_number(h, a, NONE);
		}
		mnl_attr_put(h, of[i].type, of[i].len, one);
		got = nl_ask(h, NULL, NULL);
		point(got == EINVAL && nl_sentence[0], "%s: %s, \"%s\"",
		      of[i].what, strerror(got), nl_sentence);
	}
}

/* ------------------------------------------------------ without the right */

static void as_nobody(void)
{
	size_t i;
	int got;

	if (setgid(65534) || setuid(65534))
		die("setuid");
	nl_open();
	for (i = 0; i < N_COMMANDS; i++) {
		got = request(&commands[i], NULL, NONE);
		point(got == EPERM, "%s as another user: %s",
		      commands[i].name, strerror(got));
	}
	got = 0;
	if (mnl_socket_setsockopt(nl_sock, NETLINK_ADD_MEMBERSHIP,
				  &(int){ nl_group }, sizeof(int)))
		got = errno;
	point(got == EPERM, "the event group as another user: %s",
	      strerror(got));
}

static int limit_flows(uint32_t n)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *h = nl_start(buf, nl_family, HMMP_CMD_LIMITS_SET);

	mnl_attr_put_u32(h, HMMP_A_LIMITS_FLOWS, n);
	return nl_ask(h, NULL, NULL);
}

/* Root of a user namespace of its own: may lower, may not raise. */
static void as_root_of_userns(void)
{
	int got;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
		point(false, "user namespace: %s", strerror(errno));
		return;
	}
	nl_open();
	got = limit_flows(100);
	point(!got, "a user namespace lowers its limit: %s", strerror(got));
	got = limit_flows(1 << 18);
	point(got == EPERM && nl_sentence[0],
	      "a user namespace cannot raise it: %s, \"%s\"", strerror(got),
	      nl_sentence);
}

static void in_child(void (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		unsigned int before = failures;

		fn();
		fflush(stdout);
		_exit(failures > before ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	if (status)
		failures++;
	tests += 100;		/* numbers of its own */
}

int main(int argc, char **argv)
{
	int got;

	if (argc != 5) {
		fprintf(stderr, "usage: nlbad LOCAL LPORT REMOTE RPORT\n");
		return 2;
	}
	local_ip = inet_addr(argv[1]);
	remote_ip = inet_addr(argv[3]);
	flow_key[1].good = atoi(argv[2]);
	flow_key[3].good = atoi(argv[4]);
	flow_new[1].good = flow_key[1].good;
	flow_new[3].good = flow_key[3].good;
	flow_set[1].good = flow_key[1].good;
	flow_set[3].good = flow_key[3].good;
	nl_open();
	got = request(&commands[3], NULL, NONE);
	point(!got, "the flow gets an owner: %s %s", strerror(got), nl_sentence);
	got = request(&commands[4], NULL, NONE);
	point(!got, "a binding: %s %s", strerror(got), nl_sentence);
	hurt_all();
	strangers();
	misplaced();
	in_child(as_nobody);
	in_child(as_root_of_userns);
	return failures ? 1 : 0;
}
