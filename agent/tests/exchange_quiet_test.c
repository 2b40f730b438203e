// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Peers without an agent or without the will, networks where much happens that
 * is no hand-off, long outages (duo.h); and what the operator is told of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "duo.h"

/* --------------------------------------------------- peers without an agent */

static void test_no_agent(void **state)
{
	unsigned int i;

	host_stop(c);
	flow_open(m, E(M0, 5000), c, E(C0, 80));
	world_run(60000);
	assert_int_equal(m->sent, 2);
	for (i = 0; i < 10; i++)
		flow_open(m, E(M0, 5001 + i), c, E(C0, 80));
	host_link(m);
	world_run(400000);
	assert_int_equal(m->sent, 2);
	host_move(m, M0, M1);
	world_run(10000);
	assert_int_equal(m->sent, 2);
	assert_int_equal(host_locals(m), 0);
}

static void test_agent_comes_later(void **state)
{
	host_stop(c);
	flow_open(m, E(M0, 5000), c, E(C0, 80));
	world_run(60000);
	host_start(c);
	world_run(600000);
	flow_open(m, E(M0, 5001), c, E(C0, 80));
	world_run(2000);
	assert_int_equal(host_owned(m, M0), 2);
}

static void test_not_among_peers(void **state)
{
	m->cfg.peers.all = false;
	flow_open(m, E(M0, 5000), c, E(C0, 80));
	world_run(5000);
	host_move(m, M0, M1);
	world_run(5000);
	assert_int_equal(m->sent, 0);
}

static void test_not_accepted(void **state)
{
	c->cfg.accept.all = false;
	flow_open(m, E(M0, 5000), c, E(C0, 80));
	world_run(60000);
	assert_int_equal(m->sent, 1);
	assert_int_equal(host_owned(c, C0), 0);
}

/* Eleven hosts that nobody has met: the eleventh waits for a second. */
static void test_new_hosts_a_second(void **state)
{
	char text[32];
	unsigned int i;

	for (i = 0; i < 25; i++) {
		snprintf(text, sizeof(text), "10.9.1.%u", i + 1);
		flow_open(m, E(M0, 5000 + i), c, E(text, 80));
	}
	world_run(600);
	assert_int_equal(m->sent, 10);
	world_run(1000);
	assert_in_range(m->sent, 20, 30);	/* 10 new, 10 repeated */
	world_run(10000);
	assert_int_equal(m->sent, 50);
}

/* ------------------------------------------------------ what is no hand-off */

static void test_noise(void **state)
{
	duo_join();
	host_addr(m, "172.17.0.1", 4, true);	/* a bridge */
	host_link(m);
	host_addr(m, "10.1.0.77", 2, true);	/* a secondary address */
	host_link(m);
	host_addr(m, "10.66.0.1", 4, true);	/* a VPN with its own routes */
	host_route(m, "10.66.0.9", "10.66.0.1");
	host_link(m);
	host_addr(m, M0, 2, false);		/* the carrier, for a while */
	host_route(m, NULL, NULL);
	host_link(m);
	world_run(700);
	host_addr(m, M0, 2, true);
	host_route(m, NULL, M0);
	host_link(m);
	world_run(1000);
	host_move(m, M0, NULL);			/* taken away, and back */
	world_run(3000);
	assert_true(host_anchor(m, M0)->detached);
	host_addr(m, M0, 2, true);
	host_route(m, NULL, M0);
	host_link(m);
	world_run(1000);
	assert_false(host_anchor(m, M0)->detached);
	host_addr_gone(m, "10.1.0.77");
	host_addr_gone(m, "172.17.0.1");
	host_link(m);
	world_run(10000);
	assert_int_equal(world.messages, 0);
	world_enter(m);
	assert_int_equal(kernel_fake_calls(FAKE_HANDOFF), 0);
}

/* A wired link comes up: the route decides, after 50 ms. */
static void test_follow_route(void **state)
{
	struct addr current;

	duo_join();
	host_addr(m, M1, 3, true);
	host_link(m);
	world_run(1000);
	assert_int_equal(world.messages, 0);
	host_route(m, NULL, M1);
	host_link(m);
	world_run(49);
	assert_int_equal(world.messages, 0);
	world_run(30);
	duo_assert(M1);
	host_route(m, NULL, M0);		/* flaps */
	host_link(m);
	world_run(30);
	host_route(m, NULL, M1);
	host_link(m);
	world_run(1000);
	duo_assert(M1);
	assert_true(host_current(m, M0, &current));
	world_enter(m);
	assert_int_equal(kernel_fake_calls(FAKE_HANDOFF), 1);
}

static void test_follow_keep(void **state)
{
	m->cfg.follow = FOLLOW_KEEP;
	duo_join();
	host_addr(m, M1, 3, true);
	host_route(m, NULL, M1);
	host_link(m);
	world_run(5000);
	assert_int_equal(world.messages, 0);
	host_addr_gone(m, M0);
	host_link(m);
	world_run(100);
	duo_assert(M1);
}

/* A new address that is not ready (duplicate detection) has to wait. */
static void test_tentative(void **state)
{
	duo_join();
	host_addr_gone(m, M0);
	host_addr(m, M1, 3, false);
	host_route(m, NULL, M1);
	host_link(m);
	world_run(1000);
	assert_int_equal(world.messages, 0);
	host_addr(m, M1, 3, true);
	host_link(m);
	world_run(30);
	duo_assert(M1);
}

/* The kernel announces an address before a socket can be bound to it. */
static void test_not_bindable_yet(void **state)
{
	duo_join();
	world.deaf = 2;
	host_move(m, M0, M1);
	world_run(60);
	duo_assert(M1);
}

