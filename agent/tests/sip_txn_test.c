// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Client transactions over real sockets: repetition at the RTO and at no
 * other time, the first answer on any copy, ICMP, forged answers, the end.
 *
 *   stack 127.0.0.2 -- relay 127.0.0.9, which loses what it is told -- 127.0.0.3
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip_env.h"

static struct raw relay;
static struct ended ended;
static unsigned int lose_requests;	/* the first so many */
static unsigned int lose_answers;
static unsigned int delay;		/* ms, of the first answer */
static struct message late;
static struct timer late_timer;

static void on_late(struct timer *t)
{
	raw_send(&relay, HERE, late.text, late.len);
}

static void forward(struct raw *r, struct message *m)
{
	bool is_answer = !strncmp(m->text, "SIP/2.0 ", 8);
	unsigned int *lose = is_answer ? &lose_answers : &lose_requests;

	if (*lose) {
		--*lose;
	} else if (is_answer && delay) {
		late = *m;
		late_timer.fire = on_late;
		timer_set(&late_timer, delay);
		delay = 0;
		lose_answers = 1000;
	} else {
		raw_send(r, is_answer ? HERE : THERE, m->text, m->len);
	}
}

static int setup(void **state)
{
	int err = env_setup(state);

	memset(&relay, 0, sizeof(relay));
	memset(&ended, 0, sizeof(ended));
	lose_requests = 0;
	lose_answers = 0;
	delay = 0;
	raw_open(&relay, RAW);
	relay.on_message = forward;
	return err;
}

static int teardown(void **state)
{
	timer_stop(&late_timer);
	raw_close(&relay);
	return env_teardown(state);
}

/* The value of a header, into a buffer of 128 bytes. */
static const char *header(const struct message *m, const char *name, char *out)
{
	char key[40];
	const char *p;

	snprintf(key, sizeof(key), "\r\n%s: ", name);
	p = strstr(m->text, key);
	assert_non_null(p);
	p += strlen(key);
	snprintf(out, 128, "%.*s", (int)strcspn(p, "\r"), p);
	return out;
}

static void an_answer_comes_back(void **state)
{
	struct addr here = env_addr(HERE);
	struct addr there = env_addr(THERE);

	strcpy(handled.reply.body, "Bound and so on\r\n");
	handled.reply.len = strlen(handled.reply.body);
	env_send(THERE, 1000, 0, 32000, &ended);
	env_wait(&ended.n, 1, 5000);
	assert_int_equal(ended.last.why, SIP_ANSWER);
	assert_int_equal(ended.last.status, 200);
	assert_int_equal(ended.last.sent, 1);
	assert_true(ended.last.rtt < 900);
	assert_string_equal(ended.body, handled.reply.body);
	assert_int_equal(handled.n, 1);
	assert_true(addr_equal(&handled.last.from.addr, &here));
	assert_int_equal(handled.last.from.port, env_port());
	assert_true(addr_equal(&handled.last.to, &there));
	assert_string_equal(handled.body,
			    "Bind [192.0.2.1] to [192.0.2.1]\r\n");
}

static void ipv6_works_too(void **state)
{
	struct addr local = env_addr("::1");
	struct sip_request req = {
		.src = local, .dst = local, .body = "x", .len = 1,
		.rto = 1000, .total = 32000,
	};

	assert_int_equal(sip_addr_add(&local), 0);
	assert_non_null(sip_txn_send(&req, env_ended, &ended));
	env_wait(&ended.n, 1, 5000);
	assert_int_equal(ended.last.why, SIP_ANSWER);
	assert_int_equal(ended.last.status, 200);
	assert_true(addr_equal(&handled.last.from.addr, &local));
	assert_true(addr_equal(&handled.last.to, &local));
}

static void lost_requests_are_repeated_at_the_rto(void **state)
{
	/* never before these, after the first; later if the machine is busy */
	static const unsigned int due[] = { 20, 60, 140, 300 };
	uint64_t start = loop_now();
	char a[128], b[128];
	unsigned int i;

	lose_requests = 4;
	env_send(RAW, 20, 0, 32000, &ended);
	env_wait(&ended.n, 1, 5000);
	assert_int_equal(ended.last.why, SIP_ANSWER);
	assert_int_equal(ended.last.sent, 5);
	for (i = 0; i < 4; i++) {
		struct message *m = &relay.got[i];

		assert_true(m[1].at - start >= due[i]);
		assert_string_equal(header(m, "Call-ID", a),
				    header(m + 1, "Call-ID", b));
		assert_string_equal(header(m, "From", a),
				    header(m + 1, "From", b));
		assert_string_equal(strstr(m[0].text, "\r\n\r\n"),
				    strstr(m[1].text, "\r\n\r\n"));
		assert_string_not_equal(header(m, "Via", a),
					header(m + 1, "Via", b));
		assert_string_not_equal(header(m, "CSeq", a),
					header(m + 1, "CSeq", b));
	}
	assert_int_equal(handled.n, 1);
}

