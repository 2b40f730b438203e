// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lets the kernel fail the n-th allocation that this task makes from now on
 * (Documentation/fault-injection of the kernel, "fail-nth"). The scenario has
 * said which kinds of allocations count (failslab, fail_page_alloc).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "failnth.h"

static int fd = -1;

static void write_nth(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(fd, text, len, 0) != len) {
		perror("fail-nth");
		exit(2);
	}
}

/* Of the task that calls it: again after fork(). */
void fail_open(void)
{
	if (fd >= 0)
		close(fd);
	fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		perror("/proc/thread-self/fail-nth");
		exit(2);
	}
}

void fail_arm(unsigned int nth)
{
	write_nth(nth);
}

/* Return: how many it was before the one that fails; 0: that has failed. */
unsigned int fail_disarm(void)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0) {
		perror("fail-nth");
		exit(2);
	}
	write_nth(0);
	return atoi(text);
}
