// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The role of a host whose peers move. It checks each Bind in the order of
 * the protocol (cheap things first), brings the kernel to what is asked, and
 * says 200 only for what is in the kernel. Called by node.c.
 *
 * Associations are symmetric: a mobile's peer may move as well, so a host
 * without this role still takes Binds for the associations that it made.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "roles.h"

#define LIFETIME_MIN 4			/* s */
#define LIFETIME_MAX 420

static const struct config *cfg;

int correspondent_init(const struct config *config)
{
	cfg = config;
	return 0;
}

void correspondent_exit(void)
{
	cfg = NULL;
}

/* --------------------------------------------------- an unknown association */

static bool is_accepted(const struct addr *a)
{
	const struct prefix_list *l = &cfg->accept;
	unsigned int i;

	if (l->all)
		return true;
	for (i = 0; i < l->n; i++)
		if (prefix_has(&l->p[i], a))
			return true;
	return false;
}

static bool is_full(const struct addr *remote)
{
	return assoc_count(NULL) >= cfg->max_associations ||
	       assoc_count(remote) >= cfg->max_per_address;
}

static void make(struct request *r, const struct accept *acc)
{
	char text[ADDR_TEXT];

	r->a = assoc_make(r->b->assoc, &r->in->to, &r->b->from);
	if (!r->a) {
		answer_say(r, 503);
		return;
	}
	if (!accept_own(acc, r->a, &r->answer)) {
		assoc_del(r->a);
		r->a = NULL;
		answer_say(r, 500);
		return;
	}
	peer_clear(&r->a->remote);
	r->a->phase = ASSOC_HOME;
	r->a->peer_seq = r->b->seq;
	log_print(LOG_NOTE, "association %s (%s): new -> claimed by it, %u flows",
		  r->a->id, addr_format(&r->a->remote, text), r->a->flows);
	answer_bound(r, 0);
}

/* Somebody speaks to us for the first time, from where its flows are from. */
static void on_stranger(struct request *r)
{
	const struct body *b = r->b;
	struct accept acc;

	if (!addr_equal(&b->from, &b->to) || !b->n_flows) {
		answer_bare(r, 481);
		return;
	}
	if (!cfg->role_correspondent) {
		answer_bare(r, 405);
		return;
	}
	if (!addr_equal(&r->in->from.addr, &b->from) ||
	    !is_accepted(&b->from) || b->scope != SCOPE_FLOW) {
		answer_bare(r, 403);
		return;
	}
	accept_judge(b, NULL, &r->in->to, &acc, &r->answer);
	if (!acc.n)
		answer_say(r, 403);
	else if (is_full(&b->from))
		answer_say(r, 503);
	else
		make(r, &acc);
}

/* ------------------------------------------------------ a known association */

static void log_far(const struct assoc *a, const char *was, const char *now)
{
	char o[ADDR_TEXT], c[ADDR_TEXT];

	log_print(LOG_NOTE, "peer %s (association %s): %s -> %s at %s, %u flows",
		  addr_format(&a->remote, o), a->id, was, now,
		  addr_format(&a->peer_current, c), a->flows);
}

static const char *far_text(enum assoc_far far)
{
	return far == FAR_HOME ? "home" : far == FAR_BOUND ? "bound" : "held";
}

static void set_far(struct assoc *a, enum assoc_far far,
		    const struct addr *current)
{
	enum assoc_far was = a->far;
	bool news = was != far || !addr_equal(&a->peer_current, current);

	a->far = far;
	a->peer_current = *current;
	if (!news)
		return;
	log_far(a, far_text(was), far_text(far));
	bind_on_peer_moved(a);
}

/* Home: its connections go natively; new ones may be claimed. */
static void on_home(struct request *r)
{
	struct assoc *a = r->a;
	bool claims_only = a->far == FAR_HOME && r->b->n_flows;
	struct accept acc;
	int err;

	accept_judge(r->b, a, &a->local, &acc, &r->answer);
	if (!accept_own(&acc, a, &r->answer) && claims_only) {
		answer_say(r, 403);
		return;
	}
	err = kernel_binding_del(SCOPE_FLOW, &a->remote, a->owner, NULL);
	if (err && err != -ENOENT) {
		answer_kernel(r, err);
		return;
	}
	set_far(a, FAR_HOME, &a->remote);
	answer_bound(r, 0);
}

