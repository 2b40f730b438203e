// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hmmpctl's commands that drive the module by hand: what each is read as, by
 * what the module played keeps of it; what is refused, and with which words;
 * how the lists show it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "hmmpctl.h"
#include "kernel_fake.h"
#include "tests/hmmpctl_env.h"

#define OWNED	0xab

/* A list, exactly. */
static void assert_json(const char *words, const char *want)
{
	json_t *got = run_json(words);
	json_t *j = json_loads(want, 0, NULL);

	assert_non_null(j);
	if (!json_equal(got, j))
		fail_msg("%s: %s", words, out);
	json_decref(got);
	json_decref(j);
}

static void assert_runs(const char *words)
{
	if (run(words) != CTL_OK)
		fail_msg("%s: %s", words, err);
	assert_string_equal(err, "");
}

/* ------------------------------------------------------------ what is read */

#define COUNTS	"\"tx_packets\":0,\"tx_bytes\":0,\"rx_packets\":0," \
	"\"rx_bytes\":0,\"drops\":0,\"held_packets\":0"

static void test_bind_plain(void **state)
{
	add_flow("192.0.2.1", 80, OWNED, 0);
	assert_runs("bind 192.0.2.1 10.2.0.9 owner=AB");
	assert_string_equal(out, "192.0.2.1 is bound to 10.2.0.9 by ipip, sequence number 1.\n");
	assert_json("-j bindings",
		    "[{\"scope\":\"flow\",\"original\":\"192.0.2.1\","
		    "\"owner\":\"00000000000000ab\",\"current\":\"10.2.0.9\","
		    "\"previous\":null,\"local_outer\":null,"
		    "\"encap\":\"ipip\",\"status\":\"verified\","
		    "\"lifetime_ms\":60000,\"seq\":1,\"mark\":0," COUNTS ","
		    "\"flags\":[],\"via\":null,\"verified\":null,"
		    "\"credit\":0,\"ifindex\":0,\"link\":0,\"lladdr\":null}]");
}

static void test_bind_all(void **state)
{
	assert_runs("bind 2001:db8::1 192.0.2.9 host status=provisional "
		    "lifetime=5000 seq=4294967295 local-outer=192.0.2.5 "
		    "via=192.0.2.7 dev=lo link=lo lladdr=02:00:5e:00:53:fF "
		    "mark=0x10 credit=18446744073709551 buffer secured "
		    "granted");
	assert_json("-j bindings",
		    "[{\"scope\":\"host\",\"original\":\"2001:db8::1\","
		    "\"owner\":null,\"current\":\"192.0.2.9\","
		    "\"previous\":null,\"local_outer\":\"192.0.2.5\","
		    "\"encap\":\"6in4\",\"status\":\"provisional\","
		    "\"lifetime_ms\":5000,\"seq\":4294967295,\"mark\":16,"
		    COUNTS ",\"flags\":[\"buffer\",\"secured\",\"granted\"],"
		    "\"via\":\"192.0.2.7\",\"verified\":null,"
		    "\"credit\":18446744073709551,\"ifindex\":1,\"link\":1,"
		    "\"lladdr\":\"02:00:5e:00:53:ff\"}]");
	assert_int_equal(run("bindings"), CTL_OK);
	assert_says(out, "OWNER  OPTIONS\n");
	assert_says(out, "  -      buffer secured granted credit=18446744073709551 "
		    "via=192.0.2.7 local-outer=192.0.2.5 dev=lo link=lo "
		    "lladdr=02:00:5e:00:53:ff mark=0x10\n");
}

