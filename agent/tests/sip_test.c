// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What happens to a request before a role sees it: refusals by the headers,
 * silence for what would be answered to a third party, the limit of answers,
 * and thousands of broken datagrams, after each of which the stack still lives.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip_env.h"

static struct raw raw;
static struct raw third;	/* 127.0.0.66, named in maddr */

static int setup(void **state)
{
	int err = env_setup(state);

	memset(&raw, 0, sizeof(raw));
	memset(&third, 0, sizeof(third));
	raw_open(&raw, RAW);
	raw_open(&third, "127.0.0.66");
	return err;
}

static int teardown(void **state)
{
	raw_close(&raw);
	raw_close(&third);
	return env_teardown(state);
}

/* A request of which parts can be replaced. */
struct inquiry {
	const char *method;
	const char *version;
	const char *via;	/* behind the branch, or all if it has "SIP/" */
	const char *to_tag;
	const char *type;
	const char *extra;
	const char *body;
};

static const char body[] = "Bind [192.0.2.1] to [192.0.2.1]\r\n";

static size_t build(char *text, size_t size, const struct inquiry *q,
		    unsigned int n)
{
	const char *method = q->method ? q->method : "INFO";
	const char *content = q->body ? q->body : body;
	char via[256];
	int len;

	if (q->via && strstr(q->via, "SIP/"))
		snprintf(via, sizeof(via), "%s;branch=z9hG4bK%u", q->via, n);
	else
		snprintf(via, sizeof(via),
			 "SIP/2.0/UDP %s:%u;branch=z9hG4bK%u%s", RAW,
			 env_port(), n, q->via ? q->via : "");
	len = snprintf(text, size,
		       "%s sip:hmmp@127.0.0.3 %s\r\nVia: %s\r\nMax-Forwards: 70\r\n"
		       "From: <sip:anonymous@anonymous.invalid>;tag=abc\r\n"
		       "To: <sip:hmmp@127.0.0.3>%s\r\nCall-ID: call%u\r\n"
		       "CSeq: %u %s\r\n%s%s%sContent-Length: %zu\r\n\r\n%s",
		       method, q->version ? q->version : "SIP/2.0", via,
		       q->to_tag ? q->to_tag : "", n, n + 1, method,
		       q->type ? q->type : "Content-Type: application/x.hmmp;version=1",
		       q->type && !q->type[0] ? "" : "\r\n",
		       q->extra ? q->extra : "", strlen(content), content);
	return (size_t)len;
}

/* Sends it; the answer, or NULL when the next request is answered first. */
static const char *ask(const struct inquiry *q)
{
	static const struct inquiry good;
	static unsigned int n;
	unsigned int before = raw.n;
	char text[12000];
	char id[32];
	size_t len;

	n += 2;
	len = build(text, sizeof(text), q, n);
	raw_send(&raw, THERE, text, len);
	snprintf(id, sizeof(id), "Call-ID: call%u\r\n", n);
	len = build(text, sizeof(text), &good, n + 1);
	raw_send(&raw, THERE, text, len);
	env_wait(&raw.n, before + 1, 3000);
	if (!strstr(raw.got[before % MESSAGES].text, id))
		return NULL;
	env_wait(&raw.n, before + 2, 3000);
	return raw.got[before % MESSAGES].text;
}

#define LONG100 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG1000 "" LONG100 LONG100 LONG100 LONG100 LONG100 \
		 LONG100 LONG100 LONG100 LONG100 LONG100

#define TYPE(t) .type = "Content-Type: " t

