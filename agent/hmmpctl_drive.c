// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hmmpctl's commands that tell the module by hand what an agent tells it:
 * bindings, the local map, words of peers, owners of flows. For tests and for
 * emergencies; an agent that runs is not asked, and does not hear of it.
 */
#include <errno.h>
#include <string.h>
#include "hmmpctl_args.h"
#include "view.h"

#define LIFETIME	60000		/* ms, if nothing is said */
#define LIFETIME_MAX	86400000

#define PLACE(name, read, type, field) \
	{ ARG_PLACE, name, read, offsetof(type, field), 0, 0, 0, true }
#define VALUE(name, read, type, field) \
	{ ARG_VALUE, name, read, offsetof(type, field), 0, 0, 0, false }
#define NUMBER(name, read, type, field, min, max) \
	{ ARG_VALUE, name, read, offsetof(type, field), min, max, 0, false }
#define FLAG(name, type, field, bits) \
	{ ARG_FLAG, name, NULL, offsetof(type, field), bits, 0, 0, false }
/* One of these is needed. */
#define CHOICE(name, type, field, value) \
	{ ARG_WORD, name, NULL, offsetof(type, field), value, 0, 'c', true }
/* Whose a binding is: somebody's flows, or all packets of a host. */
#define OWNER \
	{ ARG_VALUE, "owner", arg_owner, \
	  offsetof(struct kernel_binding, owner), 1, 0, 'c', true }
#define HOST	CHOICE("host", struct kernel_binding, scope, SCOPE_HOST)

/* What a command answers with when it has nothing to show. */
static int done(const struct ctl *c, const char *sentence)
{
	if (c->json)
		return hmmpctl_print(c, json_pack("{s:b}", "done", 1));
	fprintf(c->out, "%s\n", sentence);
	return CTL_OK;
}

static int answer(const struct ctl *c, int err, const char *sentence)
{
	return err ? hmmpctl_refused(c, err) : done(c, sentence);
}

/* By what a packet between such addresses goes between such others. */
static enum body_encap encap_for(const struct addr *inner,
				 const struct addr *outer)
{
	if (inner->len == 4)
		return outer->len == 4 ? ENCAP_IPIP : ENCAP_4IN6;
	return outer->len == 4 ? ENCAP_6IN4 : ENCAP_IP6IP6;
}

/* --------------------------------------------------------------- bindings */

#define B	struct kernel_binding
/*
 * What does not fit together is not judged here: the module has to refuse it
 * anyway, and tests want to see that it does.
 */
static const struct arg bind_args[] = {
	PLACE("ORIGINAL", arg_addr, B, original),
	PLACE("CURRENT", arg_addr, B, current),
	OWNER,
	HOST,
	VALUE("encap", arg_encap, B, encap),
	VALUE("status", arg_status, B, status),
	NUMBER("lifetime", arg_u32, B, lifetime, 1, LIFETIME_MAX),
	NUMBER("seq", arg_u32, B, seq, 0, UINT32_MAX),
	VALUE("local-outer", arg_addr, B, local_outer),
	VALUE("via", arg_addr, B, via),
	VALUE("dev", arg_device, B, ifindex),
	VALUE("link", arg_device, B, link),
	VALUE("lladdr", arg_lladdr, B, lladdr),
	NUMBER("mark", arg_u32, B, mark, 0, UINT32_MAX),
	NUMBER("credit", arg_u64, B, credit, 0, UINT64_MAX),
	FLAG("buffer", B, flags, KERNEL_BINDING_BUFFER),
	FLAG("secured", B, flags, KERNEL_BINDING_SECURED),
	FLAG("granted", B, flags, KERNEL_BINDING_GRANTED),
	FLAG("lost", B, flags, KERNEL_BINDING_LOST),
	{ ARG_END },
};

static const struct arg unbind_args[] = {
	PLACE("ORIGINAL", arg_addr, B, original),
	OWNER,
	HOST,
	NUMBER("seq", arg_u32, B, seq, 0, UINT32_MAX),
	{ ARG_END },
};

static const struct arg release_args[] = {
	PLACE("ORIGINAL", arg_addr, B, original),
	OWNER,
	HOST,
	{ ARG_END },
};

#undef B

/* The module takes an update only with a higher number. */
static int next_seq(struct kernel_binding *b)
{
	struct kernel_binding old;
	int err = kernel_binding_get(b->scope, &b->original, b->owner, &old);

	b->seq = err ? 1 : old.seq + 1;
	return err == -ENOENT ? 0 : err;
}

static int print_bound(const struct ctl *c, const struct kernel_binding *b)
{
	char original[VIEW_TEXT], current[VIEW_TEXT];

	if (c->json)
		return hmmpctl_print(c, json_pack("{s:b, s:I}", "done", 1,
						  "seq", (json_int_t)b->seq));
	fprintf(c->out, "%s is bound to %s by %s, sequence number %u.\n",
		view_addr(&b->original, original),
		view_addr(&b->current, current), view_encap(b->encap), b->seq);
	return CTL_OK;
}

int hmmpctl_bind(const struct ctl *c, int argc, char **argv)
{
	struct kernel_binding b = {
		.scope = SCOPE_FLOW, .status = KERNEL_VERIFIED,
		.lifetime = LIFETIME,
	};
	struct args a = { .c = c, .table = bind_args, .to = &b };
	int err = args_read(&a, argc, argv);

	if (err)
		return err;
	if (!args_has(&a, "encap"))
		b.encap = encap_for(&b.original, &b.current);
	if (!args_has(&a, "seq"))
		err = next_seq(&b);
	if (!err)
		err = kernel_binding_new(&b);
	return err ? hmmpctl_refused(c, err) : print_bound(c, &b);
}

