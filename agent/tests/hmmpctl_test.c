// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hmmpctl's commands with the module played (kernel_fake) and an agent that
 * answers one request with what a test says: output for people, JSON, exit
 * status and sentences.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "hmmpctl.h"
#include "kernel_fake.h"
#include "table.h"
#include "view.h"
#include "tests/hmmpctl_env.h"

/* An agent that takes one request, checks it and gives this answer. */
static pid_t start_agent(const char *request, const char *answer)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), c;
	char got[512];
	ssize_t n;
	pid_t pid;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 1), 0);
	pid = fork();
	if (pid) {
		close(fd);
		return pid;
	}
	c = accept(fd, NULL, NULL);
	n = read(c, got, sizeof(got) - 1);
	got[n > 0 ? n : 0] = 0;
	if (write(c, answer, strlen(answer)) < 0)
		_exit(2);
	_exit(strcmp(got, request) ? 1 : 0);
}

static void end_agent(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);	/* else the request was another */
	unlink(path);
}

/* --------------------------------------------------------------- the tests */

static void test_usage(void **state)
{
	static const char *const bad[] = {
		"", "nonsense", "-x flows", "flows --local", "flows --local x",
		"flows --owner -1", "flows --owner xyz", "flows more",
		"bindings more", "handoff 10.1.0.5", "handoff 10.1.0.5 x",
		"limits flows=0", "limits flows=-1", "limits flows=5x",
		"limits flows=4294967296", "limits nonsense=5", "limits 5",
		"stats -b",
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (run(bad[i]) != CTL_USAGE)
			fail_msg("\"%s\" is taken", bad[i]);
		assert_string_equal(out, "");
		assert_says(err, "hmmpctl: ");
	}
	assert_int_equal(run("--help"), CTL_OK);
	assert_says(out, "handoff OLD NEW");
	assert_says(out, "test aid");
}

static void test_flows(void **state)
{
	json_t *list, *o;

	assert_int_equal(run("flows"), CTL_OK);
	assert_string_equal(out, "No connections are tracked.\n");
	add_flow("192.0.2.1", 80, 0xfedcba9876543210, KERNEL_FLOW_OPENER);
	add_flow("192.0.2.2", 22, 0, KERNEL_FLOW_DEVICE_BOUND);
	assert_int_equal(run("flows"), CTL_OK);
	assert_says(out, "10.1.0.5:40000  192.0.2.1:80  established  65 s");
	assert_says(out, "fedcba9876543210  can move\n");
	assert_says(out, "cannot move: bound to a device\n");
	list = run_json("-j flows");
	assert_int_equal(json_array_size(list), 2);
	o = json_array_get(list, 0);
	assert_string_equal(text(o, "local"), "10.1.0.5");
	assert_int_equal(number(o, "local_port"), 40000);
	assert_string_equal(text(o, "remote"), "192.0.2.1");
	assert_int_equal(number(o, "remote_port"), 80);
	assert_string_equal(text(o, "state"), "established");
	assert_string_equal(text(o, "owner"), "fedcba9876543210");
	assert_int_equal(number(o, "isn_local"), 0xfffffffe);
	assert_true(json_is_true(json_object_get(o, "can_move")));
	assert_true(json_is_null(json_object_get(o, "reason")));
	assert_true(json_is_null(json_object_get(o, "current")));
	o = json_array_get(list, 1);
	assert_true(json_is_false(json_object_get(o, "can_move")));
	assert_string_equal(text(o, "reason"), "bound to a device");
	assert_true(json_is_null(json_object_get(o, "owner")));
	json_decref(list);
}