static void test_encap_of_families(void **state)
{
	static const struct {
		const char *words, *encap;
	} cases[] = {
		{ "bind 192.0.2.1 192.0.2.2 host", "ipip" },
		{ "bind 192.0.2.1 192.0.2.2 host encap=minenc", "minenc" },
		{ "bind 192.0.2.1 2001:db8::2 host", "4in6" },
		{ "bind 192.0.2.1 2001:db8::2 host encap=4in6", "4in6" },
		{ "bind 2001:db8::1 2001:db8::2 host", "ip6ip6" },
		{ "bind 2001:db8::1 2001:db8::2 host encap=ip6ip6", "ip6ip6" },
		{ "bind 2001:db8::1 192.0.2.2 host", "6in4" },
		{ "bind 2001:db8::1 192.0.2.2 host encap=6in4", "6in4" },
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *list;

		assert_runs(cases[i].words);
		list = run_json("-j bindings");
		assert_string_equal(text(json_array_get(list, 0), "encap"),
				    cases[i].encap);
		json_decref(list);
		if (strstr(cases[i].words, "bind 192"))
			assert_runs("unbind 192.0.2.1 host");
		else
			assert_runs("unbind 2001:db8::1 host");
	}
	/* the module judges what does not fit */
	assert_int_equal(run("bind 192.0.2.1 192.0.2.2 host encap=6in4"),
			 CTL_FAILED);
	assert_says(err, "does not fit");
}

static void test_sequence(void **state)
{
	assert_runs("bind 192.0.2.1 10.2.0.9 host");
	assert_runs("bind 192.0.2.1 10.3.0.9 host");
	assert_says(out, "sequence number 2.");
	assert_runs("bind 192.0.2.1 10.4.0.9 host seq=7");
	assert_json("-j bind 192.0.2.1 10.5.0.9 host",
		    "{\"done\":true,\"seq\":8}");
	assert_int_equal(run("bind 192.0.2.1 10.6.0.9 host seq=8"),
			 CTL_FAILED);
	assert_says(err, "A newer binding is in place");
	/* an owner's is another binding */
	add_flow("192.0.2.1", 80, OWNED, 0);
	assert_runs("bind 192.0.2.1 10.2.0.9 owner=ab");
	assert_says(out, "sequence number 1.");
	assert_int_equal(run("unbind 192.0.2.1 host seq=7"), CTL_FAILED);
	assert_json("-j unbind 192.0.2.1 host seq=8", "{\"done\":true}");
	assert_int_equal(run("unbind 192.0.2.1 host"), CTL_FAILED);
	assert_says(err, "No such binding");
	assert_runs("unbind 192.0.2.1 owner=ab");
	assert_json("-j bindings", "[]");
}

static void test_held_and_verified(void **state)
{
	assert_runs("bind 192.0.2.1 10.2.0.9 host");
	assert_runs("bind 192.0.2.1 10.3.0.9 host status=provisional");
	assert_int_equal(run("bindings"), CTL_OK);
	assert_says(out, "credit=0 verified=10.2.0.9\n");
	assert_runs("bind 192.0.2.1 10.3.0.9 host status=held");
	assert_int_equal(run("bindings"), CTL_OK);
	assert_says(out, "192.0.2.1  10.3.0.9  held       -");
}

static void test_release(void **state)
{
	json_t *list;

	assert_int_equal(run("release 192.0.2.1 host"), CTL_FAILED);
	assert_says(err, "No such binding");
	assert_runs("bind 192.0.2.1 10.2.0.9 host buffer");
	assert_json("-j release 192.0.2.1 host", "{\"done\":true}");
	list = run_json("-j bindings");
	assert_int_equal(json_array_size(json_object_get(json_array_get(list,
									0),
							 "flags")), 0);
	json_decref(list);
}

