// SPDX-License-Identifier: GPL-2.0
/* The local map: entries, and the hand-off in one step (K7). */
#include <kunit/test.h>

#include "fixture.h"

static int put(struct hmmp_net *hn, const char *original, const char *now)
{
	struct hmmp_local l = {
		.family = AF_INET,
		.original = fixture_addr(original),
		.current_addr = fixture_any(now),
	};

	return hmmp_local_set(hn, &l, false);
}

static const struct hmmp_local *get(struct hmmp_net *hn, const char *original)
{
	union nf_inet_addr a = fixture_addr(original);

	return hmmp_local_find(rcu_dereference_protected(hn->local, true),
			       AF_INET, &a);
}

static int handoff(struct hmmp_net *hn, const char *old, const char *now)
{
	struct hmmp_addr a = fixture_any(old), b = fixture_any(now);

	return hmmp_local_handoff(hn, &a, &b);
}

static int del(struct hmmp_net *hn, const char *original)
{
	union nf_inet_addr a = fixture_addr(original);

	return hmmp_local_del(hn, AF_INET, &a);
}

static u32 busy(struct hmmp_net *hn)
{
	return rcu_dereference_protected(hn->local, true)->busy;
}

static bool is(const struct hmmp_addr *a, const char *text)
{
	return a->family == AF_INET && a->ip.ip == in_aton(text);
}

static void clear(struct hmmp_net *hn)
{
	del(hn, "192.0.2.10");
	del(hn, "192.0.2.11");
	del(hn, "198.51.100.7");
	fixture_end(hn);
}

/* Entries with the old current address move, others stay where they are. */
static void local_handoff(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();
	u64 before = fixture_count(hn, HMMP_A_COUNTER_HANDOFFS);

	put(hn, "192.0.2.10", "192.0.2.10");
	put(hn, "192.0.2.11", "192.0.2.11");
	KUNIT_EXPECT_EQ(test, busy(hn), 0);
	KUNIT_EXPECT_EQ(test, handoff(hn, "192.0.2.10", "198.51.100.7"), 1);
	KUNIT_EXPECT_TRUE(test, is(&get(hn, "192.0.2.10")->current_addr,
				   "198.51.100.7"));
	KUNIT_EXPECT_TRUE(test, is(&get(hn, "192.0.2.10")->previous,
				   "192.0.2.10"));
	KUNIT_EXPECT_TRUE(test, is(&get(hn, "192.0.2.11")->current_addr,
				   "192.0.2.11"));
	KUNIT_EXPECT_EQ(test, busy(hn), 1);
	KUNIT_EXPECT_EQ(test, fixture_count(hn, HMMP_A_COUNTER_HANDOFFS),
			before + 1);
	clear(hn);
}

/* After several moves, entries of different births move together. */
static void local_handoff_of_many(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();

	put(hn, "192.0.2.10", "192.0.2.10");
	handoff(hn, "192.0.2.10", "198.51.100.7");
	put(hn, "198.51.100.7", "198.51.100.7");
	KUNIT_EXPECT_EQ(test, handoff(hn, "198.51.100.7", "203.0.113.99"), 2);
	KUNIT_EXPECT_TRUE(test, is(&get(hn, "192.0.2.10")->previous,
				   "198.51.100.7"));
	KUNIT_EXPECT_TRUE(test, is(&get(hn, "198.51.100.7")->previous,
				   "198.51.100.7"));
	KUNIT_EXPECT_EQ(test, busy(hn), 2);
	KUNIT_EXPECT_EQ(test, handoff(hn, "203.0.113.99", "192.0.2.10"), 2);
	KUNIT_EXPECT_EQ(test, busy(hn), 1);	/* one of them is at home */
	clear(hn);
}

static void local_handoff_of_none(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();
	const struct hmmp_local_map *map;

	put(hn, "192.0.2.10", "192.0.2.10");
	map = rcu_dereference_protected(hn->local, true);
	KUNIT_EXPECT_EQ(test, handoff(hn, "192.0.2.99", "198.51.100.7"),
			-ENOENT);
	KUNIT_EXPECT_PTR_EQ(test, map,
			    rcu_dereference_protected(hn->local, true));
	clear(hn);
}

static void local_set_again(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();

	KUNIT_EXPECT_EQ(test, put(hn, "192.0.2.10", "192.0.2.10"), 0);
	KUNIT_EXPECT_EQ(test, put(hn, "192.0.2.10", "192.0.2.10"), 0);
	KUNIT_EXPECT_EQ(test, busy(hn), 0);
	KUNIT_EXPECT_EQ(test, get(hn, "192.0.2.10")->previous.family,
			AF_UNSPEC);
	KUNIT_EXPECT_EQ(test, put(hn, "192.0.2.10", "198.51.100.7"), 0);
	KUNIT_EXPECT_TRUE(test, is(&get(hn, "192.0.2.10")->previous,
				   "192.0.2.10"));
	KUNIT_EXPECT_EQ(test, rcu_dereference_protected(hn->local, true)->n,
			1);
	clear(hn);
}

static void local_del_keeps_others(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();

	put(hn, "192.0.2.10", "192.0.2.10");
	put(hn, "192.0.2.11", "192.0.2.11");
	put(hn, "198.51.100.7", "198.51.100.7");
	KUNIT_EXPECT_EQ(test, del(hn, "192.0.2.10"), 0);
	KUNIT_EXPECT_EQ(test, del(hn, "192.0.2.10"), -ENOENT);
	KUNIT_EXPECT_NULL(test, get(hn, "192.0.2.10"));
	KUNIT_EXPECT_NOT_NULL(test, get(hn, "192.0.2.11"));
	KUNIT_EXPECT_NOT_NULL(test, get(hn, "198.51.100.7"));
	clear(hn);
}

static void local_limit(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();
	u32 limit = hn->limit.locals;

	hn->limit.locals = 2;
	KUNIT_EXPECT_EQ(test, put(hn, "192.0.2.10", "192.0.2.10"), 0);
	KUNIT_EXPECT_EQ(test, put(hn, "192.0.2.11", "192.0.2.11"), 0);
	KUNIT_EXPECT_EQ(test, put(hn, "198.51.100.7", "198.51.100.7"),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, put(hn, "192.0.2.11", "198.51.100.8"), 0);
	hn->limit.locals = limit;
	clear(hn);
}

static struct kunit_case local_cases[] = {
	KUNIT_CASE(local_handoff),
	KUNIT_CASE(local_handoff_of_many),
	KUNIT_CASE(local_handoff_of_none),
	KUNIT_CASE(local_set_again),
	KUNIT_CASE(local_del_keeps_others),
	KUNIT_CASE(local_limit),
	{}
};

static struct kunit_suite local_suite = {
	.name = "hmmp_local",
	.test_cases = local_cases,
};

kunit_test_suite(local_suite);
