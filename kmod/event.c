// SPDX-License-Identifier: GPL-2.0
/*
 * Events for whoever listens; none is built without a listener. A listener
 * that reads too slowly is told so by netlink and reads everything again.
 */
#include "hmmp.h"

#define EVENTS	0	/* index of the group */

static void send(struct hmmp_net *hn, struct sk_buff *msg, gfp_t gfp)
{
	int err = genlmsg_multicast_netns(&hmmp_genl_family, hn->net, msg, 0,
					  EVENTS, gfp);

	if (err && err != -ESRCH)
		hmmp_count(hn, EVENT_LOST);
}

static struct sk_buff *start(struct hmmp_net *hn, u8 cmd, void **hdr)
{
	struct sk_buff *msg;

	if (!genl_has_listeners(&hmmp_genl_family, hn->net, EVENTS))
		return NULL;
	msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_ATOMIC);
	*hdr = msg ? genlmsg_put(msg, 0, 0, &hmmp_genl_family, 0, cmd) : NULL;
	if (*hdr)
		return msg;
	nlmsg_free(msg);
	hmmp_count(hn, EVENT_LOST);
	return NULL;
}

/**
 * hmmp_event_flow - something happened to a flow
 * @hn: namespace
 * @f: flow
 * @what: HMMP_FLOW_EVENT_*
 *
 * Any context.
 */
void hmmp_event_flow(struct hmmp_net *hn, const struct hmmp_flow *f, u32 what)
{
	struct sk_buff *msg;
	void *hdr;

	msg = start(hn, HMMP_CMD_FLOW_NTF, &hdr);
	if (!msg)
		return;
	if (nla_put_u32(msg, HMMP_A_FLOW_EVENT, what) ||
	    hmmp_netlink_put_flow(msg, f)) {
		nlmsg_free(msg);
		hmmp_count(hn, EVENT_LOST);
		return;
	}
	genlmsg_end(msg, hdr);
	send(hn, msg, GFP_ATOMIC);
}

/**
 * hmmp_event_binding - something happened to a binding
 * @hn: namespace
 * @b: binding
 * @what: HMMP_BINDING_EVENT_*
 *
 * Any context.
 */
void hmmp_event_binding(struct hmmp_net *hn, const struct hmmp_binding *b,
			u32 what)
{
	struct sk_buff *msg;
	u8 seen = READ_ONCE(b->seen);
	void *hdr;

	msg = start(hn, HMMP_CMD_BINDING_NTF, &hdr);
	if (!msg)
		return;
	if (nla_put_u32(msg, HMMP_A_BINDING_EVENT, what) ||
	    (seen && nla_put_u32(msg, HMMP_A_BINDING_SEEN, seen - 1)) ||
	    hmmp_netlink_put_binding(msg, b)) {
		nlmsg_free(msg);
		hmmp_count(hn, EVENT_LOST);
		return;
	}
	genlmsg_end(msg, hdr);
	send(hn, msg, GFP_ATOMIC);
}
