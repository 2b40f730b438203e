// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two or more agents talk to each other (world.h): claims, moves and returns,
 * on a network that loses, doubles and swaps messages.
 *
 *	M 10.1.0.2 -> 10.2.0.2 ...	mobile
 *	C 10.9.0.5			correspondent
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "world.h"

#define M0 "10.1.0.2"
#define M1 "10.2.0.2"
#define M2 "10.3.0.2"
#define C0 "10.9.0.5"
#define C1 "10.8.0.5"

static struct host *m, *c;

static int setup(void **state)
{
	world_start(10);
	m = host_add("M", true, false);
	c = host_add("C", false, true);
	host_addr(m, M0, 2, true);
	host_route(m, NULL, M0);
	host_addr(c, C0, 2, true);
	host_route(c, NULL, C0);
	host_start(m);
	host_start(c);
	return 0;
}

static int teardown(void **state)
{
	world_end();
	return 0;
}

/* One claimed flow between M and C. */
static void join(void)
{
	flow_open(m, E(M0, 5000), c, E(C0, 80));
	world_run(1000);
	assert_int_equal(host_owned(m, M0), 1);
	assert_int_equal(host_owned(c, C0), 1);
}

/* Do both kernels agree that what was born at M0 is now at this address? */
static void assert_joined(struct host *far, const char *original,
			  const char *now)
{
	struct kernel_binding b;
	struct addr current;

	assert_true(host_current(m, original, &current));
	assert_true(is(&current, now));
	assert_int_equal(host_peer(m, C0, now), KERNEL_ACCEPTED);
	assert_true(host_binding(far, original, &b));
	assert_true(is(&b.current, now));
	assert_int_equal(b.status, KERNEL_VERIFIED);
}

static unsigned int calls(struct host *h, enum fake_call call)
{
	world_enter(h);
	return kernel_fake_calls(call);
}

static void test_claim(void **state)
{
	struct addr current;

	flow_open(m, E(M0, 5000), c, E(C0, 80));
	assert_true(host_current(m, M0, &current));
	assert_true(host_anchor(m, M0)->held);
	assert_false(host_anchor(m, M0)->detached);
	world_run(499);
	assert_int_equal(world.messages, 0);
	world_run(22);
	assert_int_equal(world.messages, 2);
	assert_int_equal(host_owned(m, M0), 1);
	assert_int_equal(host_owned(c, C0), 1);
	world_run(200000);
	assert_int_equal(world.messages, 2);
	assert_int_equal(host_bindings(c), 0);
}

static void test_move(void **state)
{
	join();
	world.messages = 0;
	host_move(m, M0, M1);
	assert_int_equal(calls(m, FAKE_HANDOFF), 1);
	assert_true(host_anchor(m, M0)->detached);
	assert_int_equal(host_anchor(m, M0)->mtu, 1480);
	world_run(10);
	assert_int_equal(host_bindings(c), 1);
	world_run(10);
	assert_joined(c, M0, M1);
	assert_int_equal(world.messages, 2);
	host_move(m, M1, M2);
	world_run(20);
	assert_joined(c, M0, M2);
	assert_int_equal(world.messages, 4);
}

/* Only who lost the old address says so, once. */
static void test_lost_place(void **state)
{
	struct kernel_binding b;

	join();
	host_addr(m, M1, 3, true);
	host_route(m, NULL, M1);
	host_link(m);
	world_run(100);
	assert_joined(c, M0, M1);
	assert_true(host_binding(c, M0, &b));
	assert_false(b.flags & KERNEL_BINDING_LOST);
	host_move(m, M1, M2);
	world_run(20);
	assert_true(host_binding(c, M0, &b));
	assert_true(b.flags & KERNEL_BINDING_LOST);
	world_run(31000);
	assert_true(host_binding(c, M0, &b));
	assert_false(b.flags & KERNEL_BINDING_LOST);
}

static void test_home(void **state)
{
	struct addr current;

	join();
	host_move(m, M0, M1);
	world_run(1000);
	host_move(m, M1, M0);
	world_run(1000);
	assert_true(host_current(m, M0, &current));
	assert_true(is(&current, M0));
	assert_false(host_anchor(m, M0)->detached);
	assert_int_equal(host_bindings(c), 0);
	world.messages = 0;
	world_run(100000);
	assert_int_equal(world.messages, 0);
	host_move(m, M0, M2);
	world_run(1000);
	assert_joined(c, M0, M2);
}