static const struct {
	const char *what;
	struct inquiry q;
	const char *line;	/* NULL: silence */
	const char *header;
} cases[] = {
	{ "good", { 0 }, "SIP/2.0 200 OK\r\n", NULL },
	{ "no version", { TYPE("application/x.hmmp") }, "SIP/2.0 200 ", NULL },
	{ "capitals", { TYPE("Application/X.HMMP;Version=1") },
	  "SIP/2.0 200 ", NULL },
	{ "short names", { .extra = "k: 100rel\r\n" }, "SIP/2.0 200 ", NULL },
	{ "identity", { .extra = "Content-Encoding: identity\r\n" },
	  "SIP/2.0 200 ", NULL },
	{ "OPTIONS", { .method = "OPTIONS" }, "SIP/2.0 405 ",
	  "\r\nAllow: INFO\r\n" },
	{ "unknown method", { .method = "FOO" }, "SIP/2.0 405 ",
	  "\r\nAllow: INFO\r\n" },
	{ "INVITE", { .method = "INVITE" }, "SIP/2.0 405 ", NULL },
	{ "ACK", { .method = "ACK" }, NULL, NULL },
	{ "text", { TYPE("text/plain") }, "SIP/2.0 415 ",
	  "\r\nAccept: application/x.hmmp;version=1\r\n" },
	{ "version 2", { TYPE("application/x.hmmp;version=2") },
	  "SIP/2.0 415 ", "\r\nAccept: application/x.hmmp;version=1\r\n" },
	{ "no type", { .type = "" }, "SIP/2.0 415 ", NULL },
	{ "multipart", { TYPE("multipart/mixed;boundary=x") },
	  "SIP/2.0 400 Bad Content-Type\r\n", NULL },
	{ "gzip", { .extra = "Content-Encoding: gzip\r\n" },
	  "SIP/2.0 400 Bad Content-Encoding\r\n", NULL },
	{ "short gzip", { .extra = "e: gzip\r\n" },
	  "SIP/2.0 400 Bad Content-Encoding\r\n", NULL },
	{ "two encodings", { .extra = "Content-Encoding: identity, gzip\r\n" },
	  "SIP/2.0 400 Bad Content-Encoding\r\n", NULL },
	{ "no body", { .body = "" }, "SIP/2.0 400 Body missing\r\n", NULL },
	{ "too large", { .body = LONG1000 LONG100 LONG100 }, "SIP/2.0 413 ", NULL },
	{ "much too large", { .body = LONG1000 LONG1000 LONG1000 LONG1000
	  LONG1000 LONG1000 LONG1000 LONG1000 LONG1000 }, "SIP/2.0 413 ",
	  NULL },
	{ "extension", { .extra = "Require: foo\r\n" }, "SIP/2.0 420 ",
	  "\r\nUnsupported: foo\r\n" },
	{ "dialog", { .to_tag = ";tag=1" }, "SIP/2.0 481 ", NULL },
	{ "bad header", { .extra = "Max-Forwards: x\r\n" },
	  "SIP/2.0 400 Bad Header\r\n", NULL },
	{ "rport", { .via = ";rport" }, "SIP/2.0 200 ", ";rport=" },
	{ "maddr", { .via = ";maddr=127.0.0.66" }, NULL, NULL },
	{ "ttl", { .via = ";ttl=1" }, NULL, NULL },
	{ "maddr, name", { .via = ";maddr=third.example" }, NULL, NULL },
	{ "maddr and bad header", { .via = ";maddr=127.0.0.66",
	  .extra = "Max-Forwards: x\r\n" }, NULL, NULL },
	{ "maddr, second Via", { .via = ";maddr=127.0.0.66",
	  .extra = "Via: SIP/2.0/UDP 127.0.0.66\r\n" }, NULL, NULL },
	{ "other transport", { .via = "SIP/2.0/TCP 127.0.0.66" }, NULL, NULL },
	{ "other version", { .version = "SIP/3.0" }, NULL, NULL },
	{ "other version, elsewhere", { .version = "SIP/3.0",
	  .via = "SIP/2.0/UDP 127.0.0.66" }, NULL, NULL },
};

/* The first refusals are within the burst; each case is a few of them. */
static void requests_are_judged_by_their_headers(void **state)
{
	unsigned int i;
	const char *got;
	bool good;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		handled.n = 0;
		got = ask(&cases[i].q);
		if (!cases[i].line && got)
			fail_msg("%s: %s", cases[i].what, got);
		if (cases[i].line && (!got || strncmp(got, cases[i].line,
						      strlen(cases[i].line))))
			fail_msg("%s: %s", cases[i].what, got);
		if (cases[i].header && !strstr(got, cases[i].header))
			fail_msg("%s: no %s in %s", cases[i].what,
				 cases[i].header, got);
		/* the good one behind it is always handled */
		good = cases[i].line && strstr(cases[i].line, " 200 ");
		assert_int_equal(handled.n, good ? 2 : 1);
		if (i % 8 == 7)
			env_run(900);	/* the limit forgets */
	}
	assert_int_equal(third.n, 0);
}

