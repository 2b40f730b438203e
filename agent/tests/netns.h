/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For test programs: a network namespace of their own, commands in it, and
 * waiting for something with the loop running.
 */
#ifndef HMMP_TEST_NETNS_H
#define HMMP_TEST_NETNS_H

#include <stdbool.h>

/* Go into a new network namespace; false if that is not permitted. */
bool netns_enter(void);
/* Run a shell command; the test ends if it fails. */
void netns_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Its output, at most size - 1 bytes; the exit status. */
int netns_read(char *out, unsigned int size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Does its output have this text? */
bool netns_says(const char *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Run the loop until cond() holds; false after ms milliseconds. */
bool netns_wait(bool (*cond)(void), unsigned int ms);

#endif
