// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * anchor.c against a real kernel, in a network namespace of its own. Time is
 * played, so that the back-off takes none. Skipped on kernels without dummy
 * interfaces; in the test VM they are there (selftests/anchor.sh).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "agent.h"
#include "tests/netns.h"

#define ARP	"/proc/sys/net/ipv4/conf/all/arp_ignore"
#define PROMOTE	"/proc/sys/net/ipv4/conf/all/promote_secondaries"
/* one process for many questions: in the test VM each one costs */
#define IP(commands, option) \
	"printf '" commands "' | ip " option " -force -batch - 2>&1;"
#define DUMP	IP("addr\\nrule\\nroute show table all\\n", "-4") \
		IP("addr\\nrule\\nroute show table all\\n", "-6") \
		"cat " ARP " " PROMOTE
#define STATE	IP("route get 192.0.2.9 from 10.1.0.5\\n" \
		   "addr show dev hold0\\nroute show table 7700\\n", "-4") \
		"cat " ARP

/* ------------------------------------------------------------- played time */

static uint64_t now = 1000000;
static struct timer *pending;

uint64_t loop_now(void)
{
	return now;
}

void timer_set(struct timer *t, unsigned int ms)
{
	t->at = now + ms;
	t->armed = true;
	pending = t;
}

void timer_stop(struct timer *t)
{
	t->armed = false;
	if (pending == t)
		pending = NULL;
}

void loop_run(void)
{
}

void loop_stop(void)
{
}

static void pass(unsigned int ms)
{
	struct timer *t = pending;

	now += ms;
	if (!t || t->at > now)
		return;
	timer_stop(t);
	t->fire(t);
}

/* ------------------------------------------------------------------- tools */

static const struct config cfg = {
	.dummy = "hold0", .table = 7700, .rule_priority = 5000,
};

static bool have_dummy;
static char before[8192];

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static bool on_device(const char *a)
{
	return netns_says(a, "ip -o addr show dev hold0");
}

static bool has_rule(const char *rule)
{
	return netns_says(rule, "ip rule; ip -6 rule");
}

/* Which way packets of this source go. */
static bool goes(const char *from, const char *words)
{
	return netns_says(words, "ip route get 192.0.2.9 from %s", from);
}

static bool lacks(const char *text, const char *command)
{
	char out[8192];

	netns_read(out, sizeof(out), "%s", command);
	return !strstr(out, text);
}

static unsigned int listed(void)
{
	struct addr list[64];

	return anchor_list(list, 64);
}

static int start(void **state)
{
	now += 1000000;
	netns_read(before, sizeof(before), DUMP);
	return have_dummy ? anchor_init(&cfg) : 0;
}

/* Every test leaves the host as it was. */
static int end(void **state)
{
	char after[8192];

	if (!have_dummy)
		return 0;
	anchor_exit();
	netns_read(after, sizeof(after), DUMP);
	if (!strcmp(before, after))
		return 0;
	fprintf(stderr, "before:\n%s\nafter:\n%s\n", before, after);
	return -1;
}

#define NEED_DUMMY() do { if (!have_dummy) skip(); } while (0)

/* --------------------------------------------------------------- the tests */

static void test_hold(void **state)
{
	struct addr a = addr("10.1.0.5");
	int ifindex;

	NEED_DUMMY();
	ifindex = anchor_hold(&a);
	assert_true(ifindex > 0);
	assert_true(on_device("inet 10.1.0.5/32 scope link hold0"));
	assert_true(netns_says("NOARP,UP", "ip link show dev hold0"));
	assert_true(lacks("fe80", "ip addr show dev hold0"));
	assert_true(netns_says("1", "cat " ARP));
	assert_true(netns_says("1", "cat " PROMOTE));
	assert_int_equal(anchor_hold(&a), ifindex);
	assert_int_equal(listed(), 1);
	/* it is at home: packets go as ever */
	assert_true(goes("10.1.0.5", "dev wa"));
	assert_int_equal(anchor_drop(&a), 0);
	assert_int_equal(anchor_drop(&a), 0);
	assert_int_equal(listed(), 0);
	assert_true(netns_says("0", "cat " ARP));
}