/* Ten moves in a second: four Binds, then the last word. */
static void test_restless(void **state)
{
	static const char * const place[] = { M1, M2 };
	const char *now = M0;
	unsigned int i;

	duo_join();
	for (i = 0; i < 10; i++) {
		host_move(m, now, place[i % 2]);
		now = place[i % 2];
		world_run(50);
	}
	assert_in_range(m->sent, 5, 6);		/* with the claim */
	world_run(1000);
	duo_assert(now);
}

static void test_ipv6_is_left_alone(void **state)
{
	host_addr(m, "2001:db8:1::2", 2, true);
	flow_open(m, E("2001:db8:1::2", 5000), c, E("2001:db8:9::5", 80));
	world_run(5000);
	assert_int_equal(m->sent, 0);
	assert_int_equal(host_locals(m), 0);
	assert_int_equal(world.errors, 0);
}

/* A mobile that is no correspondent answers 405, and is no stranger later. */
static void test_mobile_only_server(void **state)
{
	world_end();
	duo_add(false, true);
	host_start(m);
	host_start(c);
	flow_open(c, E(C0, 5000), m, E(M0, 22));
	world_run(2000);
	assert_int_equal(c->sent, 1);
	assert_int_equal(host_owned(m, M0), 1);
	assert_int_equal(host_owned(c, C0), 1);
	host_move(m, M0, M1);
	world_run(1000);
	duo_assert(M1);
}

/* ------------------------------------------------------------- long outages */

static void test_outage(void **state)
{
	struct kernel_binding b;

	duo_join();
	host_move(m, M0, M1);
	world_run(1000);
	host_move(m, M1, NULL);
	world_run(120000);
	assert_true(host_binding(c, M0, &b));
	assert_int_equal(b.status, KERNEL_HELD);
	host_addr(m, M1, 3, true);
	host_route(m, NULL, M1);
	host_link(m);
	world_run(300);
	duo_assert(M1);
	host_move(m, M1, NULL);
	world_run(120000);
	host_move(m, M1, M2);
	world_run(100);
	duo_assert(M2);
}

/* Nobody says that there is a network again. */
static void test_news_are_missed(void **state)
{
	duo_join();
	host_move(m, M0, NULL);
	world_run(1000);
	host_addr(m, M1, 3, true);
	host_route(m, NULL, M1);
	world_run(1200);
	duo_assert(M1);
}

/* The address is there, the network behind it is not. */
static void lose_all(struct message *msg)
{
	msg->copies = 0;
}

static void test_network_is_dead(void **state)
{
	duo_join();
	world.filter = lose_all;
	host_move(m, M0, M1);
	world_run(100000);
	assert_true(world.messages < 40);
	world.filter = NULL;
	host_link(m);
	world_run(31000);
	duo_assert(M1);
}

static void test_old_message(void **state)
{
	static struct sip_reply reply;
	struct sip_incoming in = { .from = E(M1, 5060), .to = A(C0) };
	char body[512];
	struct kernel_binding b;

	duo_join();
	host_move(m, M0, M1);
	world_run(1000);
	assert_true(host_binding(c, M0, &b));
	in.body = body;
	in.len = snprintf(body, sizeof(body),
			  "Bind [" M0 "] to [" M1 "]\r\nVersion: 1\r\n"
			  "Association: AAAAAAAAAAAAAAAA\r\nSeq: 9\r\n"
			  "Lifetime: 60\r\nScope: flow\r\nFlows: owned\r\n"
			  "Encap: ipip\r\n");
	world_enter(c);
	memset(&reply, 0, sizeof(reply));
	assert_true(c->node_on_info(&in, &reply));
	assert_int_equal(reply.status, 481);
	assert_int_equal(reply.len, 0);
	in.len = 10;
	assert_true(c->node_on_info(&in, &reply));
	assert_int_equal(reply.status, 400);
}

/* ----------------------------------------------------------------- status */

static json_t *ask(struct host *h, const char *command)
{
	json_t *request = json_pack("{s:s}", "command", command);
	json_t *reply;

	world_enter(h);
	reply = (json_t *)h->status_serve((struct json_t *)request);
	json_decref(request);
	assert_non_null(reply);
	return reply;
}

static void test_status(void **state)
{
	const char *phase, *where, *summary, *reason;
	json_t *reply;

	duo_join();
	host_move(m, M0, M1);
	world_run(1000);
	reply = ask(m, "status");
	assert_int_equal(json_unpack(reply, "{s:{s:s, s:[{s:s}], s:[{s:s}]}}",
				     "status", "summary", &summary,
				     "associations", "phase", &phase,
				     "originals", "current", &where), 0);
	assert_string_equal(phase, "bound");
	assert_string_equal(where, M1);
	assert_non_null(strstr(summary, "1 connection can move"));
	assert_null(strstr(summary, "isn"));
	json_decref(reply);
	host_stop(c);
	flow_open(m, E(M1, 6000), c, E(C1, 80));
	world_run(10000);
	reply = ask(m, "status");
	assert_int_equal(json_unpack(reply, "{s:{s:[{s:s}]}}", "status",
				     "cannot_move", "reason", &reason), 0);
	assert_string_equal(reason, "no agent there");
	json_decref(reply);
	reply = ask(m, "nonsense");
	assert_true(json_is_false(json_object_get(reply, "ok")));
	json_decref(reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(test_##name, duo_setup, \
						duo_teardown)
		T(no_agent), T(agent_comes_later), T(not_among_peers),
		T(not_accepted), T(new_hosts_a_second), T(noise),
		T(follow_route), T(follow_keep), T(tentative),
		T(not_bindable_yet), T(restless), T(ipv6_is_left_alone),
		T(mobile_only_server), T(outage), T(news_are_missed),
		T(network_is_dead), T(old_message), T(status),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
