// SPDX-License-Identifier: GPL-2.0-or-later
/* The hand-off decision as a table, and the peers' votes. */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "../roles.h"

static struct addr A(const char *text)
{
	struct addr a = { 0 };

	if (text)
		assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

#define X "10.1.0.2"
#define Y "10.2.0.2"

static const struct {
	const char *what;
	bool usable;
	const char *route;		/* NULL: none */
	enum follow follow;
	bool lasted;
	enum handoff_verdict verdict;
} table[] = {
	{ "all is well", true, X, FOLLOW_ROUTE, false, HANDOFF_STAY },
	{ "no route, the address is there", true, NULL, FOLLOW_ROUTE, false,
	  HANDOFF_STAY },
	{ "gone, another one", false, Y, FOLLOW_ROUTE, false, HANDOFF_NOW },
	{ "gone, another one, keep", false, Y, FOLLOW_KEEP, false,
	  HANDOFF_NOW },
	{ "gone, no other", false, NULL, FOLLOW_ROUTE, false, HANDOFF_WAIT },
	{ "gone, the route still names it", false, X, FOLLOW_ROUTE, false,
	  HANDOFF_WAIT },
	{ "a better route", true, Y, FOLLOW_ROUTE, false, HANDOFF_SOON },
	{ "a better route for 50 ms", true, Y, FOLLOW_ROUTE, true,
	  HANDOFF_NOW },
	{ "a better route, keep", true, Y, FOLLOW_KEEP, true, HANDOFF_STAY },
	{ "no route for 50 ms", true, NULL, FOLLOW_ROUTE, true,
	  HANDOFF_STAY },
	{ "gone, the other family only", false, "2001:db8::2", FOLLOW_ROUTE,
	  true, HANDOFF_WAIT },
	{ "a better route of the other family", true, "2001:db8::2",
	  FOLLOW_ROUTE, true, HANDOFF_STAY },
};

static void test_table(void **state)
{
	struct handoff_facts f;
	unsigned int i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		memset(&f, 0, sizeof(f));
		f.current = A(X);
		f.usable = table[i].usable;
		f.route = A(table[i].route);
		f.route_usable = table[i].route;
		f.follow = table[i].follow;
		f.lasted = table[i].lasted;
		if (handoff_decide(&f) != table[i].verdict)
			fail_msg("%s: %d", table[i].what, handoff_decide(&f));
	}
}

/* A source that is not usable yet is as good as none. */
static void test_not_usable(void **state)
{
	struct handoff_facts f = { .current = A(X), .route = A(Y) };

	assert_int_equal(handoff_decide(&f), HANDOFF_WAIT);
	f.usable = true;
	f.lasted = true;
	assert_int_equal(handoff_decide(&f), HANDOFF_STAY);
}

static void test_votes(void **state)
{
	struct handoff_vote v[HANDOFF_VOTES];
	struct handoff_vote x = { A(X), 2, 3 }, y = { A(Y), 3, 2 };
	unsigned int n = 0;

	assert_null(handoff_vote_best(v, 0));
	assert_int_equal(handoff_vote_add(v, &n, &x), 0);
	assert_int_equal(handoff_vote_add(v, &n, &y), 0);
	assert_int_equal(n, 2);
	assert_int_equal(handoff_vote_best(v, n)->ifindex, 2);
	assert_int_equal(handoff_vote_add(v, &n, &y), 0);
	assert_int_equal(n, 2);
	assert_int_equal(handoff_vote_best(v, n)->ifindex, 3);
	assert_int_equal(handoff_vote_best(v, n)->flows, 4);
}

static void test_tie(void **state)
{
	struct handoff_vote v[HANDOFF_VOTES];
	struct handoff_vote x = { A(X), 2, 3 }, y = { A(Y), 3, 3 };
	unsigned int n = 0;

	handoff_vote_add(v, &n, &y);
	handoff_vote_add(v, &n, &x);
	assert_int_equal(handoff_vote_best(v, n)->ifindex, 3);
}

static void test_too_many(void **state)
{
	struct handoff_vote v[HANDOFF_VOTES], one = { A(X), 2, 1 };
	unsigned int n = 0, i;

	for (i = 0; i < HANDOFF_VOTES; i++) {
		one.source.b[3] = i;
		assert_int_equal(handoff_vote_add(v, &n, &one), 0);
	}
	one.source.b[3] = i;
	assert_int_equal(handoff_vote_add(v, &n, &one), -ENOSPC);
	assert_int_equal(n, HANDOFF_VOTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_not_usable),
		cmocka_unit_test(test_votes),
		cmocka_unit_test(test_tie),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
