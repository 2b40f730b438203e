// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Netlink requests: one datagram out, the answer in, nothing believed that
 * does not carry the sequence number, the port and the kernel as its sender.
 * Everything here blocks only for as long as the kernel works on a request.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <linux/netlink.h>
#include "nl.h"

#define RCVBUF		(4 << 20)	/* of notification sockets */
#define ANSWER_SECONDS	5		/* no kernel takes that long */

/*
 * nlif binds its socket to the process id and fails if that is taken, which
 * is what automatic binding would do. So all others take higher numbers.
 */
static int bind_socket(struct mnl_socket *sock, uint32_t groups)
{
	uint32_t pid = getpid() & 0x3fffff;
	uint32_t i;

	for (i = 1; i < 1024; i++) {
		if (!mnl_socket_bind(sock, groups, pid | (i << 22)))
			return 0;
		if (errno != EADDRINUSE)
			break;
	}
	return -errno;
}

static void set_option(struct mnl_socket *sock, int option)
{
	int on = 1;

	/* older kernels lack some; then sentences are plainer, that is all */
	(void)mnl_socket_setsockopt(sock, option, &on, sizeof(on));
}

int nl_open(struct nl *nl, int bus)
{
	struct timeval tv = { .tv_sec = ANSWER_SECONDS };
	int err;

	memset(nl, 0, sizeof(*nl));
	nl->sock = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!nl->sock)
		return -errno;
	err = bind_socket(nl->sock, 0);
	if (err) {
		nl_close(nl);
		return err;
	}
	set_option(nl->sock, NETLINK_EXT_ACK);
	set_option(nl->sock, NETLINK_CAP_ACK);
	set_option(nl->sock, NETLINK_GET_STRICT_CHK);
	setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVTIMEO, &tv,
		   sizeof(tv));
	nl->portid = mnl_socket_get_portid(nl->sock);
	return 0;
}

void nl_close(struct nl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

struct nlmsghdr *nl_build(char *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	return h;
}

/* ------------------------------------------------------------- answers */

/* One datagram from the kernel itself, whole. */
static ssize_t receive(int fd, char *buf, size_t size)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from),
		.msg_iov = &iov, .msg_iovlen = 1,
	};
	ssize_t n;

	do {
		n = recvmsg(fd, &msg, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (from.nl_pid)
		return 0;		/* some other process: not asked */
	if (msg.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	return n;
}

/* The kernel's sentence out of the attributes that end at the message's. */
static void keep_sentence(struct nl *nl, const struct nlmsghdr *h,
			  size_t payload, int err)
{
	const struct nlattr *a;

	snprintf(nl->error, sizeof(nl->error), "%s", strerror(-err));
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	mnl_attr_for_each(a, h, payload) {
		if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG &&
		    !mnl_attr_validate(a, MNL_TYPE_NUL_STRING))
			snprintf(nl->error, sizeof(nl->error), "%s",
				 mnl_attr_get_str(a));
	}
}

static int parse_error(struct nl *nl, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
	size_t payload = sizeof(*e);

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*e))
		return -EBADMSG;
	if (!e->error)
		return 0;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		payload += e->msg.nlmsg_len - sizeof(e->msg);
	keep_sentence(nl, h, payload, e->error);
	return e->error;
}

static int parse_done(struct nl *nl, const struct nlmsghdr *h)
{
	int err = 0;

	if (mnl_nlmsg_get_payload_len(h) >= sizeof(err))
		memcpy(&err, mnl_nlmsg_get_payload(h), sizeof(err));
	if (err < 0)
		keep_sentence(nl, h, sizeof(err), err);
	return err < 0 ? err : 0;
}

struct answer {
	uint32_t seq;
	nl_cb cb;
	void *arg;
	bool done;
	bool interrupted;
	int cb_err;			/* what cb said, if not 0 */
	int err;			/* what the kernel said */
};

static void take_message(struct nl *nl, const struct nlmsghdr *h,
			 struct answer *ans)
{
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		ans->interrupted = true;
	switch (h->nlmsg_type) {
	case NLMSG_ERROR:
		ans->err = parse_error(nl, h);
		ans->done = true;
		break;
	case NLMSG_DONE:
		ans->err = parse_done(nl, h);
		ans->done = true;
		break;
	case NLMSG_NOOP:
	case NLMSG_OVERRUN:
		break;
	default:
		if (ans->cb && !ans->cb_err)
			ans->cb_err = ans->cb(h, ans->arg);
	}
}

/* Read until the request is answered to its end, whatever cb says. */
static int read_answer(struct nl *nl, struct answer *ans)
{
	const struct nlmsghdr *h;
	int len;

	while (!ans->done) {
		ssize_t n = receive(mnl_socket_get_fd(nl->sock), nl->buf,
				    sizeof(nl->buf));
		if (n < 0)
			return n == -EAGAIN ? -ETIMEDOUT : n;
		len = n;
		for (h = (void *)nl->buf; mnl_nlmsg_ok(h, len);
		     h = mnl_nlmsg_next(h, &len)) {
			if (h->nlmsg_seq == ans->seq &&
			    h->nlmsg_pid == nl->portid)
				take_message(nl, h, ans);
		}
	}
	return ans->err ? ans->err : ans->cb_err;
}

static int send_all(struct nl *nl, const void *buf, size_t len)
{
	if (!nl->sock)
		return -ENOTCONN;
	if (mnl_socket_sendto(nl->sock, buf, len) < 0)
		return -errno;
	return 0;
}

