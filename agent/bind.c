// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a host says of its own moves: the moving Bind, its refresh at half of
 * the granted lifetime, the Bind home and the withdrawal. One message per
 * association is under way; a newer one supersedes it at once (S5). mobile.c
 * says when; the kernel learns here what the peer answered.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "roles.h"

#define BODY_MAX 850			/* + headers <= 1300 bytes */
#define TOTAL 32000			/* ms, RFC 3261's timer F */
#define LATE_MS 5000			/* a flow this young may be named late */
#define BURST_MAX 4			/* Binds a second and association */
#define BURST_MS 1000
#define SOON 10
#define BACKOFF_MIN 1000
#define BACKOFF_MAX 30000
#define LIFETIME_MIN 4

static const struct config *cfg;
static void (*settled)(const struct addr *local);

static void on_answer(void *arg, const struct sip_answer *ans);
static void on_answer2(void *arg, const struct sip_answer *ans);
static void on_timer(struct timer *t);
static void on_detour(struct timer *t);

/**
 * bind_init - where to find the lifetime, and whom to tell
 * @config: kept
 * @on_settled: called when an association's Bind has had its final answer
 */
void bind_init(const struct config *config,
	       void (*on_settled)(const struct addr *local))
{
	cfg = config;
	settled = on_settled;
}

static void fill(struct body *b, const struct assoc *a)
{
	memset(b, 0, sizeof(*b));
	b->kind = BODY_BIND;
	b->from = a->local;
	b->to = a->bound_to;
	strcpy(b->assoc, a->id);
	b->has_seq = true;
	b->seq = a->seq;
	b->has_lifetime = true;
	b->scope = SCOPE_FLOW;
	if (!assoc_away(a))
		return;
	b->lifetime = a->leaving ? 0 : a->want ? a->want : cfg->lifetime;
	b->flows_owned = true;
	b->lost = a->lost && a->phase == ASSOC_MOVING && !a->leaving;
	b->n_encaps = 1;
	b->encaps[0] = ENCAP_IPIP;
}

/* Flows too young to have been claimed at home are named now. */
static void add_late(struct body *b, struct assoc *a)
{
	uint64_t now = loop_now();
	struct pair *p = pair_find(&a->local, &a->remote);

	if (p)
		claim_unask(p, a->owner);
	if (!p || a->leaving || !assoc_away(a))
		return;
	claim_lines(p, a, now > LATE_MS ? now - LATE_MS : 1, b, BODY_MAX);
}

static void stop_sending(struct assoc *a)
{
	if (a->txn)
		sip_txn_cancel(a->txn);
	if (a->txn2)
		sip_txn_cancel(a->txn2);
	a->txn = NULL;
	a->txn2 = NULL;
	timer_stop(&a->detour);
}

/* Nothing of it is under way or planned; an answer that comes is not taken. */
void bind_stop(struct assoc *a)
{
	stop_sending(a);
	timer_stop(&a->timer);
}

static void count_burst(struct assoc *a)
{
	if (loop_now() - a->burst_at >= BURST_MS) {
		a->burst_at = loop_now();
		a->burst = 0;
	}
	a->burst++;
}

/* A new message: new Seq, noted for the state file. */
static int compose(struct assoc *a)
{
	char text[BODY_MAX];
	struct body b;
	char *say;
	int len;

	bind_stop(a);
	count_burst(a);
	a->refused = 0;
	a->seq++;
	fill(&b, a);
	add_late(&b, a);
	len = body_build(&b, text, sizeof(text));
	if (len < 0)
		return len;
	say = realloc(a->say, len);
	if (!say)
		return -ENOMEM;
	memcpy(say, text, len);
	a->say = say;
	a->say_len = len;
	a->unheard = true;
	state_put(a);
	return 0;
}

/**
 * bind_prepare - the next Bind of an association, not sent yet
 * @a: the association
 * @to: address 2, our current address; the original one: home again
 *
 * Whatever was under way is void. The caller calls bind_send() for each, and
 * state_save() once for all that it prepared.
 */
int bind_prepare(struct assoc *a, const struct addr *to)
{
	bool refresh = a->phase == ASSOC_BOUND && addr_equal(to, &a->bound_to);

	a->bound_to = *to;
	a->leaving = false;
	a->backoff = 0;
	if (!refresh) {
		a->phase = ASSOC_MOVING;
		a->answered_at = 0;
	}
	return compose(a);
}

static void retry_in(struct assoc *a, unsigned int ms)
{
	a->timer.fire = on_timer;
	timer_set(&a->timer, ms);
}

static void retry_later(struct assoc *a)
{
	a->backoff *= 2;
	if (a->backoff < BACKOFF_MIN)
		a->backoff = BACKOFF_MIN;
	if (a->backoff > BACKOFF_MAX)
		a->backoff = BACKOFF_MAX;
	retry_in(a, a->backoff);
}

static struct sip_txn *start(struct assoc *a, const struct addr *dst,
			     sip_txn_cb cb)
{
	struct sip_request req = {
		.src = a->bound_to, .dst = *dst,
		.body = a->say, .len = a->say_len,
		.rto = assoc_rto(a), .total = TOTAL,
	};

	return sip_txn_send(&req, cb, a);
}

