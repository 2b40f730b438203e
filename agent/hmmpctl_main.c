// SPDX-License-Identifier: GPL-2.0-or-later
/* The program hmmpctl; everything it does is in hmmpctl.c and its siblings. */
#include <signal.h>
#include "hmmpctl.h"

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	return hmmpctl_run(argc, argv, stdout, stderr);
}