static void test_at(void **state)
{
	assert_runs("at 10.1.0.5 10.2.0.9 dev=lo");
	assert_json("-j local",
		    "[{\"original\":\"10.1.0.5\",\"current\":\"10.2.0.9\","
		    "\"previous\":null,\"ifindex\":1,\"grace_ms\":0,"
		    "\"via\":null}]");
	assert_int_equal(run("local"), CTL_OK);
	assert_says(out, "-  -\n");
	assert_json("-j at 10.1.0.5 2001:db8::9 "
		    "via=2001:db8::9,2001:db8::1 via-secured",
		    "{\"done\":true}");
	assert_json("-j local",
		    "[{\"original\":\"10.1.0.5\",\"current\":\"2001:db8::9\","
		    "\"previous\":\"10.2.0.9\",\"ifindex\":1,"
		    "\"grace_ms\":2000,\"via\":{\"local\":\"2001:db8::9\","
		    "\"remote\":\"2001:db8::1\",\"encap\":\"4in6\","
		    "\"lifetime_ms\":60000,\"flags\":[\"secured\"]}}]");
	assert_int_equal(run("local"), CTL_OK);
	assert_says(out, "  2001:db8::9 > 2001:db8::1 4in6 60 s secured\n");
	assert_runs("at 10.1.0.5 10.2.0.9 via=10.2.0.9,10.3.0.1 "
		    "via-encap=minenc via-lifetime=5000");
	assert_int_equal(run("local"), CTL_OK);
	assert_says(out, "  10.2.0.9 > 10.3.0.1 minenc 5 s\n");
	assert_runs("forget 10.1.0.5");
	assert_json("-j local", "[]");
	assert_int_equal(run("forget 10.1.0.5"), CTL_FAILED);
}

static void test_peer(void **state)
{
	static const char *const states[] = {
		"unknown", "accepted", "refused",
	};
	char words[128];
	unsigned int i;

	add_flow("192.0.2.1", 80, OWNED, 0);
	for (i = 0; i < 3; i++) {
		json_t *list;

		snprintf(words, sizeof(words), "peer 192.0.2.1 owner=ab "
			 "current=10.2.0.9 %s", states[i]);
		assert_runs(words);
		list = run_json("-j peers");
		assert_string_equal(text(json_array_get(list, 0), "state"),
				    states[i]);
		json_decref(list);
	}
	assert_int_equal(run("peers"), CTL_OK);
	assert_says(out, "192.0.2.1  refused  10.2.0.9        -");
	assert_json("-j peer 192.0.2.1 accepted owner=ab "
		    "current=2001:db8::9 encap=4in6", "{\"done\":true}");
	assert_json("-j peers",
		    "[{\"remote\":\"192.0.2.1\","
		    "\"owner\":\"00000000000000ab\","
		    "\"current\":\"2001:db8::9\",\"state\":\"accepted\","
		    "\"encap\":\"4in6\"}]");
}

static struct kernel_flow old_socket(const char *local, const char *remote)
{
	struct kernel_flow f = {
		.local = { addr(local), 40000 }, .remote = { addr(remote), 80 },
		.state = KERNEL_ESTABLISHED,
	};

	return f;
}

static void test_flows(void **state)
{
	struct kernel_flow a = old_socket("10.1.0.5", "192.0.2.1");
	struct kernel_flow b = old_socket("2001:db8::5", "2001:db8::1");
	json_t *list;

	kernel_fake_socket_add(&a);
	kernel_fake_socket_add(&b);
	assert_json("-j track 10.1.0.5:40000 192.0.2.1:80 opener",
		    "{\"done\":true}");
	assert_int_equal(kernel_flow_get(&a.local, &a.remote, &a), 0);
	assert_int_equal(a.flags, KERNEL_FLOW_OPENER);
	assert_int_equal(run("track 10.1.0.5:40000 192.0.2.1:80"), CTL_FAILED);
	assert_says(err, "is tracked already");
	assert_runs("track [2001:db8::5]:40000 [2001:db8::1]:80 "
		    "opener-unknown");
	assert_int_equal(kernel_flow_get(&b.local, &b.remote, &b), 0);
	assert_int_equal(b.flags, KERNEL_FLOW_OPENER_UNKNOWN);
	assert_json("-j own [2001:db8::5]:40000 [2001:db8::1]:80 "
		    "fedcba9876543210", "{\"done\":true}");
	list = run_json("-j flows --owner fedcba9876543210");
	assert_int_equal(json_array_size(list), 1);
	json_decref(list);
	assert_int_equal(run("own [2001:db8::5]:40000 [2001:db8::1]:80 7"),
			 CTL_FAILED);
	assert_says(err, "another owner");
	assert_runs("own [2001:db8::5]:40000 [2001:db8::1]:80 0");
	assert_string_equal(out, "The connection has no owner.\n");
}