static void test_flow_filters(void **state)
{
	static const struct {
		const char *words;
		size_t n;
	} cases[] = {
		{ "-j flows --local 10.1.0.5", 2 },
		{ "-j flows --local 10.1.0.6", 0 },
		{ "-j flows --remote 192.0.2.2", 1 },
		{ "-j flows --owner 10", 1 },
		{ "-j flows --owner 16", 0 },
		{ "-j flows --remote 192.0.2.2 --owner 10", 0 },
	};
	unsigned int i;

	add_flow("192.0.2.1", 80, 0x10, 0);
	add_flow("192.0.2.2", 22, 0, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *list = run_json(cases[i].words);

		if (json_array_size(list) != cases[i].n)
			fail_msg("%s: %zu", cases[i].words,
				 json_array_size(list));
		json_decref(list);
	}
}

static void test_maps(void **state)
{
	struct addr a = addr("10.1.0.5"), b = addr("10.2.0.9");
	struct addr r = addr("192.0.2.1");
	struct kernel_binding k = {
		.scope = SCOPE_FLOW, .original = r, .current = b,
		.owner = 7, .encap = ENCAP_IPIP, .status = KERNEL_VERIFIED,
		.lifetime = 60000, .seq = 3,
	};
	struct kernel_local l = {
		.original = a, .current = b, .ifindex = 4,
	};
	struct kernel_peer_word p = {
		.remote = r, .owner = 7, .current = b,
		.state = KERNEL_ACCEPTED,
	};
	json_t *list, *o;

	add_flow("192.0.2.1", 80, 7, 0);
	assert_int_equal(kernel_binding_new(&k), 0);
	assert_int_equal(kernel_local_set(&l), 0);
	assert_int_equal(kernel_peer_set(&p), 0);
	assert_int_equal(run("bindings"), CTL_OK);
	assert_says(out, "192.0.2.1  10.2.0.9  verified");
	list = run_json("-j bindings");
	o = json_array_get(list, 0);
	assert_string_equal(text(o, "scope"), "flow");
	assert_string_equal(text(o, "encap"), "ipip");
	assert_string_equal(text(o, "owner"), "0000000000000007");
	assert_in_range(number(o, "lifetime_ms"), 1, 60000);
	json_decref(list);
	assert_int_equal(run("local"), CTL_OK);
	assert_says(out, "10.1.0.5  10.2.0.9");
	list = run_json("-j local");
	assert_int_equal(number(json_array_get(list, 0), "ifindex"), 4);
	json_decref(list);
	assert_int_equal(run("peers"), CTL_OK);
	assert_says(out, "192.0.2.1  accepted  10.2.0.9");
	list = run_json("-j peers");
	assert_string_equal(text(json_array_get(list, 0), "state"),
			    "accepted");
	json_decref(list);
}

static void test_limits(void **state)
{
	json_t *o;

	add_flow("192.0.2.1", 80, 0, 0);
	assert_int_equal(run("limits flows=50 bindings=5"), CTL_OK);
	assert_says(out, "flows                 1 of 50\n");
	o = run_json("-j limits");
	assert_int_equal(number(o, "flows"), 50);
	assert_int_equal(number(o, "flows_used"), 1);
	assert_int_equal(number(o, "bindings"), 5);
	json_decref(o);
	assert_int_equal(run("limits flows=4000000000"), CTL_FAILED);
	assert_string_equal(out, "");
	assert_says(err, "More than the table holds");
}

static void test_no_module(void **state)
{
	static const char *const need[] = {
		"flows", "bindings", "local", "peers", "stats", "limits",
		"handoff 10.1.0.5 10.2.0.5", "-j flows",
	};
	unsigned int i;
	json_t *o;

	kernel_fake_gone();
	for (i = 0; i < sizeof(need) / sizeof(need[0]); i++) {
		assert_int_equal(run(need[i]), CTL_FAILED);
		assert_string_equal(out, "");
		assert_says(err, "is not loaded");
	}
	assert_int_equal(run("status"), CTL_OK);
	assert_says(out, "The agent is not running");
	assert_says(out, "the kernel module is not loaded.");
	o = run_json("-j status");
	assert_true(json_is_false(json_object_get(o, "agent")));
	assert_string_equal(text(o, "module"), "gone");
	json_decref(o);
	assert_int_equal(run("version"), CTL_OK);
	assert_says(out, "not loaded");
}

