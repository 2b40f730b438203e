// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bodies: the examples of the documentation, every refusal, what is built is
 * read back equal, and the golden value of the proof.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../body_build.c"	/* for isn_hash() */

#define N(a)	(sizeof(a) / sizeof((a)[0]))

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct body parse(const char *text)
{
	struct body b;
	char err[64];

	if (body_parse(text, strlen(text), &b, err, sizeof(err)))
		fail_msg("%s: %s", err, text);
	return b;
}

static const char move[] =
	"Bind [192.0.2.10] to [198.51.100.7]\r\nVersion: 1\r\n"
	"Association: MuuccaGZuY6YLD3y\r\nSeq: 2\r\nLifetime: 60\r\n"
	"Scope: flow\r\nFlows: owned\r\nEncap: ipip\r\n";

static void move_is_read(void **state)
{
	struct addr from = addr("192.0.2.10");
	struct addr to = addr("198.51.100.7");
	struct body b = parse(move);

	assert_int_equal(b.kind, BODY_BIND);
	assert_true(addr_equal(&b.from, &from));
	assert_true(addr_equal(&b.to, &to));
	assert_string_equal(b.assoc, "MuuccaGZuY6YLD3y");
	assert_true(b.has_seq && b.seq == 2);
	assert_true(b.has_lifetime && b.lifetime == 60);
	assert_false(b.has_status || b.has_retry);
	assert_int_equal(b.scope, SCOPE_FLOW);
	assert_true(b.flows_owned);
	assert_int_equal(b.n_encaps, 1);
	assert_int_equal(b.encaps[0], ENCAP_IPIP);
	assert_int_equal(b.n_flows, 0);
	assert_int_equal(b.peer.len, 0);
}

static void move_is_built(void **state)
{
	struct body b = parse(move);
	char text[sizeof(move)];

	assert_int_equal(body_build(&b, text, sizeof(text)), strlen(move));
	assert_memory_equal(text, move, strlen(move));
	/* one byte less does not fit, and nothing is written beyond */
	assert_int_equal(body_build(&b, text, sizeof(text) - 1), -ENOSPC);
	assert_int_equal(body_build(&b, text, 0), -ENOSPC);
}

static void a_lost_place_is_said(void **state)
{
	struct body b = parse(move);
	char text[sizeof(move) + 32];
	int len;

	assert_false(b.lost);
	b.lost = true;
	len = body_build(&b, text, sizeof(text));
	assert_int_equal(len, strlen(move) + strlen("Previous: lost\r\n"));
	text[len] = '\0';
	b = parse(text);
	assert_true(b.lost);
	assert_true(b.flows_owned);
}

static void home_bind_with_claims_is_read(void **state)
{
	static const char text[] =
		"Bind [192.0.2.10] to [192.0.2.10]\r\nVersion: 1\r\n"
		"Association: MuuccaGZuY6YLD3y\r\nSeq: 1\r\nLifetime: 0\r\n"
		"Scope: flow\r\n"
		"Flow: tcp [192.0.2.10]:40001 [203.0.113.5]:443 mac=PMhaUZlvvLkBmSv6pnGoVw\r\n"
		"Flow: tcp [192.0.2.10]:40002 [203.0.113.5]:1 isn-h=5f2D0c75\r\n"
		"Flow: tcp [192.0.2.10]:65535 [203.0.113.5]:22 link\r\n";
	struct body b = parse(text);
	static const uint8_t mac[16] = { 0x3c, 0xc8, 0x5a, 0x51, 0x99, 0x6f,
		0xbc, 0xb9, 0x01, 0x99, 0x2b, 0xfa, 0xa6, 0x71, 0xa8, 0x57 };

	assert_int_equal(b.n_flows, 3);
	assert_int_equal(b.flows[0].proof, PROOF_MAC);
	assert_memory_equal(b.flows[0].mac, mac, 16);
	assert_int_equal(b.flows[0].end[0].port, 40001);
	assert_int_equal(b.flows[0].end[1].port, 443);
	assert_int_equal(b.flows[1].proof, PROOF_ISN);
	assert_int_equal(b.flows[1].isn_hash, 0x5f2d0c75);
	assert_int_equal(b.flows[2].proof, PROOF_LINK);
	assert_int_equal(b.flows[2].end[0].port, 65535);
}