/* Without a number any is ended: the operator knows better than an agent. */
int hmmpctl_unbind(const struct ctl *c, int argc, char **argv)
{
	struct kernel_binding b = { .scope = SCOPE_FLOW };
	struct args a = { .c = c, .table = unbind_args, .to = &b };
	int err = args_read(&a, argc, argv);

	if (err)
		return err;
	err = kernel_binding_del(b.scope, &b.original, b.owner,
				 args_has(&a, "seq") ? &b.seq : NULL);
	return answer(c, err, "The binding has ended.");
}

int hmmpctl_release(const struct ctl *c, int argc, char **argv)
{
	struct kernel_binding b = { .scope = SCOPE_FLOW };
	struct args a = { .c = c, .table = release_args, .to = &b };
	int err = args_read(&a, argc, argv);

	if (err)
		return err;
	err = kernel_release(b.scope, &b.original, b.owner);
	return answer(c, err, "What was held is being sent.");
}

/* ---------------------------------------------------------- the local map */

#define L	struct kernel_local
static const struct arg at_args[] = {
	PLACE("ORIGINAL", arg_addr, L, original),
	PLACE("CURRENT", arg_addr, L, current),
	VALUE("dev", arg_device, L, ifindex),
	VALUE("via", arg_via, L, via),
	VALUE("via-encap", arg_encap, L, via.encap),
	NUMBER("via-lifetime", arg_u32, L, via.lifetime, 1, UINT32_MAX),
	FLAG("via-secured", L, via.flags, KERNEL_BINDING_SECURED),
	{ ARG_END },
};

static const struct arg forget_args[] = {
	PLACE("ORIGINAL", arg_addr, L, original),
	{ ARG_END },
};

#undef L

/*
 * A via without an end would outlive the test or the emergency that it was
 * made for: it has one also if nothing is said of it.
 */
int hmmpctl_at(const struct ctl *c, int argc, char **argv)
{
	struct kernel_local l = { .ifindex = 0 };
	struct args a = { .c = c, .table = at_args, .to = &l };
	int err = args_read(&a, argc, argv);

	if (err)
		return err;
	if (args_has(&a, "via")) {
		if (!l.via.encap)
			l.via.encap = encap_for(&l.original, &l.via.remote);
		if (!l.via.lifetime)
			l.via.lifetime = LIFETIME;
	} else if (l.via.encap || l.via.lifetime || l.via.flags) {
		return hmmpctl_usage(c, "at: via= is missing");
	}
	return answer(c, kernel_local_set(&l), "The local map says so now.");
}

int hmmpctl_forget(const struct ctl *c, int argc, char **argv)
{
	struct kernel_local l;
	struct args a = { .c = c, .table = forget_args, .to = &l };
	int err = args_read(&a, argc, argv);

	if (err)
		return err;
	return answer(c, kernel_local_del(&l.original),
		      "The address is not followed any more.");
}

/* ------------------------------------------------------------------ peers */

#define P	struct kernel_peer_word
static const struct arg peer_args[] = {
	PLACE("REMOTE", arg_addr, P, remote),
	{ ARG_VALUE, "owner", arg_owner, offsetof(P, owner), 1, 0, 0, true },
	{ ARG_VALUE, "current", arg_addr, offsetof(P, current), 0, 0, 0, true },
	CHOICE("accepted", P, state, KERNEL_ACCEPTED),
	CHOICE("refused", P, state, KERNEL_REFUSED),
	CHOICE("unknown", P, state, KERNEL_UNKNOWN),
	VALUE("encap", arg_encap, P, encap),
	{ ARG_END },
};

#undef P

int hmmpctl_peer(const struct ctl *c, int argc, char **argv)
{
	struct kernel_peer_word p = { .encap = ENCAP_NONE };
	struct args a = { .c = c, .table = peer_args, .to = &p };
	int err = args_read(&a, argc, argv);

	if (err)
		return err;
	return answer(c, kernel_peer_set(&p), "The far end's word is noted.");
}

/* ------------------------------------------------------------------ flows */

#define F	struct kernel_flow
static const struct arg own_args[] = {
	PLACE("LOCAL:PORT", arg_endpoint, F, local),
	PLACE("REMOTE:PORT", arg_endpoint, F, remote),
	PLACE("OWNER", arg_owner, F, owner),	/* 0: nobody any more */
	{ ARG_END },
};

/* Neither is: the far end opened it. */
static const struct arg track_args[] = {
	PLACE("LOCAL:PORT", arg_endpoint, F, local),
	PLACE("REMOTE:PORT", arg_endpoint, F, remote),
	{ ARG_WORD, "opener", NULL, offsetof(F, flags), KERNEL_FLOW_OPENER, 0,
	  'o', false },
	{ ARG_WORD, "opener-unknown", NULL, offsetof(F, flags),
	  KERNEL_FLOW_OPENER_UNKNOWN, 0, 'o', false },
	{ ARG_END },
};

#undef F

int hmmpctl_own(const struct ctl *c, int argc, char **argv)
{
	struct kernel_flow f = { .owner = 0 };
	struct args a = { .c = c, .table = own_args, .to = &f };
	int err = args_read(&a, argc, argv);

	if (err)
		return err;
	err = kernel_flow_set(&f.local, &f.remote, f.owner);
	return answer(c, err, f.owner ? "The connection has that owner." :
					"The connection has no owner.");
}

int hmmpctl_track(const struct ctl *c, int argc, char **argv)
{
	struct kernel_flow f = { .flags = 0 };
	struct args a = { .c = c, .table = track_args, .to = &f };
	int err = args_read(&a, argc, argv);

	if (err)
		return err;
	err = kernel_flow_new(&f.local, &f.remote, f.flags);
	return answer(c, err, "The connection is tracked.");
}
