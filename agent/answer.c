// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is answered to a Bind: Bound or Refused under a SIP status, or a bare
 * status for those who are owed no more. Called by correspondent.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "roles.h"

#define RETRY_S 30

static const char *phrase_of(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 405:
		return "Method Not Allowed";
	case 423:
		return "Interval Too Brief";
	case 481:
		return "Association Does Not Exist";
	case 488:
		return "Not Acceptable Here";
	case 503:
		return "Service Unavailable";
	default:
		return "Server Internal Error";
	}
}

/* A final answer without a body says little, to whoever may have forged. */
void answer_bare(struct request *r, int status)
{
	r->reply->status = status;
	snprintf(r->reply->phrase, sizeof(r->reply->phrase), "%s",
		 phrase_of(status));
	r->reply->len = 0;
}

/* Bound with 200, Refused with anything else. */
void answer_say(struct request *r, int status)
{
	struct body *ans = &r->answer;
	int len;

	ans->kind = status == 200 ? BODY_BOUND : BODY_REFUSED;
	ans->from = r->b->from;
	ans->to = r->b->to;
	strcpy(ans->assoc, r->b->assoc);
	ans->has_seq = true;
	ans->seq = r->a ? r->a->peer_seq : 0;
	ans->has_status = true;
	ans->status = status;
	if (status == 503) {
		ans->has_retry = true;
		ans->retry = RETRY_S;
	}
	answer_bare(r, status);
	len = body_build(ans, r->reply->body, sizeof(r->reply->body));
	if (len < 0)
		answer_bare(r, 500);
	else
		r->reply->len = len;
}

void answer_bound(struct request *r, uint32_t lifetime)
{
	if (!addr_equal(&r->b->from, &r->b->to)) {
		r->answer.has_lifetime = true;
		r->answer.lifetime = lifetime;
		r->answer.n_encaps = 1;
		r->answer.encaps[0] = ENCAP_IPIP;
	}
	answer_say(r, 200);
}

/* The kernel refused: a limit passes, anything else is a fault. */
void answer_kernel(struct request *r, int err)
{
	bool limit = err == -ENOSPC || err == -EDQUOT || err == -ENOMEM;

	log_print(LOG_WARN, "association %s: the kernel refused: %s",
		  r->b->assoc, kernel_error());
	answer_say(r, limit ? 503 : 500);
}

/* The same Seq and the same body again: the same answer. */
void answer_repeat(struct request *r)
{
	const struct assoc_answer *ans = r->a->answer;

	answer_bare(r, ans->status);
	memcpy(r->reply->body, ans->body, ans->len);
	r->reply->len = ans->len;
}