static void answers_are_read(void **state)
{
	static const char text[] =
		"Bound [2001:db8:1::10] to [2001:db8:2::7]\r\nVersion: 1\r\n"
		"Association: tQYm8-pnu5j6FhGE\r\nSeq: 2\r\nStatus: 200\r\n"
		"Lifetime: 60\r\nEncap: ip6ip6\r\nMapped: [2001:db8::1]:5\r\n"
		"Denied: tcp [2001:db8:1::10]:1 [2001:db8:9::5]:2 late\r\n";
	struct body b = parse(text);

	assert_int_equal(b.kind, BODY_BOUND);
	assert_int_equal(b.status, 200);
	assert_int_equal(b.encaps[0], ENCAP_IP6IP6);
	assert_int_equal(b.n_denied, 1);
	assert_int_equal(b.denied[0].denied, DENIED_LATE);
	b = parse("Refused [192.0.2.1] to [192.0.2.2]\r\nVersion: 1\r\n"
		  "Association: tQYm8-pnu5j6FhGE\r\nSeq: 0\r\nStatus: 503\r\n"
		  "Retry: 30\r\n");
	assert_int_equal(b.kind, BODY_REFUSED);
	assert_true(b.has_seq && b.seq == 0);
	assert_true(b.has_retry && b.retry == 30);
}

static void receivers_are_lenient_where_said(void **state)
{
	static const char text[] =
		"bInD 192.0.2.10 TO 198.51.100.7\r\nvErsion: 1\r\n"
		"ASSOCIATION: MuuccaGZuY6YLD3y\r\nseq: 0000000002\r\n"
		"lifetime: 00060\r\nX-Later: anything at all, \xc3\xa4\r\n"
		"Mustard: yes\r\nMust: no\r\n"
		"scope: FLOW\r\nflows: Owned\r\nencap: IPIP,6in4\r\nPad: \r\n";
	struct body b = parse(text);

	assert_int_equal(b.seq, 2);
	assert_int_equal(b.lifetime, 60);
	assert_int_equal(b.n_encaps, 2);
}

/* ---------------------------------------------------------------- refusals */

#define S	"Bind [192.0.2.10] to [198.51.100.7]\r\n"
#define V	"Version: 1\r\n"
#define A	"Association: MuuccaGZuY6YLD3y\r\n"
#define Q	"Seq: 2\r\n"
#define L	"Lifetime: 60\r\n"
#define SC	"Scope: flow\r\n"
#define F	"Flows: owned\r\n"
#define E	"Encap: ipip\r\n"
#define REST	"" A Q L SC F E
#define HOME	"Bind [192.0.2.10] to [192.0.2.10]\r\n" V A Q L SC
#define BOUND	"Bound [192.0.2.10] to [192.0.2.10]\r\n" V A Q
#define REF	"Refused [192.0.2.10] to [198.51.100.7]\r\n" V A Q
#define ENDS	"[192.0.2.10]:1 [203.0.113.5]:2 "

