// SPDX-License-Identifier: GPL-2.0-or-later
/* The module's objects as JSON and in words (view.h). */
#include <net/if.h>
#include <stdio.h>
#include "view.h"

/* ------------------------------------------------------------------ words */

/* A module that is newer than this program may say more. */
static const char *word(const char *const *words, size_t n, unsigned int i)
{
	return i < n ? words[i] : "unknown";
}

#define WORD(words, i)	word(words, sizeof(words) / sizeof(*(words)), i)

const char *view_tcp(enum kernel_tcp state)
{
	static const char *const words[] = {
		"none", "setup-req", "setup-prog", "established",
		"release-req", "release-ack", "release-accept", "disconnect",
	};

	return WORD(words, state);
}

const char *view_status(enum kernel_status status)
{
	static const char *const words[] = {
		"provisional", "verified", "held", "suspended",
	};

	return WORD(words, status);
}

const char *view_peer_state(enum kernel_peer state)
{
	static const char *const words[] = {
		"unknown", "accepted", "refused",
	};

	return WORD(words, state);
}

const char *view_encap(enum body_encap encap)
{
	static const char *const words[] = {
		"none", "ipip", "ip6ip6", "4in6", "6in4", "minenc", "gue",
	};

	return WORD(words, encap);
}

const char *view_scope(enum body_scope scope)
{
	static const char *const words[] = { "none", "flow", "host" };

	return WORD(words, scope);
}

const char *view_seen(enum kernel_seen seen)
{
	static const char *const words[] = { "own", "foreign" };

	return WORD(words, seen);
}

const char *view_flow_event(enum kernel_flow_event event)
{
	static const char *const words[] = {
		"established", "ended", "contested",
	};

	return WORD(words, event);
}

const char *view_binding_event(enum kernel_binding_event event)
{
	static const char *const words[] = {
		"expired", "ended", "credit", "overflow", "unreachable",
		"seen",
	};

	return WORD(words, event);
}

static const struct {
	uint32_t flag;
	const char *name;
	const char *reason;		/* why it cannot move */
} flow_flags[] = {
	{ KERNEL_FLOW_OPENER, "opener", NULL },
	{ KERNEL_FLOW_OPENER_UNKNOWN, "opener-unknown", NULL },
	{ KERNEL_FLOW_DEVICE_BOUND, "device-bound", "bound to a device" },
	{ KERNEL_FLOW_IPSEC, "ipsec", "under an IPsec policy" },
	{ KERNEL_FLOW_NAT, "nat", "translated by this host" },
	{ KERNEL_FLOW_FORMER, "former", "born on a former address" },
	{ KERNEL_FLOW_REPAIR, "repair", "its socket is in repair mode" },
};

#define FLAGS	(sizeof(flow_flags) / sizeof(flow_flags[0]))

const char *view_fixed(uint32_t flags)
{
	unsigned int i;

	for (i = 0; i < FLAGS; i++) {
		if ((flags & flow_flags[i].flag) && flow_flags[i].reason)
			return flow_flags[i].reason;
	}
	return flags & KERNEL_FLOW_FIXED ? "for an unknown reason" : NULL;
}

const char *view_addr(const struct addr *a, char text[VIEW_TEXT])
{
	char t[ADDR_TEXT];

	snprintf(text, VIEW_TEXT, "%s", a->len ? addr_format(a, t) : "-");
	return text;
}

const char *view_endpoint(const struct endpoint *e, char text[VIEW_TEXT])
{
	char t[ADDR_TEXT];

	if (!e->addr.len)
		snprintf(text, VIEW_TEXT, "-");
	else
		snprintf(text, VIEW_TEXT,
			 e->addr.len == 16 ? "[%s]:%u" : "%s:%u",
			 addr_format(&e->addr, t), e->port);
	return text;
}

