/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map of hmmpd: every structure that two files share, and every function
 * that one file offers to the others, grouped by the file that implements it.
 *
 * One thread, one loop. Roles (mobile.c, correspondent.c) take events and call
 * down; they never call each other. Only sip*.c know sofia-sip, only
 * kernel_genl.c knows the module's netlink header.
 */
#ifndef HMMP_AGENT_H
#define HMMP_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---------------------------------------------------------------- addr.c */

/* An IP address in network byte order; len 0 is "none", else 4 or 16. */
struct addr {
	uint8_t len;
	uint8_t b[16];
};

struct endpoint {
	struct addr addr;
	uint16_t port;			/* host byte order */
};

struct prefix {
	struct addr addr;
	uint8_t bits;
};

#define ADDR_TEXT 46			/* INET6_ADDRSTRLEN */

int addr_parse(const char *text, struct addr *a);
const char *addr_format(const struct addr *a, char text[ADDR_TEXT]);
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_is_unicast(const struct addr *a);
int prefix_parse(const char *text, struct prefix *p);
bool prefix_has(const struct prefix *p, const struct addr *a);

/* ----------------------------------------------------------------- log.c */

enum log_level { LOG_ERROR, LOG_WARN, LOG_NOTE, LOG_INFO, LOG_TRACE };

