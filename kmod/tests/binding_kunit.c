// SPDX-License-Identifier: GPL-2.0
/* Bindings: sequence numbers, lifetimes, held, limits, and who has an owner. */
#include <kunit/test.h>
#include <linux/delay.h>

#include "fixture.h"

#define OWNER	7
#define LIFE	60000	/* ms */

/* One of the owner's flows keeps its bindings alive. */
static struct hmmp_net *begin(void)
{
	struct hmmp_net *hn = fixture_begin();

	rcu_read_lock();
	hmmp_flow_set_owner(fixture_flow(hn, 40000), OWNER);
	rcu_read_unlock();
	return hn;
}

static int set_as(struct hmmp_net *hn, const char *to, u32 seq, u32 life,
		  u8 status)
{
	struct hmmp_terms seed = {
		.family = AF_INET,
		.original = fixture_addr("203.0.113.5"),
		.current_addr = fixture_any(to),
		.owner = OWNER,
		.encap = HMMP_ENCAP_IPIP,
		.status = status,
		.seq = seq,
		.credit = 1000,
	};

	return hmmp_binding_set(hn, &seed, life, NULL);
}

static int set(struct hmmp_net *hn, const char *to, u32 seq, u32 life)
{
	return set_as(hn, to, seq, life, HMMP_STATUS_VERIFIED);
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

/* What is said of it. */
static struct hmmp_terms terms(struct hmmp_net *hn)
{
	struct hmmp_terms t;

	hmmp_binding_read(get(hn), &t);
	return t;
}

static int del(struct hmmp_net *hn, const u32 *seq)
{
	union nf_inet_addr a = fixture_addr("203.0.113.5");

	return hmmp_binding_del(hn, AF_INET, &a, OWNER, seq, NULL);
}

static bool is(struct hmmp_addr a, const char *text)
{
	return a.family == AF_INET && a.ip.ip == in_aton(text);
}

static void binding_update(struct kunit *test)
{
	struct hmmp_net *hn = begin();
	u64 id;

	KUNIT_EXPECT_EQ(test, set(hn, "198.51.100.7", 1, LIFE), 0);
	id = get(hn)->id;
	atomic64_set(&get(hn)->tx_packets, 5);
	KUNIT_EXPECT_EQ(test, set(hn, "198.51.100.8", 2, LIFE), 0);
	KUNIT_EXPECT_TRUE(test, is(terms(hn).current_addr, "198.51.100.8"));
	KUNIT_EXPECT_TRUE(test, is(terms(hn).previous, "198.51.100.7"));
	KUNIT_EXPECT_EQ(test, get(hn)->id, id);
	KUNIT_EXPECT_EQ(test, atomic64_read(&get(hn)->tx_packets), 5);
	KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_bindings), 1);
	fixture_end(hn);
}

/* An older message that arrives later changes nothing; numbers may wrap. */
static void binding_stale(struct kunit *test)
{
	struct hmmp_net *hn = begin();
	u64 before = fixture_count(hn, HMMP_A_COUNTER_BINDING_STALE);

	set(hn, "198.51.100.7", 0xfffffffe, LIFE);
	KUNIT_EXPECT_EQ(test, set(hn, "198.51.100.8", 0xfffffffd, LIFE),
			-ESTALE);
	KUNIT_EXPECT_EQ(test, set(hn, "198.51.100.8", 0xfffffffe, LIFE),
			-ESTALE);
	KUNIT_EXPECT_TRUE(test, is(terms(hn).current_addr, "198.51.100.7"));
	KUNIT_EXPECT_EQ(test, fixture_count(hn, HMMP_A_COUNTER_BINDING_STALE),
			before + 2);
	KUNIT_EXPECT_EQ(test, set(hn, "198.51.100.7", 0xfffffffe, LIFE), 0);
	KUNIT_EXPECT_EQ(test, set(hn, "198.51.100.8", 2, LIFE), 0);
	fixture_end(hn);
}

