// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Claims: the home Bind that tells a correspondent which connections belong
 * to the association, while we are still at the address that they were born
 * with (Documentation/protocol.rst). One batch under way per pair of
 * addresses, off the hot path: a flow has lived half a second before it is
 * worth a message. Called by mobile.c.
 */
#include <string.h>

#include "roles.h"

#define AGE_OPENER 500			/* ms that a flow lives unclaimed */
#define AGE_OTHER 1000			/* the opener's agent goes first */
#define BODY_MAX 850			/* + headers <= 1300 bytes */
#define FIRST_RTO 1000			/* ms; at most two messages to a host */
#define FIRST_TRIES 2			/* that may have no agent (S9) */
#define FIRST_TOTAL 4000
#define TOTAL 32000
#define AGAIN_MS 2000			/* doubles with every try */
#define TRIES_MAX 4
#define QUIET_MS 600000
#define LATE_MS 5000
#define ADMIT_AGAIN 200

static const struct config *cfg;

static void on_timer(struct timer *t);

void claim_init(const struct config *config)
{
	cfg = config;
}

static bool is_allowed(const struct prefix_list *l, const struct addr *a)
{
	unsigned int i;

	if (l->all)
		return true;
	for (i = 0; i < l->n; i++)
		if (prefix_has(&l->p[i], a))
			return true;
	return false;
}

/* May this flow ever be claimed? The peer's silence does not count here. */
bool claim_is_candidate(const struct flow *f)
{
	const struct link_addr *own = link_addr_find(&f->remote.addr);

	return cfg && !f->owner && !f->stuck && !own &&
	       is_allowed(&cfg->peers, &f->remote.addr);
}

/* Too young to have been claimed: the next Bind may still name it. */
bool claim_is_late(const struct flow *f)
{
	return claim_is_candidate(f) && f->born + LATE_MS > loop_now();
}

/* Only from home: ownership is gained from the original address itself. */
static bool at_home(const struct addr *a)
{
	const struct original *o = original_find(a);
	const struct link_addr *l = link_addr_find(a);

	return l && l->usable && (!o || addr_equal(&o->current, a));
}

static uint64_t ready_at(const struct flow *f)
{
	uint64_t at = f->born + AGE_OTHER;

	if (f->flags & KERNEL_FLOW_OPENER)
		at = f->born + AGE_OPENER;
	return at > f->not_before ? at : f->not_before;
}

/**
 * claim_schedule - see whether a pair has something to claim, and when
 * @p: the pair; a flow of it is new, or the last batch is settled
 */
void claim_schedule(struct pair *p)
{
	uint64_t now = loop_now(), at = UINT64_MAX;
	struct flow *f;

	if (p->txn || !at_home(&p->local) || peer_find(&p->remote))
		return;
	for (f = p->flows; f; f = f->next)
		if (claim_is_candidate(f) && ready_at(f) < at)
			at = ready_at(f);
	p->timer.fire = on_timer;
	if (at == UINT64_MAX)
		timer_stop(&p->timer);
	else
		timer_set(&p->timer, at > now ? at - now : 0);
}

/* Nobody asks for these any more. */
void claim_unask(struct pair *p, uint64_t owner)
{
	struct flow *f;

	for (f = p->flows; f; f = f->next)
		if (f->asked == owner)
			f->asked = 0;
}

void claim_stop(struct pair *p)
{
	if (p->txn)
		sip_txn_cancel(p->txn);
	p->txn = NULL;
	timer_stop(&p->timer);
	if (p->claimant)
		claim_unask(p, p->claimant);
	p->claimant = 0;
}

/*
 * Where nobody has moved an association of this pair serves. Where somebody
 * has, the addresses may have new holders: that is another association.
 */
static struct assoc *find_assoc(const struct pair *p)
{
	struct assoc *a;

	for (a = assoc_first(); a; a = a->next)
		if (addr_equal(&a->local, &p->local) &&
		    addr_equal(&a->remote, &p->remote) &&
		    !assoc_away(a) && a->far == FAR_HOME && !a->txn &&
		    a->phase != ASSOC_REFUSED)
			break;
	return a;
}

/*
 * The claimant's own ISN; with an unknown opener the kernel names the one
 * that is right if this end connected; if it accepted it is one less.
 */
static uint32_t own_isn(const struct flow *f)
{
	return f->isn_local - (f->other_isn ? 1 : 0);
}

static void put_line(struct body_flow *line, const struct flow *f,
		     const struct assoc *a)
{
	line->end[0] = f->local;
	line->end[1] = f->remote;
	line->proof = PROOF_ISN;
	line->isn_hash = body_isn_hash(a->id, line->end, own_isn(f),
				       f->isn_remote);
}