static void test_limits(void **state)
{
	assert_runs("limits flows=8 bindings=7 locals=6 peers=5 "
		    "buffer-packets=4 buffer-bytes=3000 buffer-time=2 "
		    "buffer-rate=1");
	assert_string_equal(out, "flows                 0 of 8\n"
			    "bindings              0 of 7\n"
			    "locals                0 of 6\n"
			    "peers                 0 of 5\n"
			    "buffer-packets        4 held by one binding\n"
			    "buffer-bytes       3000 held by one binding\n"
			    "buffer-time           2 ms\n"
			    "buffer-rate           1 packets per ms when released\n");
	assert_runs("limits buffer-rate=9");
	assert_json("-j limits",
		    "{\"flows\":8,\"flows_used\":0,\"bindings\":7,"
		    "\"bindings_used\":0,\"locals\":6,\"locals_used\":0,"
		    "\"peers\":5,\"peers_used\":0,\"buffer_packets\":4,"
		    "\"buffer_bytes\":3000,\"buffer_time_ms\":2,"
		    "\"buffer_rate\":9}");
}

static void test_monitor_seen(void **state)
{
	struct kernel_binding b = {
		.scope = SCOPE_HOST, .original = addr("192.0.2.1"),
		.current = addr("2001:db8::9"), .status = KERNEL_SUSPENDED,
		.event = KERNEL_BINDING_SEEN,
	};
	json_t *o;

	kernel_fake_binding_event(&b);
	b.seen = KERNEL_SEEN_FOREIGN;
	kernel_fake_binding_event(&b);
	assert_int_equal(run("monitor"), CTL_OK);
	assert_says(out, "192.0.2.1 -> 2001:db8::9 seen on its served link, "
		    "now suspended\n");
	assert_says(out, "192.0.2.1 -> 2001:db8::9 seen with another host, "
		    "now gone\n");
	kernel_fake_binding_event(&b);
	o = run_json("-j monitor");
	assert_string_equal(text(o, "event"), "seen");
	assert_string_equal(text(o, "seen"), "foreign");
	assert_string_equal(text(o, "status"), "suspended");
	json_decref(o);
	b.event = KERNEL_BINDING_OVERFLOW;
	kernel_fake_binding_event(&b);
	o = run_json("-j monitor");
	assert_null(json_object_get(o, "seen"));
	json_decref(o);
}

/* --------------------------------------------------------- what is refused */

