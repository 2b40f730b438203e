// SPDX-License-Identifier: GPL-2.0-or-later
/* hmmpctl's lists of what the module knows: as a table, or as JSON arrays. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include "hmmpctl.h"
#include "kernel.h"
#include "table.h"
#include "view.h"

/* Where the objects of a dump go. */
struct list {
	const struct ctl *c;
	json_t *json;
	struct table table;
	unsigned int n;
};

static void list_init(struct list *l, const struct ctl *c,
		      const char *const *heading)
{
	l->c = c;
	l->n = 0;
	l->json = json_array();
	table_init(&l->table, heading);
}

/* err: what the dump returned. nothing: a sentence for an empty list. */
static int list_end(struct list *l, int err, const char *nothing)
{
	int ret = CTL_OK;

	if (err)
		ret = hmmpctl_refused(l->c, err);
	else if (l->c->json)
		ret = hmmpctl_print(l->c, json_incref(l->json));
	else if (!l->n)
		fprintf(l->c->out, "%s\n", nothing);
	else if (table_print(&l->table, l->c->out))
		ret = hmmpctl_fail(l->c, "out of memory");
	json_decref(l->json);
	table_exit(&l->table);
	return ret;
}

/* ------------------------------------------------------------------ flows */

static const char *move_words(const struct kernel_flow *f,
			      char text[VIEW_TEXT])
{
	const char *fixed = view_fixed(f->flags);

	if (fixed)
		snprintf(text, VIEW_TEXT, "cannot move: %s", fixed);
	else if (f->owner)
		snprintf(text, VIEW_TEXT, "can move");
	else
		snprintf(text, VIEW_TEXT, "cannot move yet: nobody owns it");
	return text;
}

static void add_flow(void *arg, const struct kernel_flow *f)
{
	char t[VIEW_TEXT];
	struct list *l = arg;

	l->n++;
	if (l->c->json) {
		json_array_append_new(l->json, view_flow(f));
		return;
	}
	table_add(&l->table, "%s", view_endpoint(&f->local, t));
	table_add(&l->table, "%s", view_endpoint(&f->remote, t));
	table_add(&l->table, "%s", view_tcp(f->state));
	table_add(&l->table, "%s", view_time(f->age, t));
	table_add(&l->table, "%s", view_addr(&f->current, t));
	table_add(&l->table, "%s", view_addr(&f->remote_current, t));
	table_add(&l->table, "%s", view_owner(f->owner, t));
	table_add(&l->table, "%s", move_words(f, t));
}

struct flow_filter {
	struct addr local, remote;
	uint64_t owner;
};

/* Owners are shown in hexadecimal, so they are read like that. */
static int parse_owner(const char *text, uint64_t *owner)
{
	char *end;

	errno = 0;
	*owner = strtoull(text, &end, 16);
	return errno || end == text || *end || *text == '-' ? -EINVAL : 0;
}

static int parse_filter(const struct ctl *c, int argc, char **argv,
			struct flow_filter *f)
{
	static const struct option options[] = {
		{ "local", required_argument, NULL, 'l' },
		{ "remote", required_argument, NULL, 'r' },
		{ "owner", required_argument, NULL, 'o' },
		{ 0 },
	};
	int opt, err = 0;

	memset(f, 0, sizeof(*f));
	optind = 0;
	while ((opt = getopt_long(argc, argv, "+", options, NULL)) >= 0) {
		if (opt == 'l')
			err = addr_parse(optarg, &f->local);
		else if (opt == 'r')
			err = addr_parse(optarg, &f->remote);
		else if (opt == 'o')
			err = parse_owner(optarg, &f->owner);
		else
			return hmmpctl_usage(c, "flows: bad option");
		if (err)
			return hmmpctl_usage(c, "flows: \"%s\" is no %s",
					     optarg, opt == 'o' ? "owner" :
					     "address");
	}
	if (optind < argc)
		return hmmpctl_usage(c, "flows: what is \"%s\"?",
				     argv[optind]);
	return CTL_OK;
}

int hmmpctl_flows(const struct ctl *c, int argc, char **argv)
{
	static const char *const heading[] = {
		"LOCAL", "REMOTE", "STATE", ">AGE", "HERE NOW", "THERE NOW",
		"OWNER", "MOBILITY", NULL,
	};
	struct flow_filter f;
	struct list l;
	int err = parse_filter(c, argc, argv, &f);

	if (err)
		return err;
	list_init(&l, c, heading);
	err = kernel_flow_dump(f.local.len ? &f.local : NULL,
			       f.remote.len ? &f.remote : NULL,
			       f.owner, add_flow, &l);
	return list_end(&l, err, "No connections are tracked.");
}

/* --------------------------------------------------------------- bindings */

