// SPDX-License-Identifier: GPL-2.0-or-later
/* See sip_env.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sip_env.h"

struct handled handled;

static uint16_t port;

/* Nobody else on this machine has it, so that tests may run side by side. */
static uint16_t free_port(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	close(fd);
	return ntohs(sin.sin_port);
}

uint16_t env_port(void)
{
	return port;
}

struct addr env_addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static bool handler(const struct sip_incoming *in, struct sip_reply *reply)
{
	handled.n++;
	handled.last = *in;
	assert_true(in->len < sizeof(handled.body));
	memcpy(handled.body, in->body, in->len);
	handled.body[in->len] = '\0';
	*reply = handled.reply;
	return !handled.silent;
}

int env_setup(void **state)
{
	struct addr here = env_addr(HERE);
	struct addr there = env_addr(THERE);

	memset(&handled, 0, sizeof(handled));
	handled.reply.status = 200;
	strcpy(handled.reply.phrase, "OK");
	port = free_port();
	return loop_init() || sip_init(port, handler) ||
	       sip_addr_add(&here) || sip_addr_add(&there);
}

int env_teardown(void **state)
{
	sip_exit();
	loop_exit();
	return 0;
}

/* ------------------------------------------------------------ plain sockets */

static void on_readable(void *arg, int fd)
{
	struct raw *r = arg;
	struct message *m;
	ssize_t n;

	for (;;) {
		m = &r->got[r->n % MESSAGES];
		n = recv(fd, m->text, sizeof(m->text) - 1, MSG_DONTWAIT);
		if (n < 0)
			return;
		m->len = (size_t)n;
		m->text[n] = '\0';
		m->at = loop_now();
		r->n++;
		if (r->on_message)
			r->on_message(r, m);
	}
}

static struct sockaddr_in at(const char *addr)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_port = htons(port) };

	assert_int_equal(inet_pton(AF_INET, addr, &sin.sin_addr), 1);
	return sin;
}

void raw_open(struct raw *r, const char *addr)
{
	struct sockaddr_in sin = at(addr);

	r->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(r->fd >= 0);
	assert_int_equal(bind(r->fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(loop_fd_add(r->fd, on_readable, r), 0);
}

void raw_close(struct raw *r)
{
	loop_fd_del(r->fd);
	close(r->fd);
}

void raw_send(struct raw *r, const char *to, const void *data, size_t len)
{
	struct sockaddr_in sin = at(to);

	assert_int_equal(sendto(r->fd, data, len, 0, (struct sockaddr *)&sin,
				sizeof(sin)), len);
}

/* ------------------------------------------------------------------ waiting */

struct waiter {
	struct timer timer;	/* first */
	const unsigned int *counter;
	unsigned int n;
	uint64_t end;
};

static void on_look(struct timer *t)
{
	struct waiter *w = (struct waiter *)t;

	if (*w->counter >= w->n || loop_now() >= w->end)
		loop_stop();
	else
		timer_set(t, 1);
}

void env_wait(const unsigned int *counter, unsigned int n, unsigned int ms)
{
	struct waiter w = { { .fire = on_look }, counter, n,
			    loop_now() + ms };

	timer_set(&w.timer, 0);
	loop_run();
	if (*counter < n)
		fail_msg("waited %u ms for %u, got %u", ms, n, *counter);
}

static void on_end(struct timer *t)
{
	loop_stop();
}

void env_run(unsigned int ms)
{
	struct timer end = { .fire = on_end };

	timer_set(&end, ms);
	loop_run();
}

/* ------------------------------------------------------------- transactions */

void env_ended(void *arg, const struct sip_answer *ans)
{
	struct ended *e = arg;

	e->n++;
	e->last = *ans;
	e->at = loop_now();
	memcpy(e->body, ans->body ? ans->body : "", ans->len);
	e->body[ans->len] = '\0';
}

struct sip_txn *env_send(const char *to, unsigned int rto, unsigned int tries,
			 unsigned int total, struct ended *e)
{
	static const char body[] = "Bind [192.0.2.1] to [192.0.2.1]\r\n";
	struct sip_request req = {
		.src = env_addr(HERE), .dst = env_addr(to),
		.body = body, .len = sizeof(body) - 1,
		.rto = rto, .tries = tries, .total = total,
	};
	struct sip_txn *txn = sip_txn_send(&req, env_ended, e);

	assert_non_null(txn);
	assert_int_equal(e->n, 0);	/* never from inside */
	return txn;
}