static const struct {
	const char *text;
	const char *phrase;
} bad[] = {
	{ "", "Line without CRLF" },
	{ "Bind", "Line without CRLF" },
	{ "\n", "Line without CRLF" },
	{ "Bind [192.0.2.10] to [198.51.100.7]\n" V REST, "Line without CRLF" },
	{ S V REST "X: y", "Line without CRLF" },
	{ S V REST "\r\n", "Field without name" },
	{ S V A "X: \x01\r\n", "Line with bad characters" },
	{ S V A "X: \xc0\x80\r\n", "Line with bad characters" },
	{ S V A "X: \xed\xa0\x80\r\n", "Line with bad characters" },
	{ S V A "X: \xc3\r\n", "Line with bad characters" },
	{ S V A "X: a\rb\r\n", "Line with bad characters" },
	{ "Bin [192.0.2.10] to [198.51.100.7]\r\n" V REST, "Statement unknown" },
	{ "Key [192.0.2.10]:1 with [198.51.100.7]:2\r\n" V, "Statement unknown" },
	{ "Bind  [192.0.2.10] to [198.51.100.7]\r\n" V REST, "Address 1 is malformed" },
	{ "Bind [192.0.2.10 to 198.51.100.7\r\n" V REST, "Address 1 is malformed" },
	{ "Bind [192.0.2.300] to [198.51.100.7]\r\n" V REST, "Address 1 is malformed" },
	{ "Bind [host] to [198.51.100.7]\r\n" V REST, "Address 1 is malformed" },
	{ "Bind 2001:db8::1 to [198.51.100.7]\r\n" V REST, "Address 1 is malformed" },
	{ "Bind [::ffff:192.0.2.1] to [198.51.100.7]\r\n" V REST, "Address 1 is malformed" },
	{ "Bind [192.0.2.10] to [fe80::1%eth0]\r\n" V REST, "Address 2 is malformed" },
	{ "Bind [192.0.2.10] to []\r\n" V REST, "Address 2 is malformed" },
	{ "Bind [192.0.2.10] [198.51.100.7]\r\n" V REST, "Statement is malformed" },
	{ "Bind [192.0.2.10] to [198.51.100.7] now\r\n" V REST, "Statement is malformed" },
	{ S, "Version missing" },
	{ S A V Q L SC F E, "Version missing" },
	{ S "Version: x\r\n" REST, "Version is malformed" },
	{ S "Version: 2\r\n", "Version not supported" },
	{ S V V REST, "Version given twice" },
	{ S V REST "Must-Fly: yes\r\n", "Unsupported Must- field" },
	{ S V REST "mUSt-x:  \r\n", "Unsupported Must- field" },
	{ S V REST "NoColon\r\n", "Field without name" },
	{ S V REST ": x\r\n", "Field without name" },
	{ S V REST "1x: x\r\n", "Field without name" },
	{ S V REST "a b: x\r\n", "Field without name" },
	{ S V REST "X:y\r\n", "Field without blank after colon" },
	{ S V A A Q L SC F E, "Association given twice" },
	{ S V A Q Q L SC F E, "Seq given twice" },
	{ S V REST "lifetime: 60\r\n", "Lifetime given twice" },
	{ S V REST E, "Encap given twice" },
	{ S V Q L SC F E, "Association missing" },
	{ S V A L SC F E, "Seq missing" },
	{ S V A Q SC F E, "Lifetime missing" },
	{ S V A Q L F E, "Scope missing" },
	{ S V A Q L SC E, "Flows missing" },
	{ S V A Q L SC F, "Encap missing" },
	{ S V A Q L SC F "Encap: gue\r\n", "Udp-Port missing" },
	{ HOME F, "Flows does not belong here" },
	{ S V A Q L "Scope: host\r\n" F E, "Flows does not belong here" },
	{ S V REST "Status: 200\r\n", "Status does not belong here" },
	{ S V REST "Retry: 1\r\n", "Retry does not belong here" },
	{ S V REST "Denied: tcp " ENDS "late\r\n", "Denied does not belong here" },
	{ BOUND "Status: 200\r\nFlow: tcp " ENDS "link\r\n", "Flow does not belong here" },
	{ S V "Association: MuuccaGZuY6YLD3\r\n" Q L SC F E, "Association is malformed" },
	{ S V "Association: MuuccaGZuY6YLD3yy\r\n" Q L SC F E, "Association is malformed" },
	{ S V "Association: MuuccaGZuY6YLD3+\r\n" Q L SC F E, "Association is malformed" },
	{ S V A "Seq: 0\r\n" L SC F E, "Seq out of range" },
	{ S V A "Seq: 4294967296\r\n" L SC F E, "Seq out of range" },
	{ S V A "Seq: 00000000001\r\n" L SC F E, "Seq is malformed" },
	{ S V A "Seq: -1\r\n" L SC F E, "Seq is malformed" },
	{ S V A "Seq: 1 \r\n" L SC F E, "Seq is malformed" },
	{ S V A "Seq: \r\n" L SC F E, "Seq is malformed" },
	{ S V A Q "Lifetime: 86401\r\n" SC F E, "Lifetime out of range" },
	{ S V A Q "Lifetime: 100000\r\n" SC F E, "Lifetime is malformed" },
	{ S V A Q L "Scope: net\r\n" F E, "Scope is malformed" },
	{ S V A Q L SC "Flows: all\r\n" E, "Flows is malformed" },
	{ S V A Q L SC F "Encap: ip\r\n", "Encap is malformed" },
	{ S V A Q L SC F "Encap: ipip,\r\n", "Encap is malformed" },
	{ S V A Q L SC F "Encap: ipip, minenc\r\n", "Encap is malformed" },
	{ S V A Q L SC F "Encap: ipip,ipip,ipip,ipip,ipip,ipip,ipip,ipip,ipip\r\n",
	  "Encap too often" },
	{ S V A Q L SC F E "Udp-Port: 0\r\n", "Udp-Port out of range" },
	{ S V REST "Peer: 192.0.2.1\r\n", "Peer is malformed" },
	{ S V REST "Pad: a b\r\n", "Pad is malformed" },
	{ S V REST "Previous: gone\r\n", "Previous is malformed" },
	{ HOME "Previous: lost\r\n", "Previous does not belong here" },
	{ S V REST "Sealed: \r\n", "Sealed is malformed" },
	{ HOME "Flow: udp " ENDS "link\r\n", "Flow is malformed" },
	{ HOME "Flow: tcp " ENDS "\r\n", "Flow is malformed" },
	{ HOME "Flow: tcp " ENDS "isn-h=1234567\r\n", "Flow is malformed" },
	{ HOME "Flow: tcp " ENDS "isn-h=123456789\r\n", "Flow is malformed" },
	{ HOME "Flow: tcp " ENDS "mac=PMhaUZlvvLkBmSv6pnGoVx\r\n", "Flow is malformed" },
	{ HOME "Flow: tcp " ENDS "mac=PMhaUZlvvLkBmSv6pnGoV\r\n", "Flow is malformed" },
	{ HOME "Flow: tcp [192.0.2.10]:0 [203.0.113.5]:2 link\r\n", "Flow out of range" },
	{ HOME "Flow: tcp [192.0.2.10]:65536 [203.0.113.5]:2 link\r\n", "Flow out of range" },
	{ HOME "Flow: tcp [192.0.2.10] [203.0.113.5]:2 link\r\n", "Flow is malformed" },
	{ HOME "Flow: tcp 192.0.2.10:1 [203.0.113.5]:2 link\r\n", "Flow is malformed" },
	{ HOME "Flow: tcp [192.0.2.10]:1 [2001:db8::1]:2 link\r\n", "Flow is malformed" },
	{ BOUND, "Status missing" },
	{ BOUND "Status: 300\r\n", "Status out of range" },
	{ BOUND "Status: 20\r\n", "Status is malformed" },
	{ BOUND "Status: 2000\r\n", "Status is malformed" },
	{ BOUND "Status: 200\r\nEncap: ipip,minenc\r\n", "Encap is malformed" },
	{ BOUND "Status: 200\r\nDenied: tcp " ENDS "never\r\n", "Denied is malformed" },
	{ "Bound [192.0.2.10] to [192.0.2.11]\r\n" V A Q "Status: 200\r\n" E, "Lifetime missing" },
	{ "Bound [192.0.2.10] to [192.0.2.11]\r\n" V A Q "Status: 200\r\n" L, "Encap missing" },
	{ REF "Status: 200\r\n", "Status out of range" },
	{ REF "Status: 700\r\n", "Status out of range" },
	{ REF "Status: 423\r\n", "Lifetime missing" },
	{ REF "Status: 503\r\n", "Retry missing" },
};

