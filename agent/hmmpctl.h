/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The map of hmmpctl: options, and the commands by the file that has them. */
#ifndef HMMP_HMMPCTL_H
#define HMMP_HMMPCTL_H

#include <stdbool.h>
#include <stdio.h>
#include <jansson.h>
#include "agent.h"

/* Exit status. */
enum { CTL_OK, CTL_FAILED, CTL_USAGE };

struct ctl {
	bool json;
	bool all;			/* counters that are 0, too */
	const char *socket;		/* the agent's */
	FILE *out, *err;
};

/* argv[0] is the command's name. Returns the exit status. */
typedef int (*ctl_command)(const struct ctl *c, int argc, char **argv);

/* hmmpctl.c */
int hmmpctl_run(int argc, char **argv, FILE *out, FILE *err);
/* A sentence for the error stream; returns CTL_FAILED or CTL_USAGE. */
int hmmpctl_fail(const struct ctl *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int hmmpctl_usage(const struct ctl *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* What the module answered to a call. */
int hmmpctl_refused(const struct ctl *c, int err);
/* One JSON value on one line; consumes it. */
int hmmpctl_print(const struct ctl *c, json_t *value);

/* hmmpctl_list.c */
int hmmpctl_flows(const struct ctl *c, int argc, char **argv);
int hmmpctl_bindings(const struct ctl *c, int argc, char **argv);
int hmmpctl_local(const struct ctl *c, int argc, char **argv);
int hmmpctl_peers(const struct ctl *c, int argc, char **argv);
int hmmpctl_stats(const struct ctl *c, int argc, char **argv);
int hmmpctl_version(const struct ctl *c, int argc, char **argv);

/* hmmpctl_set.c */
int hmmpctl_limits(const struct ctl *c, int argc, char **argv);
int hmmpctl_handoff(const struct ctl *c, int argc, char **argv);

/* hmmpctl_drive.c: what an agent does, by hand */
int hmmpctl_bind(const struct ctl *c, int argc, char **argv);
int hmmpctl_unbind(const struct ctl *c, int argc, char **argv);
int hmmpctl_release(const struct ctl *c, int argc, char **argv);
int hmmpctl_at(const struct ctl *c, int argc, char **argv);
int hmmpctl_forget(const struct ctl *c, int argc, char **argv);
int hmmpctl_peer(const struct ctl *c, int argc, char **argv);
int hmmpctl_own(const struct ctl *c, int argc, char **argv);
int hmmpctl_track(const struct ctl *c, int argc, char **argv);

/* hmmpctl_watch.c */
int hmmpctl_monitor(const struct ctl *c, int argc, char **argv);

/* hmmpctl_status.c */
int hmmpctl_status(const struct ctl *c, int argc, char **argv);

/* hmmpctl_agent.c */
/*
 * Ask the agent; consumes the request. Its answer, or NULL and -errno in *err
 * (-ECONNREFUSED, -ENOENT: it is not running).
 */
json_t *hmmpctl_ask(const struct ctl *c, json_t *request, int *err);
bool hmmpctl_no_agent(int err);

#endif
