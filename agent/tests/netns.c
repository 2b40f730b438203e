// SPDX-License-Identifier: GPL-2.0-or-later
/* Network namespaces for test programs (netns.h). */
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent.h"
#include "netns.h"

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

bool netns_enter(void)
{
	char map[32];

	if (!unshare(CLONE_NEWNET)) {
		netns_run("ip link set lo up");
		return true;
	}
	snprintf(map, sizeof(map), "0 %d 1", (int)getuid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return false;
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", map);
	netns_run("ip link set lo up");
	return true;
}

void netns_run(const char *fmt, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command)) {
		fprintf(stderr, "failed: %s\n", command);
		abort();
	}
}

static int read_output(char *out, unsigned int size, const char *command)
{
	FILE *f = popen(command, "r");
	size_t n;
	int status;

	if (!f)
		abort();
	n = fread(out, 1, size - 1, f);
	out[n] = 0;
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int netns_read(char *out, unsigned int size, const char *fmt, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	return read_output(out, size, command);
}

bool netns_says(const char *text, const char *fmt, ...)
{
	char command[1024], out[8192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	read_output(out, sizeof(out), command);
	if (strstr(out, text))
		return true;
	fprintf(stderr, "no \"%s\" in: %s\n%s", text, command, out);
	return false;
}

/* ---------------------------------------------------------------- waiting */

#define LOOK 10				/* ms between two looks */

static bool (*condition)(void);
static uint64_t deadline;

static void look(struct timer *t)
{
	if (condition() || loop_now() > deadline)
		loop_stop();
	else
		timer_set(t, LOOK);
}

bool netns_wait(bool (*cond)(void), unsigned int ms)
{
	struct timer t = { .fire = look };

	condition = cond;
	deadline = loop_now() + ms;
	timer_set(&t, 0);
	loop_run();
	timer_stop(&t);
	return cond();
}
