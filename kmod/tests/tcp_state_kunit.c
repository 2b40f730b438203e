// SPDX-License-Identifier: GPL-2.0
/*
 * The tracker's state machine against scripted segments. Each scenario is a
 * list of segments with the state that must follow; numbers are relative to
 * the initial sequence numbers. Every scenario is played with several pairs of
 * those, also such that wrap around, and once more with the two directions
 * swapped: the function must not care which end it stands at.
 *
 * "Dn" names the defect of the draft's pseudo-code (Draft 5) that the scenario
 * is about, see Documentation/states.rst.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#include "tcp_state.h"

#define S	HMMP_SEG_SYN
#define A	HMMP_SEG_ACK
#define F	HMMP_SEG_FIN
#define R	HMMP_SEG_RST

#define OUT	HMMP_DIR_OUT
#define IN	HMMP_DIR_IN

/* One segment and the state after it. */
struct step {
	u8 dir;
	u8 flags;
	u32 seq;	/* from the sender's ISN */
	u32 ack;	/* from the receiver's ISN */
	u32 len;
	u8 state;
};

/* What a scenario starts from. */
enum start { FRESH, PICKED, OPENED, CLOSED };

struct scenario {
	const char *name;
	enum start start;
	const struct step *step;	/* up to one without flags */
};

#define NONE		HMMP_TCP_STATE_NONE
#define SETUP_REQ	HMMP_TCP_STATE_SETUP_REQ
#define SETUP_PROG	HMMP_TCP_STATE_SETUP_PROG
#define ESTABLISHED	HMMP_TCP_STATE_ESTABLISHED
#define RELEASE_REQ	HMMP_TCP_STATE_RELEASE_REQ
#define RELEASE_ACK	HMMP_TCP_STATE_RELEASE_ACK
#define RELEASE_ACCEPT	HMMP_TCP_STATE_RELEASE_ACCEPT
#define DISCONNECT	HMMP_TCP_STATE_DISCONNECT

/* D1, D7: the acknowledgment of the handshake is about the peer's ISN. */
static const struct step handshake[] = {
	{ OUT, S, 0, 0, 0, SETUP_REQ },
	{ IN, S | A, 0, 1, 0, SETUP_PROG },
	{ OUT, A, 1, 1, 0, ESTABLISHED },
	{}
};

static const struct step handshake_lost_ack[] = {
	{ OUT, S, 0, 0, 0, SETUP_REQ },
	{ IN, S | A, 0, 1, 0, SETUP_PROG },
	{ IN, S | A, 0, 1, 0, SETUP_PROG },
	{ OUT, A, 1, 1, 0, ESTABLISHED },
	{}
};

static const struct step handshake_data[] = {
	{ OUT, S, 0, 0, 0, SETUP_REQ },
	{ IN, S | A, 0, 1, 0, SETUP_PROG },
	{ OUT, A, 1, 1, 10, ESTABLISHED },
	{}
};

static const struct step handshake_fin[] = {
	{ OUT, S, 0, 0, 0, SETUP_REQ },
	{ IN, S | A, 0, 1, 0, SETUP_PROG },
	{ OUT, F | A, 1, 1, 10, RELEASE_REQ },
	{}
};

/* TCP fast open: data in the SYN and in its answer. */
static const struct step fast_open[] = {
	{ OUT, S, 0, 0, 100, SETUP_REQ },
	{ IN, S | A, 0, 1, 0, SETUP_PROG },
	{ OUT, A, 1, 1, 100, ESTABLISHED },
	{ IN, A, 1, 101, 50, ESTABLISHED },
	{}
};

/* D8 */
static const struct step simultaneous_open[] = {
	{ OUT, S, 0, 0, 0, SETUP_REQ },
	{ IN, S, 0, 0, 0, SETUP_PROG },
	{ OUT, S | A, 0, 1, 0, SETUP_PROG },
	{ IN, S | A, 0, 1, 0, ESTABLISHED },
	{}
};

