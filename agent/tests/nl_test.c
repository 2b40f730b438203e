// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nl.c and genl.c against a real kernel: answers, the kernel's sentences,
 * batches, a family that is there (the controller itself) and one that is not.
 */
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include "genl.h"
#include "kernel.h"
#include "nl.h"
#include "tests/netns.h"

static struct nl nl;
static char request[512] __attribute__((aligned(8)));

static int count(const struct nlmsghdr *h, void *arg)
{
	(*(unsigned int *)arg)++;
	return 0;
}

static int refuse(const struct nlmsghdr *h, void *arg)
{
	(*(unsigned int *)arg)++;
	return -ECANCELED;
}

static struct nlmsghdr *link_request(uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = nl_build(request, type, flags);

	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	return h;
}

static void test_ask(void **state)
{
	struct nlmsghdr *h = link_request(RTM_GETLINK, 0);
	unsigned int n = 0;

	mnl_attr_put_strz(h, IFLA_IFNAME, "lo");
	assert_int_equal(nl_ask(&nl, h, count, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(nl.error, "");
}

static void test_sentence(void **state)
{
	struct nlmsghdr *h = link_request(RTM_NEWLINK,
					  NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO);

	mnl_attr_put_strz(h, IFLA_INFO_KIND, "no-such-kind");
	mnl_attr_nest_end(h, info);
	assert_int_equal(nl_ask(&nl, h, NULL, NULL), -EOPNOTSUPP);
	assert_string_equal(nl.error, "Unknown device type");
	h = link_request(RTM_GETLINK, 0);
	mnl_attr_put_strz(h, IFLA_IFNAME, "none");
	assert_int_equal(nl_ask(&nl, h, NULL, NULL), -ENODEV);
	assert_string_equal(nl.error, "No such device");
}

static void test_dump(void **state)
{
	unsigned int n = 0;

	assert_int_equal(nl_dump(&nl, link_request(RTM_GETLINK, 0), count, &n),
			 0);
	assert_true(n >= 41);		/* more than one datagram: see enter */
	n = 0;
	assert_int_equal(nl_dump(&nl, link_request(RTM_GETLINK, 0), refuse,
				 &n), -ECANCELED);
	assert_int_equal(n, 1);
	/* what was left of that one is not taken for the next answer */
	n = 0;
	assert_int_equal(nl_dump(&nl, link_request(RTM_GETLINK, 0), count, &n),
			 0);
	assert_true(n >= 41);
}

static void test_batch(void **state)
{
	struct nlmsghdr *h;
	struct nl_batch b;

	nl_batch_init(&b);
	h = nl_batch_add(&b, RTM_GETLINK, 0);
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, "none");
	h = nl_batch_add(&b, RTM_DELLINK, 0);
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, "x1");
	h = nl_batch_add(&b, RTM_DELLINK, 0);
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, "x1");
	assert_int_equal(nl_batch_send(&nl, &b), 0);
	assert_int_equal(b.err[0], -ENODEV);
	assert_int_equal(b.err[1], 0);
	assert_int_equal(b.err[2], -ENODEV);
	assert_int_equal(if_nametoindex("x1"), 0);
}

static void test_closed(void **state)
{
	struct nl none = { .sock = NULL };

	assert_int_equal(nl_ask(&none, link_request(RTM_GETLINK, 0), NULL,
				NULL), -ENOTCONN);
	assert_string_not_equal(none.error, "");
}

/* --------------------------------------------------------- generic netlink */

static void test_family(void **state)
{
	struct nlmsghdr *h;
	unsigned int n = 0;

	assert_int_equal(genl_init("nlctrl", 2, "notify", NULL), 0);
	h = genl_build(CTRL_CMD_GETFAMILY, 0);
	assert_int_equal(genl_dump(h, count, &n), 0);
	assert_true(n >= 1);
	/* the object is missing, the family is not */
	h = genl_build(CTRL_CMD_GETFAMILY, 0);
	mnl_attr_put_u16(h, CTRL_ATTR_FAMILY_ID, 0xfff0);
	assert_int_equal(genl_ask(h, count, &n), -ENOENT);
	genl_exit();
}

static void test_no_family(void **state)
{
	assert_int_equal(genl_init("no-such", 1, "events", NULL), -ESRCH);
	assert_int_equal(genl_ask(genl_build(1, 0), NULL, NULL), -ESRCH);
	assert_string_equal(genl_error(),
			    "The kernel module no-such is not loaded");
	assert_int_equal(genl_dump(genl_build(1, 0), NULL, NULL), -ESRCH);
	genl_exit();
}

static void no_event(void)
{
	fail();
}

static void test_no_group(void **state)
{
	static const struct genl_events ev = {
		.resync = no_event, .gone = no_event,
	};

	assert_int_equal(loop_init(), 0);
	assert_int_equal(genl_init("nlctrl", 2, "no-such", &ev), -ENOENT);
	genl_exit();
	loop_exit();
}

static int enter(void **state)
{
	if (!netns_enter())
		return -1;
	netns_run("seq 20 | %s | ip -batch -",
		  "sed 's|.*|link add x& type veth peer name y&|'");
	return nl_open(&nl, NETLINK_ROUTE);
}

static int leave(void **state)
{
	nl_close(&nl);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ask),
		cmocka_unit_test(test_sentence),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_family),
		cmocka_unit_test(test_no_family),
		cmocka_unit_test(test_no_group),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