/**
 * claim_lines - name the flows of a pair that are ready and unowned
 * @p: the pair
 * @a: the association that asks; the flows remember it
 * @oldest: ms (loop_now), those born before are left out; 0: of any age, but
 *	only when they are ready
 * @b: the body that gets the lines
 * @size: bytes that it may have
 */
unsigned int claim_lines(struct pair *p, const struct assoc *a,
			 uint64_t oldest, struct body *b, size_t size)
{
	char text[SIP_BODY];
	struct flow *f;
	int len;

	for (f = p->flows; f && b->n_flows < BODY_FLOWS; f = f->next) {
		if (!claim_is_candidate(f))
			continue;
		if (oldest ? f->born < oldest : ready_at(f) > loop_now())
			continue;
		put_line(&b->flows[b->n_flows++], f, a);
		len = body_build(b, text, size);
		if (len < 0) {
			b->n_flows--;
			break;
		}
		f->asked = a->owner;
	}
	return b->n_flows;
}

static void deny(struct flow *f, enum body_denied why)
{
	static const enum flow_stuck stuck[] = {
		[DENIED_UNKNOWN] = FLOW_UNKNOWN,
		[DENIED_OWNED] = FLOW_OWNED,
		[DENIED_PROOF] = FLOW_PROOF,
		[DENIED_LATE] = FLOW_LATE,
		[DENIED_STATE] = FLOW_STATE,
	};
	bool again = why == DENIED_UNKNOWN || why == DENIED_STATE;

	if (why == DENIED_PROOF && !f->other_isn &&
	    f->flags & KERNEL_FLOW_OPENER_UNKNOWN) {
		f->other_isn = true;
		return;
	}
	if (again && ++f->tries < TRIES_MAX)
		f->not_before = loop_now() + (AGAIN_MS << f->tries);
	else
		f->stuck = stuck[why];
}

static const struct body_flow *find_denied(const struct body *b,
					   const struct flow *f)
{
	const struct body_flow *d;
	unsigned int i;

	for (i = 0; i < b->n_denied; i++) {
		d = &b->denied[i];
		if (d->end[0].port == f->local.port &&
		    d->end[1].port == f->remote.port &&
		    addr_equal(&d->end[0].addr, &f->local.addr) &&
		    addr_equal(&d->end[1].addr, &f->remote.addr))
			return d;
	}
	return NULL;
}

/**
 * claim_settle - give the accepted flows their owner at this end too
 * @p: the pair
 * @owner: who asked
 * @b: the answer: what is not in a Denied line was accepted, if it is Bound
 */
void claim_settle(struct pair *p, uint64_t owner, const struct body *b)
{
	const struct body_flow *denied;
	struct flow *f;
	int err;

	for (f = p->flows; f; f = f->next) {
		if (f->asked != owner)
			continue;
		f->asked = 0;
		denied = find_denied(b, f);
		if (denied) {
			deny(f, denied->denied);
			continue;
		}
		err = b->kind == BODY_BOUND ? flow_own(f, owner) : 0;
		if (err)
			log_print(LOG_ERROR, "owner of a flow: %s",
				  kernel_error());
	}
}

/* Nothing came of this batch: when is the next one worth a message? */
static void postpone(struct pair *p, uint64_t owner, unsigned int ms)
{
	struct flow *f;

	for (f = p->flows; f; f = f->next) {
		if (f->asked != owner)
			continue;
		f->asked = 0;
		f->not_before = loop_now() + ms;
		if (++f->tries >= TRIES_MAX)
			f->stuck = FLOW_SILENT;
	}
}

static void give_up(struct pair *p, struct assoc *a, enum peer_word word)
{
	char text[ADDR_TEXT];

	claim_unask(p, a->owner);
	if (!at_home(&p->local))
		return;			/* it was our network that failed */
	peer_quiet(&p->remote, word, QUIET_MS);
	log_print(LOG_NOTE, "peer %s: %s, its connections cannot move",
		  addr_format(&p->remote, text),
		  word == PEER_REFUSED ? "refuses" : "no agent there");
}

static bool is_ours(const struct body *b, const struct assoc *a)
{
	return b->kind != BODY_BIND && !strcmp(b->assoc, a->id) &&
	       addr_equal(&b->from, &a->local) &&
	       addr_equal(&b->to, &a->local) && b->has_seq;
}

static void on_bound(struct pair *p, struct assoc *a, const struct body *b)
{
	char l[ADDR_TEXT], r[ADDR_TEXT];

	claim_settle(p, a->owner, b);
	peer_clear(&p->remote);
	if (a->phase == ASSOC_NEW) {
		a->phase = ASSOC_HOME;
		state_put(a);
		state_save();
		log_print(LOG_NOTE,
			  "association %s (%s - %s): new -> claimed, %u flows",
			  a->id, addr_format(&a->local, l),
			  addr_format(&a->remote, r), a->flows);
	}
}