/* More than four new Binds in a second wait for the next one: how long? */
static unsigned int burst_wait(const struct assoc *a)
{
	uint64_t end = a->burst_at + BURST_MS;

	if (a->burst <= BURST_MAX || end <= loop_now())
		return 0;
	return end - loop_now();
}

/* The same bytes to where the peer is known to be, now. */
void bind_send(struct assoc *a)
{
	if (!a->say)
		return;
	bind_stop(a);
	if (burst_wait(a)) {
		retry_in(a, burst_wait(a));
		return;
	}
	a->txn = start(a, &a->peer_current, on_answer);
	if (!a->txn) {
		listen_sync();
		a->txn = start(a, &a->peer_current, on_answer);
	}
	if (!a->txn) {
		/* SIP is not ready for this address yet */
		a->backoff = a->backoff ? a->backoff : SOON;
		retry_in(a, a->backoff);
		if (a->backoff < BACKOFF_MIN)
			a->backoff *= 2;
		return;
	}
	if (!addr_equal(&a->peer_current, &a->remote)) {
		a->detour.fire = on_detour;
		timer_set(&a->detour, 7 * assoc_rto(a));
	}
}

/* Three messages unanswered: perhaps the peer is at its first address. */
static void on_detour(struct timer *t)
{
	struct assoc *a = (void *)((char *)t - offsetof(struct assoc, detour));

	if (a->txn && !a->txn2)
		a->txn2 = start(a, &a->remote, on_answer2);
}

static void say_again(struct assoc *a)
{
	if (compose(a)) {
		retry_later(a);
		return;
	}
	state_save();
	bind_send(a);
}

static void count_alive(void *arg, const struct kernel_flow *k)
{
	unsigned int *n = arg;

	*n += k->state != KERNEL_DISCONNECT;
}

/* Connections in TIME-WAIT are worth no refresh: the peer's end is gone. */
static bool is_alive(const struct assoc *a)
{
	unsigned int n = 0;

	return a->leaving ||
	       kernel_flow_dump(NULL, NULL, a->owner, count_alive, &n) || n;
}

/* Retry what was not answered (same bytes), or refresh (a new message). */
static void on_timer(struct timer *t)
{
	struct assoc *a = (void *)((char *)t - offsetof(struct assoc, timer));

	if (!a->flows && !a->leaving)
		return;
	if (a->unheard)
		bind_send(a);
	else if (a->phase == ASSOC_BOUND && !is_alive(a))
		retry_in(a, a->lifetime * 1000 / 2);
	else
		say_again(a);
}

/**
 * bind_withdraw - the last connection has ended: the peer need not keep it
 * @a: an association whose address 2 is not its original one
 */
void bind_withdraw(struct assoc *a)
{
	if (a->phase != ASSOC_BOUND && a->phase != ASSOC_MOVING)
		return;
	a->leaving = true;
	say_again(a);
}

/* A route to the peers is there again: do not wait for the back-off. */
void bind_nudge(const struct addr *current)
{
	struct assoc *a;

	for (a = assoc_first(); a; a = a->next)
		if (a->unheard && addr_equal(&a->bound_to, current))
			bind_send(a);
}

/* Crossing Binds: ours goes to where theirs came from, as it is (S5). */
void bind_on_peer_moved(struct assoc *a)
{
	if (a->txn)
		bind_send(a);
}

void bind_again(struct assoc *a)
{
	if (!compose(a)) {
		state_save();
		bind_send(a);
	}
}

/* ------------------------------------------------------------- the answer */

static void log_change(const struct assoc *a, const char *from,
		       const char *why)
{
	char r[ADDR_TEXT], t[ADDR_TEXT];
	uint64_t now = loop_now();

	log_print(LOG_NOTE, "association %s (%s): %s -> %s at %s, %s, %llu ms after the move, %llu ms after the address",
		  a->id, addr_format(&a->remote, r), from,
		  assoc_phase_text(a), addr_format(&a->bound_to, t), why,
		  (unsigned long long)(a->moved_at ? now - a->moved_at : 0),
		  (unsigned long long)(a->usable_at ? now - a->usable_at : 0));
}

static void tell_kernel(struct assoc *a, enum kernel_peer word)
{
	struct kernel_peer_word p = {
		.remote = a->remote, .owner = a->owner,
		.current = a->bound_to, .state = word,
	};

	if (kernel_peer_set(&p))
		log_print(LOG_ERROR, "association %s: word of the peer: %s",
			  a->id, kernel_error());
}

static bool is_ours(const struct body *b, const struct assoc *a)
{
	return b->kind != BODY_BIND && !strcmp(b->assoc, a->id) &&
	       addr_equal(&b->from, &a->local) &&
	       addr_equal(&b->to, &a->bound_to) && b->has_seq;
}

static void settle_late(struct assoc *a, const struct body *b)
{
	struct pair *p = pair_find(&a->local, &a->remote);

	if (p)
		claim_settle(p, a->owner, b);
}

