/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of hmmpctl share: it is run with the module played, and what
 * it printed is kept. The loop makes one turn and ends.
 */
#ifndef HMMP_TESTS_HMMPCTL_ENV_H
#define HMMP_TESTS_HMMPCTL_ENV_H

#include <jansson.h>
#include "agent.h"

extern char *out, *err;			/* of the last run */
extern char path[64];			/* the agent's socket */

/* Run "hmmpctl -s PATH WORDS"; its exit status. */
int run(const char *words);
/* The same; it has to succeed and to print JSON. */
json_t *run_json(const char *words);
const char *text(const json_t *o, const char *key);
long long number(const json_t *o, const char *key);
void assert_says(const char *where, const char *words);

struct addr addr(const char *text);
/* A connection from 10.1.0.5:40000. */
void add_flow(const char *remote, uint16_t port, uint64_t owner,
	      uint32_t flags);

/* Around every test, and around all of them. */
int start(void **state);
int end(void **state);
int enter(void **state);
int leave(void **state);

#endif
