// SPDX-License-Identifier: GPL-2.0-or-later
/* See hmmpnl.h. Used by wakes.c and churn.c. */
#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

#include "hmmpnl.h"
#include "netns.h"
#include "rtnl.h"

#define LIFETIME	600000		/* ms */
#define ROOM		512		/* of a request */

static struct nlmsghdr *begin(struct hmmpnl *h, char *buf, uint16_t type,
			      uint8_t cmd)
{
	struct nlmsghdr *n = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *g;

	n->nlmsg_type = type;
	n->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	n->nlmsg_seq = ++h->seq;
	g = mnl_nlmsg_put_extra_header(n, sizeof(*g));
	memset(g, 0, sizeof(*g));
	g->cmd = cmd;
	g->version = 1;
	return n;
}

/* Sends and reads until the acknowledgment, or the end of a dump. */
static int finish(struct hmmpnl *h, struct nlmsghdr *n, mnl_cb_t cb, void *arg)
{
	unsigned int port = mnl_socket_get_portid(h->nl);
	char buf[32768];
	ssize_t len;
	int ret = 1;

	if (mnl_socket_sendto(h->nl, n, n->nlmsg_len) < 0)
		return -errno;
	while (ret > 0) {
		len = mnl_socket_recvfrom(h->nl, buf, sizeof(buf));
		if (len < 0)
			return -errno;
		ret = mnl_cb_run(buf, (size_t)len, h->seq, port, cb, arg);
	}
	return ret < 0 ? -errno : 0;
}

static int on_family(const struct nlmsghdr *n, void *arg)
{
	struct hmmpnl *h = arg;
	const struct nlattr *a;

	mnl_attr_for_each(a, n, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(a) == CTRL_ATTR_FAMILY_ID)
			h->family = mnl_attr_get_u16(a);
	return MNL_CB_OK;
}

/**
 * hmmpnl_open - a socket to the module
 * @h: filled
 * @netns: name; the calling thread goes there. NULL: where it is
 */
int hmmpnl_open(struct hmmpnl *h, const char *netns)
{
	char buf[ROOM] __attribute__((aligned(8)));
	int err = netns ? netns_enter(netns) : 0;
	struct nlmsghdr *n;

	if (err)
		return err;
	memset(h, 0, sizeof(*h));
	h->nl = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!h->nl || mnl_socket_bind(h->nl, 0, MNL_SOCKET_AUTOPID))
		return -errno;
	n = begin(h, buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(n, CTRL_ATTR_FAMILY_NAME, HMMP_FAMILY_NAME);
	err = finish(h, n, on_family, h);
	return err ? err : h->family ? 0 : -ENOENT;
}

void hmmpnl_close(struct hmmpnl *h)
{
	mnl_socket_close(h->nl);
}

static void put_addr(struct nlmsghdr *n, uint16_t type, in_addr_t addr)
{
	mnl_attr_put(n, type, sizeof(addr), &addr);
}

static void put_port(struct nlmsghdr *n, uint16_t type, in_port_t port)
{
	mnl_attr_put(n, type, sizeof(port), &port);
}

int hmmpnl_own(struct hmmpnl *h, const struct sockaddr_in *local,
	       const struct sockaddr_in *remote, uint64_t owner)
{
	char buf[ROOM] __attribute__((aligned(8)));
	struct nlmsghdr *n = begin(h, buf, h->family, HMMP_CMD_FLOW_SET);

	put_addr(n, HMMP_A_FLOW_LOCAL_ADDR, local->sin_addr.s_addr);
	put_port(n, HMMP_A_FLOW_LOCAL_PORT, local->sin_port);
	put_addr(n, HMMP_A_FLOW_REMOTE_ADDR, remote->sin_addr.s_addr);
	put_port(n, HMMP_A_FLOW_REMOTE_PORT, remote->sin_port);
	mnl_attr_put_u64(n, HMMP_A_FLOW_OWNER, owner);
	return finish(h, n, NULL, NULL);
}

