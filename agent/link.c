// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The addresses of this host, as rtnetlink tells them. A burst of messages is
 * read to its end before anybody is told; lost messages lead to a new reading.
 * Names and states of interfaces come from nlif. Used from the loop only.
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <libnfnetlink/libnfnetlink.h>
#include <linux/rtnetlink.h>
#include "nl.h"

#define ADDRS		256		/* of one host */
#define BURST		4096		/* datagrams read before a call back */
#define DUMP_TRIES	3
#define RETRY		100		/* ms, when a reading did not succeed */
#define LOOPBACK	1		/* ifindex, in every namespace */

/* What is kept of an address beside what others see. */
struct entry {
	uint32_t flags;			/* IFA_F_* */
	uint8_t scope;
	bool seen;			/* by the reading that is going on */
};

static struct {
	char dummy[IFNAMSIZ];
	link_cb cb;
	struct nl ask;
	struct mnl_socket *listen;
	struct nlif_handle *nlif;
	unsigned int n;
	struct link_addr addr[ADDRS];
	struct entry entry[ADDRS];
	struct timer retry;
	bool lost;			/* messages, since the last reading */
	bool route_goes;		/* was said by what has been read */
	char request[256] __attribute__((aligned(8)));
	char event[NL_BUF] __attribute__((aligned(8)));
} link_;

/* ------------------------------------------------------------- interfaces */

static void on_readable(void *arg, int fd);

const char *link_name(int ifindex)
{
	static char name[IFNAMSIZ];

	if (!link_.nlif || nlif_index2name(link_.nlif, ifindex, name) < 0)
		snprintf(name, sizeof(name), "if%d", ifindex);
	return name;
}

static bool link_is_up(int ifindex)
{
	const unsigned int need = IFF_UP | IFF_RUNNING;
	unsigned int flags = 0;

	if (nlif_get_ifflags(link_.nlif, ifindex, &flags) < 0)
		return false;
	return (flags & need) == need && !(flags & IFF_LOOPBACK);
}

static int open_nlif(void)
{
	int err;

	link_.nlif = nlif_open();
	if (!link_.nlif)
		return errno ? -errno : -EIO;
	if (nlif_query(link_.nlif) < 0)
		return errno ? -errno : -EIO;
	err = loop_fd_add(nlif_fd(link_.nlif), on_readable, NULL);
	return err;
}

static void close_nlif(void)
{
	if (!link_.nlif)
		return;
	loop_fd_del(nlif_fd(link_.nlif));
	nlif_close(link_.nlif);
	link_.nlif = NULL;
}

/* nlif keeps interfaces that went unseen: only a new table is right. */
static int drain_nlif(void)
{
	struct pollfd p = { .events = POLLIN };
	unsigned int i;

	for (i = 0; i < BURST; i++) {
		p.fd = nlif_fd(link_.nlif);
		if (poll(&p, 1, 0) <= 0)
			break;
		if (nlif_catch(link_.nlif) >= 0)
			continue;
		close_nlif();
		return open_nlif();
	}
	return 0;
}

static int parse_mtu(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *tb[IFLA_MTU + 1];

	if (nl_attrs(h, sizeof(struct ifinfomsg), tb, IFLA_MTU))
		return -EBADMSG;
	*(int *)arg = nl_u32(tb[IFLA_MTU]);
	return 0;
}

int link_mtu(int ifindex)
{
	struct nlmsghdr *h = nl_build(link_.request, RTM_GETLINK, 0);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));
	int err, mtu = 0;

	ifi->ifi_index = ifindex;
	err = nl_ask(&link_.ask, h, parse_mtu, &mtu);
	return err ? err : mtu;
}

/* -------------------------------------------------------------- addresses */

static int find_entry(const struct link_addr *a)
{
	unsigned int i;

	for (i = 0; i < link_.n; i++) {
		if (link_.addr[i].ifindex == a->ifindex &&
		    link_.addr[i].bits == a->bits &&
		    addr_equal(&link_.addr[i].addr, &a->addr))
			return i;
	}
	return -1;
}

static void del_entry(unsigned int i)
{
	link_.n--;
	link_.addr[i] = link_.addr[link_.n];
	link_.entry[i] = link_.entry[link_.n];
}