static void test_refresh_and_end(void **state)
{
	struct kernel_binding b;

	join();
	host_move(m, M0, M1);
	world_run(1000);
	world.messages = 0;
	world_run(300000);
	assert_in_range(world.messages, 18, 20);
	assert_true(host_binding(c, M0, &b));
	assert_int_equal(b.status, KERNEL_VERIFIED);
	flow_close(m, E(M0, 5000), c, E(C0, 80));
	world_run(1000);
	assert_int_equal(host_bindings(c), 0);
	assert_int_equal(host_locals(m), 0);
	assert_null(host_anchor(m, M0));
	world_run(200000);
	world.messages = 0;
	world_run(200000);
	assert_int_equal(world.messages, 0);
}

/* The mobile's end lingers, the peer's has gone: no fuss. */
static void test_withdraw(void **state)
{
	struct endpoint from = E(M0, 5000), to = E(C0, 80);

	join();
	host_move(m, M0, M1);
	world_run(1000);
	world_enter(m);
	kernel_fake_flow_state(&from, &to, KERNEL_DISCONNECT);
	world_run(1000);
	assert_int_equal(host_locals(m), 0);
	assert_null(host_anchor(m, M0));
	/* C's flow is still there: held, and nothing goes to M0 */
	struct kernel_binding b;

	assert_true(host_binding(c, M0, &b));
	assert_int_equal(b.status, KERNEL_HELD);
}

static void test_new_flows_are_native(void **state)
{
	struct addr current;

	join();
	host_move(m, M0, M1);
	world_run(1000);
	flow_open(m, E(M1, 6000), c, E(C0, 80));
	world_run(1000);
	assert_int_equal(host_owned(c, C0), 2);
	assert_int_equal(host_bindings(c), 1);
	host_move(m, M1, M2);
	assert_int_equal(calls(m, FAKE_HANDOFF), 2);
	world_run(1000);
	assert_joined(c, M0, M2);
	assert_true(host_current(m, M1, &current));
	assert_true(is(&current, M2));
	assert_int_equal(host_bindings(c), 2);
}

/* Two moves inside one round trip: the last address, everywhere. */
static void test_two_moves(void **state)
{
	unsigned int gap;

	for (gap = 0; gap <= 20; gap += 5) {
		if (gap) {
			teardown(state);
			setup(state);
		}
		join();
		host_move(m, M0, M1);
		world_run(gap);
		host_move(m, M1, M2);
		world_run(2000);
		assert_joined(c, M0, M2);
	}
}

static unsigned int to_lose;

static void lose(struct message *msg)
{
	if (to_lose) {
		to_lose--;
		msg->copies = 0;
	}
}

static void lose_answer(struct message *msg)
{
	if (msg->answer)
		lose(msg);
}

static void test_lost_bind(void **state)
{
	join();
	world.filter = lose;
	to_lose = 1;
	host_move(m, M0, M1);
	world_run(100);
	assert_joined(c, M0, M1);	/* not after a second or more */
}

static void test_lost_answer(void **state)
{
	unsigned int n;

	join();
	n = calls(c, FAKE_BINDING_NEW);
	world.filter = lose_answer;
	to_lose = 2;
	host_move(m, M0, M1);
	world_run(400);
	assert_joined(c, M0, M1);
	assert_int_equal(calls(c, FAKE_BINDING_NEW), n + 1);
}

/* The first Bind is on the road for longer than everything after it. */
static void slow_first(struct message *msg)
{
	if (to_lose && !msg->answer) {
		to_lose--;
		msg->delay += 500;
	}
}

static void test_swapped(void **state)
{
	join();
	world.filter = slow_first;
	to_lose = 1;
	host_move(m, M0, M1);
	world_run(5);
	host_move(m, M1, M2);
	world_run(100);
	assert_joined(c, M0, M2);
	world_run(2000);
	assert_joined(c, M0, M2);
}

static void storm(struct message *msg)
{
	if (rand() % 100 < 30)
		msg->copies = 0;
	else if (rand() % 100 < 20)
		msg->copies = 2;
	msg->delay += rand() % 200;
}

/* Whatever is lost, doubled and swapped: all end at the last address. */
static void test_storm(void **state)
{
	static const char * const place[] = { M0, M1, M2 };
	unsigned int seed, i, at, next;

	for (seed = 1; seed <= 60; seed++) {
		if (seed > 1) {
			teardown(state);
			setup(state);
		}
		srand(seed);
		join();
		world.filter = storm;
		for (at = 0, i = 0; i < 8; i++, at = next) {
			next = (at + 1 + rand() % 2) % 3;
			host_move(m, place[at], place[next]);
			world_run(rand() % 400);
		}
		if (at == 0)
			host_move(m, M0, place[at = 1]);
		world_run(20000);
		assert_joined(c, M0, place[at]);
	}
}

/* ------------------------------------------------------------- both move */

