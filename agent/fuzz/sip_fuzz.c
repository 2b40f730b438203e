// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A datagram as far as the role: parsed by the library with our message class
 * and judged by its headers. Whatever would be answered has no maddr in the
 * Via that the answer follows, and is an INFO with a body of our type if it
 * would reach a role.
 */
#include "../sip.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(msg_t *msg, sip_t *sip)
{
	struct verdict v;

	if (sip->sip_status || must_be_dropped(sip))
		return;
	if (sip->sip_via->v_maddr || sip->sip_via->v_ttl)
		abort();
	v = judge(msg, sip);
	if (!v.status && (sip->sip_request->rq_method != sip_method_info ||
			  !sip->sip_payload->pl_len || sip->sip_error))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	msg_t *msg;
	sip_t *sip;

	if (!size || size > 65535)
		return 0;
	msg = msg_make(sip_filter_mclass(), 0, data, (ssize_t)size);
	sip = msg ? sip_object(msg) : NULL;
	/* what the library does before it calls us */
	if (sip && !(sip->sip_flags & MSG_FLG_ERROR) && !sip_sanity_check(sip))
		check(msg, sip);
	if (msg)
		msg_destroy(msg);
	return 0;
}