void log_init(enum log_level level, bool to_syslog);
void log_print(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* -------------------------------------------------------------- config.c */

#define CONFIG_PREFIXES 64
#define CONFIG_PATH 108			/* sun_path */

struct prefix_list {
	bool all;
	unsigned int n;
	struct prefix p[CONFIG_PREFIXES];
};

enum follow { FOLLOW_ROUTE, FOLLOW_KEEP };

struct config {
	bool role_mobile;
	bool role_correspondent;
	bool laboratory;		/* security = none-laboratory */
	enum log_level log_level;
	bool log_syslog;
	uint16_t sip_port;
	char control[CONFIG_PATH];	/* control socket */
	char state[256];		/* state file */
	char user[32];			/* runs as; empty: stays as started */
	/* [mobile] */
	struct prefix_list peers;	/* whom a mobile may ask */
	enum follow follow;
	unsigned int lifetime;		/* seconds asked for, 4..420 */
	char dummy[16];			/* holds former addresses */
	uint32_t table;			/* first routing table for them */
	uint32_t rule_priority;
	/* [correspondent] */
	struct prefix_list accept;	/* whose Binds it takes */
	unsigned int max_associations;
	unsigned int max_per_address;
	/* [limits]: 0 leaves the module's own */
	uint32_t limit_flows;
	uint32_t limit_bindings;
};

/*
 * config_load - read an INI file; unknown sections, unknown keys and bad
 * values are refused. On failure -EINVAL or -errno and a sentence
 * "FILE:LINE: reason" in err; *cfg is untouched then.
 */
int config_load(const char *path, struct config *cfg, char *err, size_t len);

/* --------------------------------------------------------------- privs.c */

/* Makes the folders of control socket and state file, then leaves root. */
int privs_drop(const struct config *cfg);

/* -------------------------------------------------- sip_loop.c: the loop */

/*
 * Time is CLOCK_BOOTTIME in milliseconds. Timers are one shot, embedded in
 * their owner, and may be set again from their own callback.
 */
struct timer {
	void (*fire)(struct timer *t);
	uint64_t at;			/* the loop's own: loop_now() then */
	unsigned int slot;		/* the loop's own */
	bool armed;
};

typedef void (*loop_fd_cb)(void *arg, int fd);

int loop_init(void);
void loop_exit(void);
void loop_run(void);			/* until loop_stop() */
void loop_stop(void);
uint64_t loop_now(void);		/* ms, CLOCK_BOOTTIME */
int loop_fd_add(int fd, loop_fd_cb cb, void *arg);
void loop_fd_del(int fd);
void timer_set(struct timer *t, unsigned int ms);
void timer_stop(struct timer *t);

/* ------------------------------------------------------- sip.c, sip_txn.c */

#define SIP_BODY 8192
#define CALL_ID 32

/* An INFO that arrived, already past the checks of its headers. */
struct sip_incoming {
	struct endpoint from;		/* where the datagram came from */
	struct addr to;			/* the local address it came to */
	const char *body;		/* exactly as received */
	size_t len;
};

/* What a role answers; body may be empty. Set by the handler. */
struct sip_reply {
	int status;			/* 200..699 */
	char phrase[64];
	char headers[256];		/* extra lines, CRLF between */
	char body[SIP_BODY];
	size_t len;
};

/*
 * Takes one INFO; fills the reply and returns true, or returns false to stay
 * silent. Runs in the loop; must not wait for anything but the kernel.
 */
typedef bool (*sip_handler)(const struct sip_incoming *in,
			    struct sip_reply *reply);

int sip_init(uint16_t port, sip_handler handler);
void sip_exit(void);
/* Listen on, and be able to send from, an address of this host. */
int sip_addr_add(const struct addr *a);
void sip_addr_del(const struct addr *a);

/* The end of a request, as a hint or a fact; see why. */
enum sip_why { SIP_ANSWER, SIP_TIMEOUT, SIP_UNREACHABLE, SIP_LOCAL_ERROR };

struct sip_answer {
	enum sip_why why;
	int status;			/* with SIP_ANSWER */
	const char *body;
	size_t len;
	unsigned int rtt;		/* ms from the last copy, or 0 */
	unsigned int sent;		/* messages that it took */
};

struct sip_request {
	struct addr src;		/* a listening address (sip_addr_add) */
	struct addr dst;
	const char *body;		/* copied */
	size_t len;
	unsigned int rto;		/* ms before the first repetition, >= 20 */
	unsigned int tries;		/* messages at most; 0: until total */
	unsigned int total;		/* ms, at most 32000 */
};

struct sip_txn;
typedef void (*sip_txn_cb)(void *arg, const struct sip_answer *ans);

/*
 * sip_txn_send - send an INFO; repeat it as a new transaction of the same
 * Call-ID with the RTO doubling, until an answer, ICMP after the last try, or
 * the time is over (S10). cb is called exactly once, never from inside this
 * call, unless the transaction is cancelled. NULL: no memory or no such src.
 */
struct sip_txn *sip_txn_send(const struct sip_request *req, sip_txn_cb cb,
			     void *arg);
void sip_txn_cancel(struct sip_txn *txn);

/* ---------------------------------------------------------------- body.c */

#define ASSOC_ID 16			/* base64url characters */
#define BODY_FLOWS 64
#define BODY_ENCAPS 8

enum body_kind { BODY_BIND, BODY_BOUND, BODY_REFUSED };
enum body_scope { SCOPE_NONE, SCOPE_FLOW, SCOPE_HOST };
enum body_encap { ENCAP_NONE, ENCAP_IPIP, ENCAP_IP6IP6, ENCAP_4IN6,
		  ENCAP_6IN4, ENCAP_MINENC, ENCAP_GUE };
enum body_proof { PROOF_NONE, PROOF_ISN, PROOF_MAC, PROOF_LINK };
enum body_denied { DENIED_UNKNOWN = 1, DENIED_OWNED, DENIED_PROOF, DENIED_LATE,
		   DENIED_STATE };

struct body_flow {
	struct endpoint end[2];		/* the sender's end first */
	enum body_proof proof;
	uint32_t isn_hash;		/* with PROOF_ISN */
	uint8_t mac[16];		/* with PROOF_MAC */
	enum body_denied denied;	/* in Denied lines */
};

/* One message body. Which fields are present: has_* or a non-empty value. */
struct body {
	enum body_kind kind;
	struct addr from;		/* address 1, original */
	struct addr to;			/* address 2, current */
	char assoc[ASSOC_ID + 1];
	bool has_seq, has_lifetime, has_status, has_retry;
	uint32_t seq;
	uint32_t lifetime;		/* seconds */
	unsigned int status;
	unsigned int retry;		/* seconds */
	enum body_scope scope;
	bool flows_owned;
	unsigned int n_encaps;
	enum body_encap encaps[BODY_ENCAPS];
	struct addr peer;
	unsigned int n_flows;
	struct body_flow flows[BODY_FLOWS];
	unsigned int n_denied;
	struct body_flow denied[BODY_FLOWS];
};

/*
 * body_parse - pure. 0, or -EINVAL with a phrase that names the field in err;
 * -EOPNOTSUPP for an unknown Must- field or a higher Version.
 */
int body_parse(const char *text, size_t len, struct body *b, char *err,
	       size_t errlen);
/* body_build - text length, or -ENOSPC. Not NUL terminated. */
int body_build(const struct body *b, char *text, size_t size);
/*
 * body_isn_hash - the laboratory's proof that both ends mean the same
 * incarnation of a connection; end[0] is the claimant's.
 */
uint32_t body_isn_hash(const char assoc[ASSOC_ID + 1],
		       const struct endpoint end[2], uint32_t isn0,
		       uint32_t isn1);

/* ---------------------------------------------------------------- link.c */

struct link_addr {
	struct addr addr;
	uint8_t bits;
	int ifindex;
	bool usable;			/* up, carrier, not tentative, no DAD failure */
	bool held;			/* on the agent's dummy */
};

/*
 * What rtnetlink says, coalesced: called after a burst of messages has been
 * read to its end. Also called after lost messages (ENOBUFS) and a re-read.
 */
typedef void (*link_cb)(void);

int link_init(const char *dummy, link_cb cb);
void link_exit(void);
/* The addresses now; valid until the loop is entered again. */
const struct link_addr *link_addrs(unsigned int *n);
const struct link_addr *link_addr_find(const struct addr *a); /* real ones */
/*
 * link_route_source - the source address and interface that a new connection
 * to dst would use. -ENETUNREACH when there is none.
 */
int link_route_source(const struct addr *dst, struct addr *src, int *ifindex);
int link_mtu(int ifindex);
const char *link_name(int ifindex);	/* by nlif */

/* -------------------------------------------------------------- anchor.c */

/*
 * The address that lost its network: holder device, rule, route, sysctls.
 * All operations are idempotent; what was set is watched and set again.
 */
int anchor_init(const struct config *cfg);
/* Remove what is not needed; at_exit: only if no flow lives on it. */
void anchor_exit(void);
/* Put the address on the dummy (scope link). Returns its ifindex or -errno. */
int anchor_hold(const struct addr *original);
/* It lost its network: rule and route with mtu, in one batch. */
int anchor_detach(const struct addr *original, unsigned int mtu);
/* It is at home again: rule and route away, address stays on the dummy. */
int anchor_attach(const struct addr *original);
/* Nobody needs it any more. */
int anchor_drop(const struct addr *original);
/* Called when rtnetlink changed: set again what others removed (S14). */
void anchor_check(void);
/* Addresses found on the dummy (after a restart). */
unsigned int anchor_list(struct addr *list, unsigned int max);

/* ---------------------------------------------------------------- diag.c */

/*
 * diag_dump - all TCP sockets that could be flows, by sock_diag; listening
 * ports decide who opened (opener: 1 this end, 0 the other, -1 unknown).
 */
typedef void (*diag_cb)(void *arg, const struct endpoint *local,
			const struct endpoint *remote, int opener);
int diag_dump(diag_cb cb, void *arg);

/* ---------------------------------------------------------------- flow.c */

/* Why a flow cannot move; NULL texts never reach a person. */
enum flow_stuck { FLOW_FREE, FLOW_UNKNOWN, FLOW_OWNED, FLOW_PROOF, FLOW_LATE,
		  FLOW_STATE, FLOW_SILENT, FLOW_FIXED, FLOW_FAMILY,
		  FLOW_STUCKS };

struct pair;
struct kernel_flow;			/* kernel.h */
struct kernel_binding;

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

/* ---------------------------------------------------------------- node.c */

/*
 * What the roles of one host share: it takes the events of kernel, links and
 * SIP, keeps flow.c and listen.c up to date, and hands them to the roles.
 */
struct kernel_events;

int node_init(const struct config *cfg);	/* keeps the pointer */
void node_exit(void);
const struct kernel_events *node_kernel_events(void);
void node_on_link(void);
bool node_on_info(const struct sip_incoming *in, struct sip_reply *reply);
bool node_module_gone(void);
const struct config *node_config(void);	/* NULL before node_init() */

/* --------------------------------------------------- ctl.c and status.c */

/* The control socket: one JSON request a line, one JSON answer a line. */
struct json_t;
typedef struct json_t *(*ctl_fn)(struct json_t *request);

int ctl_init(const char *path, ctl_fn serve);
void ctl_exit(void);
/* status_serve - the commands; never NULL unless memory is out. */
struct json_t *status_serve(struct json_t *request);

#endif
