// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations that fail, one at a time: either all of it happens or nothing,
 * and what nobody could be told is tried again. What netlink requests do then
 * is in selftests/faults.sh; this is for what has no request of its own.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/sched.h>
#include <net/net_namespace.h>

#include "fixture.h"

#define OWNER	7

static unsigned int refused;	/* starts of a namespace */

/* The n-th allocation of this task from now on fails. */
static void fail_nth(unsigned int n)
{
	WRITE_ONCE(current->fail_nth, n);
}

/* Return: has one failed? */
static bool failed(void)
{
	bool hit = !READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	return hit;
}

static int set(struct hmmp_net *hn, u32 life, u8 status)
{
	struct hmmp_terms seed = {
		.family = AF_INET,
		.original = fixture_addr("203.0.113.5"),
		.current_addr = fixture_any("198.51.100.7"),
		.owner = OWNER,
		.encap = HMMP_ENCAP_IPIP,
		.status = status,
		.seq = 1,
	};

	return hmmp_binding_set(hn, &seed, life, NULL);
}

static struct hmmp_binding *get(struct hmmp_net *hn)
{
	union nf_inet_addr a = fixture_addr("203.0.113.5");
	struct hmmp_binding *b;

	rcu_read_lock();
	b = hmmp_binding_find(hn, AF_INET, &a, OWNER);
	rcu_read_unlock();
	return b;
}

/* Return: has an allocation failed? Where one of a debug aid did, all is well. */
static bool start_failing(struct kunit *test, unsigned int n)
{
	struct net *net = copy_net_ns(CLONE_NEWNET, current_user_ns(),
				      &init_net);
	struct hmmp_net *hn;
	bool hit;
	int err;

	KUNIT_ASSERT_FALSE(test, IS_ERR(net));
	hn = hmmp_net(net);
	fail_nth(n);
	err = hmmp_decap_net_init(hn);
	hit = failed();
	if (err) {
		KUNIT_EXPECT_TRUE(test, hit);
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		KUNIT_EXPECT_NULL(test, hn->input);
		KUNIT_EXPECT_EQ(test, hmmp_decap_net_init(hn), 0);
		refused++;
	}
	KUNIT_EXPECT_NOT_NULL(test, hn->input);
	KUNIT_EXPECT_NOT_NULL(test, hn->input6);
	put_net(net);
	return hit;
}

/* Both private routes, or none: nobody would make a missing one later. */
static void memory_routes(struct kunit *test)
{
	unsigned int n = 1;

	refused = 0;
	while (start_failing(test, n) && n < 100)
		n++;
	KUNIT_EXPECT_EQ(test, refused, 2);
}

/* What lapses without memory to say so leads home, now and later. */
static void memory_lapse(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();
	struct hmmp_where at;
	struct hmmp_binding *b;

	rcu_read_lock();
	hmmp_flow_set_owner(fixture_flow(hn, 40000), OWNER);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, set(hn, 1, HMMP_STATUS_PROVISIONAL), 0);
	msleep(20);
	fail_nth(1);
	hmmp_binding_gc(hn);
	KUNIT_EXPECT_TRUE(test, failed());
	b = get(hn);
	if (b) {
		hmmp_binding_where(b, hmmp_now(), &at);
		KUNIT_EXPECT_TRUE(test, at.home);
		KUNIT_EXPECT_FALSE(test, b->leaving);
	}
	hmmp_binding_gc(hn);
	b = get(hn);
	KUNIT_EXPECT_TRUE(test, b && b->home && b->leaving);
	fixture_end(hn);
}

/* One that led elsewhere is held for packets already, and soon for good. */
static void memory_held(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();

	rcu_read_lock();
	hmmp_flow_set_owner(fixture_flow(hn, 40000), OWNER);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, set(hn, 1, HMMP_STATUS_VERIFIED), 0);
	msleep(20);
	fail_nth(1);
	hmmp_binding_gc(hn);
	KUNIT_EXPECT_TRUE(test, failed());
	KUNIT_EXPECT_EQ(test, (u8)get(hn)->status, HMMP_STATUS_VERIFIED);
	KUNIT_EXPECT_EQ(test, hmmp_binding_status(get(hn), hmmp_now()),
			HMMP_STATUS_HELD);
	hmmp_binding_gc(hn);
	KUNIT_EXPECT_EQ(test, (u8)get(hn)->status, HMMP_STATUS_HELD);
	fixture_end(hn);
}

/* A flow that cannot be remembered takes no room, and the counter tells. */
static void memory_flow(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();
	u64 before = fixture_count(hn, HMMP_A_COUNTER_FLOW_MEMORY);
	int n = atomic_read(&hn->n_flows);
	struct hmmp_flow *f;

	fail_nth(1);
	f = fixture_flow(hn, 40000);
	KUNIT_EXPECT_TRUE(test, failed());
	KUNIT_EXPECT_PTR_EQ(test, f, ERR_PTR(-ENOMEM));
	KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_flows), n);
	KUNIT_EXPECT_EQ(test, fixture_count(hn, HMMP_A_COUNTER_FLOW_MEMORY),
			before + 1);
	fixture_end(hn);
}

static struct kunit_case memory_cases[] = {
	KUNIT_CASE(memory_routes),
	KUNIT_CASE(memory_lapse),
	KUNIT_CASE(memory_held),
	KUNIT_CASE(memory_flow),
	{}
};

static struct kunit_suite memory_suite = {
	.name = "hmmp_memory",
	.test_cases = memory_cases,
};

kunit_test_suite(memory_suite);
