// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hmmpctl status: what the agent says of itself, under one sentence for a
 * person. Without the agent, what the module knows; without both, that.
 */
#include <errno.h>
#include <string.h>
#include "hmmpctl.h"
#include "kernel.h"
#include "table.h"
#include "view.h"

static const char *get(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "-";
}

static long long number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* Nothing if the agent does not say. */
static void add_time(struct table *t, const json_t *o, const char *key,
		     unsigned int unit)
{
	char text[VIEW_TEXT];

	if (json_is_integer(json_object_get(o, key)))
		table_add(t, "%s", view_time(number(o, key) * unit, text));
	else
		table_add(t, "-");
}

static void print_originals(FILE *out, const json_t *list)
{
	static const char *const heading[] = {
		"  ORIGINAL", "CURRENT", "STATE", ">SINCE", "INTERFACE",
		">FOLLOW", NULL,
	};
	struct table t;
	const json_t *o;
	size_t i;

	table_init(&t, heading);
	json_array_foreach((json_t *)list, i, o) {
		table_add(&t, "  %s", get(o, "original"));
		table_add(&t, "%s", get(o, "current"));
		table_add(&t, "%s", get(o, "state"));
		add_time(&t, o, "since_ms", 1);
		table_add(&t, "%s", get(o, "interface"));
		table_add(&t, "%lld", number(o, "flows"));
	}
	if (json_array_size(list))
		fputs("\nAddresses of this host:\n", out);
	table_print(&t, out);
	table_exit(&t);
}

static void print_associations(FILE *out, const json_t *list)
{
	static const char *const heading[] = {
		"  HERE", "NOW AT", "FAR END", "NOW AT", "OUR BINDING",
		"THEIRS", ">FLOWS", ">ROUND TRIP", ">REFRESH IN", NULL,
	};
	struct table t;
	const json_t *o;
	size_t i;

	table_init(&t, heading);
	json_array_foreach((json_t *)list, i, o) {
		table_add(&t, "  %s", get(o, "local"));
		table_add(&t, "%s", get(o, "local_current"));
		table_add(&t, "%s", get(o, "remote"));
		table_add(&t, "%s", get(o, "remote_current"));
		table_add(&t, "%s", get(o, "phase"));
		table_add(&t, "%s", get(o, "remote_state"));
		table_add(&t, "%lld", number(o, "flows"));
		add_time(&t, o, "srtt_ms", 1);
		add_time(&t, o, "lifetime_s", 1000);
	}
	if (json_array_size(list))
		fputs("\nAgreed with:\n", out);
	table_print(&t, out);
	table_exit(&t);
}

static void print_fixed(FILE *out, const json_t *list)
{
	const json_t *o;
	size_t i;

	if (json_array_size(list))
		fputs("\nCannot move:\n", out);
	json_array_foreach((json_t *)list, i, o)
		fprintf(out, "  %lld with %s: %s\n", number(o, "flows"),
			get(o, "remote"), get(o, "reason"));
}

static int show_agent(const struct ctl *c, json_t *answer)
{
	json_t *status = json_object_get(answer, "status");
	int ret = CTL_OK;

	if (!json_is_true(json_object_get(answer, "ok")) || !status) {
		ret = hmmpctl_fail(c, "the agent refuses: %s",
				   get(answer, "error"));
	} else if (c->json) {
		json_object_set_new(status, "agent", json_true());
		ret = hmmpctl_print(c, json_incref(status));
	} else {
		fprintf(c->out, "%s\n", get(status, "summary"));
		print_originals(c->out, json_object_get(status, "originals"));
		print_associations(c->out,
				   json_object_get(status, "associations"));
		print_fixed(c->out, json_object_get(status, "cannot_move"));
	}
	json_decref(answer);
	return ret;
}

/* ------------------------------------------------------- without the agent */

static int show_module(const struct ctl *c)
{
	struct kernel_info info;
	int err = kernel_info(&info);
	const struct kernel_limits *l = &info.limits;

	if (err && err != -ESRCH)
		return hmmpctl_refused(c, err);
	if (c->json)
		return hmmpctl_print(c, json_pack("{s:b, s:s, s:o?}",
						  "agent", 0, "module",
						  err ? "gone" : "present",
						  "limits", err ? NULL :
						  view_limits(l)));
	fprintf(c->out, "The agent is not running and sees no move; ");
	if (err)
		fprintf(c->out, "the kernel module is not loaded.\n");
	else
		fprintf(c->out, "the module has %u connections, %u bindings.\n",
			l->flows_used, l->bindings_used);
	return CTL_OK;
}

int hmmpctl_status(const struct ctl *c, int argc, char **argv)
{
	json_t *answer;
	int err;

	answer = hmmpctl_ask(c, json_pack("{s:s}", "command", "status"),
			     &err);
	if (answer)
		return show_agent(c, answer);
	if (hmmpctl_no_agent(err))
		return show_module(c);
	if (err == -EACCES)
		return hmmpctl_fail(c, "you may not ask the agent at %s",
				    c->socket);
	return hmmpctl_fail(c, "the agent does not answer at %s: %s",
			    c->socket, strerror(-err));
}