static void a_name_in_via_is_not_resolved(void **state)
{
	struct inquiry q = { .via = "SIP/2.0/UDP nobody.example" };
	uint64_t start = loop_now();
	const char *got = ask(&q);

	assert_non_null(got);
	assert_non_null(strstr(got, ";received=" RAW));
	assert_true(loop_now() - start < 2000);
}

static void the_answer_of_the_role_is_sent(void **state)
{
	static const struct inquiry good;
	const char *got;

	handled.reply = (struct sip_reply){
		.status = 503, .phrase = "Table full",
		.headers = "Retry-After: 7\r\nX-Two: 2",
		.body = "Refused\r\n", .len = 9,
	};
	got = ask(&good);
	assert_non_null(got);
	assert_non_null(strstr(got, "SIP/2.0 503 Table full\r\n"));
	assert_non_null(strstr(got, "\r\nRetry-After: 7\r\n"));
	assert_non_null(strstr(got, "\r\nX-Two: 2\r\n"));
	assert_non_null(strstr(got, "\r\nContent-Type: application/x.hmmp;"
			       "version=1\r\n"));
	assert_non_null(strstr(got, "\r\n\r\nRefused\r\n"));
	assert_non_null(strstr(got, "To: <sip:hmmp@127.0.0.3>;tag="));
}

static void a_role_may_be_silent(void **state)
{
	static const struct inquiry good;
	char text[2000];
	size_t len = build(text, sizeof(text), &good, 90000);

	handled.silent = true;
	raw_send(&raw, THERE, text, len);
	env_wait(&handled.n, 1, 2000);
	env_run(50);
	assert_int_equal(raw.n, 0);
}

static unsigned int count_answers(const char *line)
{
	unsigned int i, n = 0;

	for (i = 0; i < raw.n && i < MESSAGES; i++)
		n += !strncmp(raw.got[i].text, line, strlen(line));
	return n;
}

static void refusals_are_limited_good_answers_are_not(void **state)
{
	struct inquiry bad = { .method = "OPTIONS" };
	static const struct inquiry good;
	char text[2000];
	unsigned int i;
	size_t len;

	env_run(2100);		/* what other tests took is given back */
	raw.n = 0;
	for (i = 0; i < 100; i++) {
		len = build(text, sizeof(text), i < 60 ? &bad : &good,
			    91000 + i);
		raw_send(&raw, THERE, text, len);
	}
	env_wait(&handled.n, 40, 3000);
	env_run(50);
	assert_int_equal(count_answers("SIP/2.0 200"), 40);
	/* 20, and one for each 100 ms that it took */
	assert_in_range(count_answers("SIP/2.0 405"), 20, 50);
}

static void refusals_of_a_role_are_limited_too(void **state)
{
	static const struct inquiry good;
	char text[2000];
	unsigned int i;
	size_t len;

	env_run(2100);
	raw.n = 0;
	handled.reply.status = 403;
	strcpy(handled.reply.body, "Refused\r\n");
	handled.reply.len = 9;
	for (i = 0; i < 60; i++) {
		len = build(text, sizeof(text), &good, 92000 + i);
		raw_send(&raw, THERE, text, len);
	}
	env_wait(&handled.n, 60, 3000);
	env_run(50);
	assert_in_range(count_answers("SIP/2.0 403"), 20, 50);
}

static unsigned int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void addresses_come_and_go(void **state)
{
	static const struct inquiry good;
	unsigned int before = descriptors();
	char text[ADDR_TEXT];
	struct addr a;
	unsigned int i;

	for (i = 1; i < 150; i++) {
		snprintf(text, sizeof(text), "127.0.1.%u", i);
		a = env_addr(text);
		assert_int_equal(sip_addr_add(&a), 0);
		assert_int_equal(sip_addr_add(&a), 0);
		sip_addr_del(&a);
		assert_non_null(ask(&good));
	}
	assert_true(descriptors() < before + 80);
	/* one that went and comes again */
	assert_int_equal(sip_addr_add(&a), 0);
	a = env_addr("192.0.2.77");	/* not of this host */
	assert_int_equal(sip_addr_add(&a), -EADDRNOTAVAIL);
	sip_addr_del(&a);
	assert_non_null(ask(&good));
}

