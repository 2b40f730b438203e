// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asking the module by netlink, one request at a time: the socket, the number
 * of the family and its group, and the answer with the sentence of a refusal.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <linux/genetlink.h>
#include <linux/hmmp.h>

#include "nlask.h"

#define PATIENCE	30	/* seconds for an answer, on a slow machine */

struct mnl_socket *nl_sock;
uint16_t nl_family, nl_group;
char nl_sentence[256];
static uint32_t seq;

void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(2);
}

struct nlmsghdr *nl_start(char *buf, uint16_t type, uint8_t cmd)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *g;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	h->nlmsg_seq = ++seq;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->cmd = cmd;
	g->version = 1;
	return h;
}

static int on_error_attr(const struct nlattr *a, void *arg)
{
	if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG)
		snprintf(nl_sentence, sizeof(nl_sentence), "%s",
			 mnl_attr_get_str(a));
	return MNL_CB_OK;
}

static int read_error(const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
	size_t off = sizeof(*e);

	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		off += mnl_nlmsg_get_payload_len(&e->msg);
	if (h->nlmsg_flags & NLM_F_ACK_TLVS)
		mnl_attr_parse(h, off, on_error_attr, NULL);
	return -e->error;
}

/* An error at the end of a dump is in its last message. */
static int read_done(const struct nlmsghdr *h)
{
	const int *err = mnl_nlmsg_get_payload(h);

	return mnl_nlmsg_get_payload_len(h) >= sizeof(*err) ? -*err : 0;
}

/* Send a request, wait for its end; 0 or a positive errno. */
int nl_ask(const struct nlmsghdr *req, mnl_cb_t cb, void *arg)
{
	static char buf[1 << 16];
	struct nlmsghdr *h;
	int n;

	nl_sentence[0] = 0;
	if (mnl_socket_sendto(nl_sock, req, req->nlmsg_len) < 0)
		return errno;
	while (true) {
		n = mnl_socket_recvfrom(nl_sock, buf, sizeof(buf));
		if (n <= 0)
			return n ? errno : EIO;
		for (h = (void *)buf; mnl_nlmsg_ok(h, n);
		     h = mnl_nlmsg_next(h, &n)) {
			if (h->nlmsg_seq != req->nlmsg_seq)
				continue;
			if (h->nlmsg_type == NLMSG_ERROR)
				return read_error(h);
			if (h->nlmsg_type == NLMSG_DONE)
				return read_done(h);
			if (cb)
				cb(h, arg);
		}
	}
}

static int on_group(const struct nlattr *a, void *arg)
{
	const struct nlattr *id;

	mnl_attr_for_each_nested(id, a)
		if (mnl_attr_get_type(id) == CTRL_ATTR_MCAST_GRP_ID)
			nl_group = mnl_attr_get_u32(id);
	return MNL_CB_OK;
}

static int on_family(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(a) == CTRL_ATTR_FAMILY_ID)
			nl_family = mnl_attr_get_u16(a);
		if (mnl_attr_get_type(a) == CTRL_ATTR_MCAST_GROUPS)
			mnl_attr_parse_nested(a, on_group, NULL);
	}
	return MNL_CB_OK;
}

/* A new socket, in place of an older one. */
void nl_open(void)
{
	const struct timeval patience = { .tv_sec = PATIENCE };
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *h;
	int on = 1;

	if (nl_sock)
		mnl_socket_close(nl_sock);
	nl_sock = mnl_socket_open(NETLINK_GENERIC);
	if (!nl_sock || mnl_socket_bind(nl_sock, 0, MNL_SOCKET_AUTOPID))
		die("netlink");
	mnl_socket_setsockopt(nl_sock, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(mnl_socket_get_fd(nl_sock), SOL_SOCKET, SO_RCVTIMEO,
		   &patience, sizeof(patience));
	if (nl_family)
		return;
	h = nl_start(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(h, CTRL_ATTR_FAMILY_NAME, HMMP_FAMILY_NAME);
	errno = nl_ask(h, on_family, NULL);
	if (errno || !nl_family || !nl_group)
		die("no family or group hmmp");
}