static void put_entry(const struct link_addr *a, const struct entry *e)
{
	int i = find_entry(a);

	if (i < 0 && link_.n == ADDRS) {
		log_print(LOG_WARN, "more than %u addresses, one is ignored",
			  ADDRS);
		return;
	}
	if (i < 0)
		i = link_.n++;
	link_.addr[i] = *a;
	link_.entry[i] = *e;
}

static int parse_addr(const struct nlmsghdr *h, struct link_addr *a,
		      struct entry *e)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[IFA_FLAGS + 1];

	if (nl_attrs(h, sizeof(*ifa), tb, IFA_FLAGS))
		return -EBADMSG;
	memset(a, 0, sizeof(*a));
	nl_addr(tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS], &a->addr);
	if (!a->addr.len)
		return -EBADMSG;
	a->bits = ifa->ifa_prefixlen;
	a->ifindex = ifa->ifa_index;
	e->flags = tb[IFA_FLAGS] ? nl_u32(tb[IFA_FLAGS]) : ifa->ifa_flags;
	e->scope = ifa->ifa_scope;
	e->seen = true;
	return 0;
}

/* One message, of a reading or of the news. */
static int on_addr(const struct nlmsghdr *h, void *arg)
{
	struct link_addr a;
	struct entry e;
	int i;

	if (h->nlmsg_type == RTM_DELROUTE)
		link_.route_goes = true;
	if (h->nlmsg_type != RTM_NEWADDR && h->nlmsg_type != RTM_DELADDR)
		return 0;
	if (parse_addr(h, &a, &e))
		return 0;
	if (h->nlmsg_type == RTM_NEWADDR) {
		put_entry(&a, &e);
		return 0;
	}
	i = find_entry(&a);
	if (i >= 0)
		del_entry(i);
	return 0;
}

/* What the flags of address and interface mean together. */
static void judge(void)
{
	const uint32_t bad = IFA_F_TENTATIVE | IFA_F_DADFAILED;
	unsigned int i;

	for (i = 0; i < link_.n; i++) {
		struct link_addr *a = &link_.addr[i];

		a->held = !strcmp(link_name(a->ifindex), link_.dummy);
		a->usable = !a->held && link_is_up(a->ifindex) &&
			    !(link_.entry[i].flags & bad) &&
			    link_.entry[i].scope < RT_SCOPE_LINK;
	}
}

static int dump_addrs(void)
{
	struct nlmsghdr *h = nl_build(link_.request, RTM_GETADDR, 0);
	unsigned int i;
	int err;

	mnl_nlmsg_put_extra_header(h, sizeof(struct ifaddrmsg));
	for (i = 0; i < link_.n; i++)
		link_.entry[i].seen = false;
	err = nl_dump(&link_.ask, h, on_addr, NULL);
	if (err)
		return err;
	for (i = 0; i < link_.n;) {
		if (link_.entry[i].seen)
			i++;
		else
			del_entry(i);
	}
	return 0;
}

/* Read everything; -EINTR when it changes faster than it can be read. */
static int read_all(void)
{
	int err = -EINTR;
	unsigned int i;

	for (i = 0; i < DUMP_TRIES && err == -EINTR; i++)
		err = dump_addrs();
	return err;
}

const struct link_addr *link_addrs(unsigned int *n)
{
	*n = link_.n;
	return link_.addr;
}

const struct link_addr *link_addr_find(const struct addr *a)
{
	const struct link_addr *found = NULL;
	unsigned int i;

	for (i = 0; i < link_.n; i++) {
		const struct link_addr *l = &link_.addr[i];

		if (l->held || !addr_equal(&l->addr, a))
			continue;
		if (l->usable)
			return l;
		found = l;
	}
	return found;
}

/* ------------------------------------------------------------------- news */

static void read_again(void)
{
	int err = read_all();

	if (!err)
		return;
	if (err != -EINTR)
		log_print(LOG_WARN, "cannot read the addresses: %s",
			  link_.ask.error);
	timer_set(&link_.retry, RETRY);
}

static void on_retry(struct timer *t)
{
	read_again();
	judge();
	link_.cb();
}

