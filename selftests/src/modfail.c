// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loads a module again and again, while one allocation on the way fails, each
 * time a later one, until all of them have; where the kernel cannot tell the
 * many of its loader from those of the module, the last ones are enough. Each
 * failure has to be told as one of memory, and to leave nothing that keeps the
 * module from being loaded the next time; where the kernel did without, the
 * module is unloaded.
 *
 *	modfail FILE [LAST]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "failnth.h"

#define NAME	"hmmp"
#define MANY	20000		/* allocations: more than there are */

/* Return: 0 or a positive errno; *left: see fail_disarm(). */
static int load(const char *path, unsigned int nth, unsigned int *left)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0) {
		perror(path);
		return -1;
	}
	fail_arm(nth);
	if (syscall(SYS_finit_module, fd, "", 0))
		err = errno;
	*left = fail_disarm();
	close(fd);
	return err;
}

static bool loads_and_goes(const char *path, unsigned int nth,
			   unsigned int *left, unsigned int *refused)
{
	int err = load(path, nth, left);

	if (err && (*left || (err != ENOMEM && err != ENOBUFS))) {
		printf("allocation %u: %s\n", nth, strerror(err));
		return false;
	}
	printf("%u: %s\n", nth, strerror(err));
	fflush(stdout);
	*refused += !!err;
	if (!err && syscall(SYS_delete_module, NAME, 0)) {
		printf("allocation %u: cannot unload: %s\n", nth,
		       strerror(errno));
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	unsigned int n, all, last = MANY, left = 0, refused = 0;
	int i;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: modfail FILE [LAST]\n");
		return 2;
	}
	if (argc == 3)
		last = atoi(argv[2]);
	fail_open();
	for (i = 0; i < 2; i++)		/* the first time may need more */
		if (!loads_and_goes(argv[1], MANY, &left, &refused) || !left)
			return 1;
	all = MANY - left;
	left = 0;
	for (n = all > last ? all - last : 1; !left; n++)
		if (!loads_and_goes(argv[1], n, &left, &refused))
			return 1;
	printf("%u allocations, %u were needed\n", all, refused);
	return !refused;
}
