// SPDX-License-Identifier: GPL-2.0-or-later
/* hmmpctl's lists of what the module knows: as a table, or as JSON arrays. */
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "hmmpctl_args.h"
#include "table.h"
#include "view.h"

#define OPTIONS_TEXT 512

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

static int parse_filter(const struct ctl *c, int argc, char **argv,
			struct flow_filter *f)
{
	static const struct option options[] = {
		{ "local", required_argument, NULL, 'l' },
		{ "remote", required_argument, NULL, 'r' },
		{ "owner", required_argument, NULL, 'o' },
		{ 0 },
	};
	static const struct arg any_owner;
	int opt, err = 0;

	memset(f, 0, sizeof(*f));
	optind = 0;
	while ((opt = getopt_long(argc, argv, "+", options, NULL)) >= 0) {
		if (opt == 'l')
			err = addr_parse(optarg, &f->local);
		else if (opt == 'r')
			err = addr_parse(optarg, &f->remote);
		else if (opt == 'o')
			err = !!arg_owner(&any_owner, optarg, &f->owner);
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

/* Words with a blank between, as far as they fit. */
static void add_words(char text[OPTIONS_TEXT], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add_words(char text[OPTIONS_TEXT], const char *fmt, ...)
{
	size_t n = strlen(text);
	va_list ap;

	if (n && n < OPTIONS_TEXT - 1) {
		text[n++] = ' ';
		text[n] = 0;
	}
	va_start(ap, fmt);
	vsnprintf(text + n, OPTIONS_TEXT - n, fmt, ap);
	va_end(ap);
}

static void add_flags(char text[OPTIONS_TEXT], uint32_t flags)
{
	unsigned int at = 0;
	const char *name;

	while ((name = view_binding_flag(flags, &at)))
		add_words(text, "%s", name);
}

/* In the words of "hmmpctl bind"; one that has none of it shows "-". */
static const char *binding_options(const struct kernel_binding *b,
				   char text[OPTIONS_TEXT])
{
	char t[VIEW_TEXT];

	*text = 0;
	add_flags(text, b->flags);
	if (b->held_packets)
		add_words(text, "holds=%u", b->held_packets);
	if (b->status == KERNEL_PROVISIONAL)
		add_words(text, "credit=%llu", (unsigned long long)b->credit);
	if (b->verified.len)
		add_words(text, "verified=%s", view_addr(&b->verified, t));
	if (b->via.len)
		add_words(text, "via=%s", view_addr(&b->via, t));
	if (b->local_outer.len)
		add_words(text, "local-outer=%s",
			  view_addr(&b->local_outer, t));
	if (b->ifindex)
		add_words(text, "dev=%s", view_device(b->ifindex, t));
	if (b->link)
		add_words(text, "link=%s", view_device(b->link, t));
	if (b->lladdr.len)
		add_words(text, "lladdr=%s", view_lladdr(&b->lladdr, t));
	if (b->mark)
		add_words(text, "mark=0x%x", b->mark);
	return *text ? text : "-";
}

static void add_binding(void *arg, const struct kernel_binding *b)
{
	char t[VIEW_TEXT], options[OPTIONS_TEXT];
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
	table_add(&l->table, "%s", binding_options(b, options));
}

int hmmpctl_bindings(const struct ctl *c, int argc, char **argv)
{
	static const char *const heading[] = {
		"ORIGINAL", "CURRENT", "STATUS", ">LEFT", "SCOPE", "ENCAP",
		">SEQ", ">SENT", ">RECEIVED", ">DROPPED", "OWNER",
		"OPTIONS", NULL,
	};
	struct list l;

	list_init(&l, c, heading);
	return list_end(&l, kernel_binding_dump(add_binding, &l),
			"No far end has moved.");
}

/* ----------------------------------------------------------- local, peers */

/* "10.2.0.9 > 10.3.0.1 ipip 60 s" */
static const char *via_words(const struct kernel_via *via,
			     char text[OPTIONS_TEXT])
{
	char local[VIEW_TEXT], remote[VIEW_TEXT], left[VIEW_TEXT];

	if (!via->remote.len)
		return "-";
	snprintf(text, OPTIONS_TEXT, "%s > %s %s %s",
		 view_addr(&via->local, local), view_addr(&via->remote, remote),
		 view_encap(via->encap), view_time(via->lifetime, left));
	add_flags(text, via->flags);
	return text;
}

static void add_local(void *arg, const struct kernel_local *k)
{
	char t[VIEW_TEXT], via[OPTIONS_TEXT];
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
	table_add(&l->table, "%s", via_words(&k->via, via));
}

int hmmpctl_local(const struct ctl *c, int argc, char **argv)
{
	static const char *const heading[] = {
		"ORIGINAL", "CURRENT", "PREVIOUS", ">STILL ACCEPTED", "VIA",
		NULL,
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
	table_add(&l->table, "%s", p->encap ? view_encap(p->encap) : "-");
	table_add(&l->table, "%s", view_owner(p->owner, t));
}

int hmmpctl_peers(const struct ctl *c, int argc, char **argv)
{
	static const char *const heading[] = {
		"FAR END", "SAID", "OF OUR ADDRESS", "ENCAP", "OWNER", NULL,
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
