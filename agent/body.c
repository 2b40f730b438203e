// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The body of a message, application/x.hmmp: one statement, then fields, each
 * line ended by CRLF.
 *
 *   Bind [original] to [current]       asks
 *   Bound [original] to [current]      answers: done
 *   Refused [original] to [current]    answers: not done
 *
 * This file reads it, body_build.c writes it. Pure: no I/O, no state, and what
 * comes in is hostile.
 *
 * Every field is one row of the table at the end: in which bodies it may
 * stand, whether it may be repeated, and how its value is read. A reader gets
 * a cursor over the value and returns 0, -EINVAL for bad form, -ERANGE for a
 * number out of range or -ENOSPC for too many of them.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "scan.h"

#define LINE		1024	/* bytes, without CRLF */
#define LINE_SEALED	2048

struct parser {
	struct body *b;
	uint32_t seen;		/* fields, by their place in the table */
	unsigned int fields;
	char *err;
	size_t errlen;
};

struct field {
	const char *name;
	unsigned int kinds;	/* bodies that it may stand in, by bits */
	bool many;
	int (*read)(struct body *b, struct scan *c);
};

#define BIT(n)	(1u << (n))

__attribute__((format(printf, 3, 4)))
static int fail(struct parser *ps, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ps->err, ps->errlen, fmt, ap);
	va_end(ap);
	return err;
}

/* ---------------------------------------------------- values of the fields */

/* Association = 16b64url: 12 random bytes, made by the initiator */
static int read_association(struct body *b, struct scan *c)
{
	if (scan_span(c, SCAN_BASE64URL) != ASSOC_ID)
		return -EINVAL;
	memcpy(b->assoc, c->p, ASSOC_ID);
	c->p += ASSOC_ID;
	return 0;
}

/* Seq = u32. Requests count from 1; in an answer 0 is "none accepted yet". */
static int read_seq(struct body *b, struct scan *c)
{
	uint64_t v = 0;
	int err = scan_number(c, 10, b->kind == BODY_BIND, UINT32_MAX, &v);

	b->seq = (uint32_t)v;
	b->has_seq = true;
	return err;
}

/* Lifetime = 1*5DIGIT, seconds. 0 withdraws, or comes home. */
static int read_lifetime(struct body *b, struct scan *c)
{
	uint64_t v = 0;
	int err = scan_number(c, 5, 0, 86400, &v);

	b->lifetime = (uint32_t)v;
	b->has_lifetime = true;
	return err;
}

/* Status = 3DIGIT, the same as in the status line */
static int read_status(struct body *b, struct scan *c)
{
	uint64_t v = 0;
	bool bound = b->kind == BODY_BOUND;
	int err;

	if (scan_span(c, "0123456789") != 3)
		return -EINVAL;
	err = scan_number(c, 3, bound ? 200 : 300, bound ? 299 : 699, &v);
	b->status = (unsigned int)v;
	b->has_status = true;
	return err;
}

/* Retry = 1*5DIGIT, seconds */
static int read_retry(struct body *b, struct scan *c)
{
	uint64_t v = 0;
	int err = scan_number(c, 5, 0, 99999, &v);

	b->retry = (unsigned int)v;
	b->has_retry = true;
	return err;
}

/* Scope = "flow" / "host" */
static int read_scope(struct body *b, struct scan *c)
{
	if (scan_word(c, "flow"))
		b->scope = SCOPE_FLOW;
	else if (scan_word(c, "host"))
		b->scope = SCOPE_HOST;
	else
		return -EINVAL;
	return 0;
}

/* Flows = "owned": all connections of the association, however many */
static int read_flows(struct body *b, struct scan *c)
{
	b->flows_owned = scan_word(c, "owned");
	return b->flows_owned ? 0 : -EINVAL;
}

/* Previous = "lost": nothing arrives at the address before this one */
static int read_previous(struct body *b, struct scan *c)
{
	b->lost = scan_word(c, "lost");
	return b->lost ? 0 : -EINVAL;
}

/* "tcp" and two endpoints of one family, with a blank behind each. */
static int take_flow(struct scan *c, struct body_flow *f)
{
	int i;
	int err;

	if (!scan_word(c, "tcp "))
		return -EINVAL;
	for (i = 0; i < 2; i++) {
		err = scan_endpoint(c, &f->end[i]);
		if (err)
			return err;
		if (!scan_word(c, " "))
			return -EINVAL;
	}
	return f->end[0].addr.len == f->end[1].addr.len ? 0 : -EINVAL;
}

/* proof = "isn-h=" 8HEXDIG / "mac=" 22b64url / "link" */
static int take_proof(struct scan *c, struct body_flow *f)
{
	if (scan_word(c, "isn-h=")) {
		f->proof = PROOF_ISN;
		return scan_hex32(c, &f->isn_hash);
	}
	if (scan_word(c, "mac=")) {
		f->proof = PROOF_MAC;
		return scan_bytes(c, f->mac, sizeof(f->mac));
	}
	f->proof = PROOF_LINK;
	return scan_word(c, "link") ? 0 : -EINVAL;
}