static const struct {
	const char *words, *sentence;
} bad[] = {
	{ "bind", "bind: ORIGINAL is missing" },
	{ "bind 192.0.2.1", "bind: CURRENT is missing" },
	{ "bind host 192.0.2.1", "bind: ORIGINAL is \"host\": no address" },
	{ "bind 192.0.2.1 ::ffff:1.2.3.4 host", "no address" },
	{ "bind 192.0.2.1 10.2.0.9", "bind: owner= or host is missing" },
	{ "bind 192.0.2.1 10.2.0.9 host owner=1",
	  "bind: \"host\" and \"owner\" exclude each other" },
	{ "bind 192.0.2.1 10.2.0.9 owner=0", "\"owner=0\": no owner" },
	{ "bind 192.0.2.1 10.2.0.9 owner=", "no owner" },
	{ "bind 192.0.2.1 10.2.0.9 owner=-1", "no owner" },
	{ "bind 192.0.2.1 10.2.0.9 owner=12345678901234567", "no owner" },
	{ "bind 192.0.2.1 10.2.0.9 host host", "\"host\" is given twice" },
	{ "bind 192.0.2.1 10.2.0.9 host seq=1 seq=2",
	  "bind: \"seq\" is given twice" },
	{ "bind 192.0.2.1 10.2.0.9 host nonsense",
	  "bind: what is \"nonsense\"?" },
	{ "bind 192.0.2.1 10.2.0.9 host=1", "what is \"host=1\"?" },
	{ "bind 192.0.2.1 10.2.0.9 host 10.3.0.9", "what is \"10.3.0.9\"?" },
	{ "bind 192.0.2.1 10.2.0.9 host seq", "what is \"seq\"?" },
	{ "bind 192.0.2.1 10.2.0.9 host encap=gue",
	  "none of ipip, ip6ip6, 4in6, 6in4, minenc" },
	{ "bind 192.0.2.1 10.2.0.9 host status=suspended",
	  "none of verified, provisional, held" },
	{ "bind 192.0.2.1 10.2.0.9 host lifetime=0",
	  "\"lifetime=0\": no number from 1 to 86400000" },
	{ "bind 192.0.2.1 10.2.0.9 host lifetime=86400001", "no number" },
	{ "bind 192.0.2.1 10.2.0.9 host seq=4294967296",
	  "no number from 0 to 4294967295" },
	{ "bind 192.0.2.1 10.2.0.9 host seq=-1", "no number" },
	{ "bind 192.0.2.1 10.2.0.9 host seq=", "no number" },
	{ "bind 192.0.2.1 10.2.0.9 host seq=1x", "no number" },
	{ "bind 192.0.2.1 10.2.0.9 host mark=0x", "no number" },
	{ "bind 192.0.2.1 10.2.0.9 host credit=18446744073709551616",
	  "no number" },
	{ "bind 192.0.2.1 10.2.0.9 host via=x", "\"via=x\": no address" },
	{ "bind 192.0.2.1 10.2.0.9 host local-outer=", "no address" },
	{ "bind 192.0.2.1 10.2.0.9 host dev=nosuch0", "no such interface" },
	{ "bind 192.0.2.1 10.2.0.9 host link=", "no such interface" },
	{ "bind 192.0.2.1 10.2.0.9 host lladdr=", "no link-layer address" },
	{ "bind 192.0.2.1 10.2.0.9 host lladdr=02:0", "no link-layer" },
	{ "bind 192.0.2.1 10.2.0.9 host lladdr=02:", "no link-layer" },
	{ "bind 192.0.2.1 10.2.0.9 host lladdr=02-00", "no link-layer" },
	{ "bind 192.0.2.1 10.2.0.9 host lladdr=0:0:0:0:0:1", "no link-layer" },
	{ "bind 192.0.2.1 10.2.0.9 host lladdr="
	  "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"
	  "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00",
	  "no link-layer" },
	{ "unbind", "unbind: ORIGINAL is missing" },
	{ "unbind 192.0.2.1", "unbind: owner= or host is missing" },
	{ "unbind 192.0.2.1 host lifetime=5", "what is \"lifetime=5\"?" },
	{ "release 192.0.2.1", "release: owner= or host is missing" },
	{ "release 192.0.2.1 host seq=1", "what is \"seq=1\"?" },
	{ "at 10.1.0.5", "at: CURRENT is missing" },
	{ "at 10.1.0.5 10.2.0.9 via=10.2.0.9", "no two addresses" },
	{ "at 10.1.0.5 10.2.0.9 via=,10.2.0.9", "before the comma" },
	{ "at 10.1.0.5 10.2.0.9 via=10.2.0.9,", "after the comma" },
	{ "at 10.1.0.5 10.2.0.9 via=10.2.0.9,::2", "not of one family" },
	{ "at 10.1.0.5 10.2.0.9 via-secured", "at: via= is missing" },
	{ "at 10.1.0.5 10.2.0.9 via-encap=ipip", "at: via= is missing" },
	{ "at 10.1.0.5 10.2.0.9 via-lifetime=0", "no number" },
	{ "forget", "forget: ORIGINAL is missing" },
	{ "forget 10.1.0.5 10.2.0.9", "what is \"10.2.0.9\"?" },
	{ "peer 192.0.2.1", "peer: owner= is missing" },
	{ "peer 192.0.2.1 owner=1 accepted", "peer: current= is missing" },
	{ "peer 192.0.2.1 owner=1 current=10.2.0.9",
	  "peer: accepted or refused or unknown is missing" },
	{ "peer 192.0.2.1 owner=1 current=10.2.0.9 accepted refused",
	  "\"accepted\" and \"refused\" exclude each other" },
	{ "own 10.1.0.5:40000 192.0.2.1:80", "own: OWNER is missing" },
	{ "own 10.1.0.5:40000 192.0.2.1:80 xyz", "no owner" },
	{ "own 10.1.0.5 192.0.2.1:80 1", "no address with a port" },
	{ "own 10.1.0.5: 192.0.2.1:80 1", "no address with a port" },
	{ "own 10.1.0.5:0 192.0.2.1:80 1", "no address with a port" },
	{ "own 10.1.0.5:65536 192.0.2.1:80 1", "no address with a port" },
	{ "own 10.1.0.5:+5 192.0.2.1:80 1", "no address with a port" },
	{ "own [10.1.0.5]:5 192.0.2.1:80 1", "no address with a port" },
	{ "own 2001:db8::5:80 [2001:db8::1]:80 1", "no address with a port" },
	{ "own []:80 [2001:db8::1]:80 1", "no address with a port" },
	{ "track 10.1.0.5:40000", "track: REMOTE:PORT is missing" },
	{ "track 10.1.0.5:40000 192.0.2.1:80 opener opener-unknown",
	  "exclude each other" },
	{ "limits buffer-time=0", "no number from 1 to 4294967295" },
	{ "limits buffer_time=5", "limits: what is \"buffer_time=5\"?" },
};