static void lost_answers_are_asked_for_again(void **state)
{
	lose_answers = 2;
	env_send(RAW, 20, 0, 32000, &ended);
	env_wait(&ended.n, 1, 5000);
	assert_int_equal(ended.last.status, 200);
	assert_true(handled.n >= 3);
	env_run(100);
	assert_int_equal(ended.n, 1);
}

static void late_answer_to_the_first_copy_counts(void **state)
{
	delay = 90;		/* 20 + 40 are over then */
	env_send(RAW, 20, 0, 32000, &ended);
	env_wait(&ended.n, 1, 5000);
	assert_int_equal(ended.last.why, SIP_ANSWER);
	assert_true(ended.last.sent >= 3);
	/* measured from the first copy, not from the last */
	assert_in_range(ended.last.rtt, 90, 4000);
}

/* SIP would repeat after 500 ms, also what the library was told to destroy. */
static void nothing_is_repeated_at_t1(void **state)
{
	lose_requests = 100;
	env_send(RAW, 4000, 0, 1700, &ended);
	env_wait(&ended.n, 1, 5000);
	assert_int_equal(ended.last.why, SIP_TIMEOUT);
	assert_int_equal(relay.n, 1);
	assert_int_equal(ended.last.sent, 1);
}

static void nothing_is_sent_after_the_end(void **state)
{
	lose_requests = 2;
	env_send(RAW, 20, 0, 32000, &ended);
	env_wait(&ended.n, 1, 5000);
	env_run(50);		/* what is under way */
	relay.n = 0;
	env_run(1200);
	assert_int_equal(relay.n, 0);
}

static void tries_are_counted_and_the_total_waited_for(void **state)
{
	uint64_t start = loop_now();

	lose_requests = 100;
	env_send(RAW, 20, 2, 300, &ended);
	env_wait(&ended.n, 1, 5000);
	assert_int_equal(ended.last.why, SIP_TIMEOUT);
	assert_int_equal(ended.last.sent, 2);
	assert_int_equal(relay.n, 2);
	assert_in_range(ended.at - start, 300, 1500);
}

static void icmp_ends_it_after_the_last_try_only(void **state)
{
	env_send("127.0.0.44", 50, 2, 20000, &ended);
	env_wait(&ended.n, 1, 5000);
	assert_int_equal(ended.last.why, SIP_UNREACHABLE);
	assert_int_equal(ended.last.sent, 2);
}

static void icmp_without_tries_is_a_hint(void **state)
{
	uint64_t start = loop_now();

	env_send("127.0.0.44", 50, 0, 400, &ended);
	env_wait(&ended.n, 1, 5000);
	assert_int_equal(ended.last.why, SIP_UNREACHABLE);
	assert_true(ended.last.sent >= 3);
	assert_true(ended.at - start >= 400);
}

static void nothing_is_sent_from_an_address_that_went(void **state)
{
	struct addr here = env_addr(HERE);

	lose_requests = 100;
	env_send(RAW, 20, 0, 200, &ended);
	sip_addr_del(&here);
	env_wait(&ended.n, 1, 5000);
	assert_int_equal(ended.last.why, SIP_TIMEOUT);
	assert_int_equal(ended.last.sent, 1);
	assert_int_equal(relay.n, 1);
}

/* From 127/8 to elsewhere the kernel sends nothing. */
static void what_cannot_leave_is_a_local_error(void **state)
{
	env_send("192.0.2.1", 20, 0, 200, &ended);
	env_wait(&ended.n, 1, 5000);
	assert_int_equal(ended.last.why, SIP_LOCAL_ERROR);
	assert_int_equal(ended.last.sent, 0);
}

static void bad_requests_are_not_taken(void **state)
{
	static char big[861];
	struct sip_request req = {
		.src = env_addr(HERE), .dst = env_addr(RAW),
		.body = big, .len = sizeof(big), .rto = 20, .total = 100,
	};

	assert_null(sip_txn_send(&req, env_ended, &ended));
	req.len = 1;
	req.src = env_addr("127.0.0.77");
	assert_null(sip_txn_send(&req, env_ended, &ended));
	req.src = env_addr(HERE);
	req.dst = env_addr("::1");
	assert_null(sip_txn_send(&req, env_ended, &ended));
	env_run(50);
	assert_int_equal(ended.n, 0);
	assert_int_equal(relay.n, 0);
}