static void binding_del(struct kunit *test)
{
	struct hmmp_net *hn = begin();
	u32 seq = 4;

	set(hn, "198.51.100.7", 5, LIFE);
	KUNIT_EXPECT_EQ(test, del(hn, &seq), -ESTALE);
	KUNIT_EXPECT_FALSE(test, get(hn)->leaving);
	seq = 5;
	KUNIT_EXPECT_EQ(test, del(hn, &seq), 0);
	KUNIT_EXPECT_EQ(test, del(hn, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_bindings), 0);
	/* it stays for packets under way, at home for what is sent */
	KUNIT_EXPECT_TRUE(test, get(hn)->leaving);
	KUNIT_EXPECT_TRUE(test, get(hn)->home);
	KUNIT_EXPECT_TRUE(test, is(terms(hn).previous, "198.51.100.7"));
	fixture_end(hn);
}

/* A new binding in the place of one that leaves is a new one. */
static void binding_after_del(struct kunit *test)
{
	struct hmmp_net *hn = begin();

	set(hn, "198.51.100.7", 5, LIFE);
	del(hn, NULL);
	KUNIT_EXPECT_EQ(test, set(hn, "198.51.100.9", 1, LIFE), 0);
	KUNIT_EXPECT_FALSE(test, get(hn)->leaving);
	KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_bindings), 1);
	fixture_end(hn);
}

/* Let a lifetime of some milliseconds pass. */
static void wait_until(u64 when)
{
	while (hmmp_now() <= when)
		usleep_range(500, 1000);
}

/* K6: what lapses is held, at once for packets, then for good. */
static void binding_expires_into_held(struct kunit *test)
{
	struct hmmp_net *hn = begin();
	u64 before = fixture_count(hn, HMMP_A_COUNTER_BINDING_EXPIRED);
	struct hmmp_binding *b;

	set(hn, "198.51.100.7", 1, 20);
	b = get(hn);
	KUNIT_EXPECT_EQ(test, hmmp_binding_status(b, b->expires - 1),
			HMMP_STATUS_VERIFIED);
	KUNIT_EXPECT_EQ(test, hmmp_binding_status(b, b->expires),
			HMMP_STATUS_HELD);
	wait_until(b->expires);
	hmmp_binding_gc(hn);
	KUNIT_EXPECT_EQ(test, terms(hn).status, HMMP_STATUS_HELD);
	KUNIT_EXPECT_TRUE(test, is(terms(hn).current_addr, "198.51.100.7"));
	KUNIT_EXPECT_EQ(test,
			fixture_count(hn, HMMP_A_COUNTER_BINDING_EXPIRED),
			before + 1);
	hmmp_binding_gc(hn);
	KUNIT_EXPECT_EQ(test,
			fixture_count(hn, HMMP_A_COUNTER_BINDING_EXPIRED),
			before + 1);
	KUNIT_EXPECT_EQ(test, set(hn, "198.51.100.7", 2, LIFE), 0);
	KUNIT_EXPECT_EQ(test, terms(hn).status, HMMP_STATUS_VERIFIED);
	fixture_end(hn);
}

/* Home again, there is nothing to hold (K5). */
static void binding_home_expires(struct kunit *test)
{
	struct hmmp_net *hn = begin();

	set(hn, "198.51.100.7", 1, LIFE);
	set(hn, "203.0.113.5", 2, 20);
	KUNIT_EXPECT_TRUE(test, get(hn)->home);
	wait_until(get(hn)->expires);
	hmmp_binding_gc(hn);
	KUNIT_EXPECT_NULL(test, get(hn));
	KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_bindings), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_chained), 0);
	fixture_end(hn);
}

/* The owner's last flow takes its bindings with it. */
static void binding_ends_with_flows(struct kunit *test)
{
	struct hmmp_net *hn = begin();

	set(hn, "198.51.100.7", 1, LIFE);
	hmmp_binding_gc(hn);
	KUNIT_EXPECT_NOT_NULL(test, get(hn));
	hmmp_flow_net_exit(hn);
	hmmp_binding_gc(hn);
	KUNIT_EXPECT_NULL(test, get(hn));
	KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_bindings), 0);
	fixture_end(hn);
}

