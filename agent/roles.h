/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second half of the map of hmmpd: what the roles mobile and
 * correspondent are made of. node.c is their door, status.c shows them.
 *
 * From the ground up: flow.c copies the kernel's connections, assoc.c holds
 * what was agreed about them, original.c the addresses that they were born
 * with. claim.c and bind.c speak to peers, accept.c and answer.c listen to
 * them. handoff.c decides, move.c acts. mobile.c and correspondent.c take the
 * events and call down.
 */
#ifndef HMMP_ROLES_H
#define HMMP_ROLES_H

#include "kernel.h"

/* ---------------------------------------------------------------- flow.c */

/* Why a flow cannot move; NULL texts never reach a person. */
enum flow_stuck { FLOW_FREE, FLOW_UNKNOWN, FLOW_OWNED, FLOW_PROOF, FLOW_LATE,
		  FLOW_STATE, FLOW_SILENT, FLOW_FIXED, FLOW_FAMILY,
		  FLOW_STUCKS };

struct pair;

/* The agent's copy of one of the kernel's flows. */
struct flow {
	struct flow *chain;		/* same hash */
	struct flow *next;		/* same pair */
	struct pair *pair;
	struct endpoint local, remote;
	uint64_t id;			/* the kernel's */
	uint64_t owner;
	uint64_t born;			/* ms, loop_now() */
	uint32_t flags;			/* KERNEL_FLOW_* */
	uint32_t isn_local, isn_remote;
	/* claim.c, bind.c */
	uint64_t asked;			/* owner handle it is asked for */
	uint64_t not_before;		/* ms, earliest (next) claim */
	uint8_t tries;
	bool other_isn;			/* the second candidate's turn */
	enum flow_stuck stuck;
	bool seen;			/* during a resync */
	bool lost;			/* the module was reloaded since */
};

/* All flows between two original addresses. */
struct pair {
	struct pair *next;
	struct addr local, remote;
	struct flow *flows;
	unsigned int n;
	/* claim.c: one batch at a time */
	struct timer timer;
	struct sip_txn *txn;
	uint64_t claimant;		/* owner handle of its association */
};

/* flow_update - learn what the kernel says; NULL: no memory. */
struct flow *flow_update(const struct kernel_flow *k);
void flow_del(struct flow *f);
struct flow *flow_find(const struct endpoint *local,
		       const struct endpoint *remote);
/* flow_own - give it an owner, in the kernel first; 0 takes it away. */
int flow_own(struct flow *f, uint64_t owner);
/* flow_sync - all flows anew from the kernel; those that ended go. */
int flow_sync(bool reloaded, void (*ended)(struct flow *f));
void flow_exit(void);
const char *flow_stuck_text(enum flow_stuck why);
struct pair *pair_first(void);
struct pair *pair_find(const struct addr *local, const struct addr *remote);

/* ---------------------------------------------------------------- peer.c */

/* What is remembered of hosts that were asked in vain (S9). */
enum peer_word { PEER_UNASKED, PEER_NO_AGENT, PEER_REFUSED };

struct peer {
	struct addr addr;
	enum peer_word word;
	uint64_t until;			/* ms, loop_now() */
};

void peer_quiet(const struct addr *a, enum peer_word word, unsigned int ms);
void peer_clear(const struct addr *a);
/* The live entry, or NULL when the host may be asked. */
const struct peer *peer_find(const struct addr *a);
/* At most ten hosts that were never met in a second: is there one left? */
bool peer_admit(void);
void peer_exit(void);

/* --------------------------------------------------------------- assoc.c */

/* An association: one pair of original addresses, one owner handle. */
enum assoc_phase {
	ASSOC_NEW,			/* nothing agreed yet */
	ASSOC_HOME,			/* claimed, we have not moved */
	ASSOC_MOVING,			/* our Bind is not answered yet */
	ASSOC_BOUND,			/* accepted, refreshed at half time */
	ASSOC_REFUSED,			/* the peer said no */
};

/* A final answer, kept for a repetition of its request. */
struct assoc_answer {
	int status;
	size_t len;
	char body[];
};

/* Where the far end is, as far as it told us. */
enum assoc_far { FAR_HOME, FAR_BOUND, FAR_HELD };

struct assoc {
	struct assoc *next;
	char id[ASSOC_ID + 1];
	uint64_t owner;			/* kernel handle, not 0 */
	struct addr local;		/* our original address */
	struct addr remote;		/* theirs */
	bool initiator;			/* we made it */
	unsigned int flows;		/* owned and alive; flow.c counts */
	unsigned int srtt, rttvar;	/* ms; 0: not measured */
	struct timer idle;		/* ends it when no flow is left */

