// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loop: one thread, sofia-sip's root with its epoll, everybody's file
 * descriptors, and timers of our own.
 *
 * The library's timers follow a clock that stands still while the machine
 * sleeps, so ours hang on one timerfd of CLOCK_BOOTTIME instead: a binary heap
 * whose first element the timerfd is set to. A timer knows its place in the
 * heap; it is in the heap exactly while it is armed.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "sip.h"

#define ROUND	60000	/* ms; the library wants an end, events come before */

struct watch {
	struct watch *next;
	int fd;
	int index;		/* what the root calls it */
	loop_fd_cb cb;
	void *arg;
};

static su_root_t *root;
static struct watch *watches;
static bool stopped;

static int clock_fd = -1;
static uint64_t clock_at;	/* what the timerfd is set to; 0: off */
static struct timer **heap;
static unsigned int heap_n;
static unsigned int heap_size;

/** loop_root - the library's root, NULL outside of loop_init..loop_exit */
su_root_t *loop_root(void)
{
	return root;
}

/** loop_now - milliseconds of CLOCK_BOOTTIME */
uint64_t loop_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ----------------------------------------------------------------- the heap */

static void place(struct timer *t, unsigned int slot)
{
	heap[slot] = t;
	t->slot = slot;
}

/* Moves t, whose place is free to be overwritten, to where it belongs. */
static void sift(struct timer *t, unsigned int slot)
{
	unsigned int other;

	while (slot && heap[(slot - 1) / 2]->at > t->at) {
		place(heap[(slot - 1) / 2], slot);
		slot = (slot - 1) / 2;
	}
	for (other = 2 * slot + 1; other < heap_n; other = 2 * slot + 1) {
		if (other + 1 < heap_n && heap[other + 1]->at < heap[other]->at)
			other++;
		if (heap[other]->at >= t->at)
			break;
		place(heap[other], slot);
		slot = other;
	}
	place(t, slot);
}

static void set_clock(void)
{
	uint64_t at = heap_n ? heap[0]->at : 0;
	struct itimerspec when = {
		.it_value = { (time_t)(at / 1000),
			      (long)(at % 1000) * 1000000 },
	};

	if (at == clock_at || clock_fd < 0)
		return;
	clock_at = at;
	timerfd_settime(clock_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void grow(void)
{
	unsigned int size = heap_size ? 2 * heap_size : 64;
	struct timer **more = realloc(heap, size * sizeof(struct timer *));

	/* A timer that is silently not set would hang a role for ever. */
	if (!more) {
		log_print(LOG_ERROR, "no memory for a timer; ending");
		abort();
	}
	heap = more;
	heap_size = size;
}

static void take_out(struct timer *t)
{
	struct timer *last = heap[--heap_n];

	t->armed = false;
	if (last != t)
		sift(last, t->slot);
}

/**
 * timer_set - call t->fire from the loop, once
 * @t: the timer; when it is armed it is set anew
 * @ms: milliseconds from now; 0 is the next round of the loop
 */
void timer_set(struct timer *t, unsigned int ms)
{
	timer_stop(t);
	if (heap_n == heap_size)
		grow();
	/* at least 1: one that sets itself again does not starve the loop */
	t->at = loop_now() + (ms ? ms : 1);
	t->armed = true;
	sift(t, heap_n++);
	set_clock();
}

/** timer_stop - t->fire is not called any more; may be stopped already */
void timer_stop(struct timer *t)
{
	if (!t->armed)
		return;
	take_out(t);
	set_clock();
}

static void on_clock(void *arg, int fd)
{
	uint64_t now = loop_now();
	uint64_t expirations;
	struct timer *t;

	if (read(fd, &expirations, sizeof(expirations)) < 0)
		return;
	while (heap_n && heap[0]->at <= now) {
		t = heap[0];
		take_out(t);
		t->fire(t);
	}
	clock_at = 0;
	set_clock();
}

/* --------------------------------------------------------- file descriptors */

static int on_event(su_root_magic_t *magic, su_wait_t *w, su_wakeup_arg_t *arg)
{
	struct watch *watch = arg;

	watch->cb(watch->arg, watch->fd);
	return 0;
}

/**
 * loop_fd_add - call @cb from the loop while @fd is readable or in error
 * @fd: not blocking; stays the caller's
 * @cb: reads until EAGAIN, or is called again at once
 * @arg: handed to @cb
 *
 * Return: 0, or -errno.
 */
int loop_fd_add(int fd, loop_fd_cb cb, void *arg)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	su_wait_t w;

	if (!watch)
		return -ENOMEM;
	*watch = (struct watch){ watches, fd, -1, cb, arg };
	if (!su_wait_create(&w, fd, SU_WAIT_IN | SU_WAIT_ERR))
		watch->index = su_root_register(root, &w, on_event, watch, 0);
	if (watch->index < 0) {
		free(watch);
		return -EIO;
	}
	watches = watch;
	return 0;
}

/** loop_fd_del - @fd is not watched any more; call it before closing @fd */
void loop_fd_del(int fd)
{
	struct watch **at;
	struct watch *watch;

	for (at = &watches; *at && (*at)->fd != fd; at = &(*at)->next)
		;
	watch = *at;
	if (!watch)
		return;
	*at = watch->next;
	su_root_deregister(root, watch->index);
	free(watch);
}

/* ------------------------------------------------------------------ the loop */

/** loop_init - before anything else of this file; 0 or -errno */
int loop_init(void)
{
	int err;

	if (su_init())
		return -ENOMEM;
	root = su_root_create(NULL);
	clock_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	err = !root ? -ENOMEM : clock_fd < 0 ? -errno :
		loop_fd_add(clock_fd, on_clock, NULL);
	stopped = false;
	clock_at = 0;
	if (err)
		loop_exit();
	return err;
}

/** loop_exit - forget all timers and file descriptors, and the root */
void loop_exit(void)
{
	while (heap_n)
		take_out(heap[heap_n - 1]);
	free(heap);
	heap = NULL;
	heap_size = 0;
	while (watches)
		loop_fd_del(watches->fd);
	if (clock_fd >= 0)
		close(clock_fd);
	clock_fd = -1;
	if (root)
		su_root_destroy(root);
	root = NULL;
	su_deinit();
}

/** loop_run - serve events until loop_stop() */
void loop_run(void)
{
	while (!stopped)
		su_root_step(root, ROUND);
	stopped = false;
}

/** loop_stop - let loop_run() return after this round */
void loop_stop(void)
{
	stopped = true;
}
