// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * link.c against a real kernel, in a network namespace:
 *
 *	wa 10.1.0.5/24 ---- wb (peer, without address)
 *	wc 10.2.0.5/24 ---- wd
 *	hold0 (a veth here, only its name counts) ---- holdp
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <net/if.h>
#include "agent.h"
#include "tests/netns.h"

#define BATCH " ip -batch -"

static unsigned int called;

static void on_link(void)
{
	called++;
}

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static const struct link_addr *find(const char *text)
{
	struct addr a = addr(text);

	return link_addr_find(&a);
}

static bool usable(const char *text)
{
	const struct link_addr *l = find(text);

	return l && l->usable;
}

static bool a1_usable(void)
{
	return usable("10.1.0.5");
}

static bool a1_not_usable(void)
{
	return !usable("10.1.0.5");
}

static bool a1_away(void)
{
	return !find("10.1.0.5");
}

static bool v6_usable(void)
{
	return usable("2001:db8::5");
}

static bool v6_there(void)
{
	return find("2001:db8::5");
}

/* --------------------------------------------------------------- the tests */

static void test_first_reading(void **state)
{
	unsigned int i, n;
	const struct link_addr *l = link_addrs(&n);
	bool lo = false;

	assert_true(usable("10.1.0.5"));
	assert_int_equal(find("10.1.0.5")->bits, 24);
	assert_string_equal(link_name(find("10.1.0.5")->ifindex), "wa");
	assert_int_equal(link_mtu(find("10.1.0.5")->ifindex), 1500);
	for (i = 0; i < n; i++) {
		if (l[i].addr.len == 4 && l[i].addr.b[0] == 127) {
			lo = true;
			assert_false(l[i].usable);
		}
	}
	assert_true(lo);
}

static void test_carrier(void **state)
{
	netns_run("ip link set wb down");
	assert_true(netns_wait(a1_not_usable, 3000));
	assert_non_null(find("10.1.0.5"));
	netns_run("ip link set wb up");
	assert_true(netns_wait(a1_usable, 3000));
	netns_run("ip link set wa down");
	assert_true(netns_wait(a1_not_usable, 3000));
	netns_run("ip link set wa up");
	assert_true(netns_wait(a1_usable, 3000));
}

static void test_address_goes_and_comes(void **state)
{
	netns_run("ip addr del 10.1.0.5/24 dev wa");
	assert_true(netns_wait(a1_away, 1000));
	netns_run("ip addr add 10.1.0.5/24 dev wa");
	assert_true(netns_wait(a1_usable, 1000));
}

static void test_held(void **state)
{
	const struct link_addr *l;
	unsigned int i, n, held = 0;

	netns_run("ip addr del 10.1.0.5/24 dev wa");
	netns_run("ip addr add 10.1.0.5/32 dev hold0 scope link");
	assert_true(netns_wait(a1_away, 1000));
	l = link_addrs(&n);
	for (i = 0; i < n; i++) {
		if (!l[i].held || l[i].addr.len != 4)
			continue;
		held++;
		assert_false(l[i].usable);
		assert_string_equal(link_name(l[i].ifindex), "hold0");
	}
	assert_int_equal(held, 1);
	netns_run("ip addr add 10.1.0.5/24 dev wa");
	assert_true(netns_wait(a1_usable, 1000));
	netns_run("ip addr del 10.1.0.5/32 dev hold0");
	assert_true(netns_wait(a1_usable, 1000));
}

static void test_link_scope_is_not_usable(void **state)
{
	netns_run("ip addr add 10.1.9.9/24 dev wa scope link; "
		  "ip addr del 10.1.0.5/24 dev wa");
	assert_true(netns_wait(a1_away, 1000));
	assert_non_null(find("10.1.9.9"));
	assert_false(usable("10.1.9.9"));
	netns_run("ip addr del 10.1.9.9/24 dev wa; "
		  "ip addr add 10.1.0.5/24 dev wa");
	assert_true(netns_wait(a1_usable, 1000));
}

static void test_duplicate_detection(void **state)
{
	netns_run("ip addr add 2001:db8::5/64 dev wa");
	assert_true(netns_wait(v6_there, 1000));
	assert_false(v6_usable());	/* tentative */
	assert_true(netns_wait(v6_usable, 5000));
	netns_run("ip addr del 2001:db8::5/64 dev wa");
}

static bool burst_there(void)
{
	return find("10.1.0.199");
}

static bool burst_away(void)
{
	return !find("10.1.0.199");
}

static void test_burst_is_one_call(void **state)
{
	netns_run("seq 100 199 | sed 's|.*|addr add 10.1.0.&/24 dev wa|' |"
		  BATCH);
	called = 0;
	assert_true(netns_wait(burst_there, 1000));
	assert_true(usable("10.1.0.100"));
	assert_true(usable("10.1.0.199"));
	assert_in_range(called, 1, 2);	/* two sockets tell of it */
	netns_run("seq 100 199 | sed 's|.*|addr del 10.1.0.&/24 dev wa|' |"
		  BATCH);
	called = 0;
	assert_true(netns_wait(burst_away, 1000));
	assert_null(find("10.1.0.150"));
	assert_in_range(called, 1, 2);
}

