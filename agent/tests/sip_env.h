/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the SIP tests share: the real stack, bound to addresses of 127/8, and
 * plain UDP sockets in the same loop that play everybody else.
 */
#ifndef HMMP_SIP_ENV_H
#define HMMP_SIP_ENV_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent.h"

#define HERE	"127.0.0.2"	/* bound by the stack */
#define THERE	"127.0.0.3"	/* bound by the stack too: the other end */
#define RAW	"127.0.0.9"	/* a plain socket */

#define MESSAGES 128

struct message {
	char text[4096];
	size_t len;
	uint64_t at;
};

/* A plain socket. Its owner may hang in a function that sees each message. */
struct raw {
	int fd;
	struct message got[MESSAGES];
	unsigned int n;
	void (*on_message)(struct raw *r, struct message *m);
};

/* What arrived at the stack, and what it is to answer. */
struct handled {
	unsigned int n;
	struct sip_incoming last;
	char body[SIP_BODY];
	struct sip_reply reply;
	bool silent;
};

/* How a transaction ended. */
struct ended {
	unsigned int n;
	struct sip_answer last;
	char body[SIP_BODY];
	uint64_t at;
};

extern struct handled handled;

int env_setup(void **state);
int env_teardown(void **state);
uint16_t env_port(void);
struct addr env_addr(const char *text);
void raw_open(struct raw *r, const char *addr);
void raw_close(struct raw *r);
void raw_send(struct raw *r, const char *to, const void *data, size_t len);
/* Run the loop until *counter reaches n, at most ms; fails then if it must. */
void env_wait(const unsigned int *counter, unsigned int n, unsigned int ms);
void env_run(unsigned int ms);
void env_ended(void *arg, const struct sip_answer *ans);
struct sip_txn *env_send(const char *to, unsigned int rto, unsigned int tries,
			 unsigned int total, struct ended *e);

#define T(f) cmocka_unit_test_setup_teardown(f, env_setup, env_teardown)

#endif