static void largest_request_fits_a_datagram(void **state)
{
	static char big[860];
	struct sip_request req = {
		.src = env_addr(HERE), .dst = env_addr(RAW),
		.body = big, .len = sizeof(big), .rto = 1000, .total = 2000,
	};
	/* three addresses are in it; the longest take 39 and brackets */
	size_t longest = 3 * (39 + 2 - strlen(HERE));

	memset(big, 'x', sizeof(big));
	lose_requests = 1;
	assert_non_null(sip_txn_send(&req, env_ended, &ended));
	env_wait(&relay.n, 1, 2000);
	assert_true(relay.got[0].len + longest <= 1300);
}

static void cancelled_means_silence(void **state)
{
	struct sip_txn *txn;

	lose_requests = 100;
	txn = env_send(RAW, 20, 0, 32000, &ended);
	env_wait(&relay.n, 2, 2000);
	sip_txn_cancel(txn);
	env_run(50);		/* what is under way */
	relay.n = 0;
	env_run(700);
	assert_int_equal(relay.n, 0);
	assert_int_equal(ended.n, 0);
	sip_txn_cancel(NULL);
}

static struct sip_txn *own;

static void cancel_own(void *arg, const struct sip_answer *ans)
{
	sip_txn_cancel(own);
	env_ended(arg, ans);
}

static void cancel_from_the_callback_is_harmless(void **state)
{
	struct sip_request req = {
		.src = env_addr(HERE), .dst = env_addr(THERE),
		.body = "x", .len = 1, .rto = 1000, .total = 2000,
	};

	own = sip_txn_send(&req, cancel_own, &ended);
	env_wait(&ended.n, 1, 2000);
	assert_int_equal(ended.last.status, 200);
}

/* Answers to the request in got[0], with something changed in each. */
static void send_answer(const char *from, const char *call_id,
			const char *tag, const char *cseq)
{
	struct raw forger = { 0 };
	struct raw *r = &relay;
	char text[1024];
	char via[128];
	int n;

	n = snprintf(text, sizeof(text),
		     "SIP/2.0 200 OK\r\nVia: %s\r\nCall-ID: %s\r\n"
		     "From: <sip:anonymous@anonymous.invalid>;tag=%s\r\n"
		     "To: <sip:hmmp@127.0.0.9>;tag=1\r\nCSeq: %s\r\n"
		     "Content-Length: 0\r\n\r\n",
		     header(&relay.got[0], "Via", via), call_id, tag, cseq);
	if (from) {
		raw_open(&forger, from);
		r = &forger;
	}
	raw_send(r, HERE, text, (size_t)n);
	if (from)
		raw_close(&forger);
}

static void forged_answers_are_ignored(void **state)
{
	char id[128], from[128];
	const char *tag;

	lose_requests = 100;
	env_send(RAW, 4000, 0, 32000, &ended);
	env_wait(&relay.n, 1, 2000);
	header(&relay.got[0], "Call-ID", id);
	tag = strstr(header(&relay.got[0], "From", from), "tag=") + 4;
	send_answer("127.0.0.50", id, tag, "1 INFO");
	send_answer(NULL, "other", tag, "1 INFO");
	send_answer(NULL, id, "other", "1 INFO");
	send_answer(NULL, id, tag, "7 INFO");
	send_answer(NULL, id, tag, "0 INFO");
	send_answer(NULL, id, tag, "1 INVITE");
	env_run(100);
	assert_int_equal(ended.n, 0);
	send_answer(NULL, id, tag, "1 INFO");
	env_wait(&ended.n, 1, 2000);
	assert_int_equal(ended.last.why, SIP_ANSWER);
}

#undef T
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_answer_comes_back),
		T(ipv6_works_too),
		T(lost_requests_are_repeated_at_the_rto),
		T(lost_answers_are_asked_for_again),
		T(late_answer_to_the_first_copy_counts),
		T(nothing_is_repeated_at_t1),
		T(nothing_is_sent_after_the_end),
		T(tries_are_counted_and_the_total_waited_for),
		T(icmp_ends_it_after_the_last_try_only),
		T(icmp_without_tries_is_a_hint),
		T(nothing_is_sent_from_an_address_that_went),
		T(what_cannot_leave_is_a_local_error),
		T(bad_requests_are_not_taken),
		T(largest_request_fits_a_datagram),
		T(cancelled_means_silence),
		T(cancel_from_the_callback_is_harmless),
		T(forged_answers_are_ignored),
	};

	return cmocka_run_group_tests_name("sip_txn", tests, NULL, NULL);
}