static void test_not_permitted(void **state)
{
	kernel_fake_fail(FAKE_FLOW_DUMP, -EPERM, 1);
	assert_int_equal(run("flows"), CTL_FAILED);
	assert_says(err, "CAP_NET_ADMIN");
}

static void test_handoff_without_agent(void **state)
{
	struct kernel_local l = {
		.original = addr("10.1.0.5"), .current = addr("10.1.0.5"),
	};
	json_t *o;

	assert_int_equal(run("handoff 10.1.0.5 10.2.0.9"), CTL_FAILED);
	assert_says(err, "Nothing has that current address");
	kernel_local_set(&l);
	o = run_json("-j handoff 10.1.0.5 10.2.0.9");
	assert_int_equal(number(o, "changed"), 1);
	json_decref(o);
	assert_int_equal(run("handoff 10.2.0.9 10.1.0.5"), CTL_OK);
	assert_string_equal(out, "1 address moved.\n");
}

#define HANDOFF \
	"{\"command\":\"handoff\",\"old\":\"10.1.0.5\",\"new\":\"10.2.0.9\"}\n"

static void test_handoff_by_agent(void **state)
{
	pid_t pid = start_agent(HANDOFF, "{\"ok\":true,\"changed\":2}\n");

	assert_int_equal(run("handoff 10.1.0.5 10.2.0.9"), CTL_OK);
	assert_string_equal(out, "2 addresses moved.\n");
	end_agent(pid);
	assert_int_equal(kernel_fake_calls(FAKE_HANDOFF), 0);
	pid = start_agent(HANDOFF, "{\"ok\":false,\"error\":\"No such.\"}\n");
	assert_int_equal(run("handoff 10.1.0.5 10.2.0.9"), CTL_FAILED);
	assert_says(err, "No such.");
	end_agent(pid);
}

#define STATUS	"{\"command\":\"status\"}\n"
#define ANSWER	"{\"ok\":true,\"status\":{\"summary\":\"At 10.2.0.9.\"," \
	"\"originals\":[{\"original\":\"10.1.0.5\",\"current\":\"10.2.0.9\"," \
	"\"state\":\"away\",\"interface\":\"wc\",\"since_ms\":3000," \
	"\"flows\":2}],\"associations\":[{\"local\":\"10.1.0.5\"," \
	"\"remote\":\"192.0.2.1\",\"phase\":\"bound\",\"flows\":2," \
	"\"srtt_ms\":21}],\"cannot_move\":[{\"remote\":\"192.0.2.7\"," \
	"\"flows\":1,\"reason\":\"no agent there\"}]}}\n"

static void test_status(void **state)
{
	pid_t pid = start_agent(STATUS, ANSWER);
	json_t *o;

	assert_int_equal(run("status"), CTL_OK);
	assert_memory_equal(out, "At 10.2.0.9.\n", 13);
	assert_says(out, "10.1.0.5  10.2.0.9  away     3 s  wc");
	assert_says(out, "192.0.2.1");
	assert_says(out, "  1 with 192.0.2.7: no agent there\n");
	end_agent(pid);
	pid = start_agent(STATUS, ANSWER);
	o = run_json("-j status");
	assert_string_equal(text(o, "summary"), "At 10.2.0.9.");
	assert_true(json_is_true(json_object_get(o, "agent")));
	json_decref(o);
	end_agent(pid);
}

static void test_bad_answers(void **state)
{
	static const char *const bad[] = {
		"", "not json\n", "[]\n", "{}\n", "{\"ok\":false}\n",
		"{\"ok\":true}\n", "{\"ok\":true",
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		pid_t pid = start_agent(STATUS, bad[i]);

		if (run("status") != CTL_FAILED)
			fail_msg("taken: %s", bad[i]);
		assert_says(err, "the agent ");
		end_agent(pid);
	}
}

