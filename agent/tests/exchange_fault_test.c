// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Agents in trouble (duo.h): killed and started again, and with a kernel that
 * refuses, loses events, goes away or comes back with nothing in its memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "duo.h"

static void refuse(struct host *h, enum fake_call call, int err,
		   unsigned int times)
{
	world_enter(h);
	kernel_fake_fail(call, err, times);
}

/* ------------------------------------------------------- killed, restarted */

static void test_kill_mobile(void **state)
{
	duo_join();
	host_move(m, M0, M1);
	world_run(1000);
	host_kill(m);
	world_run(5000);
	duo_assert(M1);
	host_start(m);
	world_run(1000);
	duo_assert(M1);
	host_move(m, M1, M2);
	world_run(1000);
	duo_assert(M2);
	host_move(m, M2, M0);
	world_run(1000);
	assert_int_equal(host_bindings(c), 0);
}

/* It moved while no agent was alive. */
static void test_kill_and_move(void **state)
{
	duo_join();
	host_kill(m);
	host_move(m, M0, M1);
	world_run(5000);
	host_start(m);
	world_run(1000);
	duo_assert(M1);
	assert_true(host_anchor(m, M0)->detached);
}

static void test_kill_at_any_instant(void **state)
{
	unsigned int at;

	for (at = 0; at <= 24; at += 4) {
		if (at) {
			duo_teardown(state);
			duo_setup(state);
		}
		duo_join();
		host_move(m, M0, M1);
		world_run(at);
		host_kill(m);
		host_move(m, M1, at % 8 ? M2 : M1);
		host_start(m);
		world_run(2000);
		duo_assert(at % 8 ? M2 : M1);
	}
}

static void test_kill_before_claim_is_answered(void **state)
{
	flow_open(m, E(M0, 5000), c, E(C0, 80));
	world_run(505);
	host_kill(m);
	world_run(100);
	assert_int_equal(host_owned(c, C0), 1);
	assert_int_equal(host_owned(m, M0), 0);
	host_start(m);
	world_run(3000);
	assert_int_equal(host_owned(m, M0), 1);
	host_move(m, M0, M1);
	world_run(1000);
	duo_assert(M1);
}

static void test_kill_correspondent(void **state)
{
	duo_join();
	host_move(m, M0, M1);
	world_run(1000);
	host_kill(c);
	world_run(1000);
	host_start(c);
	host_move(m, M1, M2);
	world_run(1000);
	duo_assert(M2);
}

/* The answer is lost, the correspondent dies: the repetition is known. */
static void lose_answers(struct message *msg)
{
	if (msg->answer)
		msg->copies = 0;
}

static void test_kill_correspondent_before_answer(void **state)
{
	duo_join();
	world.filter = lose_answers;
	host_move(m, M0, M1);
	world_run(12);
	host_kill(c);
	host_start(c);
	world.filter = NULL;
	world_run(2000);
	duo_assert(M1);
}

/* An old state file: the peer's refusal names the Seq to go on from. */
static void test_lost_seq(void **state)
{
	char line[4096];
	FILE *f;
	char *seq;

	duo_join();
	f = fopen(m->cfg.state, "r");
	assert_non_null(f);
	line[fread(line, 1, sizeof(line) - 1, f)] = '\0';
	fclose(f);
	host_move(m, M0, M1);
	world_run(1000);
	host_move(m, M1, M2);
	world_run(1000);
	host_kill(m);
	seq = strstr(line, "\"seq\":");
	assert_non_null(seq);
	f = fopen(m->cfg.state, "w");
	fputs(line, f);
	fclose(f);
	host_start(m);
	host_move(m, M2, M1);
	world_run(1000);
	duo_assert(M1);
}

/* Killed when its Bind was out and not yet in the state file. */
static void test_kill_before_saved(void **state)
{
	char text[4096];
	size_t len;
	FILE *f;

	duo_join();
	f = fopen(m->cfg.state, "r");
	assert_non_null(f);
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	host_move(m, M0, M1);
	host_kill(m);
	f = fopen(m->cfg.state, "w");
	fwrite(text, 1, len, f);
	fclose(f);
	world_run(100);
	host_start(m);
	world_run(100);
	duo_assert(M1);
}

static void test_torn_state(void **state)
{
	FILE *f;

	duo_join();
	host_kill(m);
	f = fopen(m->cfg.state, "a");
	fputs("{\"id\":\"AAAA", f);
	fclose(f);
	host_start(m);
	host_move(m, M0, M1);
	world_run(1000);
	duo_assert(M1);
}

/* --------------------------------------------------------- refusing kernels */

static unsigned int bound_200, refused_503, refused_500;

static void watch(struct message *msg)
{
	if (!msg->answer)
		return;
	bound_200 += msg->status == 200;
	refused_503 += msg->status == 503;
	refused_500 += msg->status == 500;
	if (msg->status == 200)
		assert_memory_equal(msg->body, "Bound", 5);
	else
		assert_memory_equal(msg->body, "Refused", 7);
}

static void watch_answers(void)
{
	bound_200 = 0;
	refused_503 = 0;
	refused_500 = 0;
	world.filter = watch;
}

