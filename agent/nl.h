/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink requests over libmnl, for the files that talk to the kernel:
 * kernel_genl.c, link.c, anchor.c, diag.c and what they are split into.
 */
#ifndef HMMP_NL_H
#define HMMP_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libmnl/libmnl.h>
#include "agent.h"

#define NL_BUF		32768		/* one datagram of a dump */
#define NL_SENTENCE	256

/* A socket that asks and waits for the answer. */
struct nl {
	struct mnl_socket *sock;
	uint32_t portid;
	uint32_t seq;
	char error[NL_SENTENCE];	/* why the last request failed */
	char buf[NL_BUF] __attribute__((aligned(8)));
};

/* Takes one message of an answer; 0, or a negative errno that ends it. */
typedef int (*nl_cb)(const struct nlmsghdr *h, void *arg);

int nl_open(struct nl *nl, int bus);
void nl_close(struct nl *nl);

/* Start a request in buf: type, NLM_F_* beside REQUEST. */
struct nlmsghdr *nl_build(char *buf, uint16_t type, uint16_t flags);

/*
 * nl_ask - send one request and wait for its acknowledgment; cb (may be
 * NULL) gets what comes before it. 0, or the kernel's -errno, with a sentence
 * in nl->error.
 */
int nl_ask(struct nl *nl, struct nlmsghdr *req, nl_cb cb, void *arg);

/*
 * nl_dump - the same for a dump. -EINTR: the kernel says that the tables
 * changed while they were read; what cb got is not to be trusted.
 */
int nl_dump(struct nl *nl, struct nlmsghdr *req, nl_cb cb, void *arg);

/* Several requests that are sent in one step. */
#define NL_BATCH 8
struct nl_batch {
	unsigned int n;
	size_t len;
	struct nlmsghdr *msg[NL_BATCH];
	int err[NL_BATCH];		/* of each, after nl_send_batch() */
	char buf[2048] __attribute__((aligned(8)));
};

void nl_batch_init(struct nl_batch *b);
/* The next request; to be filled before the next call or the end. */
struct nlmsghdr *nl_batch_add(struct nl_batch *b, uint16_t type,
			      uint16_t flags);
/* 0 when all were answered (each by b->err), else -errno. */
int nl_batch_send(struct nl *nl, struct nl_batch *b);

/*
 * nl_listen - a non-blocking socket for notifications, with a large receive
 * buffer. groups: bit n-1 joins group n; for more use nl_join().
 */
struct mnl_socket *nl_listen(int bus, uint32_t groups);
int nl_join(struct mnl_socket *sock, uint32_t group);

/*
 * nl_read - one datagram of a notification socket, every message to cb.
 * Bytes read, -EAGAIN, -ENOBUFS (some were lost), or another -errno.
 */
int nl_read(struct mnl_socket *sock, char *buf, size_t size, nl_cb cb,
	    void *arg);

/* Attributes as an array; those beyond max are passed over. */
int nl_attrs(const struct nlmsghdr *h, size_t header,
	     const struct nlattr **tb, unsigned int max);
int nl_attrs_nested(const struct nlattr *nest, const struct nlattr **tb,
		    unsigned int max);
uint32_t nl_u32(const struct nlattr *a);	/* 0 if absent or short */
uint64_t nl_u64(const struct nlattr *a);
/* The unspecified address is none (len 0), as is a missing one. */
void nl_addr(const struct nlattr *a, struct addr *to);
void nl_put_addr(struct nlmsghdr *h, uint16_t type, const struct addr *a);
int nl_family(const struct addr *a);		/* AF_INET or AF_INET6 */

#endif