/* D9 */
static const struct step syn_again[] = {
	{ OUT, S, 0, 0, 0, SETUP_REQ },
	{ OUT, S, 0, 0, 0, SETUP_REQ },
	{ OUT, S, 0, 0, 0, SETUP_REQ },
	{ IN, S | A, 0, 1, 0, SETUP_PROG },
	{ OUT, A, 1, 1, 0, ESTABLISHED },
	{}
};

/* D2: data and its acknowledgments are no error. */
static const struct step data[] = {
	{ OUT, A, 1, 1, 1000, ESTABLISHED },
	{ IN, A, 1, 1001, 0, ESTABLISHED },
	{ IN, A, 1, 1001, 1448, ESTABLISHED },
	{ OUT, A, 1001, 1449, 0, ESTABLISHED },
	{ OUT, A, 1000, 1449, 0, ESTABLISHED },		/* keepalive */
	{}
};

/* One skb of many segments has one header. */
static const struct step super_segment[] = {
	{ OUT, A, 1, 1, 64000, ESTABLISHED },
	{ IN, A, 1, 64001, 0, ESTABLISHED },
	{ OUT, F | A, 64001, 1, 60000, RELEASE_REQ },
	{ IN, A, 1, 64001, 0, RELEASE_REQ },
	{ IN, A, 1, 124002, 0, RELEASE_ACK },
	{}
};

/* D3, D13 */
static const struct step active_close[] = {
	{ OUT, F | A, 1, 1, 0, RELEASE_REQ },
	{ IN, A, 1, 2, 0, RELEASE_ACK },
	{ IN, F | A, 1, 2, 0, RELEASE_ACCEPT },
	{ OUT, A, 2, 2, 0, DISCONNECT },
	{}
};

/* D3, D4: the peer closes, this end goes on for a while. */
static const struct step passive_close[] = {
	{ IN, F | A, 1, 1, 0, RELEASE_REQ },
	{ OUT, A, 1, 2, 0, RELEASE_ACK },
	{ OUT, A, 1, 2, 10, RELEASE_ACK },
	{ IN, A, 2, 11, 0, RELEASE_ACK },
	{ OUT, F | A, 11, 2, 0, RELEASE_ACCEPT },
	{ IN, A, 2, 12, 0, DISCONNECT },
	{}
};

static const struct step passive_close_fin_ack[] = {
	{ IN, F | A, 1, 1, 0, RELEASE_REQ },
	{ OUT, F | A, 1, 2, 0, RELEASE_ACCEPT },
	{ IN, A, 2, 2, 0, DISCONNECT },
	{}
};

/* D12: half closed is not closed. */
static const struct step half_close[] = {
	{ OUT, F | A, 1, 1, 0, RELEASE_REQ },
	{ IN, A, 1, 2, 0, RELEASE_ACK },
	{ IN, A, 1, 2, 1448, RELEASE_ACK },
	{ OUT, A, 2, 1449, 0, RELEASE_ACK },
	{ IN, A, 1449, 2, 1448, RELEASE_ACK },
	{ OUT, A, 2, 2897, 0, RELEASE_ACK },
	{ IN, F | A, 2897, 2, 0, RELEASE_ACCEPT },
	{ OUT, A, 2, 2898, 0, DISCONNECT },
	{}
};

/* D11: a FIN that carries data, acknowledged in two steps. */
static const struct step fin_with_data[] = {
	{ OUT, F | A, 1, 1, 50, RELEASE_REQ },
	{ IN, A, 1, 31, 0, RELEASE_REQ },
	{ IN, A, 1, 51, 0, RELEASE_REQ },
	{ IN, A, 1, 52, 0, RELEASE_ACK },
	{}
};

/* D11: an acknowledgment that comes late and covers more. */
static const struct step fin_late_ack[] = {
	{ IN, A, 1, 1, 500, ESTABLISHED },
	{ IN, F | A, 501, 1, 0, RELEASE_REQ },
	{ OUT, A, 1, 501, 0, RELEASE_REQ },
	{ OUT, A, 1, 502, 20, RELEASE_ACK },
	{}
};

