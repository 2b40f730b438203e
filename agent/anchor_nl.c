// SPDX-License-Identifier: GPL-2.0-or-later
/* The rtnetlink requests of anchor.c (anchor_nl.h). */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include "anchor_nl.h"
#include "nl.h"

#define DUMP_TRIES 3

static struct {
	struct nl nl;
	char request[512] __attribute__((aligned(8)));
} anchor_nl;

int anchor_nl_init(void)
{
	return nl_open(&anchor_nl.nl, NETLINK_ROUTE);
}

void anchor_nl_exit(void)
{
	nl_close(&anchor_nl.nl);
}

const char *anchor_nl_error(void)
{
	return anchor_nl.nl.error;
}

static int ask(struct nlmsghdr *h)
{
	return nl_ask(&anchor_nl.nl, h, NULL, NULL);
}

static int dump(struct nlmsghdr *h, nl_cb cb, void *arg)
{
	int err = -EINTR;
	unsigned int i;

	for (i = 0; i < DUMP_TRIES && err == -EINTR; i++)
		err = nl_dump(&anchor_nl.nl, h, cb, arg);
	return err;
}

/* ----------------------------------------------------------------- device */

static struct ifinfomsg *put_ifinfo(struct nlmsghdr *h, int ifindex)
{
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));

	ifi->ifi_index = ifindex;
	return ifi;
}

static int parse_device(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *tb[IFLA_IFALIAS + 1], *info[IFLA_INFO_KIND + 1];
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);
	struct anchor_device *d = arg;

	memset(d, 0, sizeof(*d));
	if (nl_attrs(h, sizeof(*ifi), tb, IFLA_IFALIAS))
		return -EBADMSG;
	d->ifindex = ifi->ifi_index;
	d->up = ifi->ifi_flags & IFF_UP;
	if (tb[IFLA_IFALIAS])
		snprintf(d->alias, sizeof(d->alias), "%s",
			 mnl_attr_get_str(tb[IFLA_IFALIAS]));
	nl_attrs_nested(tb[IFLA_LINKINFO], info, IFLA_INFO_KIND);
	d->dummy = info[IFLA_INFO_KIND] &&
		   !strcmp(mnl_attr_get_str(info[IFLA_INFO_KIND]), "dummy");
	return 0;
}

int anchor_nl_find_device(const char *name, struct anchor_device *d)
{
	struct nlmsghdr *h = nl_build(anchor_nl.request, RTM_GETLINK, 0);

	put_ifinfo(h, 0);
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	return nl_ask(&anchor_nl.nl, h, parse_device, d);
}

static void put_kind(struct nlmsghdr *h)
{
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO);

	mnl_attr_put_strz(h, IFLA_INFO_KIND, "dummy");
	mnl_attr_nest_end(h, info);
}

