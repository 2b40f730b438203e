// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * diag.c against a real kernel: who opened a connection that is older than
 * the module, in a network namespace with loopback only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "agent.h"
#include "tests/netns.h"

#define PORT	5000

struct seen {
	struct endpoint local, remote;
	int opener;
};

static struct seen seen[32];
static unsigned int n_seen;

static void on_flow(void *arg, const struct endpoint *local,
		    const struct endpoint *remote, int opener)
{
	assert_ptr_equal(arg, &n_seen);
	assert_true(n_seen < 32);
	seen[n_seen].local = *local;
	seen[n_seen].remote = *remote;
	seen[n_seen++].opener = opener;
}

/* What is said of the connection with this local port; NULL: nothing. */
static const struct seen *ask(uint16_t port)
{
	unsigned int i;

	n_seen = 0;
	assert_int_equal(diag_dump(on_flow, &n_seen), 0);
	for (i = 0; i < n_seen; i++) {
		if (seen[i].local.port == port)
			return &seen[i];
	}
	return NULL;
}

/* --------------------------------------------------------------- sockets */

struct connection {
	int listener, client, server;
	uint16_t port;			/* the client's */
};

static union any {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
} name(int family, uint16_t port)
{
	union any a;

	memset(&a, 0, sizeof(a));
	a.sa.sa_family = family;
	if (family == AF_INET) {
		a.v4.sin_port = htons(port);
		a.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else {
		a.v6.sin6_port = htons(port);
		a.v6.sin6_addr = in6addr_any;
	}
	return a;
}

static int open_socket(int family, uint16_t port)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	union any a = name(family, port);
	int on = 1;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (port)
		assert_int_equal(bind(fd, &a.sa, sizeof(a)), 0);
	return fd;
}

/* A connection over IPv4 to a listener of that family; from: 0 is any port. */
static struct connection join(int family, uint16_t from)
{
	union any a = name(AF_INET, PORT);
	socklen_t len = sizeof(a);
	struct connection c;

	c.listener = open_socket(family, PORT);
	assert_int_equal(listen(c.listener, 1), 0);
	c.client = open_socket(AF_INET, from);
	assert_int_equal(connect(c.client, &a.sa, sizeof(a.v4)), 0);
	c.server = accept(c.listener, NULL, NULL);
	assert_true(c.server >= 0);
	assert_int_equal(getsockname(c.client, &a.sa, &len), 0);
	c.port = ntohs(a.v4.sin_port);
	return c;
}

static void part(struct connection *c)
{
	struct linger now = { .l_onoff = 1 };

	setsockopt(c->client, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(c->client);
	close(c->server);
	if (c->listener >= 0)
		close(c->listener);
}

/* --------------------------------------------------------------- the tests */

static void test_both_ends(void **state)
{
	struct connection c = join(AF_INET, 0);
	const struct seen *s = ask(c.port);

	assert_non_null(s);
	assert_int_equal(n_seen, 2);	/* the listener is no flow */
	assert_int_equal(s->opener, 1);
	assert_int_equal(s->remote.port, PORT);
	assert_int_equal(s->remote.addr.len, 4);
	s = ask(PORT);
	assert_non_null(s);
	assert_int_equal(s->opener, 0);
	assert_int_equal(s->remote.port, c.port);
	part(&c);
	assert_null(ask(c.port));
}

static void test_listener_is_gone(void **state)
{
	struct connection c = join(AF_INET, 0);

	close(c.listener);
	c.listener = -1;
	assert_int_equal(ask(PORT)->opener, -1);
	assert_int_equal(ask(c.port)->opener, 1);
	part(&c);
}

static void test_dual_stack_listener(void **state)
{
	struct connection c = join(AF_INET6, 0);
	const struct seen *s = ask(PORT);

	assert_int_equal(s->opener, 0);
	/* the socket is an IPv6 one, the flow is IPv4 */
	assert_int_equal(s->local.addr.len, 4);
	assert_int_equal(s->local.addr.b[0], 127);
	part(&c);
}

static void test_chosen_source_port(void **state)
{
	struct connection c = join(AF_INET, 4444);

	assert_int_equal(c.port, 4444);
	assert_int_equal(ask(4444)->opener, -1);
	part(&c);
}

static void test_half_closed(void **state)
{
	struct connection c = join(AF_INET, 0);

	shutdown(c.client, SHUT_WR);
	assert_non_null(ask(c.port));
	assert_non_null(ask(PORT));
	part(&c);
}

static int enter(void **state)
{
	return netns_enter() ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ends),
		cmocka_unit_test(test_listener_is_gone),
		cmocka_unit_test(test_dual_stack_listener),
		cmocka_unit_test(test_chosen_source_port),
		cmocka_unit_test(test_half_closed),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
