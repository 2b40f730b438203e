// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfq: the program at the other end of a firewall's queue.
 *
 *	nfq QUEUE		accepts every packet
 *	nfq QUEUE hold		keeps them all until SIGUSR1, then accepts them
 *				and every other
 *
 * Until it is killed. Started by selftests/nfqueue.sh, in the guest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HELD 65536

static struct mnl_socket *nl;
static uint16_t queue;
static bool hold;
static uint32_t last;		/* packet that came */
static volatile sig_atomic_t let_go;

static void on_signal(int number)
{
	let_go = 1;
}

static struct nlmsghdr *start(char *buf, uint16_t type)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | type;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(queue);
	return nlh;
}

static int send_it(const struct nlmsghdr *nlh)
{
	return mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0 ? -1 : 0;
}

static int take_queue(void)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nfqnl_msg_config_cmd cmd = { .command = NFQNL_CFG_CMD_BIND };
	struct nfqnl_msg_config_params params = {
		.copy_mode = NFQNL_COPY_META,
	};
	struct nlmsghdr *nlh;

	nlh = start(buf, NFQNL_MSG_CONFIG);
	mnl_attr_put(nlh, NFQA_CFG_CMD, sizeof(cmd), &cmd);
	if (send_it(nlh))
		return -1;
	nlh = start(buf, NFQNL_MSG_CONFIG);
	mnl_attr_put(nlh, NFQA_CFG_PARAMS, sizeof(params), &params);
	mnl_attr_put_u32(nlh, NFQA_CFG_QUEUE_MAXLEN, htonl(MAX_HELD));
	mnl_attr_put_u32(nlh, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_GSO));
	mnl_attr_put_u32(nlh, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO));
	return send_it(nlh);
}

/* All packets up to this one. It is no error if they have gone. */
static void accept_to(uint32_t id)
{
	struct nfqnl_msg_verdict_hdr verdict = {
		.verdict = htonl(NF_ACCEPT),
		.id = htonl(id),
	};
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = start(buf, NFQNL_MSG_VERDICT_BATCH);

	mnl_attr_put(nlh, NFQA_VERDICT_HDR, sizeof(verdict), &verdict);
	send_it(nlh);
}

static int on_packet(const struct nlmsghdr *nlh, void *arg)
{
	const struct nfqnl_msg_packet_hdr *hdr;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) != NFQA_PACKET_HDR)
			continue;
		hdr = mnl_attr_get_payload(attr);
		last = ntohl(hdr->packet_id);
		if (!hold)
			accept_to(last);
	}
	return MNL_CB_OK;
}

static void serve(void)
{
	static char buf[1 << 20];
	ssize_t n;

	for (;;) {
		if (let_go && hold) {
			hold = false;
			accept_to(last);
		}
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (n > 0)
			mnl_cb_run(buf, (size_t)n, 0, 0, on_packet, NULL);
	}
}

int main(int argc, char **argv)
{
	struct sigaction on = { .sa_handler = on_signal };

	if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "hold"))) {
		fputs("usage: nfq QUEUE [hold]\n", stderr);
		return 2;
	}
	queue = (uint16_t)atoi(argv[1]);
	hold = argc == 3;
	sigaction(SIGUSR1, &on, NULL);
	nl = mnl_socket_open(NETLINK_NETFILTER);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) || take_queue()) {
		perror("nfq");
		return 1;
	}
	serve();
	return 0;
}