static const struct step fin_again[] = {
	{ OUT, F | A, 1, 1, 0, RELEASE_REQ },
	{ OUT, F | A, 1, 1, 0, RELEASE_REQ },
	{ IN, A, 1, 2, 0, RELEASE_ACK },
	{ OUT, F | A, 1, 1, 0, RELEASE_ACK },
	{}
};

static const struct step simultaneous_close[] = {
	{ OUT, F | A, 1, 1, 0, RELEASE_REQ },
	{ IN, F | A, 1, 1, 0, RELEASE_ACCEPT },
	{ OUT, A, 2, 2, 0, RELEASE_ACCEPT },
	{ IN, A, 2, 2, 0, DISCONNECT },
	{}
};

/* D14: the last acknowledgment was lost. */
static const struct step last_ack_lost[] = {
	{ IN, F | A, 1, 2, 0, DISCONNECT },
	{ OUT, A, 2, 2, 0, DISCONNECT },
	{}
};

/* D10 */
static const struct step reset[] = {
	{ OUT, A, 1, 1, 100, ESTABLISHED },
	{ IN, R, 1, 0, 0, DISCONNECT },
	{ IN, A, 1, 101, 10, DISCONNECT },
	{}
};

static const struct step reset_out[] = {
	{ OUT, A, 1, 1, 100, ESTABLISHED },
	{ OUT, R | A, 101, 1, 0, DISCONNECT },
	{}
};

static const struct step reset_half_closed[] = {
	{ OUT, F | A, 1, 1, 0, RELEASE_REQ },
	{ IN, A, 1, 2, 0, RELEASE_ACK },
	{ IN, R | A, 1, 2, 0, DISCONNECT },
	{}
};

/* D10: nobody listens there. */
static const struct step refused[] = {
	{ OUT, S, 0, 0, 0, SETUP_REQ },
	{ IN, R | A, 0, 1, 0, DISCONNECT },
	{}
};

/* D17: what a blind attacker can send changes nothing. */
static const struct step blind_reset[] = {
	{ IN, R, 500, 0, 0, ESTABLISHED },		/* in the window */
	{ IN, R, 0x40000000, 0, 0, ESTABLISHED },
	{ IN, R | A, 2, 1, 0, ESTABLISHED },
	{}
};

static const struct step blind_reset_of_syn[] = {
	{ OUT, S, 0, 0, 0, SETUP_REQ },
	{ IN, R | A, 0, 77, 0, SETUP_REQ },
	{ IN, R, 0, 0, 0, SETUP_REQ },
	{}
};

static const struct step blind_fin[] = {
	{ IN, F | A, 0x1000000, 1, 0, ESTABLISHED },
	{ IN, F | A, 0x90000000, 1, 0, ESTABLISHED },
	{ IN, F | A, 1, 5000, 0, ESTABLISHED },		/* acknowledges air */
	{}
};

static const struct step blind_syn[] = {
	{ IN, S, 777, 0, 0, ESTABLISHED },
	{ IN, S | A, 777, 1, 0, ESTABLISHED },
	{ IN, S, 0, 0, 0, ESTABLISHED },
	{}
};

static const struct step blind_syn_ack[] = {
	{ OUT, S, 0, 0, 0, SETUP_REQ },
	{ IN, S | A, 0, 77, 0, SETUP_REQ },
	{ IN, S | A, 0, 1, 0, SETUP_PROG },
	{}
};

/* D10: nothing is made of segments without a connection. */
static const struct step stray[] = {
	{ OUT, A, 1, 1, 100, NONE },
	{ IN, F | A, 1, 1, 0, NONE },
	{ IN, R, 1, 0, 0, NONE },
	{ IN, S | A, 0, 1, 0, NONE },
	{}
};

static const struct step picked_up[] = {
	{ OUT, A, 5000, 7000, 100, ESTABLISHED },
	{ IN, A, 7000, 5100, 0, ESTABLISHED },
	{ IN, F | A, 7000, 5100, 0, RELEASE_REQ },
	{ OUT, A, 5100, 7001, 0, RELEASE_ACK },
	{ OUT, F | A, 5100, 7001, 0, RELEASE_ACCEPT },
	{ IN, A, 7001, 5101, 0, DISCONNECT },
	{}
};

