// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP connections that are older than the module: found by sock_diag. Called
 * at start and when the module has come back.
 *
 * Who opened a connection is not in the socket. A port that somebody listens
 * on was connected to; a port of the ephemeral range towards one outside of it
 * is what connect() chooses; all else is unknown.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include "nl.h"

#define STATE(s)	(1u << (s))
#define FLOWS		(STATE(TCP_ESTABLISHED) | STATE(TCP_FIN_WAIT1) | \
			 STATE(TCP_FIN_WAIT2) | STATE(TCP_CLOSE_WAIT) | \
			 STATE(TCP_LAST_ACK) | STATE(TCP_CLOSING))
#define LISTENERS	STATE(TCP_LISTEN)
#define DUMP_TRIES	3

/* Both ends of a socket; remote is nothing for a listener. */
struct sock {
	struct endpoint local, remote;
	bool v6only;
};

struct socks {
	struct sock *sock;
	size_t n, room;
};

static int add_sock(struct socks *list, const struct sock *p)
{
	if (list->n == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		void *more = reallocarray(list->sock, room, sizeof(*p));

		if (!more)
			return -ENOMEM;
		list->sock = more;
		list->room = room;
	}
	list->sock[list->n++] = *p;
	return 0;
}

/* An IPv6 socket with IPv4 ends speaks IPv4: so it is shown. */
static void set_addr(struct addr *a, int family, const __be32 *from)
{
	const struct in6_addr *v6 = (const void *)from;

	memset(a, 0, sizeof(*a));
	if (family == AF_INET) {
		a->len = 4;
		memcpy(a->b, from, 4);
	} else if (IN6_IS_ADDR_V4MAPPED(v6)) {
		a->len = 4;
		memcpy(a->b, v6->s6_addr + 12, 4);
	} else {
		a->len = 16;
		memcpy(a->b, v6, 16);
	}
}

static int on_socket(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *tb[INET_DIAG_SKV6ONLY + 1], *v6only;
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(h);
	struct sock p;

	if (nl_attrs(h, sizeof(*m), tb, INET_DIAG_SKV6ONLY))
		return -EBADMSG;
	v6only = tb[INET_DIAG_SKV6ONLY];
	p.v6only = v6only && mnl_attr_get_u8(v6only);
	p.local.port = ntohs(m->id.idiag_sport);
	p.remote.port = ntohs(m->id.idiag_dport);
	set_addr(&p.local.addr, m->idiag_family, m->id.idiag_src);
	set_addr(&p.remote.addr, m->idiag_family, m->id.idiag_dst);
	return add_sock(arg, &p);
}

/* The sockets in these states; the caller frees list->sock in any case. */
static int dump_family(struct nl *nl, int family, uint32_t states,
		       struct socks *list)
{
	char request[256] __attribute__((aligned(8)));
	struct nlmsghdr *h = nl_build(request, SOCK_DIAG_BY_FAMILY, 0);
	struct inet_diag_req_v2 *r =
		mnl_nlmsg_put_extra_header(h, sizeof(*r));
	size_t before = list->n;
	int err = -EINTR;
	unsigned int i;

	r->sdiag_family = family;
	r->sdiag_protocol = IPPROTO_TCP;
	r->idiag_states = states;
	for (i = 0; i < DUMP_TRIES && err == -EINTR; i++) {
		list->n = before;
		err = nl_dump(nl, h, on_socket, list);
	}
	return err;
}

static int dump_both(struct nl *nl, uint32_t states, struct socks *list)
{
	int err = dump_family(nl, AF_INET, states, list);

	if (!err)
		err = dump_family(nl, AF_INET6, states, list);
	return err == -ENOENT ? 0 : err;	/* a kernel without IPv6 */
}

/* ----------------------------------------------------------------- opener */

struct range {
	unsigned int low, high;
};

static struct range read_range(void)
{
	struct range r = { 32768, 60999 };
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");

	if (!f)
		return r;
	if (fscanf(f, "%u %u", &r.low, &r.high) != 2) {
		r.low = 32768;
		r.high = 60999;
	}
	fclose(f);
	return r;
}

static bool is_any(const struct addr *a)
{
	static const struct addr none;

	return !memcmp(a->b, none.b, a->len);
}

static bool takes(const struct sock *listener, const struct endpoint *local)
{
	const struct addr *a = &listener->local.addr;

	if (listener->local.port != local->port)
		return false;
	if (addr_equal(a, &local->addr))
		return true;
	if (!is_any(a))
		return false;
	return a->len == local->addr.len || (a->len == 16 && !listener->v6only);
}

static int find_opener(const struct sock *p, const struct socks *listeners,
		       const struct range *ephemeral)
{
	size_t i;

	for (i = 0; i < listeners->n; i++) {
		if (takes(&listeners->sock[i], &p->local))
			return 0;
	}
	if (p->local.port < ephemeral->low || p->local.port > ephemeral->high)
		return -1;
	if (p->remote.port >= ephemeral->low &&
	    p->remote.port <= ephemeral->high)
		return -1;
	return 1;
}

int diag_dump(diag_cb cb, void *arg)
{
	struct socks listeners = { 0 }, flows = { 0 };
	const struct range ephemeral = read_range();
	struct nl *nl = malloc(sizeof(*nl));
	size_t i;
	int err;

	if (!nl)
		return -ENOMEM;
	err = nl_open(nl, NETLINK_SOCK_DIAG);
	if (!err)
		err = dump_both(nl, LISTENERS, &listeners);
	if (!err)
		err = dump_both(nl, FLOWS, &flows);
	for (i = 0; !err && i < flows.n; i++) {
		const struct sock *p = &flows.sock[i];

		cb(arg, &p->local, &p->remote,
		   find_opener(p, &listeners, &ephemeral));
	}
	nl_close(nl);
	free(nl);
	free(listeners.sock);
	free(flows.sock);
	return err;
}
