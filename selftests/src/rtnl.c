// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests to rtnetlink, each answered before the function returns. Used by
 * netwatch.c and by the benchmark of hand-offs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "netns.h"
#include "rtnl.h"

#define SUBNET_BITS	24

/**
 * rtnl_open - a socket in a namespace
 * @r: filled
 * @netns: name; the calling thread goes there. NULL: where it is
 */
int rtnl_open(struct rtnl *r, const char *netns)
{
	int err = netns ? netns_enter(netns) : 0;

	if (err)
		return err;
	r->seq = 0;
	r->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!r->nl || mnl_socket_bind(r->nl, 0, MNL_SOCKET_AUTOPID))
		return -errno;
	return 0;
}

static struct nlmsghdr *begin(struct rtnl *r, char *buf, uint16_t type,
			      uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	h->nlmsg_seq = ++r->seq;
	return h;
}

/* Sends and reads until the acknowledgment. */
static int finish(struct rtnl *r, struct nlmsghdr *h, mnl_cb_t cb, void *arg)
{
	unsigned int port = mnl_socket_get_portid(r->nl);
	char buf[8192];
	ssize_t n;
	int ret = 1;

	if (mnl_socket_sendto(r->nl, h, h->nlmsg_len) < 0)
		return -errno;
	while (ret > 0) {
		n = mnl_socket_recvfrom(r->nl, buf, sizeof(buf));
		if (n < 0)
			return -errno;
		ret = mnl_cb_run(buf, (size_t)n, r->seq, port, cb, arg);
	}
	return ret < 0 ? -errno : 0;
}

int rtnl_link(struct rtnl *r, unsigned int ifindex, bool up)
{
	char buf[256] __attribute__((aligned(8)));
	struct nlmsghdr *h = begin(r, buf, RTM_NEWLINK, 0);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));

	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = (int)ifindex;
	ifi->ifi_change = IFF_UP;
	ifi->ifi_flags = up ? IFF_UP : 0;
	return finish(r, h, NULL, NULL);
}

/* An address of a /24. */
int rtnl_addr(struct rtnl *r, unsigned int ifindex, in_addr_t addr, bool add)
{
	char buf[256] __attribute__((aligned(8)));
	struct nlmsghdr *h = begin(r, buf, add ? RTM_NEWADDR : RTM_DELADDR,
				   add ? NLM_F_CREATE | NLM_F_REPLACE : 0);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(h, sizeof(*ifa));

	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = SUBNET_BITS;
	ifa->ifa_index = ifindex;
	mnl_attr_put_u32(h, IFA_LOCAL, addr);
	mnl_attr_put_u32(h, IFA_ADDRESS, addr);
	return finish(r, h, NULL, NULL);
}

static void put_route(struct nlmsghdr *h, const struct rtnl_route *route)
{
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(h, sizeof(*rtm));
	struct nlattr *metrics;

	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = route->bits;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_scope = route->gateway || route->type != RTN_UNICAST ?
			 RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	rtm->rtm_type = route->type;
	if (route->bits)
		mnl_attr_put_u32(h, RTA_DST, route->dst);
	if (route->gateway)
		mnl_attr_put_u32(h, RTA_GATEWAY, route->gateway);
	if (route->source)
		mnl_attr_put_u32(h, RTA_PREFSRC, route->source);
	if (route->ifindex)
		mnl_attr_put_u32(h, RTA_OIF, route->ifindex);
	if (!route->rto_min)
		return;
	metrics = mnl_attr_nest_start(h, RTA_METRICS);
	mnl_attr_put_u32(h, RTAX_RTO_MIN, route->rto_min);
	mnl_attr_nest_end(h, metrics);
}

/* Adds it, or puts it in the place of another one to that destination. */
int rtnl_route_add(struct rtnl *r, const struct rtnl_route *route)
{
	char buf[512] __attribute__((aligned(8)));
	struct nlmsghdr *h = begin(r, buf, RTM_NEWROUTE,
				   NLM_F_CREATE | NLM_F_REPLACE);

	put_route(h, route);
	return finish(r, h, NULL, NULL);
}

/* -ESRCH: there is none. */
int rtnl_route_del(struct rtnl *r, const struct rtnl_route *route)
{
	char buf[512] __attribute__((aligned(8)));
	struct nlmsghdr *h = begin(r, buf, RTM_DELROUTE, 0);

	put_route(h, route);
	return finish(r, h, NULL, NULL);
}

struct answer {
	in_addr_t source;
	unsigned int ifindex;
};

static int on_attr(const struct nlattr *attr, void *arg)
{
	struct answer *a = arg;

	if (mnl_attr_get_type(attr) == RTA_PREFSRC)
		a->source = mnl_attr_get_u32(attr);
	else if (mnl_attr_get_type(attr) == RTA_OIF)
		a->ifindex = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int on_route(const struct nlmsghdr *h, void *arg)
{
	return mnl_attr_parse(h, sizeof(struct rtmsg), on_attr, arg);
}

/**
 * rtnl_source - how a new connection would leave now
 * @r: namespace
 * @dst: where to
 * @source: its source address
 * @ifindex: its interface
 */
int rtnl_source(struct rtnl *r, in_addr_t dst, in_addr_t *source,
		unsigned int *ifindex)
{
	char buf[256] __attribute__((aligned(8)));
	struct nlmsghdr *h = begin(r, buf, RTM_GETROUTE, 0);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(h, sizeof(*rtm));
	struct answer a = { 0 };
	int err;

	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = 32;
	mnl_attr_put_u32(h, RTA_DST, dst);
	err = finish(r, h, on_route, &a);
	if (!err && !a.source)
		err = -ENETUNREACH;
	*source = a.source;
	*ifindex = a.ifindex;
	return err;
}