static bool moved(void)
{
	return !find("10.1.0.5") && usable("10.3.0.5");
}

/* The kernel counts what did not fit into a socket of this process. */
static bool lost_messages(void)
{
	char out[64];

	netns_read(out, sizeof(out),
		   "awk '!$2 && $9 { n++ } END { print n }' /proc/net/netlink");
	return atoi(out) > 0;
}

/* More messages than a socket holds, and a move among them. */
static void test_move_in_a_storm(void **state)
{
	netns_run("{ seq 6000 | sed 's|.*|link set wd alias a&|';"
		  "echo addr del 10.1.0.5/24 dev wa;"
		  "echo addr add 10.3.0.5/24 dev wa;"
		  "seq 1000 | sed 's|.*|link set wd alias b&|'; } |" BATCH);
	assert_true(lost_messages());
	assert_true(netns_wait(moved, 10000));
	netns_run("ip addr del 10.3.0.5/24 dev wa; "
		  "ip addr add 10.1.0.5/24 dev wa");
	assert_true(netns_wait(a1_usable, 3000));
}

static void test_route_source(void **state)
{
	struct addr dst = addr("192.0.2.9"), src, a2 = addr("10.2.0.5");
	struct addr a1 = addr("10.1.0.5");
	int ifindex;

	assert_int_equal(link_route_source(&dst, &src, &ifindex),
			 -ENETUNREACH);
	netns_run("ip route add default via 10.1.0.1 metric 200");
	assert_int_equal(link_route_source(&dst, &src, &ifindex), 0);
	assert_true(addr_equal(&src, &a1));
	assert_int_equal(ifindex, if_nametoindex("wa"));
	netns_run("ip route add default via 10.2.0.1 metric 100");
	assert_int_equal(link_route_source(&dst, &src, NULL), 0);
	assert_true(addr_equal(&src, &a2));
	netns_run("ip route add unreachable 192.0.2.0/24");
	assert_int_equal(link_route_source(&dst, &src, &ifindex),
			 -ENETUNREACH);
	netns_run("ip route add prohibit 192.0.2.9");
	assert_int_equal(link_route_source(&dst, &src, &ifindex),
			 -ENETUNREACH);
	netns_run("ip route del prohibit 192.0.2.9;"
		  "ip route del unreachable 192.0.2.0/24;"
		  "ip route del default metric 100;"
		  "ip route del default metric 200");
}

static bool renamed(void)
{
	return !strcmp(link_name(find("10.2.0.5")->ifindex), "wx") &&
	       usable("10.2.0.5");
}

static void test_rename_and_mtu(void **state)
{
	int ifindex = find("10.2.0.5")->ifindex;

	netns_run("ip link set wc down; ip link set wc name wx;"
		  "ip link set wx mtu 1400 up");
	assert_true(netns_wait(renamed, 3000));
	assert_int_equal(link_mtu(ifindex), 1400);
	assert_int_equal(link_mtu(99999), -ENODEV);
	netns_run("ip link set wx down; ip link set wx name wc;"
		  "ip link set wc mtu 1500 up");
}

static bool interface_away(void)
{
	return !find("10.7.0.5");
}

static void test_interface_disappears(void **state)
{
	netns_run("ip link add we type veth peer name wf;"
		  "ip addr add 10.7.0.5/24 dev we;"
		  "ip link set wf up; ip link set we up");
	assert_true(netns_wait(a1_usable, 3000));
	netns_run("ip link del we");
	assert_true(netns_wait(interface_away, 3000));
}

static int enter(void **state)
{
	if (!netns_enter())
		return -1;
	netns_run("ip link add wa type veth peer name wb;"
		  "ip link add wc type veth peer name wd;"
		  "ip link add hold0 type veth peer name holdp;"
		  "for i in wa wb wc wd hold0 holdp; do ip link set $i up;"
		  "done;"
		  "ip addr add 10.1.0.5/24 dev wa;"
		  "ip addr add 10.2.0.5/24 dev wc");
	if (loop_init() || link_init("hold0", on_link))
		return -1;
	return netns_wait(a1_usable, 3000) ? 0 : -1;
}

static int leave(void **state)
{
	link_exit();
	loop_exit();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_reading),
		cmocka_unit_test(test_carrier),
		cmocka_unit_test(test_address_goes_and_comes),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_link_scope_is_not_usable),
		cmocka_unit_test(test_duplicate_detection),
		cmocka_unit_test(test_burst_is_one_call),
		cmocka_unit_test(test_move_in_a_storm),
		cmocka_unit_test(test_route_source),
		cmocka_unit_test(test_rename_and_mtu),
		cmocka_unit_test(test_interface_disappears),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
