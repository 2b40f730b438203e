// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * arrivals: when did which byte arrive? Two ways to look at a program that is
 * not changed for it:
 *
 *	curl ... | arrivals LOG >FILE	copies its input, notes every read
 *	arrivals -d DIRECTORY LOG	notes every write of somebody else (a web
 *					server) to the files of a directory
 *
 * LOG gets lines "MILLISECONDS BYTES": time of CLOCK_MONOTONIC and how many
 * bytes there are by then. What follows the last line within LINE_GAP is left
 * out, except at the end; the first bytes after a pause never are.
 *
 * Started by the scenarios about transfers, in the guest.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

#define LINE_GAP	(2 * NSEC_PER_MSEC)

static FILE *file;
static uint64_t last;

static void note(uint64_t bytes, bool always)
{
	uint64_t now = clock_now();

	if (!always && now - last < LINE_GAP)
		return;
	fprintf(file, "%.3f %" PRIu64 "\n", clock_ms(now), bytes);
	fflush(file);
	last = now;
}

static bool write_all(const char *buf, size_t len)
{
	ssize_t n;

	for (; len; buf += n, len -= (size_t)n) {
		n = write(STDOUT_FILENO, buf, len);
		if (n <= 0)
			return false;
	}
	return true;
}

static int copy(void)
{
	static char buf[65536];
	uint64_t bytes = 0;
	ssize_t n;

	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0) {
		bytes += (uint64_t)n;
		note(bytes, false);
		if (!write_all(buf, (size_t)n)) {
			perror("arrivals: write");
			return 1;
		}
	}
	note(bytes, true);
	if (n < 0)
		perror("arrivals: read");
	return n < 0;
}

static void look(const char *directory, const struct inotify_event *e)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", directory, e->name);
	if (!stat(path, &st))
		note((uint64_t)st.st_size, false);
}

/* Until it is killed. */
static int watch(const char *directory)
{
	char buf[4096] __attribute__((aligned(__alignof__(int))));
	const struct inotify_event *e;
	char *at;
	ssize_t n;
	int fd;

	fd = inotify_init1(IN_CLOEXEC);
	if (fd < 0 || inotify_add_watch(fd, directory, IN_MODIFY) < 0) {
		perror(directory);
		return 1;
	}
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (at = buf; at < buf + n; at += sizeof(*e) + e->len) {
			e = (const struct inotify_event *)at;
			if (e->len)
				look(directory, e);
		}
	}
	return 1;
}

int main(int argc, char **argv)
{
	const char *directory = NULL;

	if (argc > 2 && !strcmp(argv[1], "-d")) {
		directory = argv[2];
		argc -= 2;
		argv += 2;
	}
	if (argc != 2) {
		fprintf(stderr, "usage: arrivals [-d DIRECTORY] LOG\n");
		return 2;
	}
	file = fopen(argv[1], "we");
	if (!file) {
		perror(argv[1]);
		return 1;
	}
	return directory ? watch(directory) : copy();
}