static void put_key(struct nlmsghdr *n, in_addr_t original, uint64_t owner)
{
	mnl_attr_put_u32(n, HMMP_A_BINDING_SCOPE, owner ? HMMP_SCOPE_FLOW :
							  HMMP_SCOPE_HOST);
	put_addr(n, HMMP_A_BINDING_ORIGINAL, original);
	if (owner)
		mnl_attr_put_u64(n, HMMP_A_BINDING_OWNER, owner);
}

int hmmpnl_bind(struct hmmpnl *h, const struct hmmpnl_binding *b)
{
	char buf[ROOM] __attribute__((aligned(8)));
	struct nlmsghdr *n = begin(h, buf, h->family, HMMP_CMD_BINDING_NEW);

	put_key(n, b->original, b->owner);
	put_addr(n, HMMP_A_BINDING_CURRENT, b->current);
	mnl_attr_put_u32(n, HMMP_A_BINDING_ENCAP, HMMP_ENCAP_IPIP);
	mnl_attr_put_u32(n, HMMP_A_BINDING_STATUS, HMMP_STATUS_VERIFIED);
	mnl_attr_put_u32(n, HMMP_A_BINDING_LIFETIME, LIFETIME);
	mnl_attr_put_u32(n, HMMP_A_BINDING_SEQ, b->seq);
	if (b->outer)
		put_addr(n, HMMP_A_BINDING_LOCAL_OUTER, b->outer);
	if (b->ifindex)
		mnl_attr_put_u32(n, HMMP_A_BINDING_IFINDEX, b->ifindex);
	return finish(h, n, NULL, NULL);
}

int hmmpnl_unbind(struct hmmpnl *h, in_addr_t original, uint64_t owner)
{
	char buf[ROOM] __attribute__((aligned(8)));
	struct nlmsghdr *n = begin(h, buf, h->family, HMMP_CMD_BINDING_DEL);

	put_key(n, original, owner);
	return finish(h, n, NULL, NULL);
}

int hmmpnl_at(struct hmmpnl *h, in_addr_t original, in_addr_t current)
{
	char buf[ROOM] __attribute__((aligned(8)));
	struct nlmsghdr *n = begin(h, buf, h->family, HMMP_CMD_LOCAL_SET);

	put_addr(n, HMMP_A_LOCAL_ORIGINAL, original);
	put_addr(n, HMMP_A_LOCAL_CURRENT, current);
	return finish(h, n, NULL, NULL);
}

int hmmpnl_forget(struct hmmpnl *h, in_addr_t original)
{
	char buf[ROOM] __attribute__((aligned(8)));
	struct nlmsghdr *n = begin(h, buf, h->family, HMMP_CMD_LOCAL_DEL);

	put_addr(n, HMMP_A_LOCAL_ORIGINAL, original);
	return finish(h, n, NULL, NULL);
}

int hmmpnl_handoff(struct hmmpnl *h, in_addr_t old, in_addr_t new)
{
	char buf[ROOM] __attribute__((aligned(8)));
	struct nlmsghdr *n = begin(h, buf, h->family, HMMP_CMD_HANDOFF);

	put_addr(n, HMMP_A_HANDOFF_OLD, old);
	put_addr(n, HMMP_A_HANDOFF_NEW, new);
	return finish(h, n, NULL, NULL);
}

int hmmpnl_peer(struct hmmpnl *h, in_addr_t remote, uint64_t owner,
		in_addr_t current, uint32_t state)
{
	char buf[ROOM] __attribute__((aligned(8)));
	struct nlmsghdr *n = begin(h, buf, h->family, HMMP_CMD_PEER_SET);

	put_addr(n, HMMP_A_PEER_REMOTE, remote);
	mnl_attr_put_u64(n, HMMP_A_PEER_OWNER, owner);
	put_addr(n, HMMP_A_PEER_CURRENT, current);
	mnl_attr_put_u32(n, HMMP_A_PEER_STATE, state);
	return finish(h, n, NULL, NULL);
}

/* All objects of a kind: @cmd is HMMP_CMD_*_GET. */
int hmmpnl_dump(struct hmmpnl *h, uint8_t cmd, mnl_cb_t cb, void *arg)
{
	char buf[ROOM] __attribute__((aligned(8)));
	struct nlmsghdr *n = begin(h, buf, h->family, cmd);

	n->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	return finish(h, n, cb, arg);
}
