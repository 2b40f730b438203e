// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * netdm: every packet of IP that the kernel drops, in any namespace, as its
 * drop monitor tells: a line
 *
 *	FUNCTION REASON SOURCE DESTINATION PROTOCOL
 *
 * for each, where FUNCTION is "hmmp:f" in the module. Says "ready" first. In
 * the first namespace only. Started by selftests/drops.sh, in the guest.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/if_ether.h>
#include <linux/net_dropmon.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PAYLOAD 128	/* bytes of each packet */
#define RECEIVE_BUFFER (8 << 20)

static struct mnl_socket *nl;
static uint16_t family;

static int on_family(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
		family = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static int on_reply(const struct nlmsghdr *nlh, void *arg)
{
	mnl_attr_parse(nlh, sizeof(struct genlmsghdr), on_family, arg);
	return MNL_CB_STOP;
}

static struct nlmsghdr *start(char *buf, uint16_t type, uint8_t cmd)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = 2;
	return nlh;
}

/* Sends it, and waits for what comes back. */
static int tell(const struct nlmsghdr *nlh, mnl_cb_t cb)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	ssize_t n;

	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -1;
	n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	return n < 0 ? -1 : mnl_cb_run(buf, (size_t)n, 0, 0, cb, NULL);
}

static int find_family(void)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = start(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);

	nlh->nlmsg_flags = NLM_F_REQUEST;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, "NET_DM");
	return tell(nlh, on_reply) < 0 || !family ? -1 : 0;
}

static int begin(void)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;
	int group = NET_DM_GRP_ALERT;

	/* who was here before may not have had the time to */
	nlh = start(buf, family, NET_DM_CMD_STOP);
	tell(nlh, NULL);
	nlh = start(buf, family, NET_DM_CMD_CONFIG);
	mnl_attr_put_u8(nlh, NET_DM_ATTR_ALERT_MODE, NET_DM_ALERT_MODE_PACKET);
	mnl_attr_put_u32(nlh, NET_DM_ATTR_TRUNC_LEN, PAYLOAD);
	mnl_attr_put_u32(nlh, NET_DM_ATTR_QUEUE_LEN, 10000);
	if (tell(nlh, NULL) < 0)
		return -1;
	nlh = start(buf, family, NET_DM_CMD_START);
	if (tell(nlh, NULL) < 0)
		return -1;
	return mnl_socket_setsockopt(nl, NETLINK_ADD_MEMBERSHIP, &group,
				     sizeof(group));
}

/* "f+0x1/0x2 [hmmp]" is "hmmp:f" */
static void print_function(const char *symbol)
{
	int len = (int)strcspn(symbol, "+ ");

	printf("%s%.*s", strstr(symbol, "[hmmp]") ? "hmmp:" : "", len, symbol);
}

/* The addresses of a packet, which begins with its IP or its link header. */
static bool print_ends(const uint8_t *p, size_t len, uint16_t proto)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	if (len >= ETH_HLEN && p[12] == proto >> 8 && p[13] == (proto & 255)) {
		p += ETH_HLEN;
		len -= ETH_HLEN;
	}
	if (proto == ETH_P_IP && len >= sizeof(struct iphdr) && *p >> 4 == 4) {
		inet_ntop(AF_INET, p + 12, src, sizeof(src));
		inet_ntop(AF_INET, p + 16, dst, sizeof(dst));
		printf(" %s %s %u\n", src, dst, p[9]);
		return true;
	}
	if (proto == ETH_P_IPV6 && len >= sizeof(struct ip6_hdr) &&
	    *p >> 4 == 6) {
		inet_ntop(AF_INET6, p + 8, src, sizeof(src));
		inet_ntop(AF_INET6, p + 24, dst, sizeof(dst));
		printf(" %s %s %u\n", src, dst, p[6]);
		return true;
	}
	return false;
}

static int on_attr(const struct nlattr *attr, void *arg)
{
	const struct nlattr **of = arg;

	if (mnl_attr_get_type(attr) <= NET_DM_ATTR_MAX)
		of[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static int on_alert(const struct nlmsghdr *nlh, void *arg)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *of[NET_DM_ATTR_MAX + 1] = {};
	uint16_t proto;

	if (genl->cmd != NET_DM_CMD_PACKET_ALERT)
		return MNL_CB_OK;
	mnl_attr_parse(nlh, sizeof(*genl), on_attr, of);
	if (!of[NET_DM_ATTR_SYMBOL] || !of[NET_DM_ATTR_PROTO] ||
	    !of[NET_DM_ATTR_PAYLOAD])
		return MNL_CB_OK;
	proto = mnl_attr_get_u16(of[NET_DM_ATTR_PROTO]);
	if (proto != ETH_P_IP && proto != ETH_P_IPV6)
		return MNL_CB_OK;
	print_function(mnl_attr_get_str(of[NET_DM_ATTR_SYMBOL]));
	printf(" %s", of[NET_DM_ATTR_REASON] ?
	       mnl_attr_get_str(of[NET_DM_ATTR_REASON]) : "-");
	if (!print_ends(mnl_attr_get_payload(of[NET_DM_ATTR_PAYLOAD]),
			mnl_attr_get_payload_len(of[NET_DM_ATTR_PAYLOAD]),
			proto))
		printf(" - - %04x\n", proto);
	fflush(stdout);
	return MNL_CB_OK;
}

int main(void)
{
	static char buf[1 << 16];
	int bytes = RECEIVE_BUFFER;
	ssize_t n;

	nl = mnl_socket_open(NETLINK_GENERIC);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) ||
	    find_family() || begin()) {
		perror("netdm");
		return 1;
	}
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
		   sizeof(bytes));
	puts("ready");
	fflush(stdout);
	for (;;) {
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (n > 0)
			mnl_cb_run(buf, (size_t)n, 0, 0, on_alert, NULL);
		else
			puts("lost some");
	}
}