/*
 * Read what has arrived; true when nothing is left. After a loss the rest
 * comes first and the new reading last: the rest is older.
 */
static bool drain(void)
{
	unsigned int i;

	for (i = 0; i < BURST; i++) {
		int n = nl_read(link_.listen, link_.event,
				sizeof(link_.event), on_addr, NULL);

		if (n == -EAGAIN)
			return true;
		if (n < 0)
			link_.lost = true;
	}
	return false;
}

/*
 * The kernel says that an IPv4 route has gone just before it goes, and answers
 * look-ups meanwhile. It holds the lock of rtnetlink until both are done, so
 * an answer to a question that takes this lock, too, comes afterwards.
 */
static void await_routes(void)
{
	if (!link_.route_goes)
		return;
	link_.route_goes = false;
	link_mtu(LOOPBACK);
}

/*
 * Both sockets hear of the same change before either is read here, so that
 * the state of an interface is never older than its addresses.
 */
static void on_readable(void *arg, int fd)
{
	bool empty = drain();
	int err = drain_nlif();

	if (err)
		log_print(LOG_ERROR, "cannot read the interfaces: %s",
			  strerror(-err));
	if (link_.lost && empty) {
		link_.lost = false;
		read_again();
	}
	judge();
	await_routes();
	link_.cb();
}

/* ------------------------------------------------------------------ route */

struct route {
	struct addr src;
	int ifindex;
};

static int parse_route(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *tb[RTA_PREFSRC + 1];
	struct route *r = arg;

	if (nl_attrs(h, sizeof(struct rtmsg), tb, RTA_PREFSRC))
		return -EBADMSG;
	nl_addr(tb[RTA_PREFSRC], &r->src);
	r->ifindex = nl_u32(tb[RTA_OIF]);
	return 0;
}

int link_route_source(const struct addr *dst, struct addr *src, int *ifindex)
{
	struct nlmsghdr *h = nl_build(link_.request, RTM_GETROUTE, 0);
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(h, sizeof(*rt));
	struct route r = { .ifindex = 0 };
	int err;

	rt->rtm_family = nl_family(dst);
	rt->rtm_dst_len = dst->len * 8;
	nl_put_addr(h, RTA_DST, dst);
	err = nl_ask(&link_.ask, h, parse_route, &r);
	if (err == -EHOSTUNREACH || err == -EACCES || err == -EINVAL)
		return -ENETUNREACH;
	if (err)
		return err;
	if (!r.src.len)
		return -ENETUNREACH;
	*src = r.src;
	if (ifindex)
		*ifindex = r.ifindex;
	return 0;
}

/* ------------------------------------------------------------ begin, end */

static uint32_t bit(unsigned int group)
{
	return 1u << (group - 1);
}

static int start_listening(void)
{
	const uint32_t groups =
		bit(RTNLGRP_LINK) | bit(RTNLGRP_IPV4_IFADDR) |
		bit(RTNLGRP_IPV4_ROUTE) | bit(RTNLGRP_IPV4_RULE) |
		bit(RTNLGRP_IPV6_IFADDR) | bit(RTNLGRP_IPV6_ROUTE) |
		bit(RTNLGRP_IPV6_RULE);

	link_.listen = nl_listen(NETLINK_ROUTE, groups);
	if (!link_.listen)
		return -errno;
	return loop_fd_add(mnl_socket_get_fd(link_.listen), on_readable, NULL);
}

int link_init(const char *dummy, link_cb cb)
{
	int err;

	snprintf(link_.dummy, sizeof(link_.dummy), "%s", dummy);
	link_.cb = cb;
	link_.n = 0;
	link_.retry.fire = on_retry;
	err = open_nlif();
	if (!err)
		err = nl_open(&link_.ask, NETLINK_ROUTE);
	if (!err)
		err = start_listening();
	if (!err)
		err = read_all();
	if (err) {
		link_exit();
		return err;
	}
	judge();
	return 0;
}

void link_exit(void)
{
	timer_stop(&link_.retry);
	if (link_.listen) {
		loop_fd_del(mnl_socket_get_fd(link_.listen));
		mnl_socket_close(link_.listen);
		link_.listen = NULL;
	}
	nl_close(&link_.ask);
	close_nlif();
}