static void test_monitor(void **state)
{
	struct kernel_binding b = {
		.scope = SCOPE_FLOW, .original = addr("192.0.2.1"),
		.current = addr("10.2.0.9"), .owner = 7,
		.status = KERNEL_HELD, .event = KERNEL_BINDING_EXPIRED,
	};

	add_flow("192.0.2.1", 80, 7, 0);
	kernel_fake_binding_event(&b);
	kernel_fake_gone();
	kernel_fake_back();
	assert_int_equal(run("monitor"), CTL_OK);
	assert_says(out, "10.1.0.5:40000 - 192.0.2.1:80 established\n");
	assert_says(out, "binding 192.0.2.1 -> 10.2.0.9 expired, now held\n");
	assert_says(out, "the module is gone\n");
	assert_says(out, "come back\n");
}

static void test_monitor_json(void **state)
{
	static const char *const want[][2] = {
		{ "flow", "established" }, { "module", "gone" },
		{ "module", "resync" },
	};
	unsigned int i;
	char *line;

	add_flow("192.0.2.1", 80, 7, 0);
	kernel_fake_gone();
	kernel_fake_back();
	assert_int_equal(run("-j monitor"), CTL_OK);
	line = strtok(out, "\n");
	for (i = 0; i < 3; i++) {
		json_t *o = json_loads(line, 0, NULL);

		assert_non_null(o);
		assert_string_equal(text(o, "type"), want[i][0]);
		assert_string_equal(text(o, "event"), want[i][1]);
		assert_true(json_real_value(json_object_get(o, "time")) > 1e9);
		json_decref(o);
		line = strtok(NULL, "\n");
	}
	assert_null(line);
}

static void test_table(void **state)
{
	static const char *const heading[] = { "NAME", ">SIZE", "SAYS", NULL };
	struct table t;
	char *shown;
	size_t len;
	FILE *f = open_memstream(&shown, &len);

	table_init(&t, heading);
	assert_int_equal(table_print(&t, f), 0);
	fflush(f);
	assert_int_equal(len, 0);	/* no rows, no heading */
	table_add(&t, "a");
	table_add(&t, "%d", 12345);
	table_add(&t, "end");
	table_add(&t, "longer");
	table_add(&t, "1");
	table_add(&t, ">");
	assert_int_equal(table_print(&t, f), 0);
	fclose(f);
	assert_string_equal(shown, "NAME     SIZE  SAYS\n"
				   "a       12345  end\n"
				   "longer      1  >\n");
	free(shown);
	table_exit(&t);
}

static void test_words(void **state)
{
	struct endpoint e = { .port = 80 };
	char t[VIEW_TEXT];

	assert_string_equal(view_time(999, t), "999 ms");
	assert_string_equal(view_time(119999, t), "119 s");
	assert_string_equal(view_time(120000, t), "2 min");
	assert_string_equal(view_time(7500000, t), "2 h 5 min");
	assert_string_equal(view_endpoint(&e, t), "-");
	e.addr = addr("2001:db8::1");
	assert_string_equal(view_endpoint(&e, t), "[2001:db8::1]:80");
	/* what a newer module might say */
	assert_string_equal(view_tcp((enum kernel_tcp)99), "unknown");
	assert_null(view_fixed(KERNEL_FLOW_OPENER));
	assert_string_equal(view_fixed(KERNEL_FLOW_NAT | KERNEL_FLOW_OPENER),
			    "translated by this host");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_usage),
		TEST(test_flows),
		TEST(test_flow_filters),
		TEST(test_maps),
		TEST(test_limits),
		TEST(test_no_module),
		TEST(test_not_permitted),
		TEST(test_handoff_without_agent),
		TEST(test_handoff_by_agent),
		TEST(test_status),
		TEST(test_bad_answers),
		TEST(test_monitor),
		TEST(test_monitor_json),
		TEST(test_table),
		TEST(test_words),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
