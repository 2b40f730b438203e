// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Client transactions of our own: one INFO, repeated when the peer's measured
 * round trip is over and not by SIP's T1, until somebody answers.
 *
 * Each copy is a request of its own (branch and CSeq) with the same Call-ID,
 * From tag and body, sent stateless: the library's client transactions repeat
 * by themselves even after they were destroyed, and swallow the answer to a
 * copy that was given up. An answer to any copy counts, and tells by its CSeq
 * which copy it answers, hence an exact round trip.
 *
 * Answers and ICMP errors are hints: they need the Call-ID and tag (random,
 * 128 bits each) and the peer's source address, or the quoted packet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip.h"
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>

#define RTO_MIN		20u	/* ms */
#define RTO_MAX		4000u	/* RFC 3261's T2 */
#define TOTAL_MAX	32000u	/* its 64 * T1 */
#define COPIES		64
#define BODY_MAX	860	/* with the headers at most SIP_DATAGRAM */
#define CSEQ		1u	/* of the first copy */

struct sip_txn {
	struct sip_txn *next;
	struct sip_request req;
	char call_id[SIP_TOKEN];
	char from_tag[SIP_TOKEN];
	struct timer timer;
	uint64_t end;		/* loop_now() then */
	uint64_t copy_at;	/* when the next copy is due */
	unsigned int rto;
	unsigned int copies;	/* tried */
	unsigned int sent;	/* of these, left this host */
	uint64_t sent_at[COPIES];
	bool icmp;		/* an error for the last copy */
	tport_t *tport;		/* the last copy, for its ICMP errors */
	msg_t *msg;
	int pending;
	sip_txn_cb cb;
	void *arg;
	char body[];
};

static struct sip_txn *txns;

bool sip_txn_idle(void)
{
	return !txns;
}

/* ---------------------------------------------------------------- one copy */

static void set_timer(struct sip_txn *txn)
{
	uint64_t now = loop_now();
	uint64_t at = txn->end;

	if (txn->copy_at < at &&
	    !(txn->req.tries && txn->copies >= txn->req.tries))
		at = txn->copy_at;
	if (txn->icmp && txn->req.tries && txn->copies >= txn->req.tries)
		at = now;
	timer_set(&txn->timer, at > now ? (unsigned int)(at - now) : 1);
}

static void forget_icmp(struct sip_txn *txn)
{
	if (txn->pending > 0)
		tport_release(txn->tport, txn->pending, txn->msg, NULL,
			      (tp_client_t *)txn, 0);
	txn->pending = 0;
	if (txn->tport)
		tport_unref(txn->tport);
	txn->tport = NULL;
	if (txn->msg)
		msg_destroy(txn->msg);
	txn->msg = NULL;
}

/* The library's callback; the end is left to the timer. */
static void on_icmp(tp_stack_t *stack, tp_client_t *client, tport_t *tp,
		    msg_t *msg, int error)
{
	struct sip_txn *txn = (struct sip_txn *)client;

	txn->icmp = true;
	set_timer(txn);
}

static void watch_icmp(struct sip_txn *txn, const char *ident, msg_t *msg)
{
	tp_name_t name = { .tpn_ident = ident, .tpn_proto = "udp" };
	tport_t *tp = tport_primary_by_name(nta_agent_tports(sip_agent()),
					    &name);

	if (!tp) {
		msg_destroy(msg);
		return;
	}
	txn->msg = msg;
	txn->tport = tport_ref(tp);
	txn->pending = tport_pend(tp, msg, on_icmp, (tp_client_t *)txn);
}