static void test_detach(void **state)
{
	struct addr a = addr("10.1.0.5");

	NEED_DUMMY();
	assert_true(anchor_hold(&a) > 0);
	assert_int_equal(anchor_detach(&a, 1480), 0);
	assert_true(has_rule("5000:\tfrom 10.1.0.5 lookup 7700 proto 77"));
	assert_true(goes("10.1.0.5", "dev hold0"));
	assert_true(netns_says("mtu 1480", "ip route show table 7700"));
	assert_true(netns_says("default dev hold0 proto 77 scope link",
			       "ip route show table 7700"));
	assert_int_equal(anchor_detach(&a, 1480), 0);
	/* another network, another mtu, one route still */
	assert_int_equal(anchor_detach(&a, 1380), 0);
	assert_true(netns_says("mtu 1380", "ip route show table 7700"));
	assert_true(lacks("mtu 1480", "ip route show table 7700"));
	assert_true(netns_says("1\n", "ip rule | grep -c 10.1.0.5"));
	/* others go on as before */
	assert_true(goes("10.2.0.5", "dev wc"));
	assert_int_equal(anchor_attach(&a), 0);
	assert_int_equal(anchor_attach(&a), 0);
	assert_true(goes("10.1.0.5", "dev wa"));
	assert_true(on_device("10.1.0.5/32"));
	assert_int_equal(anchor_detach(&a, 1400), 0);
	assert_int_equal(anchor_drop(&a), 0);
}

static void test_two_addresses(void **state)
{
	struct addr a = addr("10.1.0.5"), b = addr("10.8.0.5");

	NEED_DUMMY();
	assert_int_equal(anchor_detach(&a, 1480), 0);
	assert_int_equal(anchor_detach(&b, 1380), 0);
	assert_true(netns_says("mtu 1480", "ip route show table 7700"));
	assert_true(netns_says("mtu 1380", "ip route show table 7701"));
	assert_int_equal(anchor_drop(&a), 0);
	assert_true(goes("10.8.0.5", "dev hold0"));
	assert_true(netns_says("1", "cat " ARP));
	assert_int_equal(anchor_drop(&b), 0);
}

static void test_ipv6(void **state)
{
	struct addr a = addr("2001:db8:1::5");

	NEED_DUMMY();
	assert_true(anchor_hold(&a) > 0);
	assert_true(on_device("2001:db8:1::5/128"));
	assert_true(netns_says("deprecated", "ip addr show dev hold0"));
	assert_true(lacks("tentative", "ip addr show dev hold0"));
	assert_int_equal(anchor_detach(&a, 1440), 0);
	assert_true(has_rule("from 2001:db8:1::5 lookup 7700 proto 77"));
	assert_true(netns_says("dev hold0",
			       "ip route get 2001:db8:9::9 from 2001:db8:1::5"
			       ));
	assert_true(netns_says("mtu 1440", "ip -6 route show table 7700"));
	assert_int_equal(anchor_attach(&a), 0);
	assert_int_equal(anchor_drop(&a), 0);
}

/* 10.1.0.5 has all that it needs, with mtu 1480. */
static bool is_detached(void)
{
	char out[8192];
	size_t len;

	netns_read(out, sizeof(out), STATE);
	len = strlen(out);
	if (strstr(out, "192.0.2.9 from 10.1.0.5 dev hold0") &&
	    strstr(out, "inet 10.1.0.5/32 scope link hold0") &&
	    strstr(out, "scope link mtu 1480") &&
	    len > 2 && !strcmp(out + len - 2, "1\n"))
		return true;
	fprintf(stderr, "%s", out);
	return false;
}

static void test_set_again(void **state)
{
	static const char *const removals[] = {
		"ip rule del from 10.1.0.5",
		"ip route flush table 7700",
		"ip addr del 10.1.0.5/32 dev hold0",
		"ip link set hold0 down",
		"ip link del hold0",
		"echo 0 >" ARP,
		"ip route change default dev hold0 proto 77 table 7700 mtu 1300",
	};
	struct addr a = addr("10.1.0.5");
	unsigned int i;

	NEED_DUMMY();
	assert_int_equal(anchor_detach(&a, 1480), 0);
	for (i = 0; i < sizeof(removals) / sizeof(removals[0]); i++) {
		netns_run("%s", removals[i]);
		pass(20000);
		anchor_check();
		if (!is_detached())
			fail_msg("not set again after: %s", removals[i]);
	}
	assert_int_equal(anchor_drop(&a), 0);
}

static void test_nothing_to_set(void **state)
{
	struct addr a = addr("10.1.0.5");
	char one[8192], two[8192];

	NEED_DUMMY();
	assert_int_equal(anchor_detach(&a, 1480), 0);
	netns_read(one, sizeof(one), DUMP);
	anchor_check();
	netns_read(two, sizeof(two), DUMP);
	assert_string_equal(one, two);
	assert_int_equal(anchor_drop(&a), 0);
	anchor_check();
}