const char *view_lladdr(const struct kernel_lladdr *l, char text[VIEW_TEXT])
{
	unsigned int i;
	int n = 0;

	snprintf(text, VIEW_TEXT, "-");
	for (i = 0; i < l->len; i++)
		n += snprintf(text + n, VIEW_TEXT - n, "%s%02x", i ? ":" : "",
			      l->b[i]);
	return text;
}

const char *view_device(uint32_t ifindex, char text[VIEW_TEXT])
{
	char name[IF_NAMESIZE];

	if (!ifindex)
		snprintf(text, VIEW_TEXT, "-");
	else if (if_indextoname(ifindex, name))
		snprintf(text, VIEW_TEXT, "%s", name);
	else
		snprintf(text, VIEW_TEXT, "#%u", ifindex);
	return text;
}

const char *view_binding_flag(uint32_t flags, unsigned int *at)
{
	static const char *const names[] = { "buffer", "secured", "granted" };
	unsigned int i;

	while (*at < sizeof(names) / sizeof(names[0])) {
		i = (*at)++;
		if (flags & (1u << i))
			return names[i];
	}
	return NULL;
}

const char *view_owner(uint64_t owner, char text[VIEW_TEXT])
{
	snprintf(text, VIEW_TEXT, owner ? "%016llx" : "-",
		 (unsigned long long)owner);
	return text;
}

const char *view_time(uint64_t ms, char text[VIEW_TEXT])
{
	unsigned long long s = ms / 1000, min = s / 60;

	if (ms < 1000)
		snprintf(text, VIEW_TEXT, "%u ms", (unsigned int)ms);
	else if (s < 120)
		snprintf(text, VIEW_TEXT, "%llu s", s);
	else if (min < 120)
		snprintf(text, VIEW_TEXT, "%llu min", min);
	else
		snprintf(text, VIEW_TEXT, "%llu h %llu min", min / 60,
			 min % 60);
	return text;
}

/* ------------------------------------------------------------------- JSON */

static void set_text(json_t *o, const char *key, const char *value)
{
	json_object_set_new(o, key, json_string(value));
}

static void set_number(json_t *o, const char *key, uint64_t value)
{
	json_object_set_new(o, key, json_integer((json_int_t)value));
}

/* An address that there is not is null. */
static void set_addr(json_t *o, const char *key, const struct addr *a)
{
	char t[ADDR_TEXT];

	json_object_set_new(o, key, a->len ? json_string(addr_format(a, t)) :
					     json_null());
}

/* 64 bits are more than many readers of JSON can count: a text. */
static void set_owner(json_t *o, uint64_t owner)
{
	char t[VIEW_TEXT];

	json_object_set_new(o, "owner", owner ?
			    json_string(view_owner(owner, t)) : json_null());
}

static json_t *flag_names(uint32_t flags)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < FLAGS; i++) {
		if (flags & flow_flags[i].flag)
			json_array_append_new(list,
					      json_string(flow_flags[i].name));
	}
	return list;
}

static json_t *binding_flags(uint32_t flags)
{
	json_t *list = json_array();
	unsigned int at = 0;
	const char *name;

	while ((name = view_binding_flag(flags, &at)))
		json_array_append_new(list, json_string(name));
	return list;
}

json_t *view_flow(const struct kernel_flow *f)
{
	const char *fixed = view_fixed(f->flags);
	json_t *o = json_object();

	set_addr(o, "local", &f->local.addr);
	set_number(o, "local_port", f->local.port);
	set_addr(o, "remote", &f->remote.addr);
	set_number(o, "remote_port", f->remote.port);
	set_text(o, "state", view_tcp(f->state));
	set_owner(o, f->owner);
	json_object_set_new(o, "flags", flag_names(f->flags));
	json_object_set_new(o, "can_move", json_boolean(!fixed));
	json_object_set_new(o, "reason", fixed ? json_string(fixed) :
						 json_null());
	set_number(o, "isn_local", f->isn_local);
	set_number(o, "isn_remote", f->isn_remote);
	set_number(o, "age_ms", f->age);
	set_number(o, "id", f->id);
	set_addr(o, "current", &f->current);
	set_addr(o, "previous", &f->previous);
	set_addr(o, "remote_current", &f->remote_current);
	return o;
}

