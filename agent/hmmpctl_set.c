// SPDX-License-Identifier: GPL-2.0-or-later
/* hmmpctl's commands that change something. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "hmmpctl.h"
#include "kernel.h"
#include "view.h"

/* ----------------------------------------------------------------- limits */

static void print_limit(const struct ctl *c, const char *name, uint32_t used,
			uint32_t limit)
{
	fprintf(c->out, "%-9s %8u of %u\n", name, used, limit);
}

static int show_limits(const struct ctl *c)
{
	struct kernel_info info;
	const struct kernel_limits *l = &info.limits;
	int err = kernel_info(&info);

	if (err)
		return hmmpctl_refused(c, err);
	if (c->json)
		return hmmpctl_print(c, view_limits(l));
	print_limit(c, "flows", l->flows_used, l->flows);
	print_limit(c, "bindings", l->bindings_used, l->bindings);
	print_limit(c, "locals", l->locals_used, l->locals);
	print_limit(c, "peers", l->peers_used, l->peers);
	return CTL_OK;
}

/* "NAME=N": true if it is this name. A bad number leaves *n at 0. */
static bool parse_limit(const char *arg, const char *name, uint32_t *n)
{
	size_t len = strlen(name);
	unsigned long v;
	char *end;

	if (strncmp(arg, name, len) || arg[len] != '=')
		return false;
	errno = 0;
	v = strtoul(arg + len + 1, &end, 10);
	*n = errno || *end || arg[len + 1] == '-' || v > UINT32_MAX ? 0 : v;
	return true;
}

int hmmpctl_limits(const struct ctl *c, int argc, char **argv)
{
	uint32_t flows = 0, bindings = 0;
	int i, err;

	for (i = 1; i < argc; i++) {
		uint32_t n = 0;

		if (parse_limit(argv[i], "flows", &n))
			flows = n;
		else if (parse_limit(argv[i], "bindings", &n))
			bindings = n;
		if (!n)
			return hmmpctl_usage(c, "limits: bad limit \"%s\"",
					     argv[i]);
	}
	err = argc > 1 ? kernel_limits_set(flows, bindings) : 0;
	if (err)
		return hmmpctl_refused(c, err);
	return show_limits(c);
}

/* ---------------------------------------------------------------- hand-off */

static int print_changed(const struct ctl *c, int changed)
{
	if (c->json)
		return hmmpctl_print(c, json_pack("{s:i}", "changed",
						  changed));
	fprintf(c->out, "%d address%s moved.\n", changed,
		changed == 1 ? "" : "es");
	return CTL_OK;
}

/* An agent that runs has to know. True if it has answered; *ret then. */
static bool ask_agent(const struct ctl *c, char **argv, int *ret)
{
	json_t *answer, *changed;
	const char *sentence;
	int err;

	answer = hmmpctl_ask(c, json_pack("{s:s, s:s, s:s}", "command",
					  "handoff", "old", argv[1], "new",
					  argv[2]), &err);
	if (!answer && hmmpctl_no_agent(err))
		return false;
	changed = json_object_get(answer, "changed");
	sentence = json_string_value(json_object_get(answer, "error"));
	if (!answer)
		*ret = hmmpctl_fail(c, "the agent does not answer: %s",
				    strerror(-err));
	else if (json_is_true(json_object_get(answer, "ok")))
		*ret = print_changed(c, (int)json_integer_value(changed));
	else
		*ret = hmmpctl_fail(c, "%s", sentence ? sentence :
				    "the agent refuses and does not say why");
	json_decref(answer);
	return true;
}

int hmmpctl_handoff(const struct ctl *c, int argc, char **argv)
{
	struct addr old, now;
	int ret;

	if (argc != 3)
		return hmmpctl_usage(c, "handoff: two addresses are needed");
	if (addr_parse(argv[1], &old) || addr_parse(argv[2], &now))
		return hmmpctl_usage(c, "handoff: \"%s\" is no address",
				     addr_parse(argv[1], &old) ? argv[1] :
				     argv[2]);
	if (ask_agent(c, argv, &ret))
		return ret;
	ret = kernel_handoff(&old, &now);
	return ret < 0 ? hmmpctl_refused(c, ret) : print_changed(c, ret);
}