static void every_mistake_is_named(void **state)
{
	unsigned int i;
	struct body b;
	char err[64];
	char *copy;
	size_t len;
	int want;

	for (i = 0; i < N(bad); i++) {
		len = strlen(bad[i].text);
		copy = malloc(len + 1);	/* for the sanitizer: no byte more */
		memcpy(copy, bad[i].text, len);
		want = strstr(bad[i].phrase, "upported") ? -EOPNOTSUPP :
			-EINVAL;
		assert_int_equal(body_parse(copy, len, &b, err, sizeof(err)),
				 want);
		if (strcmp(err, bad[i].phrase))
			fail_msg("want \"%s\", got \"%s\" for\n%s",
				 bad[i].phrase, err, bad[i].text);
		free(copy);
	}
}

static void truncation_is_never_accepted_as_whole(void **state)
{
	struct body b;
	char err[64];
	size_t n;
	char *copy;

	for (n = 0; n < strlen(move); n++) {
		copy = malloc(n + 1);
		memcpy(copy, move, n);
		assert_int_not_equal(body_parse(copy, n, &b, err, sizeof(err)),
				     0);
		free(copy);
	}
}

static void sizes_are_limited(void **state)
{
	char text[20000];
	struct body b;
	char err[64];
	unsigned int i;
	char *end;

	end = text + sprintf(text, "%s", move);
	for (i = 7; i < 64; i++)
		end += sprintf(end, "X: y\r\n");
	assert_int_equal(body_parse(text, (size_t)(end - text), &b, err,
				    sizeof(err)), 0);
	end += sprintf(end, "X: y\r\n");
	assert_int_equal(body_parse(text, (size_t)(end - text), &b, err,
				    sizeof(err)), -EINVAL);
	assert_string_equal(err, "More than 64 fields");

	end = text + sprintf(text, "%sX: %01021d\r\n", move, 0);
	assert_int_equal(body_parse(text, (size_t)(end - text), &b, err,
				    sizeof(err)), 0);
	end = text + sprintf(text, "%sX: %01022d\r\n", move, 0);
	assert_int_equal(body_parse(text, (size_t)(end - text), &b, err,
				    sizeof(err)), -EINVAL);
	assert_string_equal(err, "Line too long");
	end = text + sprintf(text, "%sSealed: %02000d\r\n", move, 0);
	assert_int_equal(body_parse(text, (size_t)(end - text), &b, err,
				    sizeof(err)), 0);
	assert_int_equal(body_parse(text, 8193, &b, err, sizeof(err)),
			 -EINVAL);
	assert_string_equal(err, "Body too long");
}