static void make_both_mobile(void)
{
	world_end();
	world_start(10);
	m = host_add("M", true, true);
	c = host_add("C", true, true);
	host_addr(m, M0, 2, true);
	host_route(m, NULL, M0);
	host_addr(c, C0, 2, true);
	host_route(c, NULL, C0);
	host_start(m);
	host_start(c);
	join();
}

static void test_server_moves(void **state)
{
	struct kernel_binding b;

	make_both_mobile();
	host_move(c, C0, C1);
	world_run(1000);
	assert_true(host_binding(m, C0, &b));
	assert_true(is(&b.current, C1));
	assert_int_equal(host_peer(c, M0, C1), KERNEL_ACCEPTED);
	host_move(m, M0, M1);
	world_run(1000);
	assert_joined(c, M0, M1);
}

/* M's Bind meets C on its way out: C's Bind brings M's to the new place. */
static void test_both_move(void **state)
{
	struct kernel_binding b;

	make_both_mobile();
	host_move(m, M0, M1);
	world_run(10);			/* arrived, not answered */
	host_move(c, C0, C1);
	world_run(3000);
	assert_joined(c, M0, M1);
	assert_true(host_binding(m, C0, &b));
	assert_true(is(&b.current, C1));
}

/* Both at once, without a router that forwards: until one is back home. */
static void test_both_lost(void **state)
{
	struct kernel_binding b;

	make_both_mobile();
	host_move(m, M0, M1);
	host_move(c, C0, C1);
	world_run(60000);
	host_move(c, C1, C0);
	world_run(60000);
	assert_joined(c, M0, M1);
	assert_false(host_binding(m, C0, &b));
}

/* -------------------------------------------------------------- many flows */

static void test_many(void **state)
{
	static const char * const addr[] = { "10.9.0.6", "10.9.0.7" };
	struct host *far[3] = { c };
	unsigned int i, n = 0;

	for (i = 0; i < 2; i++) {
		far[i + 1] = host_add("D", false, true);
		host_addr(far[i + 1], addr[i], 2, true);
		host_route(far[i + 1], NULL, addr[i]);
		host_start(far[i + 1]);
	}
	for (i = 0; i < 450; i++)
		flow_open(m, E(M0, 10000 + i), far[i % 3],
			  E(i % 3 ? addr[i % 3 - 1] : C0, 80));
	world_run(5000);
	for (i = 0; i < 3; i++)
		n += host_owned(far[i], i ? addr[i - 1] : C0);
	assert_int_equal(n, 450);
	assert_int_equal(host_owned(m, M0), 450);
	world.messages = 0;
	host_move(m, M0, M1);
	world_run(1000);
	assert_int_equal(calls(m, FAKE_HANDOFF), 1);
	assert_int_equal(world.messages, 6);
	for (i = 0; i < 3; i++)
		assert_joined(far[i], M0, M1);
}

/* A flow too young to be claimed goes along in the Bind. */
static void test_late(void **state)
{
	join();
	flow_open(m, E(M0, 5001), c, E(C0, 80));
	world_run(100);
	host_move(m, M0, M1);
	world_run(100);
	assert_joined(c, M0, M1);
	assert_int_equal(host_owned(m, M0), 2);
	assert_int_equal(host_owned(c, C0), 2);
}

/* The first claim is under way when the address goes. */
static void test_late_first(void **state)
{
	flow_open(m, E(M0, 5000), c, E(C0, 80));
	world_run(512);			/* arrived, not answered */
	host_move(m, M0, M1);
	world_run(1000);
	assert_joined(c, M0, M1);
	assert_int_equal(host_owned(m, M0), 1);
}

/* Somebody else gets M0 and talks to C: two owners, two places. */
static void test_address_reused(void **state)
{
	struct kernel_binding b;
	struct host *n;

	join();
	host_move(m, M0, M1);
	world_run(1000);
	n = host_add("N", true, false);
	host_addr(n, M0, 2, true);
	host_route(n, NULL, M0);
	host_start(n);
	flow_open(n, E(M0, 7000), c, E(C0, 80));
	world_run(2000);
	assert_int_equal(host_owned(n, M0), 1);
	assert_int_equal(host_owned(c, C0), 2);
	assert_int_equal(host_bindings(c), 1);
	host_move(m, M1, M2);
	world_run(1000);
	assert_joined(c, M0, M2);
	host_move(n, M0, "10.4.0.2");
	world_run(1000);
	assert_int_equal(host_bindings(c), 2);
	assert_false(host_binding(c, M0, &b));	/* not one, but two of them */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
		T(claim), T(move), T(lost_place), T(home), T(refresh_and_end),
		T(withdraw), T(new_flows_are_native), T(two_moves),
		T(lost_bind), T(lost_answer), T(swapped), T(storm),
		T(server_moves), T(both_move), T(both_lost), T(many), T(late),
		T(late_first), T(address_reused),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
