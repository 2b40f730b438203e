// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration: what a file sets, the defaults, and for every kind of
 * mistake the line, the reason, and an untouched structure.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent.h"

#define HEAD	"[agent]\nroles = mobile\nsecurity = none-laboratory\n"
#define N(a)	(sizeof(a) / sizeof((a)[0]))

static char path[40];

static int make_file(void **state)
{
	int fd;

	strcpy(path, "/tmp/hmmp-config-XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	return unlink(path);
}

static int load_bytes(const char *text, size_t len, struct config *cfg,
		      char *err, size_t errlen)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	return config_load(path, cfg, err, errlen);
}

static void load(const char *text, struct config *cfg)
{
	char err[512] = "";

	if (load_bytes(text, strlen(text), cfg, err, sizeof(err)))
		fail_msg("%s", err);
}

static void refuse(const char *text, size_t len, int line, const char *reason)
{
	struct config cfg, old;
	char err[512] = "";
	char want[600];

	memset(&cfg, 0x5a, sizeof(cfg));
	old = cfg;
	snprintf(want, sizeof(want), "%s:%d: %s", path, line, reason);
	assert_int_equal(load_bytes(text, len, &cfg, err, sizeof(err)),
			 -EINVAL);
	if (strncmp(err, want, strlen(want)))
		fail_msg("want \"%s\", got \"%s\"", want, err);
	assert_memory_equal(&cfg, &old, sizeof(cfg));
}

static void little_gives_defaults(void **state)
{
	struct config c;

	load(HEAD, &c);
	assert_true(c.role_mobile);
	assert_false(c.role_correspondent);
	assert_true(c.laboratory);
	assert_int_equal(c.log_level, LOG_NOTE);
	assert_false(c.log_syslog);
	assert_int_equal(c.sip_port, 5060);
	assert_string_equal(c.control, "/run/hmmpd/control");
	assert_string_equal(c.state, "/run/hmmpd/state.json");
	assert_string_equal(c.user, "");
	assert_false(c.peers.all);
	assert_int_equal(c.peers.n, 0);
	assert_int_equal(c.follow, FOLLOW_ROUTE);
	assert_int_equal(c.lifetime, 60);
	assert_string_equal(c.dummy, "hmmp0");
	assert_int_equal(c.table, 7000);
	assert_true(c.accept.all);
	assert_int_equal(c.limit_flows, 0);
	assert_int_equal(c.limit_bindings, 0);
}

static void everything_can_be_set(void **state)
{
	struct addr a;
	struct config c;

	load("# a comment\n; another\n\n"
	     "[agent]\nroles = mobile, correspondent ; both\n"
	     "security = none-laboratory\nlog = trace\nsyslog = yes\n"
	     "control = /tmp/c\nstate = /tmp/s\nuser = hmmp\n"
	     "[sip]\nport = 65535\n"
	     "[mobile]\npeers = 192.0.2.0/24 2001:db8::/32,198.51.100.7\n"
	     "follow = keep\nlifetime = 420\ndummy = d-1_x\ntable = 256\n"
	     "rule-priority = 32765\n"
	     "[correspondent]\naccept =\nmax-associations = 1\n"
	     "max-per-address = 2\n"
	     "[limits]\nflows = 3\nbindings = 4\n", &c);
	assert_true(c.role_mobile);
	assert_true(c.role_correspondent);
	assert_int_equal(c.log_level, LOG_TRACE);
	assert_true(c.log_syslog);
	assert_string_equal(c.control, "/tmp/c");
	assert_string_equal(c.state, "/tmp/s");
	assert_string_equal(c.user, "hmmp");
	assert_int_equal(c.sip_port, 65535);
	assert_int_equal(c.peers.n, 3);
	addr_parse("198.51.100.7", &a);
	assert_true(prefix_has(&c.peers.p[2], &a));
	assert_int_equal(c.follow, FOLLOW_KEEP);
	assert_int_equal(c.lifetime, 420);
	assert_string_equal(c.dummy, "d-1_x");
	assert_int_equal(c.table, 256);
	assert_int_equal(c.rule_priority, 32765);
	assert_false(c.accept.all);
	assert_int_equal(c.accept.n, 0);
	assert_int_equal(c.max_associations, 1);
	assert_int_equal(c.max_per_address, 2);
	assert_int_equal(c.limit_flows, 3);
	assert_int_equal(c.limit_bindings, 4);
}

static void all_is_a_list(void **state)
{
	struct config c;

	load(HEAD "[mobile]\npeers = all\n", &c);
	assert_true(c.peers.all);
}

static void a_long_list_fits_a_line(void **state)
{
	char text[2000] = HEAD "[mobile]\npeers =";
	struct config c;
	unsigned int i;

	for (i = 0; i < CONFIG_PREFIXES; i++)
		sprintf(text + strlen(text), " 10.0.%u.0/24", i);
	load(text, &c);
	assert_int_equal(c.peers.n, CONFIG_PREFIXES);
	assert_int_equal(c.peers.p[63].addr.b[2], 63);
	strcat(text, " 10.1.0.0/24");
	refuse(text, strlen(text), 5, "peers: more than 64 prefixes");
}