/* No link-local address: nothing is to be said on this interface. */
static void put_no_link_local(struct nlmsghdr *h)
{
	struct nlattr *spec = mnl_attr_nest_start(h, IFLA_AF_SPEC);
	struct nlattr *v6 = mnl_attr_nest_start(h, AF_INET6);

	mnl_attr_put_u8(h, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(h, v6);
	mnl_attr_nest_end(h, spec);
}

/* Made, kept silent, then set up: the kernel takes these in three steps. */
int anchor_nl_add_device(const char *name)
{
	struct nlmsghdr *h;
	struct nl_batch b;
	struct ifinfomsg *ifi;
	int err;

	nl_batch_init(&b);
	h = nl_batch_add(&b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	put_ifinfo(h, 0);
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	put_kind(h);
	h = nl_batch_add(&b, RTM_NEWLINK, 0);
	put_ifinfo(h, 0);
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	put_no_link_local(h);
	h = nl_batch_add(&b, RTM_NEWLINK, 0);
	ifi = put_ifinfo(h, 0);
	ifi->ifi_flags = IFF_UP;
	ifi->ifi_change = IFF_UP;
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	err = nl_batch_send(&anchor_nl.nl, &b);
	if (err)
		return err;
	if (b.err[0] && b.err[0] != -EEXIST)
		return b.err[0];
	return b.err[2];	/* b.err[1]: a kernel without IPv6 */
}

int anchor_nl_set_alias(int ifindex, const char *alias)
{
	struct nlmsghdr *h = nl_build(anchor_nl.request, RTM_NEWLINK, 0);

	put_ifinfo(h, ifindex);
	mnl_attr_put_strz(h, IFLA_IFALIAS, alias);
	return ask(h);
}

int anchor_nl_set_up(int ifindex)
{
	struct nlmsghdr *h = nl_build(anchor_nl.request, RTM_NEWLINK, 0);
	struct ifinfomsg *ifi = put_ifinfo(h, ifindex);

	ifi->ifi_flags = IFF_UP;
	ifi->ifi_change = IFF_UP;
	return ask(h);
}

int anchor_nl_del_device(int ifindex)
{
	struct nlmsghdr *h = nl_build(anchor_nl.request, RTM_DELLINK, 0);
	int err;

	put_ifinfo(h, ifindex);
	err = ask(h);
	return err == -ENODEV ? 0 : err;
}

/* -------------------------------------------------------------- addresses */

static struct nlmsghdr *build_addr(uint16_t type, uint16_t flags, int ifindex,
				   const struct addr *a)
{
	struct nlmsghdr *h = nl_build(anchor_nl.request, type, flags);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(h, sizeof(*ifa));

	ifa->ifa_family = nl_family(a);
	ifa->ifa_prefixlen = a->len * 8;
	ifa->ifa_index = ifindex;
	nl_put_addr(h, IFA_LOCAL, a);
	nl_put_addr(h, IFA_ADDRESS, a);
	if (a->len == 4)
		ifa->ifa_scope = RT_SCOPE_LINK;
	return h;
}

/*
 * Never a source address by itself: scope link for IPv4 (a deprecated or a
 * global one would be chosen on an interface without address), deprecated for
 * IPv6.
 */
int anchor_nl_add_addr(int ifindex, const struct addr *a)
{
	struct nlmsghdr *h = build_addr(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
					ifindex, a);
	struct ifa_cacheinfo life = { .ifa_valid = UINT32_MAX };
	int err;

	if (a->len == 16) {
		mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NODAD);
		mnl_attr_put(h, IFA_CACHEINFO, sizeof(life), &life);
	}
	err = ask(h);
	return err == -EEXIST ? 0 : err;
}

int anchor_nl_del_addr(int ifindex, const struct addr *a)
{
	int err = ask(build_addr(RTM_DELADDR, 0, ifindex, a));

	return err == -EADDRNOTAVAIL || err == -ENODEV ? 0 : err;
}

struct addr_dump {
	int ifindex;
	anchor_addr_cb cb;
	void *arg;
};

static int on_addr(const struct nlmsghdr *h, void *arg)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[IFA_LOCAL + 1];
	const struct addr_dump *d = arg;
	struct addr a;

	if (nl_attrs(h, sizeof(*ifa), tb, IFA_LOCAL))
		return -EBADMSG;
	nl_addr(tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS], &a);
	if ((int)ifa->ifa_index != d->ifindex || !a.len ||
	    ifa->ifa_prefixlen != a.len * 8)
		return 0;
	d->cb(&a, d->arg);
	return 0;
}

int anchor_nl_dump_addrs(int ifindex, anchor_addr_cb cb, void *arg)
{
	struct nlmsghdr *h = nl_build(anchor_nl.request, RTM_GETADDR, 0);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(h, sizeof(*ifa));
	struct addr_dump d = { ifindex, cb, arg };

	ifa->ifa_index = ifindex;	/* a strict kernel filters by it */
	return dump(h, on_addr, &d);
}

/* ------------------------------------------------------------- the detour */

static void put_route(struct nlmsghdr *h, const struct anchor_detour *d)
{
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(h, sizeof(*rt));
	struct nlattr *metrics;

	rt->rtm_family = nl_family(&d->original);
	rt->rtm_scope = d->original.len == 4 ? RT_SCOPE_LINK :
					       RT_SCOPE_UNIVERSE;
	rt->rtm_type = RTN_UNICAST;
	rt->rtm_protocol = ANCHOR_PROTOCOL;
	mnl_attr_put_u32(h, RTA_TABLE, d->table);
	mnl_attr_put_u32(h, RTA_OIF, d->ifindex);
	if (!d->mtu)
		return;
	metrics = mnl_attr_nest_start(h, RTA_METRICS);
	mnl_attr_put_u32(h, RTAX_MTU, d->mtu);
	mnl_attr_nest_end(h, metrics);
}

static void put_rule(struct nlmsghdr *h, const struct anchor_detour *d)
{
	struct fib_rule_hdr *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));

	r->family = nl_family(&d->original);
	r->src_len = d->original.len * 8;
	r->action = FR_ACT_TO_TBL;
	nl_put_addr(h, FRA_SRC, &d->original);
	mnl_attr_put_u32(h, FRA_TABLE, d->table);
	mnl_attr_put_u32(h, FRA_PRIORITY, d->priority);
	mnl_attr_put_u8(h, FRA_PROTOCOL, ANCHOR_PROTOCOL);
}