static void test_somebody_insists(void **state)
{
	struct addr a = addr("10.1.0.5");
	unsigned int i;

	NEED_DUMMY();
	assert_int_equal(anchor_detach(&a, 1480), 0);
	for (i = 0; i < 10; i++) {
		assert_true(goes("10.1.0.5", "dev hold0"));
		netns_run("ip rule del from 10.1.0.5");
		pass(500);
		anchor_check();
	}
	netns_run("ip rule del from 10.1.0.5");
	pass(500);
	anchor_check();
	assert_true(goes("10.1.0.5", "dev wa"));	/* left alone */
	pass(29000);
	anchor_check();
	assert_true(goes("10.1.0.5", "dev wa"));
	pass(2000);					/* and tried again */
	assert_true(goes("10.1.0.5", "dev hold0"));
	assert_int_equal(anchor_drop(&a), 0);
}

static void test_restart(void **state)
{
	struct addr a = addr("10.1.0.5"), b = addr("10.8.0.5");

	NEED_DUMMY();
	assert_int_equal(anchor_detach(&a, 1480), 0);
	assert_true(anchor_hold(&b) > 0);
	/* killed: nothing is taken away, nothing is remembered */
	assert_int_equal(anchor_init(&cfg), 0);
	assert_int_equal(listed(), 2);
	assert_int_equal(anchor_detach(&a, 1480), 0);
	assert_true(netns_says("1\n", "ip rule | grep -c 10.1.0.5"));
	anchor_check();
	/* an orderly stop while flows live changes nothing either */
	anchor_exit();
	assert_true(goes("10.1.0.5", "dev hold0"));
	assert_int_equal(anchor_init(&cfg), 0);
	assert_int_equal(anchor_drop(&a), 0);
	assert_true(goes("10.1.0.5", "dev wa"));
	assert_int_equal(anchor_drop(&b), 0);
	/* the sysctls that the first one found are back: see end() */
}

static void test_foreign_table(void **state)
{
	struct addr a = addr("10.1.0.5");

	NEED_DUMMY();
	netns_run("ip route add default via 10.2.0.1 table 7700");
	assert_int_equal(anchor_detach(&a, 1480), 0);
	assert_true(has_rule("from 10.1.0.5 lookup 7701"));
	assert_int_equal(anchor_drop(&a), 0);
	assert_true(netns_says("10.2.0.1", "ip route show table 7700"));
	netns_run("ip route flush table 7700");
}

static void test_device_of_the_administrator(void **state)
{
	static const struct config own = {
		.dummy = "mine0", .table = 7700, .rule_priority = 5000,
	};
	struct addr a = addr("10.1.0.5");

	NEED_DUMMY();
	anchor_exit();
	netns_run("ip link add mine0 type dummy; ip link set mine0 up");
	assert_int_equal(anchor_init(&own), 0);
	assert_true(anchor_hold(&a) > 0);
	assert_int_equal(anchor_drop(&a), 0);
	anchor_exit();
	netns_run("ip link show mine0 >/dev/null; ip link del mine0");
	assert_int_equal(anchor_init(&cfg), 0);
}

static void test_other_kind_of_device(void **state)
{
	static const struct config wrong = { .dummy = "wa", .table = 7700 };

	NEED_DUMMY();
	anchor_exit();
	assert_int_equal(anchor_init(&wrong), -EEXIST);
	assert_int_equal(anchor_init(&cfg), 0);
}

static int enter(void **state)
{
	char out[16];

	if (!netns_enter())
		return -1;
	netns_run("ip link add wa type veth peer name wb;"
		  "ip link add wc type veth peer name wd;"
		  "for i in wa wb wc wd; do ip link set $i addrgenmode none;"
		  "ip link set $i up; done;"
		  "ip addr add 10.1.0.5/24 dev wa;"
		  "ip addr add 10.8.0.5/24 dev wa;"
		  "ip addr add 10.2.0.5/24 dev wc;"
		  "ip -6 addr add 2001:db8:1::5/64 dev wa nodad;"
		  "ip route add default via 10.1.0.1;"
		  "ip rule add from 10.2.0.5 lookup 100 prio 100;"
		  "ip route add default via 10.2.0.1 dev wc table 100;"
		  "ip -6 route add default via 2001:db8:1::1;"
		  "echo 0 >" ARP "; echo 0 >" PROMOTE);
	have_dummy = !netns_read(out, sizeof(out),
				 "ip link add hold0 type dummy 2>&1;"
				 "ip link del hold0 2>&1");
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hold),
		TEST(test_detach),
		TEST(test_two_addresses),
		TEST(test_ipv6),
		TEST(test_set_again),
		TEST(test_nothing_to_set),
		TEST(test_somebody_insists),
		TEST(test_restart),
		TEST(test_foreign_table),
		TEST(test_device_of_the_administrator),
		TEST(test_other_kind_of_device),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