static void test_kernel_limit(void **state)
{
	struct kernel_binding b;

	duo_join();
	watch_answers();
	refuse(c, FAKE_BINDING_NEW, -ENOSPC, 1);
	host_move(m, M0, M1);
	world_run(1000);
	assert_int_equal(bound_200, 0);
	assert_int_equal(refused_503, 1);
	assert_false(host_binding(c, M0, &b));
	assert_int_equal(host_peer(m, C0, M1), KERNEL_UNKNOWN);
	world_run(31000);
	duo_assert(M1);
	assert_int_equal(bound_200, 1);
}

static void test_kernel_fault(void **state)
{
	duo_join();
	watch_answers();
	refuse(c, FAKE_BINDING_NEW, -EIO, 2);
	host_move(m, M0, M1);
	world_run(500);
	assert_int_equal(bound_200, 0);
	assert_int_equal(refused_500, 1);
	world_run(10000);
	assert_int_equal(refused_500, 2);
	duo_assert(M1);
}

static void test_module_gone_at_correspondent(void **state)
{
	duo_join();
	watch_answers();
	world_enter(c);
	kernel_fake_gone();
	world_deliver();
	host_move(m, M0, M1);
	world_run(3000);
	assert_int_equal(bound_200, 0);
	assert_true(refused_500 > 0);
}

static void test_handoff_refused(void **state)
{
	duo_join();
	refuse(m, FAKE_HANDOFF, -ENOMEM, 1);
	host_move(m, M0, M1);
	world_run(100);
	assert_int_equal(world.messages, 0);
	world_run(2000);
	duo_assert(M1);
}

/* ---------------------------------------------------- rmmod, insmod, ENOBUFS */

/* Older than modules and agents, in both directions. */
static void test_taken_over(void **state)
{
	host_stop(m);
	host_stop(c);
	flow_old(m, E(M0, 5000), c, E(C0, 80));
	flow_old(c, E(C0, 5001), m, E(M0, 22));
	host_start(c);
	host_start(m);
	world_run(3000);
	assert_int_equal(host_owned(m, M0), 2);
	assert_int_equal(host_owned(c, C0), 2);
	host_move(m, M0, M1);
	world_run(1000);
	duo_assert(M1);
}

/* rmmod and insmod: sockets live on, and both ends find them again. */
static void test_reloaded_sockets(void **state)
{
	struct host *both[2] = { m, c };
	unsigned int i;

	host_stop(m);
	host_stop(c);
	flow_old(m, E(M0, 5000), c, E(C0, 80));
	host_start(c);
	host_start(m);
	world_run(3000);
	host_move(m, M0, M1);
	world_run(1000);
	duo_assert(M1);
	for (i = 0; i < 2; i++) {
		world_enter(both[i]);
		kernel_fake_gone();
		world_deliver();
		world_run(1000);
		world_enter(both[i]);
		kernel_fake_back();
		world_run(1000);
		duo_assert(M1);
		assert_int_equal(host_owned(m, M0), 1);
		assert_int_equal(host_owned(c, C0), 1);
	}
	host_move(m, M1, M2);
	world_run(1000);
	duo_assert(M2);
}

/* The kernel's sockets live on: the module finds them again. */
static void reload(struct host *h, struct endpoint local,
		   struct endpoint remote, bool opener)
{
	struct kernel_flow k = {
		.local = local, .remote = remote, .state = KERNEL_ESTABLISHED,
		.flags = opener ? KERNEL_FLOW_OPENER : 0,
	};

	world_enter(h);
	kernel_fake_gone();
	world_deliver();
	world_run(3000);
	world_enter(h);
	kernel_fake_back();
	kernel_fake_flow_add(&k);
	world_deliver();
}

static void test_module_reloaded(void **state)
{
	duo_join();
	host_move(m, M0, M1);
	world_run(1000);
	reload(c, E(C0, 80), E(M0, 5000), false);
	duo_assert(M1);
	assert_int_equal(host_owned(c, C0), 1);
	reload(m, E(M0, 5000), E(C0, 80), true);
	duo_assert(M1);
	assert_int_equal(host_owned(m, M0), 1);
	host_move(m, M1, M2);
	world_run(1000);
	duo_assert(M2);
}

static void test_events_lost(void **state)
{
	duo_join();
	host_move(m, M0, M1);
	world_run(1000);
	world_enter(m);
	kernel_fake_lose();
	flow_open(m, E(M1, 6000), c, E(C0, 80));
	world_run(5000);
	duo_assert(M1);
	assert_int_equal(host_owned(m, M1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(test_##name, duo_setup, \
						duo_teardown)
		T(kill_mobile), T(kill_and_move), T(kill_at_any_instant),
		T(kill_before_claim_is_answered), T(kill_correspondent),
		T(kill_correspondent_before_answer), T(lost_seq),
		T(kill_before_saved), T(torn_state), T(kernel_limit),
		T(kernel_fault), T(module_gone_at_correspondent),
		T(handoff_refused), T(taken_over), T(reloaded_sockets),
		T(module_reloaded), T(events_lost),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
