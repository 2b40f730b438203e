// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What of a message the library may understand. It answers a message that is
 * broken by itself, before our callback, and sends that answer wherever the
 * first Via says: to its maddr, or to a host name, which it looks up and waits
 * for. So a Via with maddr or ttl, or of another transport than ours, and a
 * request line of another version are made unreadable here. A request without
 * them is dropped in silence.
 *
 * Done by a copy of the library's message class in which the parsers of these
 * two headers are ours.
 */
#include <stdlib.h>
#include <strings.h>

#include "sip.h"
#include <sofia-sip/msg_mclass.h>
#include <sofia-sip/sip_protos.h>

static bool via_good(const sip_via_t *v)
{
	for (; v; v = v->v_next)
		if (v->v_maddr || v->v_ttl ||
		    strcasecmp(v->v_protocol, sip_transport_udp))
			return false;
	return true;
}

static issize_t parse_via(su_home_t *home, msg_header_t *h, char *s,
			  isize_t len)
{
	issize_t ret = sip_via_d(home, h, s, len);

	return ret >= 0 && !via_good((sip_via_t *)h) ? -1 : ret;
}

static issize_t parse_request(su_home_t *home, msg_header_t *h, char *s,
			      isize_t len)
{
	issize_t ret = sip_request_d(home, h, s, len);
	const sip_request_t *rq = (sip_request_t *)h;

	if (ret >= 0 && strcasecmp(rq->rq_version, sip_version_2_0))
		return -1;
	return ret;
}

/*
 * Messages that we build hold headers of the library's own class, and the
 * table is searched by class for them, by name for what arrives. So our class
 * takes the place that a name finds first, and the library's comes behind it.
 */
static void put_before(msg_mclass_t *mc, msg_hclass_t *theirs,
		       msg_hclass_t *ours)
{
	unsigned int n = (unsigned int)mc->mc_hash_size;
	unsigned int i = (unsigned int)theirs->hc_hash % n;
	msg_href_t *shorts = (msg_href_t *)mc->mc_short;
	msg_href_t old;

	while (mc->mc_hash[i].hr_class != theirs)
		i = (i + 1) % n;
	old = mc->mc_hash[i];
	mc->mc_hash[i].hr_class = ours;
	while (mc->mc_hash[i].hr_class)
		i = (i + 1) % n;
	mc->mc_hash[i] = old;
	mc->mc_hash_used++;
	shorts[theirs->hc_short[0] - 'a'].hr_class = ours;
}

/** sip_filter_mclass - the message class for the agent; NULL: no memory */
const msg_mclass_t *sip_filter_mclass(void)
{
	static struct msg_hclass_s via[1];
	static struct msg_hclass_s request[1];
	static msg_mclass_t *mc;

	if (mc)
		return mc;
	mc = msg_mclass_clone(sip_default_mclass(), 0, 0);
	if (!mc)
		return NULL;
	via[0] = sip_via_class[0];
	via->hc_parse = parse_via;
	put_before(mc, sip_via_class, via);
	request[0] = sip_request_class[0];
	request->hc_parse = parse_request;
	mc->mc_request->hr_class = request;
	return mc;
}
