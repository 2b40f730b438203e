/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sip_loop.c, sip.c and sip_txn.c share: the library's root and agent.
 * Only they include this file, because only they may see sofia-sip.
 *
 * The library must never resolve a name (its resolver spins when there is no
 * network), never use its STUN server, and never send while no transport is
 * bound (it asserts). The three files together see to that.
 */
#ifndef HMMP_SIP_H
#define HMMP_SIP_H

#define NTA_AGENT_MAGIC_T void
#define NTA_OUTGOING_MAGIC_T struct sip_txn

#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tagarg.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport_tag.h>

#include "agent.h"

#define SIP_MEDIA	"application/x.hmmp"
#define SIP_MEDIA_V1	SIP_MEDIA ";version=1"
#define SIP_DATAGRAM	1300	/* bytes of a whole request, RFC 3261 18.1.1 */

su_root_t *loop_root(void);

/* The leg of requests outside of dialogs; NULL before sip_init(). */
nta_leg_t *sip_leg(void);
/* The name of the transport that is bound to an address, or NULL: not now. */
const char *sip_ident(const struct addr *a);
uint16_t sip_port(void);
/* 22 characters of base64url, 128 bits of getrandom(), no address in them. */
int sip_token(char token[CALL_ID]);
/* Requests of ours that are pending; new transports wait for none. */
void sip_pending(int change);

#endif
