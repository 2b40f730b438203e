/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map of hmmpd: every structure that two files share, and every function
 * that one file offers to the others, grouped by the file that implements it.
 *
 * What only the roles share is in roles.h.
 *
 * One thread, one loop. Roles (mobile.c, correspondent.c) take events and call
 * down; they never call each other. Only sip*.c know sofia-sip, only
 * kernel_genl*.c know the module's netlink header.
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

/* ---------------------- the loop: sip_loop.c, or loop_poll.c without SIP */

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
	bool lost;			/* the previous address receives nothing */
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
