// SPDX-License-Identifier: GPL-2.0-or-later
/* Two sysctls of this network namespace (knob.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "knob.h"

#define DIR "/proc/sys/net/ipv4/conf/all/"

/* All values above the wanted one mean at least as much. */
static const struct {
	const char *name;
	const char *path;
} knobs[] = {
	{ "arp_ignore", DIR "arp_ignore" },
	{ "promote_secondaries", DIR "promote_secondaries" },
};

#define KNOBS	(sizeof(knobs) / sizeof(knobs[0]))
#define WANTED	1

static int read_value(const char *path)
{
	char text[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? atoi(text) : -EIO;
}

static int write_value(const char *path, int value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (dprintf(fd, "%d\n", value) < 0)
		err = -errno;
	close(fd);
	return err;
}

int knob_set(char *text, size_t size)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < KNOBS; i++) {
		int old = read_value(knobs[i].path);
		size_t len = strlen(text);

		if (old >= WANTED)
			continue;
		if (old >= 0)
			old = write_value(knobs[i].path, WANTED) ?: old;
		if (old < 0)
			ret = old;
		else if (!strstr(text, knobs[i].name))
			snprintf(text + len, size - len, " %s=%d",
				 knobs[i].name, old);
	}
	return ret;
}

unsigned int knob_check(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < KNOBS; i++) {
		int now = read_value(knobs[i].path);

		if (now >= 0 && now < WANTED &&
		    !write_value(knobs[i].path, WANTED))
			n++;
	}
	return n;
}

void knob_restore(const char *text)
{
	unsigned int i;

	for (i = 0; i < KNOBS; i++) {
		const char *at = strstr(text, knobs[i].name);

		if (!at || at[strlen(knobs[i].name)] != '=')
			continue;
		if (read_value(knobs[i].path) == WANTED)
			write_value(knobs[i].path,
				    atoi(at + strlen(knobs[i].name) + 1));
	}
}