/* Everything but Via, which the library adds. */
static msg_t *build(struct sip_txn *txn, unsigned int cseq, const char *uri)
{
	msg_t *msg = nta_msg_create(sip_agent(), 0);
	sip_t *sip = msg ? sip_object(msg) : NULL;
	sip_request_t *rq;
	sip_payload_t *body;
	char from[80];
	char to[80];
	char seq[24];

	if (!sip)
		return NULL;
	snprintf(from, sizeof(from),
		 "<sip:anonymous@anonymous.invalid>;tag=%s", txn->from_tag);
	snprintf(to, sizeof(to), "<%s>", uri);
	snprintf(seq, sizeof(seq), "%u INFO", cseq);
	rq = sip_request_create(msg_home(msg), SIP_METHOD_INFO,
				URL_STRING_MAKE(uri), NULL);
	body = sip_payload_create(msg_home(msg), txn->body,
				  (isize_t)txn->req.len);
	if (rq && body &&
	    sip_add_tl(msg, sip, SIPTAG_REQUEST(rq), SIPTAG_FROM_STR(from),
		       SIPTAG_TO_STR(to), SIPTAG_CALL_ID_STR(txn->call_id),
		       SIPTAG_CSEQ_STR(seq), SIPTAG_MAX_FORWARDS_STR("70"),
		       SIPTAG_CONTENT_TYPE_STR(SIP_MEDIA_V1),
		       SIPTAG_PAYLOAD(body), TAG_END()) >= 0)
		return msg;
	msg_destroy(msg);
	return NULL;
}

/* False: it did not leave this host. */
static bool send_copy(struct sip_txn *txn, const char *ident)
{
	char dst[ADDR_TEXT];
	char uri[ADDR_TEXT + 16];
	char route[ADDR_TEXT + 40];
	char token[SIP_TOKEN];
	char branch[SIP_TOKEN + 16];
	bool v4 = txn->req.dst.len == 4;
	msg_t *msg;

	addr_format(&txn->req.dst, dst);
	snprintf(uri, sizeof(uri), v4 ? "sip:hmmp@%s" : "sip:hmmp@[%s]", dst);
	snprintf(route, sizeof(route), v4 ? "sip:%s:%u;transport=udp" :
		 "sip:[%s]:%u;transport=udp", dst, sip_port());
	sip_token(token);
	snprintf(branch, sizeof(branch), "branch=z9hG4bK%s", token);
	msg = build(txn, CSEQ + txn->copies - 1, uri);
	if (!msg)
		return false;
	msg_ref(msg);
	/* On success it takes the message over, else it leaves it to us. */
	if (!nta_outgoing_mcreate(sip_agent(), NULL, NULL,
				  URL_STRING_MAKE(route), msg,
				  NTATAG_STATELESS(1),
				  NTATAG_BRANCH_KEY(branch),
				  TPTAG_IDENT(ident), TAG_END())) {
		msg_destroy(msg);
		msg_destroy(msg);
		return false;
	}
	watch_icmp(txn, ident, msg);
	return true;
}

static void next_copy(struct sip_txn *txn)
{
	const char *ident = sip_ident(&txn->req.src);

	forget_icmp(txn);
	txn->icmp = false;
	txn->sent_at[txn->copies++] = loop_now();
	if (ident && send_copy(txn, ident))
		txn->sent++;
	txn->copy_at = loop_now() + txn->rto;
	txn->rto *= 2;
	if (txn->rto > RTO_MAX)
		txn->rto = RTO_MAX;
	if (txn->copies == COPIES)
		txn->copy_at = txn->end;
	set_timer(txn);
}

/* ------------------------------------------------------------------ the end */

static bool take_out(struct sip_txn *txn)
{
	struct sip_txn **at = &txns;

	while (*at && *at != txn)
		at = &(*at)->next;
	if (!*at)
		return false;
	*at = txn->next;
	timer_stop(&txn->timer);
	forget_icmp(txn);
	return true;
}

static void finish(struct sip_txn *txn, struct sip_answer *ans)
{
	take_out(txn);
	ans->sent = txn->sent;
	txn->cb(txn->arg, ans);
	free(txn);
}

