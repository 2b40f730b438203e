/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock of everything that is measured: CLOCK_MONOTONIC, which is the same
 * in every network namespace of a machine and never jumps.
 */
#ifndef SELFTESTS_CLOCK_H
#define SELFTESTS_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NSEC_PER_MSEC	1000000ULL
#define NSEC_PER_SEC	1000000000ULL

/* Nanoseconds. */
static inline uint64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

static inline double clock_ms(uint64_t ns)
{
	return (double)ns / NSEC_PER_MSEC;
}

/* Sleeps until a time of clock_now(). */
static inline void clock_wait(uint64_t until)
{
	struct timespec t = {
		.tv_sec = (time_t)(until / NSEC_PER_SEC),
		.tv_nsec = (long)(until % NSEC_PER_SEC),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		;
}

#endif