static int exchange(struct nl *nl, struct nlmsghdr *req, struct answer *ans)
{
	int err;

	nl->error[0] = 0;
	req->nlmsg_seq = ++nl->seq;
	ans->seq = nl->seq;
	err = send_all(nl, req, req->nlmsg_len);
	if (!err)
		err = read_answer(nl, ans);
	if (err && !nl->error[0])
		snprintf(nl->error, sizeof(nl->error), "%s", strerror(-err));
	return err;
}

int nl_ask(struct nl *nl, struct nlmsghdr *req, nl_cb cb, void *arg)
{
	struct answer ans = { .cb = cb, .arg = arg };

	req->nlmsg_flags |= NLM_F_ACK;
	return exchange(nl, req, &ans);
}

int nl_dump(struct nl *nl, struct nlmsghdr *req, nl_cb cb, void *arg)
{
	struct answer ans = { .cb = cb, .arg = arg };
	int err;

	req->nlmsg_flags |= NLM_F_DUMP;
	err = exchange(nl, req, &ans);
	if (!err && ans.interrupted)
		err = -EINTR;
	return err;
}

/* ------------------------------------------------------------- batches */

void nl_batch_init(struct nl_batch *b)
{
	memset(b, 0, sizeof(*b));
}

static void close_last(struct nl_batch *b)
{
	if (b->n)
		b->len = (char *)mnl_nlmsg_get_payload_tail(b->msg[b->n - 1]) -
			 b->buf;
}

struct nlmsghdr *nl_batch_add(struct nl_batch *b, uint16_t type,
			      uint16_t flags)
{
	close_last(b);
	b->msg[b->n] = nl_build(b->buf + b->len, type, flags | NLM_F_ACK);
	return b->msg[b->n++];
}

int nl_batch_send(struct nl *nl, struct nl_batch *b)
{
	unsigned int i;
	int err;

	close_last(b);
	for (i = 0; i < b->n; i++)
		b->msg[i]->nlmsg_seq = ++nl->seq;
	nl->error[0] = 0;
	err = send_all(nl, b->buf, b->len);
	for (i = 0; !err && i < b->n; i++) {
		struct answer ans = { .seq = b->msg[i]->nlmsg_seq };

		err = read_answer(nl, &ans);
		b->err[i] = err;
		if (ans.done)
			err = 0;	/* an answer, whatever it says */
	}
	return err;
}

/* ------------------------------------------------------- notifications */

struct mnl_socket *nl_listen(int bus, uint32_t groups)
{
	struct mnl_socket *sock;
	int fd, size = RCVBUF;
	int err;

	sock = mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!sock)
		return NULL;
	fd = mnl_socket_get_fd(sock);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	err = bind_socket(sock, groups);
	if (err) {
		mnl_socket_close(sock);
		errno = -err;
		return NULL;
	}
	return sock;
}

int nl_join(struct mnl_socket *sock, uint32_t group)
{
	if (mnl_socket_setsockopt(sock, NETLINK_ADD_MEMBERSHIP, &group,
				  sizeof(group)))
		return -errno;
	return 0;
}

int nl_read(struct mnl_socket *sock, char *buf, size_t size, nl_cb cb,
	    void *arg)
{
	const struct nlmsghdr *h = (void *)buf;
	ssize_t n = receive(mnl_socket_get_fd(sock), buf, size);
	int len = n, err;

	if (n == -EMSGSIZE)
		return -ENOBUFS;	/* lost like any other */
	if (n < 0)
		return n;
	for (; mnl_nlmsg_ok(h, len); h = mnl_nlmsg_next(h, &len)) {
		err = cb(h, arg);
		if (err)
			return err;
	}
	return n;
}

/* ---------------------------------------------------------- attributes */

static void put_attr(const struct nlattr *a, const struct nlattr **tb,
		     unsigned int max)
{
	unsigned int type = mnl_attr_get_type(a);

	if (type <= max)
		tb[type] = a;
}

int nl_attrs(const struct nlmsghdr *h, size_t header,
	     const struct nlattr **tb, unsigned int max)
{
	const struct nlattr *a;

	memset(tb, 0, (max + 1) * sizeof(*tb));
	if (mnl_nlmsg_get_payload_len(h) < MNL_ALIGN(header))
		return -EBADMSG;
	mnl_attr_for_each(a, h, header)
		put_attr(a, tb, max);
	return 0;
}

int nl_attrs_nested(const struct nlattr *nest, const struct nlattr **tb,
		    unsigned int max)
{
	const struct nlattr *a;

	memset(tb, 0, (max + 1) * sizeof(*tb));
	if (!nest)
		return -ENODATA;
	mnl_attr_for_each_nested(a, nest)
		put_attr(a, tb, max);
	return 0;
}

uint32_t nl_u32(const struct nlattr *a)
{
	if (!a || mnl_attr_get_payload_len(a) < sizeof(uint32_t))
		return 0;
	return mnl_attr_get_u32(a);
}

uint64_t nl_u64(const struct nlattr *a)
{
	if (!a || mnl_attr_get_payload_len(a) < sizeof(uint64_t))
		return 0;
	return mnl_attr_get_u64(a);
}

void nl_addr(const struct nlattr *a, struct addr *to)
{
	static const uint8_t unspecified[16];
	size_t len = a ? mnl_attr_get_payload_len(a) : 0;

	memset(to, 0, sizeof(*to));
	if (len != 4 && len != 16)
		return;
	memcpy(to->b, mnl_attr_get_payload(a), len);
	if (memcmp(to->b, unspecified, len))
		to->len = len;
}

void nl_put_addr(struct nlmsghdr *h, uint16_t type, const struct addr *a)
{
	mnl_attr_put(h, type, a->len, a->b);
}

int nl_family(const struct addr *a)
{
	return a->len == 16 ? AF_INET6 : AF_INET;
}