static void binding_limit(struct kunit *test)
{
	struct hmmp_net *hn = begin();
	u32 limit = hn->limit.bindings;
	u64 before = fixture_count(hn, HMMP_A_COUNTER_BINDING_LIMIT);

	hn->limit.bindings = 0;
	KUNIT_EXPECT_EQ(test, set(hn, "198.51.100.7", 1, LIFE), -ENOSPC);
	KUNIT_EXPECT_NULL(test, get(hn));
	KUNIT_EXPECT_EQ(test, fixture_count(hn, HMMP_A_COUNTER_BINDING_LIMIT),
			before + 1);
	hn->limit.bindings = 1;
	KUNIT_EXPECT_EQ(test, set(hn, "198.51.100.7", 1, LIFE), 0);
	KUNIT_EXPECT_EQ(test, set(hn, "198.51.100.8", 2, LIFE), 0);
	hn->limit.bindings = limit;
	fixture_end(hn);
}

/* Bindings of other owners of the same address are others. */
static void binding_of_other_owner(struct kunit *test)
{
	struct hmmp_net *hn = begin();
	union nf_inet_addr a = fixture_addr("203.0.113.5");

	set(hn, "198.51.100.7", 1, LIFE);
	rcu_read_lock();
	KUNIT_EXPECT_NULL(test, hmmp_binding_find(hn, AF_INET, &a,
						  OWNER + 1));
	KUNIT_EXPECT_NULL(test, hmmp_binding_find(hn, AF_INET, &a, 0));
	KUNIT_EXPECT_TRUE(test, hmmp_binding_first(hn, AF_INET, &a));
	rcu_read_unlock();
	fixture_end(hn);
}

static bool leads(struct hmmp_net *hn, const char *to, u8 status)
{
	struct hmmp_where w;

	hmmp_binding_where(get(hn), hmmp_now(), &w);
	return w.status == status && is(w.to, to);
}

/* Unverified, it leads to the new address until it lapses; then as before. */
static void binding_provisional_lapses(struct kunit *test)
{
	struct hmmp_net *hn = begin();

	set(hn, "198.51.100.7", 1, LIFE);
	KUNIT_EXPECT_EQ(test, set_as(hn, "198.51.100.8", 2, 20,
				     HMMP_STATUS_PROVISIONAL), 0);
	KUNIT_EXPECT_TRUE(test, leads(hn, "198.51.100.8",
				      HMMP_STATUS_PROVISIONAL));
	wait_until(get(hn)->expires);
	KUNIT_EXPECT_TRUE(test, leads(hn, "198.51.100.7",
				      HMMP_STATUS_VERIFIED));
	hmmp_binding_gc(hn);
	KUNIT_EXPECT_TRUE(test, is(terms(hn).current_addr, "198.51.100.7"));
	KUNIT_EXPECT_TRUE(test, leads(hn, "198.51.100.7",
				      HMMP_STATUS_VERIFIED));
	fixture_end(hn);
}

/* Where there was none, there is none again. */
static void binding_provisional_first(struct kunit *test)
{
	struct hmmp_net *hn = begin();

	set_as(hn, "198.51.100.8", 1, 20, HMMP_STATUS_PROVISIONAL);
	KUNIT_EXPECT_EQ(test, terms(hn).settled, 0);
	wait_until(get(hn)->expires);
	hmmp_binding_gc(hn);
	KUNIT_EXPECT_TRUE(test, get(hn)->leaving);
	KUNIT_EXPECT_TRUE(test, get(hn)->home);
	KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_bindings), 0);
	fixture_end(hn);
}

/* The same number verifies; a second unverified address keeps the fallback. */
static void binding_provisional_verified(struct kunit *test)
{
	struct hmmp_net *hn = begin();

	set(hn, "198.51.100.7", 1, LIFE);
	set_as(hn, "198.51.100.8", 2, LIFE, HMMP_STATUS_PROVISIONAL);
	set_as(hn, "198.51.100.9", 3, LIFE, HMMP_STATUS_PROVISIONAL);
	KUNIT_EXPECT_TRUE(test, is(terms(hn).before.to, "198.51.100.7"));
	KUNIT_EXPECT_EQ(test, set(hn, "198.51.100.8", 3, LIFE), -ESTALE);
	KUNIT_EXPECT_EQ(test, set(hn, "198.51.100.9", 3, LIFE), 0);
	KUNIT_EXPECT_TRUE(test, leads(hn, "198.51.100.9",
				      HMMP_STATUS_VERIFIED));
	/* unverified, that it goes on is no news */
	KUNIT_EXPECT_EQ(test, set_as(hn, "198.51.100.9", 4, 20,
				     HMMP_STATUS_PROVISIONAL), 0);
	KUNIT_EXPECT_EQ(test, get(hn)->seq, 3);
	KUNIT_EXPECT_EQ(test, terms(hn).status, HMMP_STATUS_VERIFIED);
	fixture_end(hn);
}

