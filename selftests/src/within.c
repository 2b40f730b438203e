// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * within NAMESPACE COMMAND...: becomes the command, in that network namespace.
 * Unlike "ip netns exec" it leaves /sys as it is. Scenarios start commands all
 * the time, and in an emulated machine this takes 10 ms where ip(8) takes 100:
 * it is linked statically, and mounts nothing.
 *
 * Started by lib.sh, in the guest.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "netns.h"

int main(int argc, char **argv)
{
	int err;

	if (argc < 3) {
		fputs("within NAMESPACE COMMAND...\n", stderr);
		return 2;
	}
	err = netns_enter(argv[1]);
	if (err) {
		fprintf(stderr, "within %s: %s\n", argv[1], strerror(-err));
		return 125;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
