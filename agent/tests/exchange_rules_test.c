// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The receiver's rules, message by message: what a correspondent answers to a
 * Bind that a test has written by hand, and what its kernel has afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "world.h"

#define M0 "10.1.0.2"
#define M1 "10.2.0.2"
#define M2 "10.3.0.2"
#define C0 "10.9.0.5"
#define ID "AAAABBBBCCCCDDDD"

static struct host *m, *c;
static struct sip_reply reply;
static struct body answer;

/* M has no agent: the test is M's agent. */
static int setup(void **state)
{
	world_start(10);
	m = host_add("M", true, false);
	c = host_add("C", false, true);
	host_addr(m, M0, 2, true);
	host_addr(c, C0, 2, true);
	host_route(c, NULL, C0);
	host_start(c);
	flow_open(m, E(M0, 5000), c, E(C0, 80));
	flow_open(m, E(M0, 5001), c, E(C0, 80));
	world_run(1000);
	return 0;
}

static int teardown(void **state)
{
	world_end();
	return 0;
}

static struct body bind(const char *from, const char *to, uint32_t seq,
			uint32_t lifetime)
{
	struct body b = {
		.kind = BODY_BIND, .from = A(from), .to = A(to), .assoc = ID,
		.has_seq = true, .seq = seq,
		.has_lifetime = true, .lifetime = lifetime,
		.scope = SCOPE_FLOW,
	};

	if (strcmp(from, to)) {
		b.flows_owned = true;
		b.n_encaps = 1;
		b.encaps[0] = ENCAP_IPIP;
	}
	return b;
}

/* The ISNs are those that world.c gives to both ends. */
static void add_line(struct body *b, uint16_t port)
{
	struct body_flow *l = &b->flows[b->n_flows++];

	l->end[0] = E(M0, port);
	l->end[1] = E(C0, 80);
	l->proof = PROOF_ISN;
	l->isn_hash = body_isn_hash(b->assoc, l->end, port * 7919u + 2,
				    80 * 7919u + 5);
}

static int send_text(const char *src, const char *text, size_t len)
{
	struct sip_incoming in = { .from = E(src, 5060), .to = A(C0),
				   .body = text, .len = len };
	char err[64];

	memset(&reply, 0, sizeof(reply));
	world_enter(c);
	assert_true(c->node_on_info(&in, &reply));
	world_deliver();
	memset(&answer, 0, sizeof(answer));
	if (reply.len)
		assert_int_equal(body_parse(reply.body, reply.len, &answer,
					    err, sizeof(err)), 0);
	if (reply.len)
		assert_int_equal(answer.status, reply.status);
	return reply.status;
}

static int send_from(const char *src, const struct body *b)
{
	char text[SIP_BODY];
	int len = body_build(b, text, sizeof(text));

	assert_true(len > 0);
	return send_text(src, text, len);
}

static int claim(uint32_t seq, uint16_t port)
{
	struct body b = bind(M0, M0, seq, 0);

	add_line(&b, port);
	return send_from(M0, &b);
}

static int move(const char *to, uint32_t seq, uint32_t lifetime)
{
	struct body b = bind(M0, to, seq, lifetime);

	return send_from(to, &b);
}

static void test_claim(void **state)
{
	assert_int_equal(claim(1, 5000), 200);
	assert_int_equal(answer.kind, BODY_BOUND);
	assert_int_equal(answer.seq, 1);
	assert_int_equal(answer.n_denied, 0);
	assert_int_equal(host_owned(c, C0), 1);
	assert_int_equal(claim(2, 5001), 200);
	assert_int_equal(host_owned(c, C0), 2);
}

static void test_claim_denied(void **state)
{
	struct body b = bind(M0, M0, 1, 0);

	add_line(&b, 5000);
	add_line(&b, 5001);
	b.flows[1].isn_hash++;
	add_line(&b, 5002);		/* no such flow */
	assert_int_equal(send_from(M0, &b), 200);
	assert_int_equal(answer.n_denied, 2);
	assert_int_equal(answer.denied[0].denied, DENIED_PROOF);
	assert_int_equal(answer.denied[1].denied, DENIED_UNKNOWN);
	assert_int_equal(host_owned(c, C0), 1);
	b = bind(M0, M0, 2, 0);		/* somebody else wants the same */
	strcpy(b.assoc, "ZZZZZZZZZZZZZZZZ");
	add_line(&b, 5000);
	assert_int_equal(send_from(M0, &b), 403);
	assert_int_equal(answer.kind, BODY_REFUSED);
	assert_int_equal(answer.denied[0].denied, DENIED_OWNED);
	assert_int_equal(host_owned(c, C0), 1);
}

/* Not from the address that is claimed: nothing is made, little is said. */
static void test_claim_from_elsewhere(void **state)
{
	struct body b = bind(M0, M0, 1, 0);

	add_line(&b, 5000);
	assert_int_equal(send_from(M1, &b), 403);
	assert_int_equal(reply.len, 0);
	assert_int_equal(host_owned(c, C0), 0);
	assert_int_equal(move(M1, 2, 60), 481);
}