static void binding_credit(struct kunit *test)
{
	struct hmmp_net *hn = begin();
	struct hmmp_binding *b;

	set_as(hn, "198.51.100.8", 1, LIFE, HMMP_STATUS_PROVISIONAL);
	b = get(hn);
	KUNIT_EXPECT_TRUE(test, hmmp_binding_credit(hn, b, 600));
	KUNIT_EXPECT_FALSE(test, hmmp_binding_credit(hn, b, 600));
	KUNIT_EXPECT_TRUE(test, hmmp_binding_credit(hn, b, 400));
	KUNIT_EXPECT_FALSE(test, hmmp_binding_credit(hn, b, 1));
	fixture_end(hn);
}

static int set_host(struct hmmp_net *hn, u32 seq, u32 life, u32 flags,
		    u8 status)
{
	struct hmmp_terms seed = {
		.family = AF_INET,
		.original = fixture_addr("192.0.2.10"),
		.current_addr = fixture_any("198.51.100.7"),
		.local_outer = fixture_any("192.0.2.1"),
		.encap = HMMP_ENCAP_IPIP,
		.status = status,
		.ifindex = 1,
		.flags = flags,
		.seq = seq,
	};

	return hmmp_binding_set(hn, &seed, life, NULL);
}

static struct hmmp_binding *get_host(struct hmmp_net *hn)
{
	union nf_inet_addr a = fixture_addr("192.0.2.10");
	struct hmmp_binding *b;

	rcu_read_lock();
	b = hmmp_binding_find(hn, AF_INET, &a, 0);
	rcu_read_unlock();
	return b;
}

/* A host's binding needs no flow, and just ends. */
static void binding_host_expires(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();

	KUNIT_EXPECT_EQ(test, set_host(hn, 1, 20, 0, HMMP_STATUS_VERIFIED), 0);
	hmmp_binding_gc(hn);
	KUNIT_EXPECT_NOT_NULL(test, get_host(hn));
	wait_until(get_host(hn)->expires);
	hmmp_binding_gc(hn);
	KUNIT_EXPECT_NULL(test, get_host(hn));
	KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_chained), 0);
	fixture_end(hn);
}

/* Unverified, a host's packets are held; verified, let go. */
static void binding_host_buffer(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();

	set_host(hn, 1, LIFE, 0, HMMP_STATUS_PROVISIONAL);
	KUNIT_EXPECT_TRUE(test, hmmp_buffer_open(hmmp_binding_buffer(get_host(hn))));
	set_host(hn, 1, LIFE, 0, HMMP_STATUS_VERIFIED);
	wait_until(hmmp_now() + 50 * NSEC_PER_MSEC);
	KUNIT_EXPECT_FALSE(test, hmmp_buffer_open(hmmp_binding_buffer(get_host(hn))));
	set_host(hn, 2, LIFE, HMMP_BINDING_FLAGS_BUFFER,
		 HMMP_STATUS_VERIFIED);
	KUNIT_EXPECT_TRUE(test, hmmp_buffer_open(hmmp_binding_buffer(get_host(hn))));
	set_host(hn, 3, LIFE, 0, HMMP_STATUS_VERIFIED);
	KUNIT_EXPECT_TRUE(test, hmmp_buffer_open(hmmp_binding_buffer(get_host(hn))));
	fixture_end(hn);
}

/* IPv4 only, or IPv6 inside, outside or as the outer source. */
static const struct { u8 inner; u8 outer; u8 from; } families[] = {
	{ AF_INET, AF_INET, AF_UNSPEC }, { AF_INET, AF_INET, AF_INET },
	{ AF_INET, AF_INET6, AF_INET6 }, { AF_INET6, AF_INET, AF_INET },
	{ AF_INET6, AF_INET6, AF_UNSPEC }, { AF_INET, AF_INET, AF_INET6 },
};