/* Flow = "tcp" SP endpoint SP endpoint SP proof; claims one more connection */
static int read_flow(struct body *b, struct scan *c)
{
	struct body_flow *f = &b->flows[b->n_flows];
	int err;

	if (b->n_flows == BODY_FLOWS)
		return -ENOSPC;
	b->n_flows++;
	err = take_flow(c, f);
	return err ? err : take_proof(c, f);
}

/* Denied = "tcp" SP endpoint SP endpoint SP reason; answers a Flow line */
static int read_denied(struct body *b, struct scan *c)
{
	static const char *const words[] = {
		[DENIED_UNKNOWN] = "unknown", [DENIED_OWNED] = "owned",
		[DENIED_PROOF] = "proof", [DENIED_LATE] = "late",
		[DENIED_STATE] = "state",
	};
	struct body_flow *f = &b->denied[b->n_denied];
	int err;
	unsigned int i;

	if (b->n_denied == BODY_FLOWS)
		return -ENOSPC;
	b->n_denied++;
	err = take_flow(c, f);
	if (err)
		return err;
	for (i = DENIED_UNKNOWN; i <= DENIED_STATE; i++) {
		if (scan_word(c, words[i])) {
			f->denied = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int take_encap(struct scan *c, enum body_encap *e)
{
	/* No word is the beginning of another one behind it. */
	static const struct {
		const char *word;
		enum body_encap encap;
	} words[] = {
		{ "ipip", ENCAP_IPIP }, { "ip6ip6", ENCAP_IP6IP6 },
		{ "4in6", ENCAP_4IN6 }, { "6in4", ENCAP_6IN4 },
		{ "minenc", ENCAP_MINENC }, { "gue", ENCAP_GUE },
	};
	unsigned int i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (scan_word(c, words[i].word)) {
			*e = words[i].encap;
			return 0;
		}
	}
	return -EINVAL;
}

/* Encap = encap *( "," encap ), best first; an answer names the one chosen */
static int read_encap(struct body *b, struct scan *c)
{
	int err;

	do {
		if (b->n_encaps == BODY_ENCAPS)
			return -ENOSPC;
		err = take_encap(c, &b->encaps[b->n_encaps]);
		if (err)
			return err;
		b->n_encaps++;
	} while (scan_word(c, ","));
	return b->kind == BODY_BOUND && b->n_encaps != 1 ? -EINVAL : 0;
}

/* Peer = addr: where the sender believes us to be. Information only. */
static int read_peer(struct body *b, struct scan *c)
{
	return scan_addr(c, &b->peer);
}

/* For what comes later: checked, not kept. */

/* Udp-Port = 1*5DIGIT, with gue */
static int read_udp_port(struct body *b, struct scan *c)
{
	uint64_t v;

	return scan_number(c, 5, 1, 65535, &v);
}

/* Mapped = endpoint: our outer address as the peer sees it, behind a NAT */
static int read_mapped(struct body *b, struct scan *c)
{
	struct endpoint e;

	return scan_endpoint(c, &e);
}

/* Sealed = 1*2000b64url */
static int read_sealed(struct body *b, struct scan *c)
{
	size_t n = scan_span(c, SCAN_BASE64URL);

	c->p += n;
	return n && n <= 2000 ? 0 : -EINVAL;
}

/* Pad = *VCHAR */
static int read_pad(struct body *b, struct scan *c)
{
	while (!scan_at_end(c) && *c->p > 0x20 && *c->p < 0x7f)
		c->p++;
	return 0;
}

/* --------------------------------------------------------------- the table */

#define BIND	BIT(BODY_BIND)
#define BOUND	BIT(BODY_BOUND)
#define REFUSED	BIT(BODY_REFUSED)
#define ALL	(BIND | BOUND | REFUSED)

enum {
	F_ASSOCIATION, F_SEQ, F_LIFETIME, F_STATUS, F_RETRY, F_SCOPE, F_FLOWS,
	F_FLOW, F_DENIED, F_ENCAP, F_UDP_PORT, F_PEER, F_MAPPED, F_SEALED,
	F_PAD, F_PREVIOUS, N_FIELDS
};

static const struct field table[N_FIELDS] = {
	[F_ASSOCIATION] = { "Association", ALL, false, read_association },
	[F_SEQ] = { "Seq", ALL, false, read_seq },
	[F_LIFETIME] = { "Lifetime", ALL, false, read_lifetime },
	[F_STATUS] = { "Status", BOUND | REFUSED, false, read_status },
	[F_RETRY] = { "Retry", REFUSED, false, read_retry },
	[F_SCOPE] = { "Scope", BIND, false, read_scope },
	[F_FLOWS] = { "Flows", BIND, false, read_flows },
	[F_FLOW] = { "Flow", BIND, true, read_flow },
	[F_DENIED] = { "Denied", BOUND | REFUSED, true, read_denied },
	[F_ENCAP] = { "Encap", BIND | BOUND, false, read_encap },
	[F_UDP_PORT] = { "Udp-Port", BIND, false, read_udp_port },
	[F_PEER] = { "Peer", BIND, false, read_peer },
	[F_MAPPED] = { "Mapped", BOUND, false, read_mapped },
	[F_SEALED] = { "Sealed", BIND, false, read_sealed },
	[F_PAD] = { "Pad", BIND, false, read_pad },
	[F_PREVIOUS] = { "Previous", BIND, false, read_previous },
};

/* ---------------------------------------------------------------- the lines */

/* Cuts the next line off at its CRLF. */
static int take_line(struct parser *ps, struct scan *text, struct scan *c)
{
	const char *nl;
	size_t max = LINE;

	nl = scan_at_end(text) ? NULL :
		memchr(text->p, '\n', scan_left(text));
	if (!nl || nl == text->p || nl[-1] != '\r')
		return fail(ps, -EINVAL, "Line without CRLF");
	c->p = text->p;
	c->end = nl - 1;
	text->p = nl + 1;
	if (scan_left(c) > 7 && !strncasecmp(c->p, "Sealed:", 7))
		max = LINE_SEALED;
	if (scan_left(c) > max)
		return fail(ps, -EINVAL, "Line too long");
	if (!scan_is_text(c))
		return fail(ps, -EINVAL, "Line with bad characters");
	return 0;
}

static int read_statement(struct parser *ps, struct scan *c)
{
	struct body *b = ps->b;

	if (scan_word(c, "Bind "))
		b->kind = BODY_BIND;
	else if (scan_word(c, "Bound "))
		b->kind = BODY_BOUND;
	else if (scan_word(c, "Refused "))
		b->kind = BODY_REFUSED;
	else
		return fail(ps, -EINVAL, "Statement unknown");
	if (scan_addr_bare(c, &b->from))
		return fail(ps, -EINVAL, "Address 1 is malformed");
	if (!scan_word(c, " to "))
		return fail(ps, -EINVAL, "Statement is malformed");
	if (scan_addr_bare(c, &b->to))
		return fail(ps, -EINVAL, "Address 2 is malformed");
	if (!scan_at_end(c))
		return fail(ps, -EINVAL, "Statement is malformed");
	return 0;
}

/* Splits "name: value"; the cursor is at the value afterwards. */
static int take_name(struct parser *ps, struct scan *c, struct scan *name)
{
	const char *colon = memchr(c->p, ':', scan_left(c));
	const char *p;

	if (!colon || colon == c->p || !isalpha((unsigned char)c->p[0]))
		return fail(ps, -EINVAL, "Field without name");
	for (p = c->p; p < colon; p++)
		if (!isalnum((unsigned char)*p) && *p != '-')
			return fail(ps, -EINVAL, "Field without name");
	name->p = c->p;
	name->end = colon;
	c->p = colon + 1;
	if (!scan_word(c, " "))
		return fail(ps, -EINVAL, "Field without blank after colon");
	return 0;
}

static bool is_name(const struct scan *name, const char *text)
{
	return scan_left(name) == strlen(text) &&
	       !strncasecmp(name->p, text, scan_left(name));
}

/* Version stands first and decides whether the rest can be understood. */
static int read_version(struct parser *ps, struct scan *c)
{
	struct scan name;
	uint64_t v;
	int err = take_name(ps, c, &name);

	if (err)
		return err;
	if (!is_name(&name, "Version"))
		return fail(ps, -EINVAL, "Version missing");
	if (scan_number(c, 5, 1, 99999, &v) || !scan_at_end(c))
		return fail(ps, -EINVAL, "Version is malformed");
	if (v != 1)
		return fail(ps, -EOPNOTSUPP, "Version not supported");
	return 0;
}

static int read_value(struct parser *ps, const struct field *f,
		      struct scan *c)
{
	int err = f->read(ps->b, c);

	if (err == -ERANGE)
		return fail(ps, -EINVAL, "%s out of range", f->name);
	if (err == -ENOSPC)
		return fail(ps, -EINVAL, "%s too often", f->name);
	if (err || !scan_at_end(c))
		return fail(ps, -EINVAL, "%s is malformed", f->name);
	return 0;
}

static int read_field(struct parser *ps, struct scan *c)
{
	struct scan name;
	unsigned int i;
	int err;

	if (++ps->fields > SCAN_FIELDS)
		return fail(ps, -EINVAL, "More than %d fields",
			    SCAN_FIELDS);
	if (ps->fields == 1)
		return read_version(ps, c);
	err = take_name(ps, c, &name);
	if (err)
		return err;
	if (is_name(&name, "Version"))
		return fail(ps, -EINVAL, "Version given twice");
	for (i = 0; i < N_FIELDS && !is_name(&name, table[i].name); i++)
		;
	if (i == N_FIELDS)
		return scan_left(&name) > 5 && !strncasecmp(name.p, "Must-", 5) ?
			fail(ps, -EOPNOTSUPP, "Unsupported Must- field") : 0;
	if (!(table[i].kinds & BIT(ps->b->kind)))
		return fail(ps, -EINVAL, "%s does not belong here",
			    table[i].name);
	if (ps->seen & BIT(i) && !table[i].many)
		return fail(ps, -EINVAL, "%s given twice", table[i].name);
	ps->seen |= BIT(i);
	return read_value(ps, &table[i], c);
}

/* ------------------------------------------------- what must be there or not */

static int need(struct parser *ps, uint32_t fields)
{
	uint32_t missing = fields & ~ps->seen;
	unsigned int i;

	for (i = 0; i < N_FIELDS; i++)
		if (missing & BIT(i))
			return fail(ps, -EINVAL, "%s missing", table[i].name);
	return 0;
}

static bool has_encap(const struct body *b, enum body_encap e)
{
	unsigned int i;

	for (i = 0; i < b->n_encaps; i++)
		if (b->encaps[i] == e)
			return true;
	return false;
}

/*
 * Address 2 other than address 1 is a move, a refresh or (Lifetime 0) a
 * withdrawal, and says how packets travel; equal to it, the sender is at home
 * and names connections one by one.
 */
static int check_bind(struct parser *ps)
{
	const struct body *b = ps->b;
	uint32_t fields = BIT(F_ASSOCIATION) | BIT(F_SEQ) | BIT(F_LIFETIME) |
		BIT(F_SCOPE);
	int err = need(ps, fields);
	bool moves = !addr_equal(&b->from, &b->to);

	if (err)
		return err;
	if (moves)
		fields |= BIT(F_ENCAP);
	if (has_encap(b, ENCAP_GUE))
		fields |= BIT(F_UDP_PORT);
	if (moves && b->scope == SCOPE_FLOW)
		fields |= BIT(F_FLOWS);
	else if (b->flows_owned)
		return fail(ps, -EINVAL, "Flows does not belong here");
	if (b->lost && !moves)
		return fail(ps, -EINVAL, "Previous does not belong here");
	return need(ps, fields);
}

/* What was granted to a move must be said; a home Bind is granted nothing. */
static int check_bound(struct parser *ps)
{
	uint32_t fields = BIT(F_ASSOCIATION) | BIT(F_SEQ) | BIT(F_STATUS);

	if (!addr_equal(&ps->b->from, &ps->b->to))
		fields |= BIT(F_LIFETIME) | BIT(F_ENCAP);
	return need(ps, fields);
}

/* 423: the shortest Lifetime that would do. 503: when to ask again. */
static int check_refused(struct parser *ps)
{
	uint32_t fields = BIT(F_ASSOCIATION) | BIT(F_SEQ) | BIT(F_STATUS);

	if (ps->b->status == 423)
		fields |= BIT(F_LIFETIME);
	if (ps->b->status == 503)
		fields |= BIT(F_RETRY);
	return need(ps, fields);
}

static int check_whole(struct parser *ps)
{
	if (!ps->fields)
		return fail(ps, -EINVAL, "Version missing");
	if (ps->b->kind == BODY_BIND)
		return check_bind(ps);
	if (ps->b->kind == BODY_BOUND)
		return check_bound(ps);
	return check_refused(ps);
}

/**
 * body_parse - read a body
 * @text: the body as received, not NUL terminated
 * @len: its length
 * @b: the result; undefined on failure
 * @err: a short phrase on failure, made of our own words only
 * @errlen: size of @err
 *
 * Return: 0; -EINVAL when it breaks the grammar; -EOPNOTSUPP for a higher
 * Version and for a field Must-... that nobody here knows.
 */
int body_parse(const char *text, size_t len, struct body *b, char *err,
	       size_t errlen)
{
	struct parser ps = { .b = b, .err = err, .errlen = errlen };
	struct scan all = { text, text + len };
	struct scan line;
	int ret;

	memset(b, 0, sizeof(*b));
	if (len > SIP_BODY)
		return fail(&ps, -EINVAL, "Body too long");
	ret = take_line(&ps, &all, &line);
	if (!ret)
		ret = read_statement(&ps, &line);
	while (!ret && !scan_at_end(&all)) {
		ret = take_line(&ps, &all, &line);
		if (!ret)
			ret = read_field(&ps, &line);
	}
	return ret ? ret : check_whole(&ps);
}
