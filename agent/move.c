// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hand-offs: collects what handoff.c wants to know about each current address
 * and carries out what it decides: dummy, rule and map first (original.c),
 * then a Bind to every correspondent with live connections (bind.c). Called
 * by mobile.c when links or routes have changed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "roles.h"

#define RETRY_MS 1000			/* refused by the kernel, or no network */

static const struct config *cfg;

static void evaluate(struct original *leader);

void move_init(const struct config *config)
{
	cfg = config;
}

static bool is_usable(const struct addr *a)
{
	const struct link_addr *l = link_addr_find(a);

	return l && l->usable && !l->held;
}

static void vote(const struct addr *dst, unsigned int flows,
		 struct handoff_vote *v, unsigned int *n)
{
	struct handoff_vote one = { .flows = flows };

	if (link_route_source(dst, &one.source, &one.ifindex))
		return;
	if (is_usable(&one.source))
		handoff_vote_add(v, n, &one);
}

static void vote_pairs(const struct original *o, struct handoff_vote *v,
		       unsigned int *n)
{
	unsigned int young;
	struct pair *p;
	struct flow *f;

	for (p = pair_first(); p; p = p->next) {
		if (!addr_equal(&p->local, &o->addr))
			continue;
		for (young = 0, f = p->flows; f; f = f->next)
			young += !f->owner && claim_is_late(f);
		if (young)
			vote(&p->remote, young, v, n);
	}
}

/* The peers of everything at this address say where they would be reached. */
static unsigned int collect(const struct addr *current,
			    struct handoff_vote v[HANDOFF_VOTES])
{
	struct original *o;
	unsigned int n = 0;
	struct assoc *a;

	for (o = original_first(); o; o = o->next) {
		if (!addr_equal(&o->current, current))
			continue;
		for (a = assoc_first(); a; a = a->next)
			if (a->flows && addr_equal(&a->local, &o->addr))
				vote(&a->peer_current, a->flows, v, &n);
		vote_pairs(o, v, &n);
	}
	return n;
}

static void on_settled(struct timer *t)
{
	struct original *o = (void *)((char *)t -
				      offsetof(struct original, timer));

	evaluate(o);
}

/* Young flows may be named in the Bind of an association that exists. */
static bool has_late(const struct assoc *a)
{
	const struct pair *p = pair_find(&a->local, &a->remote);
	const struct flow *f;

	for (f = p ? p->flows : NULL; f; f = f->next)
		if (claim_is_late(f))
			break;
	return f;
}

static void prepare_binds(const struct original *o, uint64_t usable, bool lost)
{
	struct assoc *a;
	int err;

	for (a = assoc_first(); a; a = a->next) {
		if (!addr_equal(&a->local, &o->addr))
			continue;
		a->moved_at = loop_now();
		a->usable_at = usable;
		a->lost = lost;
		if (!a->flows && a->phase != ASSOC_MOVING && !has_late(a))
			continue;
		err = bind_prepare(a, &o->current);
		if (err)
			log_print(LOG_ERROR, "association %s: no Bind: %s",
				  a->id, strerror(-err));
	}
}

/* All at once, those with most connections first. */
static void send_binds(const struct addr *now)
{
	unsigned int next, most = UINT32_MAX;
	struct assoc *a;

	do {
		next = 0;
		for (a = assoc_first(); a; a = a->next) {
			if (a->phase != ASSOC_MOVING || a->txn || !a->say ||
			    !addr_equal(&a->bound_to, now))
				continue;
			if (a->flows >= most)
				bind_send(a);
			else if (a->flows >= next)
				next = a->flows;
		}
		if (most == 0)
			break;
		most = next;
	} while (1);
}

static void log_handoff(const struct addr *old, const struct addr *now,
			int ifindex, const char *why)
{
	char o[ADDR_TEXT], n[ADDR_TEXT];
	struct original *at;
	unsigned int flows = 0;
	uint64_t since = listen_since(now);

	for (at = original_first(); at; at = at->next)
		if (addr_equal(&at->current, now))
			flows += original_flows(at);
	log_print(LOG_NOTE, "hand-off %s -> %s (%s): %s, %u connections follow, %llu ms after it became usable",
		  addr_format(old, o), addr_format(now, n),
		  link_name(ifindex), why, flows,
		  (unsigned long long)(since ? loop_now() - since : 0));
}

/* A claim is made from home only; its flows may be named in the Bind. */
static void stop_claims(const struct addr *local)
{
	struct pair *p;

	for (p = pair_first(); p; p = p->next)
		if (addr_equal(&p->local, local))
			claim_stop(p);
}

static int carry_out(const struct addr *old, const struct addr *now,
		     int ifindex, const char *why)
{
	uint64_t usable = listen_since(now);
	struct addr from = *old, to = *now;	/* old may be an entry's own */
	bool lost = !is_usable(old);
	struct original *o;
	int n;

	n = original_move(&from, &to, ifindex);
	if (n < 0)
		return n;
	for (o = original_first(); o; o = o->next) {
		if (!addr_equal(&o->current, &to) ||
		    !addr_equal(&o->previous, &from))
			continue;
		if (!addr_equal(&o->addr, &to))
			stop_claims(&o->addr);
		o->routed = true;
		prepare_binds(o, usable, lost);
	}
	/*
	 * Saved when they are sent: the kernel knows that we have moved, so an
	 * agent that is killed in between sends its Bind anew, and if the peer
	 * has seen that Seq already, its refusal tells it (S11).
	 */
	send_binds(&to);
	state_save();
	log_handoff(&from, &to, ifindex, why);
	for (o = original_first(); o; o = o->next)
		original_check(o);
	return n;
}