/* ------------------------------------------------------------- round trips */

static struct addr random_addr(bool v4)
{
	struct addr a = { .len = v4 ? 4 : 16 };
	unsigned int i;

	for (i = 0; i < a.len; i++)
		a.b[i] = (uint8_t)(rand() % 4 ? rand() : 0);
	if (!v4)
		a.b[0] |= 0x20;	/* not ::ffff: */
	return a;
}

static void random_flow(struct body_flow *f, bool v4, bool denied)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		f->end[i].addr = random_addr(v4);
		f->end[i].port = (uint16_t)(1 + rand() % 65535);
	}
	if (denied) {
		f->denied = DENIED_UNKNOWN + (unsigned int)rand() % 5;
		return;
	}
	f->proof = PROOF_ISN + (unsigned int)rand() % 3;
	if (f->proof == PROOF_ISN)
		f->isn_hash = (uint32_t)rand() * 3u;
	for (i = 0; i < 16 && f->proof == PROOF_MAC; i++)
		f->mac[i] = (uint8_t)rand();
}

static void random_numbers(struct body *b)
{
	static const unsigned int stati[] = { 200, 403, 423, 500, 503, 699 };
	unsigned int i;

	b->has_seq = true;
	b->seq = (uint32_t)rand() + 1u;
	b->has_lifetime = true;
	b->lifetime = (uint32_t)rand() % 86401;
	for (i = 0; i < ASSOC_ID; i++)
		b->assoc[i] = SCAN_BASE64URL[rand() % 64];
	if (b->kind == BODY_BIND)
		return;
	b->has_status = true;
	b->status = b->kind == BODY_BOUND ? 200 : stati[1 + rand() % 5];
	b->has_retry = b->kind == BODY_REFUSED;
	b->retry = b->has_retry ? (unsigned int)rand() % 100000 : 0;
}

static void random_body(struct body *b)
{
	bool v4 = rand() % 2;
	unsigned int *n;
	unsigned int i;

	memset(b, 0, sizeof(*b));
	b->kind = (unsigned int)rand() % 3;
	b->from = random_addr(v4);
	b->to = rand() % 3 ? random_addr(rand() % 2) : b->from;
	random_numbers(b);
	if (b->kind == BODY_BIND) {
		b->scope = SCOPE_FLOW + (unsigned int)rand() % 2;
		b->flows_owned = b->scope == SCOPE_FLOW &&
			!addr_equal(&b->from, &b->to);
		if (rand() % 2)
			b->peer = random_addr(v4);
	}
	if (b->kind != BODY_REFUSED) {
		b->n_encaps = b->kind == BODY_BOUND ? 1 :
			1 + (unsigned int)rand() % BODY_ENCAPS;
		for (i = 0; i < b->n_encaps; i++)
			b->encaps[i] = ENCAP_IPIP + (unsigned int)rand() % 5;
	}
	n = b->kind == BODY_BIND ? &b->n_flows : &b->n_denied;
	*n = (unsigned int)rand() % 55;
	for (i = 0; i < *n; i++)
		random_flow(b->kind == BODY_BIND ? &b->flows[i] :
			    &b->denied[i], v4, b->kind != BODY_BIND);
}