static void test_bad_words(void **state)
{
	unsigned int i, call;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (run(bad[i].words) != CTL_USAGE)
			fail_msg("\"%s\" is taken", bad[i].words);
		assert_string_equal(out, "");
		assert_says(err, bad[i].sentence);
	}
	/* the module has not even been asked */
	for (call = 0; call < FAKE_CALLS; call++)
		assert_int_equal(kernel_fake_calls(call), 0);
}

static void test_help(void **state)
{
	static const char *const names[] = {
		"bind", "unbind", "release", "at", "forget", "peer", "own",
		"track",
	};
	char words[32];
	unsigned int i;

	assert_int_equal(run("--help"), CTL_OK);
	assert_says(out, "hmmpd does not know of it");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(words, sizeof(words), "\n  %s ", names[i]);
		assert_says(out, words);
	}
}

static void test_no_module(void **state)
{
	static const char *const need[] = {
		"bind 192.0.2.1 10.2.0.9 host", "unbind 192.0.2.1 host",
		"release 192.0.2.1 host", "at 10.1.0.5 10.2.0.9",
		"forget 10.1.0.5", "own 10.1.0.5:1 192.0.2.1:2 3",
		"peer 192.0.2.1 owner=1 current=10.2.0.9 accepted",
		"track 10.1.0.5:1 192.0.2.1:2",
	};
	unsigned int i;

	kernel_fake_gone();
	for (i = 0; i < sizeof(need) / sizeof(need[0]); i++) {
		assert_int_equal(run(need[i]), CTL_FAILED);
		assert_string_equal(out, "");
		assert_says(err, "is not loaded");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bind_plain),
		TEST(test_bind_all),
		TEST(test_encap_of_families),
		TEST(test_sequence),
		TEST(test_held_and_verified),
		TEST(test_release),
		TEST(test_at),
		TEST(test_peer),
		TEST(test_flows),
		TEST(test_limits),
		TEST(test_monitor_seen),
		TEST(test_bad_words),
		TEST(test_help),
		TEST(test_no_module),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