static int install(struct assoc *a, const struct addr *current,
		   enum kernel_status status, uint32_t lifetime, bool lost)
{
	struct kernel_binding k = {
		.scope = SCOPE_FLOW,
		.original = a->remote,
		.owner = a->owner,
		.current = *current,
		.encap = ENCAP_IPIP,
		.status = status,
		.lifetime = lifetime * 1000,
		.seq = a->peer_seq,
		.flags = lost ? KERNEL_BINDING_LOST : 0,
	};

	return kernel_binding_new(&k);
}

/* Nothing of it is left, or what is left must not go to its first address. */
static void on_withdraw(struct request *r)
{
	struct assoc *a = r->a;
	int err;

	if (a->flows)
		err = install(a, &r->b->to, KERNEL_HELD, LIFETIME_MAX,
			      false);
	else
		err = kernel_binding_del(SCOPE_FLOW, &a->remote, a->owner,
					 NULL);
	if (err && (a->flows || err != -ENOENT)) {
		answer_kernel(r, err);
		return;
	}
	set_far(a, a->flows ? FAR_HELD : FAR_HOME,
		a->flows ? &r->b->to : &a->remote);
	if (!a->flows)
		assoc_idle(a);
	answer_bound(r, 0);
}

static bool is_own(const struct addr *a)
{
	return link_addr_find(a) || original_find(a);
}

static bool has_ipip(const struct body *b)
{
	unsigned int i;

	for (i = 0; i < b->n_encaps; i++)
		if (b->encaps[i] == ENCAP_IPIP)
			return b->from.len == 4 && b->to.len == 4;
	return false;
}

static void on_move(struct request *r)
{
	uint32_t lifetime = r->b->lifetime > LIFETIME_MAX ? LIFETIME_MAX :
			    r->b->lifetime;
	struct assoc *a = r->a;
	struct accept acc;
	int err;

	accept_judge(r->b, a, &a->local, &acc, &r->answer);
	accept_own(&acc, a, &r->answer);
	if (!a->flows || !addr_is_unicast(&r->b->to) || is_own(&r->b->to)) {
		answer_say(r, 403);
		return;
	}
	if (!has_ipip(r->b)) {
		answer_say(r, 488);
		return;
	}
	if (lifetime < LIFETIME_MIN) {
		r->answer.has_lifetime = true;
		r->answer.lifetime = LIFETIME_MIN;
		answer_say(r, 423);
		return;
	}
	err = install(a, &r->b->to, KERNEL_VERIFIED, lifetime, r->b->lost);
	if (err) {
		answer_kernel(r, err);
		return;
	}
	a->peer_until = loop_now() + lifetime * 1000;
	set_far(a, FAR_BOUND, &r->b->to);
	answer_bound(r, lifetime);
}

/*
 * What the Seq makes of it: old and repeated messages end here. A message
 * that gets further uses its Seq up, whatever the outcome.
 */
static bool is_news(struct request *r)
{
	struct assoc *a = r->a;
	uint8_t hash[32];
	bool same;

	EVP_Digest(r->in->body, r->in->len, hash, NULL, EVP_sha256(), NULL);
	same = r->b->seq == a->peer_seq &&
	       !memcmp(hash, a->peer_hash, sizeof(hash));
	if (same && a->answer) {
		answer_repeat(r);
		return false;
	}
	if (!same && r->b->seq <= a->peer_seq) {
		answer_say(r, 403);
		return false;
	}
	a->peer_seq = r->b->seq;
	memcpy(a->peer_hash, hash, sizeof(hash));
	free(a->answer);
	a->answer = NULL;
	return true;
}

static void on_known(struct request *r)
{
	const struct body *b = r->b;

	if (!addr_equal(&b->from, &r->a->remote)) {
		answer_bare(r, 400);
		return;
	}
	if (!addr_equal(&r->in->from.addr, &b->to)) {
		answer_bare(r, 403);
		return;
	}
	if (!is_news(r))
		return;
	if (b->scope != SCOPE_FLOW)
		answer_say(r, 403);
	else if (addr_equal(&b->from, &b->to))
		on_home(r);
	else if (!b->lifetime)
		on_withdraw(r);
	else
		on_move(r);
}