int anchor_nl_add_detour(const struct anchor_detour *d)
{
	struct nl_batch b;
	int err;

	nl_batch_init(&b);
	put_route(nl_batch_add(&b, RTM_NEWROUTE,
			       NLM_F_CREATE | NLM_F_REPLACE), d);
	put_rule(nl_batch_add(&b, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL), d);
	err = nl_batch_send(&anchor_nl.nl, &b);
	if (err)
		return err;
	if (b.err[0])
		return b.err[0];
	return b.err[1] == -EEXIST ? 0 : b.err[1];
}

/* The rule first: without its route the address would get the main table. */
int anchor_nl_del_detour(const struct anchor_detour *d)
{
	struct anchor_detour any_mtu = *d;
	struct nl_batch b;
	int err;

	any_mtu.mtu = 0;
	nl_batch_init(&b);
	put_rule(nl_batch_add(&b, RTM_DELRULE, 0), d);
	put_route(nl_batch_add(&b, RTM_DELROUTE, 0), &any_mtu);
	err = nl_batch_send(&anchor_nl.nl, &b);
	if (err)
		return err;
	if (b.err[0] && b.err[0] != -ENOENT)
		return b.err[0];
	/* ESRCH: no such route; ENODEV: its interface has taken it along */
	return b.err[1] == -ESRCH || b.err[1] == -ENODEV ? 0 : b.err[1];
}

struct rule_dump {
	anchor_rule_cb cb;
	void *arg;
};

static int on_rule(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *tb[FRA_PROTOCOL + 1];
	const struct rule_dump *dump_arg = arg;
	struct anchor_detour d = { .mtu = 0 };

	if (nl_attrs(h, sizeof(struct fib_rule_hdr), tb, FRA_PROTOCOL))
		return -EBADMSG;
	if (!tb[FRA_PROTOCOL] ||
	    mnl_attr_get_u8(tb[FRA_PROTOCOL]) != ANCHOR_PROTOCOL)
		return 0;
	nl_addr(tb[FRA_SRC], &d.original);
	d.table = nl_u32(tb[FRA_TABLE]);
	d.priority = nl_u32(tb[FRA_PRIORITY]);
	if (d.original.len)
		dump_arg->cb(&d, dump_arg->arg);
	return 0;
}

int anchor_nl_dump_rules(anchor_rule_cb cb, void *arg)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct rule_dump d = { cb, arg };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct nlmsghdr *h = nl_build(anchor_nl.request, RTM_GETRULE,
					      0);
		struct fib_rule_hdr *r =
			mnl_nlmsg_put_extra_header(h, sizeof(*r));
		int err;

		r->family = families[i];
		err = dump(h, on_rule, &d);
		if (err && err != -EAFNOSUPPORT && err != -EOPNOTSUPP)
			return err;
	}
	return 0;
}

struct table_read {
	uint32_t table;
	unsigned int *routes;
	struct anchor_detour *d;
};

static int on_route(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *tb[RTA_TABLE + 1], *metrics[RTAX_MTU + 1];
	const struct rtmsg *rt = mnl_nlmsg_get_payload(h);
	struct table_read *t = arg;

	if (nl_attrs(h, sizeof(*rt), tb, RTA_TABLE))
		return -EBADMSG;
	if (nl_u32(tb[RTA_TABLE]) != t->table)
		return 0;
	(*t->routes)++;
	if (rt->rtm_protocol != ANCHOR_PROTOCOL || rt->rtm_dst_len)
		return 0;
	nl_attrs_nested(tb[RTA_METRICS], metrics, RTAX_MTU);
	t->d->ifindex = nl_u32(tb[RTA_OIF]);
	t->d->mtu = nl_u32(metrics[RTAX_MTU]);
	return 0;
}

int anchor_nl_read_table(struct anchor_detour *d, unsigned int *routes)
{
	struct nlmsghdr *h = nl_build(anchor_nl.request, RTM_GETROUTE, 0);
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(h, sizeof(*rt));
	struct table_read t = { d->table, routes, d };
	int err;

	*routes = 0;
	d->ifindex = 0;
	d->mtu = 0;
	rt->rtm_family = nl_family(&d->original);
	mnl_attr_put_u32(h, RTA_TABLE, d->table);
	err = dump(h, on_route, &t);
	return err == -ENOENT ? 0 : err;	/* a table never used */
}