static const struct step picked_up_blind[] = {
	{ OUT, A, 5000, 7000, 100, ESTABLISHED },
	{ IN, A, 7000, 5100, 0, ESTABLISHED },
	{ IN, R, 9000, 0, 0, ESTABLISHED },
	{ IN, R, 7000, 0, 0, DISCONNECT },
	{}
};

/* The same ports again, out of TIME-WAIT. */
static const struct step new_incarnation[] = {
	{ OUT, S, 1, 0, 0, DISCONNECT },		/* an old one */
	{ OUT, S, 100000, 0, 0, SETUP_REQ },
	{ IN, S | A, 70000, 100001, 0, SETUP_PROG },
	{ OUT, A, 100001, 70001, 0, ESTABLISHED },
	{}
};

static const struct scenario scenarios[] = {
	{ "handshake", FRESH, handshake },
	{ "handshake_lost_ack", FRESH, handshake_lost_ack },
	{ "handshake_data", FRESH, handshake_data },
	{ "handshake_fin", FRESH, handshake_fin },
	{ "fast_open", FRESH, fast_open },
	{ "simultaneous_open", FRESH, simultaneous_open },
	{ "syn_again", FRESH, syn_again },
	{ "data", OPENED, data },
	{ "super_segment", OPENED, super_segment },
	{ "active_close", OPENED, active_close },
	{ "passive_close", OPENED, passive_close },
	{ "passive_close_fin_ack", OPENED, passive_close_fin_ack },
	{ "half_close", OPENED, half_close },
	{ "fin_with_data", OPENED, fin_with_data },
	{ "fin_late_ack", OPENED, fin_late_ack },
	{ "fin_again", OPENED, fin_again },
	{ "simultaneous_close", OPENED, simultaneous_close },
	{ "last_ack_lost", CLOSED, last_ack_lost },
	{ "reset", OPENED, reset },
	{ "reset_out", OPENED, reset_out },
	{ "reset_half_closed", OPENED, reset_half_closed },
	{ "refused", FRESH, refused },
	{ "blind_reset", OPENED, blind_reset },
	{ "blind_reset_of_syn", FRESH, blind_reset_of_syn },
	{ "blind_fin", OPENED, blind_fin },
	{ "blind_syn", OPENED, blind_syn },
	{ "blind_syn_ack", FRESH, blind_syn_ack },
	{ "stray", FRESH, stray },
	{ "new_incarnation", CLOSED, new_incarnation },
	{ "picked_up", PICKED, picked_up },
	{ "picked_up_blind", PICKED, picked_up_blind },
};