/**
 * correspondent_on_bind - one Bind, from anybody
 * @in: where it came from, and its bytes
 * @b: the same, parsed
 * @reply: the answer
 *
 * Always answers.
 */
bool correspondent_on_bind(const struct sip_incoming *in,
			   const struct body *b, struct sip_reply *reply)
{
	static struct request r;	/* too large for the stack */

	memset(&r, 0, sizeof(r));
	r.in = in;
	r.b = b;
	r.reply = reply;
	r.a = assoc_find_id(b->assoc);
	if (r.a) {
		uint32_t before = r.a->peer_seq;

		on_known(&r);
		if (r.a->peer_seq == before)
			return true;
	} else {
		on_stranger(&r);
		if (!r.a)
			return true;
		EVP_Digest(in->body, in->len, r.a->peer_hash, NULL,
			   EVP_sha256(), NULL);
	}
	assoc_answer(r.a, reply->status, reply->body, reply->len);
	state_put(r.a);
	state_save();
	return true;
}

/* ------------------------------------------------- what the kernel tells */

void correspondent_on_end(uint64_t owner)
{
	struct assoc *a = owner ? assoc_find_owner(owner) : NULL;

	if (a && !a->flows)
		assoc_idle(a);
}

void correspondent_on_binding(const struct kernel_binding *b)
{
	struct assoc *a = assoc_find_owner(b->owner);

	if (!a)
		return;
	switch (b->event) {
	case KERNEL_BINDING_EXPIRED:
		set_far(a, FAR_HELD, &a->peer_current);
		break;
	case KERNEL_BINDING_ENDED:
		log_print(LOG_INFO, "association %s: its binding went with its last flow",
			  a->id);
		a->far = FAR_HOME;
		a->peer_current = a->remote;
		break;
	default:
		log_print(LOG_INFO, "association %s: binding event %d", a->id,
			  b->event);
		return;
	}
	state_put(a);
	state_save();
}

static void restore(struct assoc *a)
{
	uint64_t now = loop_now();
	bool alive = a->far == FAR_BOUND && a->peer_until > now;
	int err;

	if (a->far == FAR_HOME || !a->flows)
		return;
	err = install(a, &a->peer_current, alive ? KERNEL_VERIFIED :
		      KERNEL_HELD, alive ? (a->peer_until - now) / 1000 + 1 :
		      LIFETIME_MAX, false);
	if (err)
		log_print(LOG_ERROR, "association %s: binding: %s", a->id,
			  kernel_error());
}

static void learn(void *arg, const struct kernel_binding *b)
{
	struct assoc *a = assoc_find_owner(b->owner);

	if (!a || !addr_equal(&a->remote, &b->original))
		return;
	a->seen = true;
	a->far = b->status == KERNEL_HELD ? FAR_HELD : FAR_BOUND;
	a->peer_current = b->current;
	a->peer_until = loop_now() + b->lifetime;
	if (b->seq > a->peer_seq)
		a->peer_seq = b->seq;
}

/* The kernel's bindings are right, whatever the agent remembers. */
static void learn_all(void)
{
	struct assoc *a;

	for (a = assoc_first(); a; a = a->next)
		a->seen = false;
	if (kernel_binding_dump(learn, NULL)) {
		log_print(LOG_ERROR, "bindings: %s", kernel_error());
		return;
	}
	for (a = assoc_first(); a; a = a->next)
		if (!a->seen && a->far != FAR_HOME)
			set_far(a, FAR_HOME, &a->remote);
}

/**
 * correspondent_on_resync - kernel and agent agree on the flows again
 * @reloaded: the module has forgotten the bindings; they come from memory
 */
void correspondent_on_resync(bool reloaded)
{
	struct assoc *a;

	if (!reloaded)
		learn_all();
	for (a = assoc_first(); a; a = a->next) {
		if (reloaded)
			restore(a);
		if (!a->flows)
			assoc_idle(a);
	}
}