/* An end that does not know who opened tries both of its numbers. */
static void test_opener_unknown(void **state)
{
	struct kernel_flow k = {
		.local = E(C0, 80), .remote = E(M0, 6000),
		.state = KERNEL_ESTABLISHED,
		.flags = KERNEL_FLOW_OPENER_UNKNOWN,
		.isn_local = 80 * 7919u + 5 + 1,
		.isn_remote = 6000 * 7919u + 2,
	};

	world_enter(c);
	kernel_fake_flow_add(&k);
	world_run(1000);
	assert_int_equal(claim(1, 6000), 200);
	assert_int_equal(host_owned(c, C0), 1);
}

/* Its socket is older than the module, and silent since. */
static void test_untracked_socket(void **state)
{
	struct kernel_flow k = {
		.local = E(C0, 80), .remote = E(M0, 6001),
		.state = KERNEL_ESTABLISHED,
		.isn_local = 80 * 7919u + 5,
		.isn_remote = 6001 * 7919u + 2,
	};

	world_enter(c);
	kernel_fake_socket_add(&k);
	assert_int_equal(claim(1, 6001), 200);
	assert_int_equal(host_owned(c, C0), 1);
}

static void test_move(void **state)
{
	struct kernel_binding b;

	claim(1, 5000);
	assert_int_equal(move(M1, 2, 60), 200);
	assert_int_equal(answer.lifetime, 60);
	assert_int_equal(answer.n_encaps, 1);
	assert_int_equal(answer.encaps[0], ENCAP_IPIP);
	assert_true(host_binding(c, M0, &b));
	assert_true(is(&b.current, M1));
	assert_int_equal(b.seq, 2);
	assert_int_equal(b.lifetime, 60000);
	assert_int_equal(move(M1, 3, 5000), 200);
	assert_int_equal(answer.lifetime, 420);
}

static void test_seq(void **state)
{
	struct kernel_binding b;
	struct sip_reply first;

	claim(1, 5000);
	assert_int_equal(move(M1, 5, 60), 200);
	first = reply;
	assert_int_equal(move(M1, 5, 60), 200);	/* repeated */
	assert_int_equal(reply.len, first.len);
	assert_memory_equal(reply.body, first.body, first.len);
	assert_int_equal(move(M1, 5, 61), 403);	/* another body */
	assert_int_equal(answer.seq, 5);
	assert_int_equal(move(M2, 4, 60), 403);	/* older */
	assert_int_equal(answer.seq, 5);
	assert_true(host_binding(c, M0, &b));
	assert_true(is(&b.current, M1));
	assert_int_equal(move(M2, 6, 60), 200);
	assert_true(host_binding(c, M0, &b));
	assert_true(is(&b.current, M2));
}

/* A message that passed the first checks spends its Seq whatever comes. */
static void test_seq_is_spent(void **state)
{
	claim(1, 5000);
	assert_int_equal(move(M1, 2, 2), 423);
	assert_int_equal(answer.lifetime, 4);
	assert_int_equal(answer.seq, 2);
	assert_int_equal(move(M1, 2, 60), 403);
	assert_int_equal(move(M1, 3, 4), 200);
}

static void test_source(void **state)
{
	struct body b;

	claim(1, 5000);
	b = bind(M0, M1, 2, 60);
	assert_int_equal(send_from(M2, &b), 403);
	assert_int_equal(reply.len, 0);
	assert_int_equal(move(M1, 2, 60), 200);	/* its Seq was not spent */
	b = bind("10.1.0.3", M1, 3, 60);	/* not its original address */
	assert_int_equal(send_from(M1, &b), 400);
	assert_int_equal(host_bindings(c), 1);
}

static void test_bad_targets(void **state)
{
	static const char * const bad[] = { C0, "224.0.0.1", "127.0.0.1",
					    "0.0.0.0", "255.255.255.255" };
	uint32_t seq = 2;
	unsigned int i;

	claim(1, 5000);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(move(bad[i], seq++, 60), 403);
	assert_int_equal(host_bindings(c), 0);
}

static void test_encap(void **state)
{
	struct body b;

	claim(1, 5000);
	b = bind(M0, M1, 2, 60);
	b.encaps[0] = ENCAP_MINENC;
	assert_int_equal(send_from(M1, &b), 488);
	assert_int_equal(answer.kind, BODY_REFUSED);
	b = bind(M0, M1, 3, 60);
	b.n_encaps = 2;
	b.encaps[0] = ENCAP_MINENC;
	b.encaps[1] = ENCAP_IPIP;
	assert_int_equal(send_from(M1, &b), 200);
	b = bind(M0, "2001:db8::2", 4, 60);
	assert_int_equal(send_from("2001:db8::2", &b), 488);
}

static void test_scope(void **state)
{
	struct body b;

	claim(1, 5000);
	b = bind(M0, M1, 2, 60);
	b.scope = SCOPE_HOST;
	b.flows_owned = false;
	assert_int_equal(send_from(M1, &b), 403);
	assert_int_equal(host_bindings(c), 0);
}

