// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the agent tells the operator: everything of both roles, and first one
 * sentence that a person understands. Nothing secret: no sequence numbers of
 * connections. Called by ctl.c.
 */
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "roles.h"

struct numbers {
	unsigned int total, follow, waiting, fixed, away;
};

static json_t *addr_json(const struct addr *a)
{
	char text[ADDR_TEXT];

	return a->len ? json_string(addr_format(a, text)) : NULL;
}

static void set_addr(json_t *o, const char *key, const struct addr *a)
{
	if (a->len)
		json_object_set_new(o, key, addr_json(a));
}

static uint64_t ago(uint64_t then)
{
	return then ? loop_now() - then : 0;
}

/* Every flow is one of: follows, waits for its claim, cannot move. */
static void count(struct numbers *n)
{
	struct pair *p;
	struct flow *f;
	struct assoc *a;

	memset(n, 0, sizeof(*n));
	for (p = pair_first(); p; p = p->next) {
		for (f = p->flows; f; f = f->next) {
			a = f->owner ? assoc_find_owner(f->owner) : NULL;
			n->total++;
			if (a && a->phase != ASSOC_REFUSED)
				n->follow++;
			else if (!f->stuck && claim_is_candidate(f) &&
				 !peer_find(&f->remote.addr))
				n->waiting++;
			else
				n->fixed++;
			n->away += a && assoc_away(a);
		}
	}
}

/* ------------------------------------------------------------- originals */

static const char *original_state(const struct original *o)
{
	if (o->waiting)
		return "waiting";
	return addr_equal(&o->current, &o->addr) ? "home" : "away";
}

static json_t *original_json(const struct original *o)
{
	const struct link_addr *l = link_addr_find(&o->current);
	json_t *j = json_pack("{s:o, s:o, s:s, s:I, s:i}",
			      "original", addr_json(&o->addr),
			      "current", addr_json(&o->current),
			      "state", original_state(o),
			      "since_ms", (json_int_t)ago(o->since),
			      "flows", original_flows(o));

	set_addr(j, "previous", &o->previous);
	if (l)
		json_object_set_new(j, "interface",
				    json_string(link_name(l->ifindex)));
	return j;
}

static json_t *originals_json(void)
{
	json_t *list = json_array();
	struct original *o;

	for (o = original_first(); o; o = o->next)
		json_array_append_new(list, original_json(o));
	return list;
}

/* ---------------------------------------------------------- associations */

static json_t *handoff_json(const struct assoc *a)
{
	json_t *j = json_pack("{s:I}", "ago_ms",
			      (json_int_t)ago(a->moved_at));

	if (a->usable_at)
		json_object_set_new(j, "usable_ms",
				    json_integer(a->moved_at - a->usable_at));
	if (a->answered_at)
		json_object_set_new(j, "answered_ms",
				    json_integer(a->answered_at -
						 a->moved_at));
	return j;
}

static json_t *assoc_json(const struct assoc *a)
{
	static const char * const far[] = {
		[FAR_HOME] = "home", [FAR_BOUND] = "bound",
		[FAR_HELD] = "held",
	};
	json_t *j = json_pack("{s:s, s:o, s:o, s:o, s:o, s:b, s:s, s:s, s:i, s:i, s:I, s:I, s:i}",
			      "id", a->id, "local", addr_json(&a->local),
			      "remote", addr_json(&a->remote),
			      "local_current", addr_json(&a->bound_to),
			      "remote_current", addr_json(&a->peer_current),
			      "initiator", a->initiator,
			      "phase", assoc_phase_text(a),
			      "remote_state", far[a->far],
			      "flows", a->flows, "srtt_ms", a->srtt,
			      "seq", (json_int_t)a->seq,
			      "peer_seq", (json_int_t)a->peer_seq,
			      "lifetime_s", a->phase == ASSOC_BOUND ? a->lifetime : 0);

	if (a->moved_at)
		json_object_set_new(j, "last_handoff", handoff_json(a));
	if (a->refused)
		json_object_set_new(j, "refused", json_integer(a->refused));
	return j;
}

static json_t *assocs_json(void)
{
	json_t *list = json_array();
	struct assoc *a;

	for (a = assoc_first(); a; a = a->next)
		json_array_append_new(list, assoc_json(a));
	return list;
}

/* ------------------------------------------------------ what cannot move */

static bool is_allowed(const struct addr *a)
{
	const struct config *cfg = node_config();
	unsigned int i;

	for (i = 0; i < cfg->peers.n; i++)
		if (prefix_has(&cfg->peers.p[i], a))
			return true;
	return cfg->peers.all;
}

/* NULL: it moves, or will be claimed soon. */
static const char *why_not(const struct flow *f, const struct peer *quiet)
{
	const struct assoc *a = f->owner ? assoc_find_owner(f->owner) : NULL;

	if (f->owner && !a)
		return "belongs to an association that was lost";
	if (a && a->phase == ASSOC_REFUSED)
		return "the peer refused the move";
	if (a)
		return NULL;
	if (f->stuck)
		return flow_stuck_text(f->stuck);
	if (!node_config()->role_mobile)
		return NULL;
	if (!is_allowed(&f->remote.addr))
		return "not among the configured peers";
	if (quiet)
		return quiet->word == PEER_REFUSED ? "the peer refuses" :
		       "no agent there";
	if (!claim_is_candidate(f))
		return "it is a connection to this host itself";
	return NULL;
}