static void what_is_built_is_read_back_equal(void **state)
{
	static struct body a, b;
	char text[SIP_BODY];
	char err[64];
	unsigned int i;
	int len;

	srand(7);
	for (i = 0; i < 5000; i++) {
		random_body(&a);
		len = body_build(&a, text, sizeof(text));
		if (len == -ENOSPC)
			continue;
		if (body_parse(text, (size_t)len, &b, err, sizeof(err)))
			fail_msg("%s:\n%.*s", err, len, text);
		assert_memory_equal(&a, &b, sizeof(a));
	}
}

static void more_fields_than_are_read_are_not_built(void **state)
{
	static struct body b;
	char text[SIP_BODY];
	unsigned int i;

	b = parse(move);
	for (i = 0; i < 57; i++)
		random_flow(&b.flows[i], true, false);
	b.n_flows = 57;		/* and seven others */
	assert_true(body_build(&b, text, sizeof(text)) > 0);
	b.n_flows = 58;
	assert_int_equal(body_build(&b, text, sizeof(text)), -ENOSPC);
}

/* ------------------------------------------------------------------- proof */

static void isn_hash_is_the_documented_one(void **state)
{
	struct endpoint v4[2] = { { addr("192.0.2.10"), 40000 },
				  { addr("203.0.113.5"), 80 } };
	struct endpoint v6[2] = { { addr("2001:db8:1::10"), 40000 },
				  { addr("2001:db8:9::5"), 80 } };
	uint8_t nonce[16];
	unsigned int i;

	for (i = 0; i < 16; i++)
		nonce[i] = (uint8_t)i;
	assert_int_equal(isn_hash(nonce, v4, 305419896u, 2596069104u),
			 0x5f2d0c75);
	assert_int_equal(isn_hash(nonce, v6, 305419896u, 2596069104u),
			 0xa317baf3);
}

static void isn_hash_depends_on_all_of_it(void **state)
{
	struct endpoint e[2] = { { addr("192.0.2.10"), 40000 },
				 { addr("203.0.113.5"), 80 } };
	struct endpoint r[2] = { e[1], e[0] };
	uint32_t h = body_isn_hash("AAECAwQFBgcICQoL", e, 1, 2);
	uint8_t nonce[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };

	assert_int_equal(h, isn_hash(nonce, e, 1, 2));
	assert_int_not_equal(h, body_isn_hash("AAECAwQFBgcICQoM", e, 1, 2));
	assert_int_not_equal(h, body_isn_hash("AAECAwQFBgcICQoL", r, 1, 2));
	assert_int_not_equal(h, body_isn_hash("AAECAwQFBgcICQoL", e, 2, 1));
	assert_int_not_equal(h, body_isn_hash("AAECAwQFBgcICQoL", e, 1, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(move_is_read),
		cmocka_unit_test(move_is_built),
		cmocka_unit_test(a_lost_place_is_said),
		cmocka_unit_test(home_bind_with_claims_is_read),
		cmocka_unit_test(answers_are_read),
		cmocka_unit_test(receivers_are_lenient_where_said),
		cmocka_unit_test(every_mistake_is_named),
		cmocka_unit_test(truncation_is_never_accepted_as_whole),
		cmocka_unit_test(sizes_are_limited),
		cmocka_unit_test(what_is_built_is_read_back_equal),
		cmocka_unit_test(more_fields_than_are_read_are_not_built),
		cmocka_unit_test(isn_hash_is_the_documented_one),
		cmocka_unit_test(isn_hash_depends_on_all_of_it),
	};

	return cmocka_run_group_tests_name("body", tests, NULL, NULL);
}