static const struct {
	const char *text;
	int line;
	const char *reason;
} bad[] = {
	{ "", 1, "no roles in [agent]" },
	{ "[agent]\nroles = mobile\n",
	  3, "no security in [agent]: authentication is not built yet" },
	{ "[agent]\nsecurity = none-laboratory\n", 3, "no roles in [agent]" },
	{ "[agent]\nroles = mobile\nsecurity = level2\n",
	  3, "security: \"level2\" is not built yet" },
	{ "[agent]\nroles = mobile\nsecurity =\n", 3, "security: no value" },
	{ "[agent]\nroles = router\n", 2, "roles: \"router\" is neither mobile nor correspondent" },
	{ "[agent]\nroles = mobile mobile\n", 2, "roles: mobile is there twice" },
	{ "[agent]\nroles = ,\n", 2, "roles: none given" },
	{ "roles = mobile\n", 1, "\"roles\" stands before the first [section]" },
	{ HEAD "colour = red\n", 4, "unknown key \"colour\" in [agent]" },
	{ HEAD "port = 5060\n", 4, "unknown key \"port\" in [agent]" },
	{ HEAD "Log = note\n", 4, "unknown key \"Log\" in [agent]" },
	{ HEAD "log = note\nlog = note\n", 5, "log: given twice" },
	{ HEAD "[sip]\n[agent]\nroles = mobile\n", 6, "roles: given twice" },
	{ HEAD "log = loud\n", 4, "log: \"loud\" is none of error, warning, note, info, trace" },
	{ HEAD "syslog = 1\n", 4, "syslog: \"1\" is neither yes nor no" },
	{ HEAD "control = run\n", 4, "control: \"run\" is not an absolute path" },
	{ HEAD "user = a b\n", 4, "user: \"a b\" is not a name" },
	{ HEAD "[agents]\n", 4, "unknown section [agents]" },
	{ HEAD "  [x]\n", 4, "unknown section [x]" },
	{ HEAD "[]\n", 4, "unknown section []" },
	{ HEAD "[sip\nport = 1\n", 4, "[section] is not closed" },
	{ HEAD "[sip] port = 1\n", 4, "text after [section]" },
	{ HEAD "nonsense\n", 4, "neither a [section] nor \"key = value\"" },
	{ HEAD "  more\n", 4, "neither a [section] nor \"key = value\"" },
	{ HEAD "[sip]\nport = 0\n", 5, "port: \"0\" is not a port from 1 to 65535" },
	{ HEAD "[sip]\nport = 65536\n", 5, "port: \"65536\" is not a port" },
	{ HEAD "[sip]\nport = 50 60\n", 5, "port: \"50 60\" is not a port" },
	{ HEAD "[sip]\nport = 0x10\n", 5, "port: \"0x10\" is not a port" },
	{ HEAD "[sip]\nport = -1\n", 5, "port: \"-1\" is not a port" },
	{ HEAD "[mobile]\nlifetime = 3\n", 5, "lifetime: \"3\" is not a number from 4 to 420" },
	{ HEAD "[mobile]\nlifetime = 421\n", 5, "lifetime: \"421\" is not" },
	{ HEAD "[mobile]\nlifetime = 99999999999999999999\n", 5, "lifetime: \"9999999999" },
	{ HEAD "[mobile]\nfollow = me\n", 5, "follow: \"me\" is neither route nor keep" },
	{ HEAD "[mobile]\ndummy = 1234567890123456\n", 5, "dummy: \"1234567890123456\" is not" },
	{ HEAD "[mobile]\ndummy = a/b\n", 5, "dummy: \"a/b\" is not a name" },
	{ HEAD "[mobile]\ntable = 255\n", 5, "table: \"255\" is not a number from 256 to" },
	{ HEAD "[mobile]\nrule-priority = 32766\n", 5, "rule-priority: \"32766\" is not" },
	{ HEAD "[mobile]\npeers = 10.0.0.1/8\n", 5, "peers: \"10.0.0.1/8\" has bits set beyond" },
	{ HEAD "[mobile]\npeers = www.example\n",
	  5, "peers: \"www.example\" is neither an address" },
	{ HEAD "[mobile]\npeers = all 10.0.0.0/8\n", 5, "peers: \"all\" beside prefixes" },
	{ HEAD "[limits]\nflows = 0\n", 5, "flows: \"0\" is not a number from 1" },
	{ HEAD "log = note\x01\n", 4, "a control character (0x01)" },
};

static void mistakes_are_named(void **state)
{
	unsigned int i;

	for (i = 0; i < N(bad); i++)
		refuse(bad[i].text, strlen(bad[i].text), bad[i].line,
		       bad[i].reason);
}

static void raw_bytes_are_refused(void **state)
{
	static const char nul[] = HEAD "log = no\0te\n";
	char text[2000] = HEAD "control = /";

	refuse(nul, sizeof(nul) - 1, 4, "a control character (0x00)");
	memset(text + strlen(text), 'x', 1100);
	strcat(text, "\n");
	refuse(text, strlen(text), 4, "the line is longer than 1024 bytes");
	text[strlen(HEAD "control = /") + 200] = '\0';
	refuse(text, strlen(text), 4,
	       "control: the path is longer than 107 bytes");
}

static void crlf_and_no_last_newline_are_fine(void **state)
{
	struct config c;

	load("[agent]\r\nroles = mobile\r\nsecurity = none-laboratory\r\n"
	     "log = error", &c);
	assert_int_equal(c.log_level, LOG_ERROR);
}

static void no_file_is_said(void **state)
{
	struct config c;
	char err[200];

	assert_int_equal(config_load("/nonexistent/x", &c, err, sizeof(err)),
			 -ENOENT);
	assert_string_equal(err,
			    "/nonexistent/x: No such file or directory");
	assert_int_equal(config_load("/tmp", &c, err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "/tmp:1: Is a directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(little_gives_defaults),
		cmocka_unit_test(everything_can_be_set),
		cmocka_unit_test(all_is_a_list),
		cmocka_unit_test(a_long_list_fits_a_line),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(raw_bytes_are_refused),
		cmocka_unit_test(crlf_and_no_last_newline_are_fine),
		cmocka_unit_test(no_file_is_said),
	};

	return cmocka_run_group_tests_name("config", tests, make_file,
					   remove_file);
}