	/* what we say: bind.c, claim.c */
	enum assoc_phase phase;
	uint32_t seq;			/* our last */
	struct addr bound_to;		/* our address 2 */
	bool leaving;			/* a withdrawal is being said */
	bool lost;			/* this move left nothing behind */
	unsigned int refused;		/* status of the refusal */
	unsigned int want;		/* lifetime to ask for, s */
	unsigned int lifetime;		/* granted, s */
	unsigned int backoff;		/* ms, of the retry timer */
	char *say;			/* the Bind, byte for byte */
	bool unheard;			/* it has no final answer yet */
	size_t say_len;
	struct timer timer;		/* retry, refresh */
	struct timer detour;		/* when to try the original address */
	struct sip_txn *txn, *txn2;
	uint64_t usable_at, moved_at, answered_at; /* ms, loop_now() */
	uint64_t burst_at;		/* 4 Binds a second */
	unsigned int burst;

	/* what they say: correspondent.c */
	enum assoc_far far;
	uint32_t peer_seq;		/* last accepted */
	struct addr peer_current;	/* where they are */
	uint64_t peer_until;		/* ms, end of their binding */
	uint8_t peer_hash[32];		/* of the body of peer_seq */
	struct assoc_answer *answer;	/* to it; NULL: none yet */
	bool seen;			/* during a resync */
};

struct assoc *assoc_add(const char *id, uint64_t owner,
			const struct addr *local, const struct addr *remote);
/* assoc_make - a new one of our own: random id (if NULL) and owner. */
struct assoc *assoc_make(const char *id, const struct addr *local,
			 const struct addr *remote);
void assoc_del(struct assoc *a);
void assoc_exit(void);
struct assoc *assoc_find_id(const char *id);
struct assoc *assoc_find_owner(uint64_t owner);
struct assoc *assoc_first(void);
/* How many there are, and how many with this far end. */
unsigned int assoc_count(const struct addr *remote);
/* assoc_idle - its last flow has ended: forget it in 60 s. */
void assoc_idle(struct assoc *a);
int assoc_answer(struct assoc *a, int status, const char *body, size_t len);
void assoc_measure(struct assoc *a, unsigned int rtt);
unsigned int assoc_rto(const struct assoc *a);	/* ms */
const char *assoc_phase_text(const struct assoc *a);
bool assoc_away(const struct assoc *a);		/* our end is */

/* --------------------------------------------------------------- state.c */

/*
 * The state file: what must survive the agent. state_put() notes a change,
 * state_save() writes all that were noted, before anything is sent (S11).
 */
int state_load(const char *path);
void state_put(const struct assoc *a);
void state_drop(const struct assoc *a);
int state_save(void);
void state_exit(void);

/* -------------------------------------------------------------- listen.c */

/* SIP listens on every usable address of this host. */
void listen_sync(void);
void listen_exit(void);
/* listen_since - ms (loop_now) since when it is usable; 0: it is not. */
uint64_t listen_since(const struct addr *a);

/* ------------------------------------------------------------ original.c */

/* The agent's copy of the LOCAL map: addresses that flows were born with. */
struct original {
	struct original *next;
	struct addr addr;
	struct addr current, previous;
	int dummy;			/* ifindex that holds it */
	unsigned int mtu;		/* of its last network */
	bool detached;			/* its network is lost */
	bool waiting;			/* current unusable, no other yet */
	bool routed;			/* a peer can be reached from current */
	bool seen;			/* during one evaluation */
	uint64_t since;			/* ms, current is what it is */
	struct addr want;		/* where the route wants it */
	struct timer timer;		/* the 50 ms */
	struct timer unused;		/* no flow any more */
};

struct original *original_get(const struct addr *a);	/* finds or holds */
struct original *original_find(const struct addr *a);
struct original *original_first(void);
void original_del(struct original *o);
/* original_lost - no network for now: keep a route for TCP, leak nothing. */
void original_lost(struct original *o);
void original_back(struct original *o);
/* original_move - HANDOFF; number of entries that changed, or -errno. */
int original_move(const struct addr *old, const struct addr *now, int ifindex);
/* original_restore - the kernel's entries from ours (it was reloaded). */
int original_restore(void);
/* original_load - ours from the kernel's entries (we were restarted). */
int original_load(void);
/* original_check - is it still needed? If not, it leaves, soon. */
void original_check(struct original *o);
unsigned int original_flows(const struct original *o);	/* that follow it */
void original_exit(void);

/* ------------------------------------------------------------- handoff.c */

enum handoff_verdict { HANDOFF_STAY, HANDOFF_WAIT, HANDOFF_SOON, HANDOFF_NOW };

