// SPDX-License-Identifier: GPL-2.0-or-later
/* hmmpctl's commands that change something. */
#include <string.h>
#include "hmmpctl_args.h"
#include "view.h"

/* ----------------------------------------------------------------- limits */

#define LIMIT(name, field) \
	{ ARG_VALUE, name, arg_u32, offsetof(struct kernel_limits, field), \
	  1, UINT32_MAX, 0, false }

static const struct arg limits_args[] = {
	LIMIT("flows", flows),
	LIMIT("bindings", bindings),
	LIMIT("locals", locals),
	LIMIT("peers", peers),
	LIMIT("buffer-packets", buffer_packets),
	LIMIT("buffer-bytes", buffer_bytes),
	LIMIT("buffer-time", buffer_time),
	LIMIT("buffer-rate", buffer_rate),
	{ ARG_END },
};

static void print_used(const struct ctl *c, const char *name, uint32_t used,
		       uint32_t limit)
{
	fprintf(c->out, "%-14s %8u of %u\n", name, used, limit);
}

static void print_buffers(const struct ctl *c, const struct kernel_limits *l)
{
	static const char format[] = "%-14s %8u %s\n";

	fprintf(c->out, format, "buffer-packets", l->buffer_packets,
		"held by one binding");
	fprintf(c->out, format, "buffer-bytes", l->buffer_bytes,
		"held by one binding");
	fprintf(c->out, format, "buffer-time", l->buffer_time, "ms");
	fprintf(c->out, format, "buffer-rate", l->buffer_rate,
		"packets per ms when released");
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
	print_used(c, "flows", l->flows_used, l->flows);
	print_used(c, "bindings", l->bindings_used, l->bindings);
	print_used(c, "locals", l->locals_used, l->locals);
	print_used(c, "peers", l->peers_used, l->peers);
	print_buffers(c, l);
	return CTL_OK;
}

int hmmpctl_limits(const struct ctl *c, int argc, char **argv)
{
	struct kernel_limits l = { .flows = 0 };
	struct args a = { .c = c, .table = limits_args, .to = &l };
	int err = args_read(&a, argc, argv);

	if (err)
		return err;
	err = argc > 1 ? kernel_limits_set(&l) : 0;
	return err ? hmmpctl_refused(c, err) : show_limits(c);
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