/* One line per peer and reason. */
static void add_stuck(json_t *list, const struct flow *f, const char *why,
		      const struct peer *quiet)
{
	char text[ADDR_TEXT];
	json_t *j;
	size_t i;

	addr_format(&f->remote.addr, text);
	json_array_foreach(list, i, j) {
		json_t *n = json_object_get(j, "flows");

		if (strcmp(json_string_value(json_object_get(j, "remote")),
			   text) ||
		    strcmp(json_string_value(json_object_get(j, "reason")),
			   why))
			continue;
		json_integer_set(n, json_integer_value(n) + 1);
		return;
	}
	j = json_pack("{s:s, s:i, s:s}", "remote", text, "flows", 1,
		      "reason", why);
	if (quiet)
		json_object_set_new(j, "again_s",
				    json_integer((quiet->until - loop_now()) /
						 1000));
	json_array_append_new(list, j);
}

static json_t *stuck_json(void)
{
	json_t *list = json_array();
	const struct peer *quiet;
	const char *why;
	struct pair *p;
	struct flow *f;

	for (p = pair_first(); p; p = p->next) {
		quiet = peer_find(&p->remote);
		for (f = p->flows; f; f = f->next) {
			why = why_not(f, quiet);
			if (why)
				add_stuck(list, f, why, quiet);
		}
	}
	return list;
}

/* ------------------------------------------------------------ the sentence */

static void add_text(char *to, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void add_text(char *to, size_t size, const char *fmt, ...)
{
	size_t n = strlen(to);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(to + n, size - n, fmt, ap);
	va_end(ap);
}

static void say_place(char *to, size_t size)
{
	char text[ADDR_TEXT];
	struct original *o;

	for (o = original_first(); o; o = o->next)
		if (o->waiting)
			break;
	if (o) {
		add_text(to, size, "No network since %llu s; ",
			 (unsigned long long)ago(o->since) / 1000);
		return;
	}
	for (o = original_first(); o; o = o->next)
		if (!addr_equal(&o->current, &o->addr))
			break;
	if (o)
		add_text(to, size, "Moved to %s %llu s ago; ",
			 addr_format(&o->current, text),
			 (unsigned long long)ago(o->since) / 1000);
}

static const char *plural(unsigned int n)
{
	return n == 1 ? "connection" : "connections";
}

static void say_all(char *to, size_t size, const struct numbers *n)
{
	unsigned int far = 0;
	struct assoc *a;

	to[0] = '\0';
	if (node_module_gone()) {
		add_text(to, size, "The kernel module is not loaded: nothing can move.");
		return;
	}
	say_place(to, size);
	for (a = assoc_first(); a; a = a->next)
		far += a->far != FAR_HOME;
	add_text(to, size, "%u %s can move", n->follow, plural(n->follow));
	if (n->away)
		add_text(to, size, " (%u of them did)", n->away);
	if (n->waiting)
		add_text(to, size, ", %u wait to be claimed", n->waiting);
	if (n->fixed)
		add_text(to, size, ", %u cannot", n->fixed);
	if (far)
		add_text(to, size, "; %u %s moved", far,
			 far == 1 ? "peer has" : "peers have");
	add_text(to, size, ".");
}

/* ------------------------------------------------------------ the commands */

static json_t *roles_json(const struct config *cfg)
{
	json_t *list = json_array();

	if (cfg->role_mobile)
		json_array_append_new(list, json_string("mobile"));
	if (cfg->role_correspondent)
		json_array_append_new(list, json_string("correspondent"));
	return list;
}

static json_t *status(void)
{
	const struct config *cfg = node_config();
	char summary[512];
	struct numbers n;

	count(&n);
	say_all(summary, sizeof(summary), &n);
	return json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:{s:i, s:i, s:i, s:i}}",
			 "summary", summary, "roles", roles_json(cfg),
			 "security", cfg->laboratory ? "none-laboratory" :
			 "none", "module", node_module_gone() ? "gone" :
			 "present", "originals", originals_json(),
			 "associations", assocs_json(),
			 "cannot_move", stuck_json(), "flows",
			 "total", n.total, "follow", n.follow,
			 "waiting", n.waiting, "fixed", n.fixed);
}

static json_t *fail(const char *sentence)
{
	return json_pack("{s:b, s:s}", "ok", 0, "error", sentence);
}

static int get_addr(json_t *request, const char *key, struct addr *a)
{
	const char *text = json_string_value(json_object_get(request, key));

	return text ? addr_parse(text, a) : -EINVAL;
}

static json_t *move(json_t *request)
{
	struct addr old, now;
	int n;

	if (get_addr(request, "old", &old) || get_addr(request, "new", &now))
		return fail("handoff needs the addresses \"old\" and \"new\"");
	n = move_by_hand(&old, &now);
	if (n == -EOPNOTSUPP)
		return fail("this host has not the role mobile");
	if (n == -EADDRNOTAVAIL)
		return fail("the new address is not usable on this host");
	if (n == -ENOENT)
		return fail("nothing is at the old address");
	if (n < 0)
		return fail(kernel_error());
	return json_pack("{s:b, s:i}", "ok", 1, "changed", n);
}

struct json_t *status_serve(struct json_t *request)
{
	const char *command = json_string_value(json_object_get(request,
								"command"));

	if (!node_config())
		return fail("the agent is starting");
	if (command && !strcmp(command, "status"))
		return json_pack("{s:b, s:o}", "ok", 1, "status", status());
	if (command && !strcmp(command, "handoff"))
		return move(request);
	return fail("unknown command");
}