/* What is known of one current address when something has changed. */
struct handoff_facts {
	struct addr current;
	bool usable;			/* on a real interface */
	struct addr route;		/* where new connections leave from */
	bool route_usable;
	enum follow follow;
	bool lasted;			/* the route has said so for 50 ms */
};

#define HANDOFF_SETTLE 50		/* ms */
#define HANDOFF_VOTES 8

/* One peer's word about the best source address. */
struct handoff_vote {
	struct addr source;
	int ifindex;
	unsigned int flows;
};

/* The decision; pure. */
enum handoff_verdict handoff_decide(const struct handoff_facts *f);
/* Add a vote; -ENOSPC when there are too many different sources. */
int handoff_vote_add(struct handoff_vote v[HANDOFF_VOTES], unsigned int *n,
		     const struct handoff_vote *one);
/* The source with most flows; NULL: nobody voted. */
const struct handoff_vote *
handoff_vote_best(const struct handoff_vote *v, unsigned int n);

/* --------------------------------------------------------------- claim.c */

/* Claims: home Binds with Flow lines, in batches. */
void claim_init(const struct config *cfg);
void claim_schedule(struct pair *p);	/* something may be ready */
void claim_stop(struct pair *p);	/* the batch under way is void */
void claim_unask(struct pair *p, uint64_t owner);
bool claim_is_candidate(const struct flow *f);
bool claim_is_late(const struct flow *f);
/* What an answer says of the flows that were asked for owner. */
void claim_settle(struct pair *p, uint64_t owner, const struct body *b);
/* The Flow lines for the flows that may still be named; how many. */
unsigned int claim_lines(struct pair *p, const struct assoc *a,
			 uint64_t oldest, struct body *b, size_t size);

/* ---------------------------------------------------------------- bind.c */

/* Moving Binds, refreshes, withdrawals: one at a time per association. */
void bind_init(const struct config *cfg,
	       void (*settled)(const struct addr *local));
/* bind_prepare - a new Seq for address 2; the caller saves, then sends. */
int bind_prepare(struct assoc *a, const struct addr *to);
void bind_send(struct assoc *a);
void bind_withdraw(struct assoc *a);
void bind_stop(struct assoc *a);
/* What is unanswered goes out again, now: the network is back. */
void bind_nudge(const struct addr *current);
/* The peer told us of its new address. */
void bind_on_peer_moved(struct assoc *a);
/* Say once more what the peer may have missed (restart). */
void bind_again(struct assoc *a);

/* ---------------------------------------------------------------- move.c */

void move_init(const struct config *cfg);
void move_check(void);			/* is anything a hand-off now? */
/* move_by_hand - a test aid; entries that changed or -errno. */
int move_by_hand(const struct addr *old, const struct addr *now);

/* -------------------------------------------- mobile.c, correspondent.c */

int mobile_init(const struct config *cfg);
void mobile_exit(void);
void mobile_on_flow(struct flow *f);		/* new, or its owner changed */
/* A flow is gone that had this owner and was born with this address. */
void mobile_on_end(uint64_t owner, const struct addr *local);
void mobile_on_link(void);
void mobile_on_resync(bool reloaded);		/* flows are up to date */

int correspondent_init(const struct config *cfg);
void correspondent_exit(void);
bool correspondent_on_bind(const struct sip_incoming *in,
			   const struct body *b, struct sip_reply *reply);
void correspondent_on_end(uint64_t owner);
void correspondent_on_binding(const struct kernel_binding *b);
void correspondent_on_resync(bool reloaded);

/* -------------------------------------------------------------- answer.c */

/* One Bind on its way through the checks. */
struct request {
	const struct sip_incoming *in;
	const struct body *b;
	struct assoc *a;		/* NULL: unknown */
	struct body answer;		/* Denied lines, lifetime: filled on the way */
	struct sip_reply *reply;
};

void answer_bare(struct request *r, int status);	/* without a body */
void answer_say(struct request *r, int status);	/* 200: Bound; else Refused */
void answer_bound(struct request *r, uint32_t lifetime);
void answer_kernel(struct request *r, int err);	/* the kernel refused */
void answer_repeat(struct request *r);

/* -------------------------------------------------------------- accept.c */

/* The Flow lines of a Bind, judged. */
struct accept {
	unsigned int n;			/* acceptable ones */
	const struct body_flow *line[BODY_FLOWS];
};

/* accept_judge - the others become Denied lines; a NULL: nobody's yet. */
void accept_judge(const struct body *b, const struct assoc *a,
		  const struct addr *local, struct accept *acc,
		  struct body *answer);
/* accept_own - give them to a; how many the kernel took. */
unsigned int accept_own(const struct accept *acc, const struct assoc *a,
			struct body *answer);

#endif