static void on_timer(struct timer *t)
{
	struct sip_txn *txn = (struct sip_txn *)((char *)t -
						 offsetof(struct sip_txn,
							  timer));
	struct sip_answer ans = { .why = SIP_TIMEOUT };
	bool used_up = txn->req.tries && txn->copies >= txn->req.tries;
	uint64_t now = loop_now();

	if (now < txn->end && !(used_up && txn->icmp)) {
		if (!used_up && now >= txn->copy_at)
			next_copy(txn);
		else
			set_timer(txn);
		return;
	}
	if (!txn->sent)
		ans.why = SIP_LOCAL_ERROR;
	else if (txn->icmp)
		ans.why = SIP_UNREACHABLE;
	finish(txn, &ans);
}

static struct sip_txn *find(msg_t *msg, const sip_t *sip)
{
	struct endpoint from;
	struct sip_txn *txn;

	for (txn = txns; txn; txn = txn->next)
		if (!strcmp(txn->call_id, sip->sip_call_id->i_id))
			break;
	if (!txn || !sip->sip_from->a_tag ||
	    strcmp(txn->from_tag, sip->sip_from->a_tag))
		return NULL;
	sip_source(msg, &from);
	return addr_equal(&from.addr, &txn->req.dst) ? txn : NULL;
}

/**
 * sip_txn_on_answer - a response arrived
 * @msg: the message, stays the caller's
 * @sip: what is in it
 */
void sip_txn_on_answer(msg_t *msg, const sip_t *sip)
{
	struct sip_txn *txn = find(msg, sip);
	struct sip_answer ans = { .why = SIP_ANSWER };
	uint32_t copy;

	if (!txn || sip->sip_status->st_status < 200 ||
	    sip->sip_cseq->cs_method != sip_method_info)
		return;
	copy = sip->sip_cseq->cs_seq - CSEQ;
	if (copy >= txn->copies)
		return;
	ans.status = sip->sip_status->st_status;
	ans.rtt = (unsigned int)(loop_now() - txn->sent_at[copy]);
	if (sip->sip_payload) {
		ans.body = sip->sip_payload->pl_data;
		ans.len = sip->sip_payload->pl_len;
	}
	finish(txn, &ans);
}

/* --------------------------------------------------------- start and cancel */

static unsigned int clamp(unsigned int v, unsigned int min, unsigned int max)
{
	return v < min ? min : v > max ? max : v;
}

/**
 * sip_txn_send - send an INFO and repeat it until it is answered
 * @req: what, where and how often; copied
 * @cb: called once, from the loop and never from inside this call
 * @arg: handed to @cb
 *
 * The RTO doubles from copy to copy, up to 4 s. With req->tries the end comes
 * when req->total is over, or with an ICMP error after the last try.
 *
 * Return: NULL when there is no memory, req->src is not listened on, or the
 * body makes a request of more than 1300 bytes.
 */
struct sip_txn *sip_txn_send(const struct sip_request *req, sip_txn_cb cb,
			     void *arg)
{
	struct sip_txn *txn;

	if (req->len > BODY_MAX || !sip_ident(&req->src) ||
	    req->src.len != req->dst.len)
		return NULL;
	txn = calloc(1, sizeof(*txn) + req->len);
	if (!txn)
		return NULL;
	memcpy(txn->body, req->body, req->len);
	txn->req = *req;
	txn->req.body = txn->body;
	txn->rto = clamp(req->rto, RTO_MIN, RTO_MAX);
	txn->end = loop_now() + clamp(req->total, 1, TOTAL_MAX);
	txn->timer.fire = on_timer;
	txn->cb = cb;
	txn->arg = arg;
	sip_token(txn->call_id);
	sip_token(txn->from_tag);
	txn->next = txns;
	txns = txn;
	next_copy(txn);
	return txn;
}

/**
 * sip_txn_cancel - nobody wants the answer any more; cb is not called
 * @txn: NULL and one that has ended are fine
 */
void sip_txn_cancel(struct sip_txn *txn)
{
	if (txn && take_out(txn))
		free(txn);
}

/** sip_txn_exit - cancel all of them */
void sip_txn_exit(void)
{
	while (txns)
		sip_txn_cancel(txns);
}
