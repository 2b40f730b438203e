// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses and prefixes: tables of text, good and bad. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void addresses(void **state)
{
	static const struct {
		const char *text;
		const char *out;	/* NULL: refused */
		bool unicast;
	} t[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "0.0.0.0", "0.0.0.0", false },
		{ "0.1.2.3", "0.1.2.3", false },
		{ "127.0.0.1", "127.0.0.1", false },
		{ "223.255.255.254", "223.255.255.254", true },
		{ "224.0.0.1", "224.0.0.1", false },
		{ "240.0.0.1", "240.0.0.1", false },
		{ "255.255.255.255", "255.255.255.255", false },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1", true },
		{ "fe80::1", "fe80::1", true },
		{ "::", "::", false },
		{ "::1", "::1", false },
		{ "ff02::1", "ff02::1", false },
		{ "::ffff:192.0.2.1", NULL, false },
		{ "::FFFF:c000:201", NULL, false },
		{ "fe80::1%eth0", NULL, false },
		{ "[::1]", NULL, false },
		{ "192.0.2", NULL, false },
		{ "192.0.2.256", NULL, false },
		{ "192.0.2.01", NULL, false },
		{ " 192.0.2.1", NULL, false },
		{ "192.0.2.1 ", NULL, false },
		{ "", NULL, false },
		{ "localhost", NULL, false },
	};
	char text[ADDR_TEXT];
	struct addr a;
	struct addr old;
	unsigned int i;

	for (i = 0; i < N(t); i++) {
		memset(&a, 0x55, sizeof(a));
		old = a;
		if (!t[i].out) {
			assert_int_equal(addr_parse(t[i].text, &a), -EINVAL);
			assert_memory_equal(&a, &old, sizeof(a));
			continue;
		}
		assert_int_equal(addr_parse(t[i].text, &a), 0);
		assert_string_equal(addr_format(&a, text), t[i].out);
		assert_int_equal(addr_is_unicast(&a), t[i].unicast);
	}
	memset(&a, 0, sizeof(a));
	assert_string_equal(addr_format(&a, text), "none");
	assert_false(addr_is_unicast(&a));
}

static void equality_is_of_bytes_and_family(void **state)
{
	struct addr a, b, none = { 0 };

	addr_parse("192.0.2.1", &a);
	addr_parse("c000:201::", &b);
	assert_false(addr_equal(&a, &b));
	b = a;
	assert_true(addr_equal(&a, &b));
	b.b[15] = 1;		/* beyond its length */
	assert_true(addr_equal(&a, &b));
	b.b[3] ^= 1;
	assert_false(addr_equal(&a, &b));
	assert_true(addr_equal(&none, &none));
	assert_false(addr_equal(&a, &none));
}

static void prefixes(void **state)
{
	static const struct {
		const char *text;
		int err;
		unsigned int bits;
		const char *in;
		const char *out;
	} t[] = {
		{ "10.0.0.0/8", 0, 8, "10.255.255.255", "11.0.0.0" },
		{ "192.0.2.128/25", 0, 25, "192.0.2.255", "192.0.2.127" },
		{ "192.0.2.1", 0, 32, "192.0.2.1", "192.0.2.2" },
		{ "0.0.0.0/0", 0, 0, "255.1.2.3", "2001:db8::1" },
		{ "::/0", 0, 0, "2001:db8::1", "192.0.2.1" },
		{ "2001:db8::/33", 0, 33, "2001:db8:7fff::1",
		  "2001:db8:8000::1" },
		{ "2001:db8::1", 0, 128, "2001:db8::1", "2001:db8::2" },
		{ "10.0.0.1/8", -ERANGE, 0, NULL, NULL },
		{ "10.0.0.0/33", -ERANGE, 0, NULL, NULL },
		{ "2001:db8::/129", -ERANGE, 0, NULL, NULL },
		{ "10.0.0.0/", -EINVAL, 0, NULL, NULL },
		{ "10.0.0.0/+8", -EINVAL, 0, NULL, NULL },
		{ "10.0.0.0/8x", -EINVAL, 0, NULL, NULL },
		{ "10.0.0.0/0008", -EINVAL, 0, NULL, NULL },
		{ "10.0.0.0/8/8", -EINVAL, 0, NULL, NULL },
		{ "/8", -EINVAL, 0, NULL, NULL },
		{ "", -EINVAL, 0, NULL, NULL },
		{ "example/8", -EINVAL, 0, NULL, NULL },
		{ "1111111111111111111111111111111111111111111111111111/8",
		  -EINVAL, 0, NULL, NULL },
	};
	struct prefix p;
	struct addr a;
	unsigned int i;

	for (i = 0; i < N(t); i++) {
		if (prefix_parse(t[i].text, &p) != t[i].err)
			fail_msg("%s", t[i].text);
		if (t[i].err)
			continue;
		assert_int_equal(p.bits, t[i].bits);
		addr_parse(t[i].in, &a);
		assert_true(prefix_has(&p, &a));
		addr_parse(t[i].out, &a);
		assert_false(prefix_has(&p, &a));
	}
	memset(&a, 0, sizeof(a));
	prefix_parse("0.0.0.0/0", &p);
	assert_false(prefix_has(&p, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(equality_is_of_bytes_and_family),
		cmocka_unit_test(prefixes),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