/* Whatever the news say or miss: nobody stays where nothing arrives. */
static void look_again(struct original *leader)
{
	leader->timer.fire = on_settled;
	timer_set(&leader->timer, RETRY_MS);
}

static void go(struct original *leader, const struct handoff_vote *to,
	       bool usable)
{
	int n = carry_out(&leader->current, &to->source, to->ifindex, usable ?
			  "the route changed" : "the old address is gone");

	if (n >= 0)
		return;
	log_print(LOG_ERROR, "hand-off: %s", kernel_error());
	if (n == -ENOENT)
		original_restore();
	look_again(leader);
}

/* Do to every entry at this address what is done to its first one. */
static void mark_waiting(const struct addr *current, bool waiting)
{
	char text[ADDR_TEXT];
	struct original *o;

	for (o = original_first(); o; o = o->next) {
		if (!addr_equal(&o->current, current) ||
		    o->waiting == waiting)
			continue;
		log_print(LOG_NOTE, "original %s: %s", addr_format(&o->addr,
								   text),
			  waiting ? "no network, waiting" :
			  "the same address is back, nothing has happened");
		if (waiting)
			original_lost(o);
		else
			original_back(o);
	}
}

/* Only the change counts: a message waits while there is no way to a peer. */
static void note_routed(struct original *leader, bool routed)
{
	if (routed && !leader->routed)
		bind_nudge(&leader->current);
	leader->routed = routed;
}

/* The route wants another source: since when? Starts the clock. */
static bool has_lasted(struct original *o, const struct addr *want)
{
	if (addr_equal(&o->want, want) && !o->timer.armed)
		return true;
	if (!addr_equal(&o->want, want)) {
		o->want = *want;
		o->timer.fire = on_settled;
		timer_set(&o->timer, HANDOFF_SETTLE);
	}
	return false;
}

static void settle(struct original *o)
{
	o->want.len = 0;
	timer_stop(&o->timer);
}

static void say_disagreement(const struct handoff_vote *v, unsigned int n,
			     const struct handoff_vote *best)
{
	char text[ADDR_TEXT];

	if (n > 1)
		log_print(LOG_NOTE, "peers are reached from %u addresses; %s serves most connections",
			  n, addr_format(&best->source, text));
}

/* One current address: what is to be done with everything that is there? */
static void evaluate(struct original *leader)
{
	struct handoff_vote v[HANDOFF_VOTES];
	struct handoff_facts facts = {
		.current = leader->current,
		.usable = is_usable(&leader->current),
		.follow = cfg->follow,
	};
	unsigned int n = collect(&leader->current, v);
	const struct handoff_vote *best = handoff_vote_best(v, n);
	enum handoff_verdict verdict;

	if (best) {
		facts.route = best->source;
		facts.route_usable = true;
	}
	verdict = handoff_decide(&facts);
	if (verdict == HANDOFF_SOON && has_lasted(leader, &facts.route))
		verdict = HANDOFF_NOW;
	if (facts.usable)
		mark_waiting(&leader->current, false);
	if (verdict == HANDOFF_NOW) {
		say_disagreement(v, n, best);
		go(leader, best, facts.usable);
	} else if (verdict == HANDOFF_WAIT) {
		mark_waiting(&leader->current, true);
		note_routed(leader, false);
		look_again(leader);
	} else if (verdict == HANDOFF_STAY) {
		settle(leader);
		note_routed(leader, best);
	}
}

static struct original *find_unseen(void)
{
	struct original *o;

	for (o = original_first(); o; o = o->next)
		if (!o->seen)
			break;
	return o;
}

static void mark_seen(const struct addr *current)
{
	struct original *o;

	for (o = original_first(); o; o = o->next)
		if (addr_equal(&o->current, current))
			o->seen = true;
}

/* Every current address once, whatever number of entries is there. */
void move_check(void)
{
	struct original *o;

	for (o = original_first(); o; o = o->next)
		o->seen = false;
	while ((o = find_unseen())) {
		struct addr current = o->current;

		o->seen = true;
		mark_seen(&current);
		evaluate(o);
	}
}

/**
 * move_by_hand - a hand-off by hand, whatever the routes say
 * @old: a current address
 * @now: a usable address of this host
 *
 * Number of entries that changed; -ENOENT: nothing is at @old;
 * -EADDRNOTAVAIL: @now is not usable.
 */
int move_by_hand(const struct addr *old, const struct addr *now)
{
	const struct link_addr *l = link_addr_find(now);

	if (!cfg)
		return -EOPNOTSUPP;
	if (!l || !l->usable)
		return -EADDRNOTAVAIL;
	return carry_out(old, now, l->ifindex, "by hand");
}
