// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loop: order of timers, stopping and setting them again from callbacks,
 * many of them, and file descriptors that are taken away.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent.h"

#define MANY 2000

struct probe {
	struct timer timer;
	unsigned int due;
	uint64_t fired_at;
	unsigned int count;
};

static unsigned int fired;
static uint64_t last_at;
static struct probe probes[MANY];

static int setup(void **state)
{
	fired = 0;
	last_at = 0;
	memset(probes, 0, sizeof(probes));
	return loop_init();
}

static int teardown(void **state)
{
	loop_exit();
	return 0;
}

static void on_probe(struct timer *t)
{
	struct probe *p = (struct probe *)t;

	assert_false(t->armed);
	p->fired_at = loop_now();
	p->count++;
	/* never before its time, never before one that is due earlier */
	assert_true(p->fired_at >= t->at);
	assert_true(t->at >= last_at);
	last_at = t->at;
	fired++;
}

static void on_end(struct timer *t)
{
	loop_stop();
}

static void run_for(unsigned int ms)
{
	struct timer end = { .fire = on_end };

	timer_set(&end, ms);
	loop_run();
}

static void many_timers_fire_in_order(void **state)
{
	unsigned int i;

	srand(1);
	for (i = 0; i < MANY; i++) {
		probes[i].timer.fire = on_probe;
		timer_set(&probes[i].timer, (unsigned int)rand() % 100);
	}
	for (i = 0; i < MANY; i += 3)
		timer_stop(&probes[i].timer);
	for (i = 1; i < MANY; i += 3)
		timer_set(&probes[i].timer, (unsigned int)rand() % 100);
	run_for(150);
	for (i = 0; i < MANY; i++)
		assert_int_equal(probes[i].count, i % 3 ? 1 : 0);
}

static void on_again(struct timer *t)
{
	if (++fired < 20)
		timer_set(t, 0);
	else
		loop_stop();
}

static void timer_sets_itself_again(void **state)
{
	struct timer t = { .fire = on_again };

	timer_set(&t, 0);
	loop_run();
	assert_int_equal(fired, 20);
	assert_false(t.armed);
}

static void on_stop_other(struct timer *t)
{
	timer_stop(&probes[1].timer);
	fired++;
}

static void timer_stops_another_that_is_due(void **state)
{
	probes[0].timer.fire = on_stop_other;
	probes[1].timer.fire = on_probe;
	timer_set(&probes[0].timer, 5);
	timer_set(&probes[1].timer, 6);
	while (loop_now() <= probes[1].timer.at)
		;		/* both are due when the loop looks */
	run_for(5);
	assert_int_equal(fired, 1);
	assert_int_equal(probes[1].count, 0);
}

static void earlier_timer_is_not_late(void **state)
{
	uint64_t start = loop_now();

	probes[0].timer.fire = on_probe;
	probes[1].timer.fire = on_end;
	timer_set(&probes[0].timer, 60000);
	timer_set(&probes[1].timer, 20);
	loop_run();
	assert_true(loop_now() - start < 10000);
	assert_true(probes[0].timer.armed);
	timer_stop(&probes[0].timer);
	assert_false(probes[0].timer.armed);
	timer_stop(&probes[0].timer);
}

static void on_readable(void *arg, int fd)
{
	char c;

	assert_ptr_equal(arg, probes);
	while (read(fd, &c, 1) == 1)
		fired++;
	loop_fd_del(fd);
	loop_stop();
}

static void descriptor_calls_until_deleted(void **state)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	assert_int_equal(loop_fd_add(fds[0], on_readable, probes), 0);
	assert_int_equal(write(fds[1], "abc", 3), 3);
	loop_run();
	assert_int_equal(fired, 3);
	assert_int_equal(write(fds[1], "d", 1), 1);
	run_for(20);
	assert_int_equal(fired, 3);
	loop_fd_del(fds[0]);
	close(fds[0]);
	close(fds[1]);
}

static void bad_descriptor_is_refused(void **state)
{
	assert_true(loop_fd_add(-1, on_readable, NULL) < 0);
}

static void stop_before_run_is_kept(void **state)
{
	loop_stop();
	loop_run();
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(many_timers_fire_in_order),
		T(timer_sets_itself_again),
		T(timer_stops_another_that_is_due),
		T(earlier_timer_is_not_late),
		T(descriptor_calls_until_deleted),
		T(bad_descriptor_is_refused),
		T(stop_before_run_is_kept),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
