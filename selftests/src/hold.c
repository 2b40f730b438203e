// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hold QUEUE: takes the packets that the firewall queues and lets none go, for
 * as long as it runs; but of every EACH one that comes later is let go, so that
 * packets also come back into the middle of their way all the time. Says how
 * many it holds with each line of its input, and at its end. With the line "all"
 * it lets all of them go, and ends.
 *
 * Started by K13.sh, in the guest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EACH	4
#define ROOM	512
#define LONGEST	16384			/* packets */
#define UNREAD	(1U << 30)

static struct mnl_socket *nl;
static uint16_t queue;
static unsigned int taken, released;
static uint32_t waiting[EACH];		/* numbers of the last ones */
static uint32_t last;

static struct nlmsghdr *begin(char *buf, uint8_t type)
{
	struct nlmsghdr *n = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;

	n->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | type;
	n->nlmsg_flags = NLM_F_REQUEST;
	g = mnl_nlmsg_put_extra_header(n, sizeof(*g));
	g->nfgen_family = AF_UNSPEC;
	g->version = NFNETLINK_V0;
	g->res_id = htons(queue);
	return n;
}

static void tell(const struct nlmsghdr *n)
{
	if (mnl_socket_sendto(nl, n, n->nlmsg_len) < 0) {
		perror("hold");
		exit(1);
	}
}

static void configure(void)
{
	const struct nfqnl_msg_config_cmd cmd = {
		.command = NFQNL_CFG_CMD_BIND,
	};
	const struct nfqnl_msg_config_params params = {
		.copy_range = htonl(0), .copy_mode = NFQNL_COPY_META,
	};
	char buf[ROOM] __attribute__((aligned(8)));
	struct nlmsghdr *n = begin(buf, NFQNL_MSG_CONFIG);

	mnl_attr_put(n, NFQA_CFG_CMD, sizeof(cmd), &cmd);
	tell(n);
	n = begin(buf, NFQNL_MSG_CONFIG);
	mnl_attr_put(n, NFQA_CFG_PARAMS, sizeof(params), &params);
	mnl_attr_put_u32(n, NFQA_CFG_QUEUE_MAXLEN, htonl(LONGEST));
	mnl_attr_put_u32(n, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_FAIL_OPEN |
						  NFQA_CFG_F_GSO));
	mnl_attr_put_u32(n, NFQA_CFG_MASK, htonl(NFQA_CFG_F_FAIL_OPEN |
						 NFQA_CFG_F_GSO));
	tell(n);
}

static void accept_of(uint8_t type, uint32_t id)
{
	const struct nfqnl_msg_verdict_hdr v = {
		.verdict = htonl(NF_ACCEPT), .id = htonl(id),
	};
	char buf[ROOM] __attribute__((aligned(8)));
	struct nlmsghdr *n = begin(buf, type);

	mnl_attr_put(n, NFQA_VERDICT_HDR, sizeof(v), &v);
	tell(n);
}

static void let_go(uint32_t id)
{
	accept_of(NFQNL_MSG_VERDICT, id);
	released++;
}

/* Also those that we have not read about: numbers count up. */
static void let_all_go(void)
{
	accept_of(NFQNL_MSG_VERDICT_BATCH, last + UNREAD);
}

/* The one of EACH packets ago goes, three of four stay. */
static int on_packet(const struct nlmsghdr *n, void *arg)
{
	const struct nfqnl_msg_packet_hdr *h;
	const struct nlattr *a;

	mnl_attr_for_each(a, n, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(a) != NFQA_PACKET_HDR)
			continue;
		h = mnl_attr_get_payload(a);
		if (taken % EACH == 0 && taken)
			let_go(waiting[0]);
		last = ntohl(h->packet_id);
		waiting[taken % EACH] = last;
		taken++;
	}
	return MNL_CB_OK;
}

static void say(void)
{
	printf("%u\n", taken - released);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	char buf[65536], line[16];
	ssize_t len;

	if (argc != 2) {
		fputs("hold QUEUE\n", stderr);
		return 2;
	}
	queue = (uint16_t)atoi(argv[1]);
	nl = mnl_socket_open(NETLINK_NETFILTER);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID)) {
		perror("hold");
		return 1;
	}
	configure();
	p[0].fd = mnl_socket_get_fd(nl);
	for (;;) {
		if (poll(p, 2, -1) < 0)
			return 1;
		if (p[1].revents) {
			len = read(0, line, sizeof(line));
			say();
			if (len <= 0)
				return 0;
			if (line[0] == 'a') {
				let_all_go();
				return 0;
			}
		}
		if (!p[0].revents)
			continue;
		len = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (len > 0)
			mnl_cb_run(buf, (size_t)len, 0, 0, on_packet, NULL);
	}
}