/* The library has a STUN server, on by default, and of ill repute. */
static void stun_is_not_served(void **state)
{
	static const uint8_t binding[] = { 0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8,
		9, 10, 11, 12, 13, 14, 15, 16 };

	raw_send(&raw, THERE, binding, sizeof(binding));
	env_wait(&raw.n, 1, 2000);
	/* "not implemented", without a look into it */
	assert_int_equal(raw.got[0].text[0], 1);
	assert_int_equal(raw.got[0].text[1], 0x11);
}

/* -------------------------------------------------------------- mutations */

static uint32_t random_state = 12345;

static unsigned int rnd(unsigned int n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % n;
}

static size_t mutate(char *text, size_t len, size_t size)
{
	static const char *const pieces[] = {
		"\r\n", "\r\n\r\n", ";maddr=127.0.0.66", "%00", "\t", ",",
		"Via: SIP/2.0/UDP 127.0.0.66\r\n", "\"", "<", "sip:", "\xff",
		"999999999999", "-1", "SIP/2.0 200 OK\r\n", "[::1]", ":",
		"Content-Length: 99999\r\n", "l: 4294967297\r\n", "v: x\r\n",
	};
	unsigned int times = 1 + rnd(4);
	size_t at, n;
	const char *p;

	while (times--) {
		at = rnd((unsigned int)len);
		switch (rnd(4)) {
		case 0:
			text[at] = (char)rnd(256);
			break;
		case 1:
			return at + 1;
		case 2:
			n = 1 + rnd(20);
			if (at + n >= len)
				break;
			memmove(text + at, text + at + n, len - at - n);
			len -= n;
			break;
		default:
			p = pieces[rnd(sizeof(pieces) / sizeof(pieces[0]))];
			n = strlen(p);
			if (len + n > size)
				break;
			memmove(text + at + n, text + at, len - at);
			memcpy(text + at, p, n);
			len += n;
		}
	}
	return len;
}

static char alive_id[32];
static unsigned int alive;

static void on_any(struct raw *r, struct message *m)
{
	if (!strncmp(m->text, "SIP/2.0 200", 11) && strstr(m->text, alive_id))
		alive++;
}

static void check_alive(unsigned int n)
{
	static const struct inquiry good;
	char text[2000];
	size_t len = build(text, sizeof(text), &good, n);

	alive = 0;
	snprintf(alive_id, sizeof(alive_id), "Call-ID: call%u\r\n", n);
	raw_send(&raw, THERE, text, len);
	env_wait(&alive, 1, 5000);
}

static void broken_datagrams_do_no_harm(void **state)
{
	static const char answer[] =
		"SIP/2.0 200 OK\r\n"
		"Via: SIP/2.0/UDP 127.0.0.3;branch=z9hG4bK1\r\n"
		"From: <sip:a@b.invalid>;tag=1\r\n"
		"To: <sip:c@127.0.0.3>\r\n"
		"Call-ID: x\r\n"
		"CSeq: 1 INFO\r\n"
		"Content-Length: 0\r\n\r\n";
	struct inquiry q = { .extra = "Accept: a/b, c/d;q=0.1\r\n" };
	unsigned int i;
	char text[4000];
	size_t len;

	raw.on_message = on_any;
	for (i = 0; i < 6000; i++) {
		if (i % 4) {
			q.method = i % 5 ? NULL : "REGISTER";
			len = build(text, sizeof(text), &q, i);
		} else {
			len = strlen(strcpy(text, answer));
		}
		len = mutate(text, len, sizeof(text));
		raw_send(&raw, THERE, text, len);
		if (i % 50 == 49)
			check_alive(100000 + i);
	}
	assert_int_equal(third.n, 0);
}

#undef T
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(requests_are_judged_by_their_headers),
		T(a_name_in_via_is_not_resolved),
		T(the_answer_of_the_role_is_sent),
		T(a_role_may_be_silent),
		T(refusals_are_limited_good_answers_are_not),
		T(refusals_of_a_role_are_limited_too),
		T(addresses_come_and_go),
		T(stun_is_not_served),
		T(broken_datagrams_do_no_harm),
	};

	return cmocka_run_group_tests_name("sip", tests, NULL, NULL);
}