static void scenario_name(const struct scenario *sc, char *desc)
{
	strscpy(desc, sc->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(scenario, scenarios, scenario_name);

/* Initial sequence numbers of the two directions. */
static const u32 isns[][HMMP_DIRS] = {
	{ 1000, 900000 },
	{ 0, 0x7fffffff },
	{ 0xffffffff, 0xfffffff0 },
	{ 0x80000000, 0xffff0000 },
};

static struct hmmp_tcp_seg segment(const struct step *st, const u32 *isn,
				   u8 mirror)
{
	u8 dir = st->dir ^ mirror;

	return (struct hmmp_tcp_seg){
		.seq = isn[dir] + st->seq,
		.ack = st->flags & A ? isn[!dir] + st->ack : 0,
		.len = st->len,
		.window = 0xffff,
		.flags = st->flags,
		.dir = dir,
	};
}

static void play(struct kunit *test, struct hmmp_tcp *t,
		 const struct step *st, const u32 *isn, u8 mirror)
{
	for (; st->flags; st++) {
		struct hmmp_tcp_seg s = segment(st, isn, mirror);

		KUNIT_ASSERT_EQ_MSG(test, hmmp_tcp_step(t, &s), st->state,
				    "flags %x seq %u, mirror %u, isn %x %x",
				    st->flags, st->seq, mirror, isn[0],
				    isn[1]);
	}
}

static void play_scenario(struct kunit *test, const struct scenario *sc,
			  const u32 *isn, u8 mirror)
{
	struct hmmp_tcp t = { .picked = sc->start == PICKED };

	t.state = hmmp_tcp_state(&t);
	if (sc->start >= OPENED)
		play(test, &t, handshake, isn, mirror);
	if (sc->start >= CLOSED)
		play(test, &t, active_close, isn, mirror);
	play(test, &t, sc->step, isn, mirror);
}

static void tcp_state_scenario(struct kunit *test)
{
	const struct scenario *sc = test->param_value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(isns); i++) {
		play_scenario(test, sc, isns[i], 0);
		play_scenario(test, sc, isns[i], 1);
	}
}

/* What is not acceptable leaves no trace, whatever it claims. */
static void tcp_state_rejects_without_trace(struct kunit *test)
{
	static const struct step bad[] = {
		{ IN, R, 500, 0, 0 },
		{ IN, F | A, 0x1000000, 1, 0 },
		{ IN, S, 777, 0, 0 },
		{ IN, A, 1, 5000, 10 },
		{ OUT, A, 0x70000000, 1, 10 },
	};
	struct hmmp_tcp t = {}, before;
	size_t i;

	play(test, &t, handshake, isns[0], 0);
	before = t;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct hmmp_tcp_seg s = segment(&bad[i], isns[0], 0);

		KUNIT_EXPECT_EQ(test, hmmp_tcp_step(&t, &s), ESTABLISHED);
		KUNIT_EXPECT_MEMEQ(test, &t, &before, sizeof(t));
	}
}

static void random_segment(struct rnd_state *rnd, struct hmmp_tcp_seg *s)
{
	static const u8 flags[] = { S, S | A, A, A, F | A, R, R | A, 0, F };

	*s = (struct hmmp_tcp_seg){
		.seq = 1000 + prandom_u32_state(rnd) % 4,
		.ack = 1000 + prandom_u32_state(rnd) % 4,
		.len = prandom_u32_state(rnd) % 2,
		.window = prandom_u32_state(rnd),
		.flags = flags[prandom_u32_state(rnd) % ARRAY_SIZE(flags)],
		.dir = prandom_u32_state(rnd) % HMMP_DIRS,
		.scale = prandom_u32_state(rnd) % 15,
	};
}

/*
 * Over random segments with few different numbers, so that many of them are
 * acceptable: the state is the function of the facts, it never goes back but
 * out of DISCONNECT by a new SYN, and every state is met.
 */
static void tcp_state_never_goes_back(struct kunit *test)
{
	struct rnd_state rnd;
	u32 met = 0;
	int run, i;

	prandom_seed_state(&rnd, 20261125);
	for (run = 0; run < 20000; run++) {
		struct hmmp_tcp t = {};

		for (i = 0; i < 24; i++) {
			struct hmmp_tcp_seg s;
			u8 old = t.state;

			random_segment(&rnd, &s);
			hmmp_tcp_step(&t, &s);
			met |= BIT(t.state);
			KUNIT_ASSERT_EQ(test, t.state, hmmp_tcp_state(&t));
			if (t.state < old) {
				KUNIT_ASSERT_EQ(test, old, DISCONNECT);
				KUNIT_ASSERT_EQ(test, t.state, SETUP_REQ);
			}
		}
	}
	KUNIT_EXPECT_EQ(test, met, GENMASK(DISCONNECT, NONE));
}

static struct kunit_case tcp_state_cases[] = {
	KUNIT_CASE_PARAM(tcp_state_scenario, scenario_gen_params),
	KUNIT_CASE(tcp_state_rejects_without_trace),
	KUNIT_CASE(tcp_state_never_goes_back),
	{}
};

static struct kunit_suite tcp_state_suite = {
	.name = "hmmp_tcp_state",
	.test_cases = tcp_state_cases,
};

kunit_test_suite(tcp_state_suite);