static struct hmmp_addr some_addr(u8 family, u8 number)
{
	struct hmmp_addr a = { .family = family };

	if (family)
		memset(&a.ip, number, family == AF_INET ? 4 : 16);
	return a;
}

static void expect_kept(struct kunit *test, struct hmmp_net *hn,
			const struct hmmp_terms *t)
{
	struct hmmp_binding *b = hmmp_binding_make(hn, t, GFP_KERNEL);
	struct hmmp_terms is;

	KUNIT_ASSERT_NOT_NULL(test, b);
	hmmp_binding_read(b, &is);
	KUNIT_EXPECT_MEMEQ(test, &is, t, sizeof(is));
	hmmp_binding_free(b);
}

/* What is said of a binding comes back as it was, whatever its families. */
static void binding_keeps_terms(struct kunit *test)
{
	struct hmmp_net *hn = hmmp_net(&init_net);
	struct hmmp_terms t;
	int i;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		memset(&t, 0, sizeof(t));
		t.family = families[i].inner;
		t.original = some_addr(families[i].inner, 1).ip;
		t.current_addr = some_addr(families[i].outer, 2);
		t.local_outer = some_addr(families[i].from, 3);
		t.owner = OWNER;
		t.expires = U64_MAX;
		t.settled = 5ULL << HMMP_SETTLED_SHIFT;
		t.id = 6;
		t.seq = 7;
		t.ifindex = 8;
		t.flags = HMMP_BINDING_FLAGS_MASK;
		t.status = HMMP_STATUS_HELD;
		t.encap = HMMP_ENCAP_GUE;
		expect_kept(test, hn, &t);
		t.previous = some_addr(families[i].outer, 9);
		t.since = 10;
		t.mark = 11;
		t.link = 12;
		t.credit = 13;
		t.lladdr_len = 6;
		t.lladdr[5] = 14;
		t.before.expires = 15;
		expect_kept(test, hn, &t);
	}
}

static u32 visited;

static void visit_one(struct hmmp_net *hn, struct hmmp_binding *b)
{
	visited++;
}

/* The periodic work looks at what is due or was touched, and at nothing else */
static void binding_visited_when_due(struct kunit *test)
{
	union nf_inet_addr a = fixture_addr("203.0.113.5");
	struct hmmp_net *hn = begin();

	set(hn, "198.51.100.7", 1, LIFE);
	visited = 0;
	KUNIT_EXPECT_LE(test, hmmp_binding_visit(hn, visit_one),
			get(hn)->expires);
	KUNIT_EXPECT_EQ(test, visited, 0);
	hmmp_binding_touch(hn, AF_INET, &a);
	hmmp_binding_visit(hn, visit_one);
	KUNIT_EXPECT_EQ(test, visited, 1);
	hmmp_binding_visit(hn, visit_one);
	KUNIT_EXPECT_EQ(test, visited, 1);
	set(hn, "198.51.100.8", 2, 20);
	wait_until(get(hn)->expires);
	visited = 0;
	hmmp_binding_visit(hn, visit_one);
	KUNIT_EXPECT_EQ(test, visited, 1);
	fixture_end(hn);
}

static struct kunit_case binding_cases[] = {
	KUNIT_CASE(binding_visited_when_due),
	KUNIT_CASE(binding_keeps_terms),
	KUNIT_CASE(binding_update),
	KUNIT_CASE(binding_stale),
	KUNIT_CASE(binding_del),
	KUNIT_CASE(binding_after_del),
	KUNIT_CASE(binding_expires_into_held),
	KUNIT_CASE(binding_home_expires),
	KUNIT_CASE(binding_ends_with_flows),
	KUNIT_CASE(binding_limit),
	KUNIT_CASE(binding_of_other_owner),
	KUNIT_CASE(binding_provisional_lapses),
	KUNIT_CASE(binding_provisional_first),
	KUNIT_CASE(binding_provisional_verified),
	KUNIT_CASE(binding_credit),
	KUNIT_CASE(binding_host_expires),
	KUNIT_CASE(binding_host_buffer),
	{}
};

static struct kunit_suite binding_suite = {
	.name = "hmmp_binding",
	.test_cases = binding_cases,
};

kunit_test_suite(binding_suite);