static void on_refused(struct pair *p, struct assoc *a, const struct body *b)
{
	if (b->n_denied) {
		claim_settle(p, a->owner, b);
	} else if (b->status == 403 && b->seq >= a->seq) {
		log_print(LOG_NOTE, "association %s: Seq %u -> %u, was lost",
			  a->id, a->seq, b->seq);
		a->seq = b->seq;
		postpone(p, a->owner, 0);
	} else if (b->status == 403) {
		give_up(p, a, PEER_REFUSED);
	} else {
		postpone(p, a->owner, b->has_retry ? b->retry * 1000 :
			 AGAIN_MS);
	}
}

/* An answer without a body of ours: from no agent, or one that says little. */
static void on_hint(struct pair *p, struct assoc *a, int status)
{
	if (status == 503 || status == 500)
		postpone(p, a->owner, 30000);
	else if (status == 403)
		give_up(p, a, PEER_REFUSED);
	else if (a->phase == ASSOC_NEW)
		give_up(p, a, PEER_NO_AGENT);
	else
		postpone(p, a->owner, 30000);
}

static void on_status(struct pair *p, struct assoc *a,
		      const struct sip_answer *ans)
{
	struct body b;
	char err[64];
	bool good;

	assoc_measure(a, ans->rtt);
	good = !body_parse(ans->body, ans->len, &b, err, sizeof(err)) &&
	       is_ours(&b, a) && b.status == (unsigned int)ans->status;
	if (good && b.kind == BODY_BOUND && b.seq == a->seq)
		on_bound(p, a, &b);
	else if (good && b.kind == BODY_REFUSED)
		on_refused(p, a, &b);
	else
		on_hint(p, a, ans->status);
}

static void on_answer(void *arg, const struct sip_answer *ans)
{
	struct pair *p = arg;
	struct assoc *a = assoc_find_owner(p->claimant);

	p->txn = NULL;
	if (!a)
		claim_unask(p, p->claimant);
	p->claimant = 0;
	if (!a)
		return;
	if (ans->why == SIP_ANSWER)
		on_status(p, a, ans);
	else if (a->phase == ASSOC_NEW && ans->why != SIP_LOCAL_ERROR)
		give_up(p, a, PEER_NO_AGENT);
	else
		postpone(p, a->owner, 30000);
	if (!a->flows)
		assoc_idle(a);
	claim_schedule(p);
}

static void fill_home_bind(struct body *b, const struct assoc *a)
{
	memset(b, 0, sizeof(*b));
	b->kind = BODY_BIND;
	b->from = a->local;
	b->to = a->local;
	strcpy(b->assoc, a->id);
	b->has_seq = true;
	b->seq = a->seq;
	b->has_lifetime = true;
	b->scope = SCOPE_FLOW;
}

static void send_batch(struct pair *p, struct assoc *a)
{
	bool first = a->phase == ASSOC_NEW;
	struct sip_request req = {
		.src = p->local, .dst = p->remote,
		.rto = first ? FIRST_RTO : assoc_rto(a),
		.tries = first ? FIRST_TRIES : 0,
		.total = first ? FIRST_TOTAL : TOTAL,
	};
	char text[BODY_MAX];
	struct body b;
	int len;

	a->seq++;
	fill_home_bind(&b, a);
	if (!claim_lines(p, a, 0, &b, sizeof(text)))
		return;
	len = body_build(&b, text, sizeof(text));
	if (len < 0)
		return;
	state_put(a);
	state_save();
	req.body = text;
	req.len = len;
	p->claimant = a->owner;
	p->txn = sip_txn_send(&req, on_answer, p);
	if (!p->txn)
		postpone(p, a->owner, AGAIN_MS);
}

static void on_timer(struct timer *t)
{
	struct pair *p = (void *)((char *)t - offsetof(struct pair, timer));
	struct assoc *a;

	if (p->txn || !at_home(&p->local) || peer_find(&p->remote))
		return;
	a = find_assoc(p);
	if (!a && !peer_admit()) {
		timer_set(t, ADMIT_AGAIN);
		return;
	}
	if (!a) {
		a = assoc_make(NULL, &p->local, &p->remote);
		if (!a)
			return;
		a->initiator = true;
	}
	send_batch(p, a);
	if (!p->txn) {
		p->claimant = 0;
		if (!a->flows)
			assoc_idle(a);
		claim_schedule(p);
	}
}