static void test_late_lines(void **state)
{
	struct body b;

	claim(1, 5000);
	b = bind(M0, M1, 2, 60);
	add_line(&b, 5001);
	assert_int_equal(send_from(M1, &b), 200);
	assert_int_equal(host_owned(c, C0), 2);
	flow_open(m, E(M0, 5002), c, E(C0, 80));
	world_run(5001);
	b = bind(M0, M1, 3, 60);
	add_line(&b, 5002);
	assert_int_equal(send_from(M1, &b), 200);
	assert_int_equal(answer.denied[0].denied, DENIED_LATE);
	assert_int_equal(host_owned(c, C0), 2);
}

static void test_no_flow_left(void **state)
{
	claim(1, 5000);
	flow_close(m, E(M0, 5000), c, E(C0, 80));
	assert_int_equal(move(M1, 2, 60), 403);
	assert_int_equal(host_bindings(c), 0);
	world_run(61000);
	assert_int_equal(move(M1, 3, 60), 481);	/* forgotten */
}

static void test_withdraw(void **state)
{
	struct kernel_binding b;

	claim(1, 5000);
	move(M1, 2, 60);
	assert_int_equal(move(M1, 3, 0), 200);
	assert_int_equal(answer.lifetime, 0);
	assert_true(host_binding(c, M0, &b));
	assert_int_equal(b.status, KERNEL_HELD);
	assert_int_equal(move(M2, 4, 60), 200);
	assert_true(host_binding(c, M0, &b));
	assert_int_equal(b.status, KERNEL_VERIFIED);
	flow_close(m, E(M0, 5000), c, E(C0, 80));
	assert_int_equal(move(M2, 5, 0), 200);
	assert_int_equal(host_bindings(c), 0);
}

static void test_home(void **state)
{
	struct body b;

	claim(1, 5000);
	move(M1, 2, 60);
	b = bind(M0, M0, 3, 0);
	add_line(&b, 5001);
	assert_int_equal(send_from(M0, &b), 200);
	assert_int_equal(host_bindings(c), 0);
	assert_int_equal(host_owned(c, C0), 2);
	b = bind(M0, M0, 4, 0);		/* nothing to do is no error */
	assert_int_equal(send_from(M0, &b), 200);
}

static void test_expiry(void **state)
{
	struct kernel_binding b;

	claim(1, 5000);
	move(M1, 2, 4);
	world_run(4100);
	assert_true(host_binding(c, M0, &b));
	assert_int_equal(b.status, KERNEL_HELD);
	assert_int_equal(move(M1, 3, 60), 200);
	assert_true(host_binding(c, M0, &b));
	assert_int_equal(b.status, KERNEL_VERIFIED);
}

static void test_limits(void **state)
{
	struct body b;

	c->cfg.max_per_address = 1;
	claim(1, 5000);
	b = bind(M0, M0, 1, 0);
	strcpy(b.assoc, "ZZZZZZZZZZZZZZZZ");
	add_line(&b, 5001);
	b.flows[0].isn_hash = body_isn_hash(b.assoc, b.flows[0].end,
					    5001 * 7919u + 2, 80 * 7919u + 5);
	assert_int_equal(send_from(M0, &b), 503);
	assert_true(answer.has_retry);
	assert_int_equal(host_owned(c, C0), 1);
	c->cfg.max_per_address = 10;
	c->cfg.max_associations = 1;
	assert_int_equal(send_from(M0, &b), 503);
	c->cfg.max_associations = 2;
	assert_int_equal(send_from(M0, &b), 200);
}

static void test_nonsense(void **state)
{
	static const char * const bad[] = {
		"", "x", "Bind", "Bind [10.1.0.2] to [10.2.0.2]\r\n",
		"Bound [10.1.0.2] to [10.2.0.2]\r\nVersion: 1\r\n"
		"Association: AAAABBBBCCCCDDDD\r\nSeq: 1\r\nStatus: 200\r\n"
		"Lifetime: 60\r\nEncap: ipip\r\n",
	};
	const char *must = "Bind [10.1.0.2] to [10.1.0.2]\r\nVersion: 1\r\n"
		"Must-Dance: yes\r\nAssociation: AAAABBBBCCCCDDDD\r\n"
		"Seq: 2\r\nLifetime: 0\r\nScope: flow\r\n";
	unsigned int i;

	claim(1, 5000);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(send_text(M0, bad[i], strlen(bad[i])), 400);
		assert_int_equal(reply.len, 0);
		assert_true(reply.phrase[0]);
	}
	assert_int_equal(send_text(M0, must, strlen(must)), 488);
	assert_non_null(strstr(reply.headers, "Warning"));
	assert_int_equal(move(M1, 2, 60), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
		T(claim), T(claim_denied), T(claim_from_elsewhere),
		T(opener_unknown), T(untracked_socket), T(move), T(seq),
		T(seq_is_spent), T(source), T(bad_targets), T(encap),
		T(scope), T(late_lines), T(no_flow_left), T(withdraw),
		T(home), T(expiry), T(limits), T(nonsense),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