/* What few bindings have. */
static void set_options(json_t *o, const struct kernel_binding *b)
{
	char t[VIEW_TEXT];

	json_object_set_new(o, "flags", binding_flags(b->flags));
	set_addr(o, "via", &b->via);
	set_addr(o, "verified", &b->verified);
	set_number(o, "credit", b->credit);
	set_number(o, "ifindex", b->ifindex);
	set_number(o, "link", b->link);
	json_object_set_new(o, "lladdr", b->lladdr.len ?
			    json_string(view_lladdr(&b->lladdr, t)) :
			    json_null());
	set_number(o, "held_packets", b->held_packets);
}

json_t *view_binding(const struct kernel_binding *b)
{
	json_t *o = json_object();

	set_text(o, "scope", view_scope(b->scope));
	set_addr(o, "original", &b->original);
	set_owner(o, b->owner);
	set_addr(o, "current", &b->current);
	set_addr(o, "previous", &b->previous);
	set_addr(o, "local_outer", &b->local_outer);
	set_text(o, "encap", view_encap(b->encap));
	set_text(o, "status", view_status(b->status));
	set_number(o, "lifetime_ms", b->lifetime);
	set_number(o, "seq", b->seq);
	set_number(o, "mark", b->mark);
	set_number(o, "tx_packets", b->tx_packets);
	set_number(o, "tx_bytes", b->tx_bytes);
	set_number(o, "rx_packets", b->rx_packets);
	set_number(o, "rx_bytes", b->rx_bytes);
	set_number(o, "drops", b->drops);
	set_options(o, b);
	return o;
}

static json_t *view_via(const struct kernel_via *via)
{
	json_t *o;

	if (!via->remote.len)
		return json_null();
	o = json_object();
	set_addr(o, "local", &via->local);
	set_addr(o, "remote", &via->remote);
	set_text(o, "encap", view_encap(via->encap));
	set_number(o, "lifetime_ms", via->lifetime);
	json_object_set_new(o, "flags", binding_flags(via->flags));
	return o;
}

json_t *view_local(const struct kernel_local *l)
{
	json_t *o = json_object();

	set_addr(o, "original", &l->original);
	set_addr(o, "current", &l->current);
	set_addr(o, "previous", &l->previous);
	set_number(o, "ifindex", l->ifindex);
	set_number(o, "grace_ms", l->grace);
	json_object_set_new(o, "via", view_via(&l->via));
	return o;
}

json_t *view_peer(const struct kernel_peer_word *p)
{
	json_t *o = json_object();

	set_addr(o, "remote", &p->remote);
	set_owner(o, p->owner);
	set_addr(o, "current", &p->current);
	set_text(o, "state", view_peer_state(p->state));
	json_object_set_new(o, "encap", p->encap ?
			    json_string(view_encap(p->encap)) : json_null());
	return o;
}

json_t *view_limits(const struct kernel_limits *l)
{
	json_t *o = json_object();

	set_number(o, "flows", l->flows);
	set_number(o, "flows_used", l->flows_used);
	set_number(o, "bindings", l->bindings);
	set_number(o, "bindings_used", l->bindings_used);
	set_number(o, "locals", l->locals);
	set_number(o, "locals_used", l->locals_used);
	set_number(o, "peers", l->peers);
	set_number(o, "peers_used", l->peers_used);
	set_number(o, "buffer_packets", l->buffer_packets);
	set_number(o, "buffer_bytes", l->buffer_bytes);
	set_number(o, "buffer_time_ms", l->buffer_time);
	set_number(o, "buffer_rate", l->buffer_rate);
	return o;
}

json_t *view_counters(const struct kernel_info *info)
{
	json_t *o = json_object();
	unsigned int i;

	for (i = 0; i < info->n_counters; i++)
		set_number(o, info->counter[i].name, info->counter[i].value);
	return o;
}
