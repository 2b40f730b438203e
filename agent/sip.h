/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files sip*.c share: the library's root and agent. Only they include
 * this file, because only they may see sofia-sip.
 *
 * Three habits of the library decide how it is used here: it looks names up
 * and waits for the answer, it asserts when it is to send while no transport
 * is bound, and a client transaction that was destroyed goes on repeating its
 * request. So addresses are numeric everywhere (sip_filter.c for what comes
 * in), nothing is sent through an address that is not bound (sip_ident), and
 * requests are sent stateless and repeated by sip_txn.c alone.
 */
#ifndef HMMP_SIP_H
#define HMMP_SIP_H

#define NTA_AGENT_MAGIC_T void

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_tagarg.h>
#include <sofia-sip/su_wait.h>

#include "agent.h"

#define SIP_MEDIA	"application/x.hmmp"
#define SIP_MEDIA_V1	SIP_MEDIA ";version=1"
#define SIP_DATAGRAM	1300	/* bytes of a whole request, RFC 3261 18.1.1 */
#define SIP_TOKEN	23	/* 22 characters of base64url and NUL */

/* sip_loop.c */
su_root_t *loop_root(void);

/* sip.c */
nta_agent_t *sip_agent(void);
const char *sip_ident(const struct addr *a);
uint16_t sip_port(void);
void sip_token(char token[SIP_TOKEN]);
void sip_source(msg_t *msg, struct endpoint *from);

/* sip_txn.c: an answer that arrived; it stays the caller's */
void sip_txn_on_answer(msg_t *msg, const sip_t *sip);
/* No transaction is pending. */
bool sip_txn_idle(void);
void sip_txn_exit(void);

/* sip_filter.c */
const msg_mclass_t *sip_filter_mclass(void);

/* sip_limit.c: may one more answer to something invalid go to a */
bool sip_limit_take(const struct addr *a, uint64_t now);

#endif