static void add_binding(void *arg, const struct kernel_binding *b)
{
	char t[VIEW_TEXT];
	struct list *l = arg;

	l->n++;
	if (l->c->json) {
		json_array_append_new(l->json, view_binding(b));
		return;
	}
	table_add(&l->table, "%s", view_addr(&b->original, t));
	table_add(&l->table, "%s", view_addr(&b->current, t));
	table_add(&l->table, "%s", view_status(b->status));
	table_add(&l->table, "%s", b->lifetime ? view_time(b->lifetime, t) :
						 "-");
	table_add(&l->table, "%s", view_scope(b->scope));
	table_add(&l->table, "%s", view_encap(b->encap));
	table_add(&l->table, "%u", b->seq);
	table_add(&l->table, "%llu", (unsigned long long)b->tx_packets);
	table_add(&l->table, "%llu", (unsigned long long)b->rx_packets);
	table_add(&l->table, "%llu", (unsigned long long)b->drops);
	table_add(&l->table, "%s", view_owner(b->owner, t));
}

int hmmpctl_bindings(const struct ctl *c, int argc, char **argv)
{
	static const char *const heading[] = {
		"ORIGINAL", "CURRENT", "STATUS", ">LEFT", "SCOPE", "ENCAP",
		">SEQ", ">SENT", ">RECEIVED", ">DROPPED", "OWNER", NULL,
	};
	struct list l;

	list_init(&l, c, heading);
	return list_end(&l, kernel_binding_dump(add_binding, &l),
			"No far end has moved.");
}

/* ----------------------------------------------------------- local, peers */

static void add_local(void *arg, const struct kernel_local *k)
{
	char t[VIEW_TEXT];
	struct list *l = arg;

	l->n++;
	if (l->c->json) {
		json_array_append_new(l->json, view_local(k));
		return;
	}
	table_add(&l->table, "%s", view_addr(&k->original, t));
	table_add(&l->table, "%s", view_addr(&k->current, t));
	table_add(&l->table, "%s", view_addr(&k->previous, t));
	table_add(&l->table, "%s", k->grace ? view_time(k->grace, t) : "-");
}

int hmmpctl_local(const struct ctl *c, int argc, char **argv)
{
	static const char *const heading[] = {
		"ORIGINAL", "CURRENT", "PREVIOUS", ">STILL ACCEPTED", NULL,
	};
	struct list l;

	list_init(&l, c, heading);
	return list_end(&l, kernel_local_dump(add_local, &l),
			"No address of this host is followed.");
}

static void add_peer(void *arg, const struct kernel_peer_word *p)
{
	char t[VIEW_TEXT];
	struct list *l = arg;

	l->n++;
	if (l->c->json) {
		json_array_append_new(l->json, view_peer(p));
		return;
	}
	table_add(&l->table, "%s", view_addr(&p->remote, t));
	table_add(&l->table, "%s", view_peer_state(p->state));
	table_add(&l->table, "%s", view_addr(&p->current, t));
	table_add(&l->table, "%s", view_owner(p->owner, t));
}

int hmmpctl_peers(const struct ctl *c, int argc, char **argv)
{
	static const char *const heading[] = {
		"FAR END", "SAID", "OF OUR ADDRESS", "OWNER", NULL,
	};
	struct list l;

	list_init(&l, c, heading);
	return list_end(&l, kernel_peer_dump(add_peer, &l),
			"No far end has said anything.");
}

/* ----------------------------------------------------------- stats, version */

static bool wants_all(const struct ctl *c, int argc, char **argv)
{
	return c->all || (argc == 2 && (!strcmp(argv[1], "-a") ||
					!strcmp(argv[1], "--all")));
}

static void print_counters(const struct ctl *c, const struct kernel_info *info,
			   bool all)
{
	unsigned int i, n = 0;

	for (i = 0; i < info->n_counters; i++) {
		if (!info->counter[i].value && !all)
			continue;
		fprintf(c->out, "%-20s %llu\n", info->counter[i].name,
			(unsigned long long)info->counter[i].value);
		n++;
	}
	if (!n)
		fputs("Nothing has been counted.\n", c->out);
}

int hmmpctl_stats(const struct ctl *c, int argc, char **argv)
{
	bool all = wants_all(c, argc, argv);
	struct kernel_info info;
	int err;

	if (argc > 2 || (argc == 2 && !all))
		return hmmpctl_usage(c, "stats: what is \"%s\"?", argv[1]);
	err = kernel_info(&info);
	if (err)
		return hmmpctl_refused(c, err);
	if (c->json)
		return hmmpctl_print(c, view_counters(&info));
	print_counters(c, &info, all);
	return CTL_OK;
}

int hmmpctl_version(const struct ctl *c, int argc, char **argv)
{
	struct kernel_info info = { .version = "" };
	bool loaded = !kernel_info(&info);

	if (c->json)
		return hmmpctl_print(c, json_pack("{s:s, s:s?, s:b}",
						  "hmmpctl", HMMP_VERSION,
						  "module", loaded ?
						  info.version : NULL,
						  "active", info.active));
	fprintf(c->out, "hmmpctl %s\n", HMMP_VERSION);
	if (!loaded)
		fprintf(c->out, "module: %s\n", "not loaded");
	else
		fprintf(c->out, "module %s%s\n", info.version,
			info.active ? "" : ", not in use here");
	return CTL_OK;
}
