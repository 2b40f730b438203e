// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loop of agent.h by poll(2), for programs without SIP: hmmpctl and tests.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <time.h>
#include "agent.h"

#define SOURCES	16
#define TIMERS	16

static struct {
	bool stop;
	unsigned int n;
	struct pollfd fd[SOURCES];
	struct {
		loop_fd_cb cb;
		void *arg;
	} source[SOURCES];
	struct timer *timer[TIMERS];
} loop;

int loop_init(void)
{
	unsigned int i;

	loop.n = 0;
	loop.stop = false;
	for (i = 0; i < TIMERS; i++)
		loop.timer[i] = NULL;
	return 0;
}

void loop_exit(void)
{
	loop.n = 0;
}

uint64_t loop_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

int loop_fd_add(int fd, loop_fd_cb cb, void *arg)
{
	if (loop.n == SOURCES)
		return -ENOSPC;
	loop.fd[loop.n].fd = fd;
	loop.fd[loop.n].events = POLLIN;
	loop.fd[loop.n].revents = 0;
	loop.source[loop.n].cb = cb;
	loop.source[loop.n].arg = arg;
	loop.n++;
	return 0;
}

void loop_fd_del(int fd)
{
	unsigned int i;

	for (i = 0; i < loop.n; i++) {
		if (loop.fd[i].fd != fd)
			continue;
		loop.n--;
		loop.fd[i] = loop.fd[loop.n];
		loop.source[i] = loop.source[loop.n];
		return;
	}
}

void timer_set(struct timer *t, unsigned int ms)
{
	unsigned int i;

	timer_stop(t);
	for (i = 0; i < TIMERS && loop.timer[i]; i++)
		;
	if (i == TIMERS)
		return;
	loop.timer[i] = t;
	t->slot = i;
	t->at = loop_now() + ms;
	t->armed = true;
}

void timer_stop(struct timer *t)
{
	if (t->armed)
		loop.timer[t->slot] = NULL;
	t->armed = false;
}

/* Fire what is due; milliseconds to the next one, or -1. */
static int run_timers(void)
{
	uint64_t now = loop_now(), next = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < TIMERS; i++) {
		struct timer *t = loop.timer[i];

		if (t && t->at <= now) {
			timer_stop(t);
			t->fire(t);
		}
		t = loop.timer[i];
		if (t && t->at < next)
			next = t->at;
	}
	if (next == UINT64_MAX)
		return -1;
	if (next <= now)
		return 0;
	return next - now > INT_MAX ? INT_MAX : (int)(next - now);
}

static void run_sources(void)
{
	unsigned int i;

	for (i = 0; i < loop.n && !loop.stop; i++) {
		if (!loop.fd[i].revents)
			continue;
		loop.fd[i].revents = 0;
		loop.source[i].cb(loop.source[i].arg, loop.fd[i].fd);
	}
}

void loop_run(void)
{
	loop.stop = false;
	while (!loop.stop) {
		int wait = run_timers();

		if (loop.stop || (!loop.n && wait < 0))
			break;
		if (poll(loop.fd, loop.n, wait) > 0)
			run_sources();
	}
}

void loop_stop(void)
{
	loop.stop = true;
}
