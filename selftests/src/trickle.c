// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * trickle RATE FILE: copies standard input to standard output, RATE bytes a
 * second, and as fast as it goes once FILE exists. So a transfer lasts as long
 * as a scenario needs it, on a slow machine, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TICKS 20			/* a second */

static int write_all(const char *p, size_t len)
{
	ssize_t n;

	for (; len; p += n, len -= n) {
		n = write(STDOUT_FILENO, p, len);
		if (n < 0)
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct timespec tick = { .tv_nsec = 1000000000 / TICKS };
	static char buf[65536];
	size_t want = sizeof(buf);
	ssize_t n;

	if (argc != 3 || atoi(argv[1]) < TICKS ||
	    atoi(argv[1]) / TICKS > (int)sizeof(buf)) {
		fputs("trickle RATE FILE\n", stderr);
		return 2;
	}
	do {
		if (!access(argv[2], F_OK)) {
			want = sizeof(buf);
		} else {
			want = atoi(argv[1]) / TICKS;
			nanosleep(&tick, NULL);
		}
		n = read(STDIN_FILENO, buf, want);
		if (n < 0 || write_all(buf, n)) {
			perror("trickle");
			return 1;
		}
	} while (n);
	return 0;
}
