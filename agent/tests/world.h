/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hosts with real agents (the roles as they are, one private copy of their
 * memory each), fake kernels, links and SIP, in one process and in virtual
 * time. Every message is an event that a test may see, lose, delay or double.
 */
#ifndef HMMP_WORLD_H
#define HMMP_WORLD_H

#include "../agent.h"
#include "../kernel.h"
#include "../kernel_fake.h"

#define WORLD_HOSTS 6
#define HOST_ADDRS 8
#define HOST_ROUTES 4
#define HOST_ANCHORS 16
#define HOST_SOCKS 4

struct host_anchor {
	struct addr addr;
	bool held, detached;
	unsigned int mtu;
};

struct host {
	const char *name;
	struct config cfg;
	struct kernel_fake *kernel;
	/* the agent: NULL handles when none runs */
	void *so;
	int (*node_init)(const struct config *cfg);
	void (*node_exit)(void);
	void (*node_on_link)(void);
	sip_handler node_on_info;
	struct json_t *(*status_serve)(struct json_t *request);
	/* what the fakes play */
	struct link_addr addrs[HOST_ADDRS];
	unsigned int n_addrs;
	struct {
		struct addr dst;	/* len 0: default */
		struct addr src;	/* len 0: unreachable */
	} routes[HOST_ROUTES];
	unsigned int n_routes;
	struct host_anchor anchors[HOST_ANCHORS];
	unsigned int n_anchors;
	struct {
		struct endpoint local, remote;
		int opener;
	} socks[HOST_SOCKS];		/* what sock_diag lists */
	unsigned int n_socks;
	struct addr listens[HOST_ADDRS];
	unsigned int n_listens;
	unsigned int sent;		/* SIP messages, requests only */
};

/* A message on its way. */
struct message {
	bool answer;
	struct addr src, dst;
	int status;
	char body[SIP_BODY + 1];
	size_t len;
	unsigned int txn;		/* number of the request */
	uint64_t sent;
	unsigned int delay;		/* ms; a filter may change it */
	unsigned int copies;		/* 0: lost */
};

typedef void (*message_filter)(struct message *m);

struct world {
	uint64_t now;			/* ms */
	unsigned int one_way;		/* ms */
	message_filter filter;
	unsigned int messages;		/* requests and answers, sent */
	unsigned int errors;		/* LOG_ERROR lines */
	unsigned int deaf;		/* sip_addr_add() fails so often */
	struct host *in;		/* whose code runs */
	struct host hosts[WORLD_HOSTS];
	unsigned int n_hosts;
};

extern struct world world;

struct addr A(const char *text);
struct endpoint E(const char *text, uint16_t port);
bool is(const struct addr *a, const char *text);

void world_start(unsigned int one_way);
void world_end(void);
void world_run(unsigned int ms);
void world_enter(struct host *h);
/* Events of all fake kernels, until there are none. */
void world_deliver(void);

struct host *host_add(const char *name, bool mobile, bool correspondent);
void host_start(struct host *h);	/* the agent */
void host_stop(struct host *h);		/* SIGTERM */
void host_kill(struct host *h);		/* SIGKILL */
/* Addresses and routes; host_link() tells the agent of what was changed. */
void host_addr(struct host *h, const char *addr, int ifindex, bool usable);
void host_addr_gone(struct host *h, const char *addr);
void host_route(struct host *h, const char *dst, const char *src);
void host_link(struct host *h);
/* The usual move: old address away, new one there, default route by it. */
void host_move(struct host *h, const char *old, const char *now);
struct host_anchor *host_anchor(struct host *h, const char *addr);

void flow_open(struct host *c, struct endpoint from, struct host *s,
	       struct endpoint to);
/* Two sockets that are older than modules and agents. */
void flow_old(struct host *c, struct endpoint from, struct host *s,
	      struct endpoint to);
void flow_close(struct host *c, struct endpoint from, struct host *s,
		struct endpoint to);

/* What a fake kernel has. */
bool host_binding(struct host *h, const char *original,
		  struct kernel_binding *b);
unsigned int host_bindings(struct host *h);
unsigned int host_owned(struct host *h, const char *local);
bool host_current(struct host *h, const char *original, struct addr *now);
unsigned int host_locals(struct host *h);
enum kernel_peer host_peer(struct host *h, const char *remote,
			   const char *current);

/* sip_fake.c, loop_fake.c: what world.c drives */
void sip_fake_kill(struct host *h);
bool sip_fake_step(uint64_t *at);	/* time of the next event */
void sip_fake_fire(void);
void sip_fake_end(void);
void loop_fake_kill(struct host *h);
bool loop_fake_step(uint64_t *at);
void loop_fake_fire(void);
void loop_fake_end(void);

#endif