static void on_bound(struct assoc *a, const struct body *b)
{
	const char *from = assoc_phase_text(a);
	enum assoc_phase was = a->phase;

	a->backoff = 0;
	settle_late(a, b);
	a->phase = assoc_away(a) ? ASSOC_BOUND : ASSOC_HOME;
	if (b->has_lifetime && b->lifetime <= (a->want ? a->want :
					       cfg->lifetime))
		a->lifetime = b->lifetime;
	else
		a->lifetime = a->want ? a->want : cfg->lifetime;
	if (was != ASSOC_BOUND) {
		a->answered_at = loop_now();
		tell_kernel(a, KERNEL_ACCEPTED);
		log_change(a, from, "accepted");
	}
	state_put(a);
	state_save();
	if (a->phase == ASSOC_BOUND)
		retry_in(a, a->lifetime * 1000 / 2);
}

static void refuse(struct assoc *a, unsigned int status)
{
	struct pair *p = pair_find(&a->local, &a->remote);
	const char *from = assoc_phase_text(a);
	char why[40];

	if (p)
		claim_unask(p, a->owner);
	a->refused = status;
	a->phase = ASSOC_REFUSED;
	snprintf(why, sizeof(why), "the peer answered %u", status);
	if (assoc_away(a))
		tell_kernel(a, KERNEL_REFUSED);
	log_change(a, from, why);
	state_put(a);
	state_save();
	if (!a->flows)
		assoc_idle(a);
}

/* The peer's kernel could not: a new Seq after a while, the old one is spent */
static void wait_for_peer(struct assoc *a, const struct body *b)
{
	a->refused = b->status;
	if (b->has_retry && b->retry)
		retry_in(a, b->retry > 600 ? 600000 : b->retry * 1000);
	else
		retry_later(a);
	log_print(LOG_WARN, "association %s: the peer answered %u, waiting",
		  a->id, b->status);
}

static void on_refused(struct assoc *a, const struct body *b)
{
	settle_late(a, b);
	if (b->status == 403 && b->seq >= a->seq && !b->n_denied) {
		log_print(LOG_NOTE, "association %s: Seq %u -> %u, was lost",
			  a->id, a->seq, b->seq);
		a->seq = b->seq;
		say_again(a);
	} else if (b->status == 423 && b->has_lifetime &&
		   b->lifetime >= LIFETIME_MIN && b->lifetime <= 86400 &&
		   b->lifetime != a->want) {
		a->want = b->lifetime;
		say_again(a);
	} else if (b->status == 500 || b->status == 503) {
		wait_for_peer(a, b);
	} else {
		refuse(a, b->status);
	}
}

/*
 * The peer has lost the association. At home its flows may be claimed anew;
 * away from home nobody believes us.
 */
static void on_unknown(struct assoc *a)
{
	struct pair *p = pair_find(&a->local, &a->remote);
	struct flow *f;

	if (assoc_away(a) || !p) {
		refuse(a, 481);
		return;
	}
	for (f = p->flows; f; f = f->next)
		if (f->owner == a->owner)
			flow_own(f, 0);
	log_print(LOG_NOTE, "association %s: lost by the peer", a->id);
	assoc_del(a);
	claim_schedule(p);
}

/* A final answer that may be believed, or a hint, which is like a loss. */
static void on_status(struct assoc *a, const struct sip_answer *ans)
{
	struct body b;
	char err[64];
	bool good;

	assoc_measure(a, ans->rtt);
	good = !body_parse(ans->body, ans->len, &b, err, sizeof(err)) &&
	       is_ours(&b, a) && b.status == (unsigned int)ans->status;
	good = good && (b.kind == BODY_REFUSED || b.seq == a->seq);
	if (!good && ans->status != 481) {
		retry_later(a);
		return;
	}
	a->unheard = false;
	if (!good)
		on_unknown(a);
	else if (b.kind == BODY_BOUND)
		on_bound(a, &b);
	else
		on_refused(a, &b);
}

/* Nobody heard us for 32 s; the peer's binding may have lapsed. */
static void on_silence(struct assoc *a, const struct sip_answer *ans)
{
	const char *from = assoc_phase_text(a);

	if (a->phase == ASSOC_BOUND) {
		a->phase = ASSOC_MOVING;
		log_change(a, from, "no answer to the refresh");
	} else {
		log_print(LOG_WARN, "association %s: no answer to %u messages",
			  a->id, ans->sent);
	}
	retry_later(a);
}

static void answered(struct assoc *a, const struct sip_answer *ans)
{
	bool last = !a->txn && !a->txn2;
	struct addr local = a->local;

	if (ans->why != SIP_ANSWER && !last)
		return;
	stop_sending(a);
	if (a->leaving)
		assoc_del(a);
	else if (ans->why == SIP_ANSWER)
		on_status(a, ans);
	else
		on_silence(a, ans);
	settled(&local);
}

static void on_answer(void *arg, const struct sip_answer *ans)
{
	struct assoc *a = arg;

	a->txn = NULL;
	answered(a, ans);
}

static void on_answer2(void *arg, const struct sip_answer *ans)
{
	struct assoc *a = arg;

	a->txn2 = NULL;
	answered(a, ans);
}
