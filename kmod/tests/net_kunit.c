// SPDX-License-Identifier: GPL-2.0
/*
 * Namespaces: what the module keeps in one neither stops it from going nor
 * stays behind. A namespace gives its loopback device back before it calls
 * the module, so a reference that is dropped too late would hang for ever.
 */
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/sched.h>
#include <net/net_namespace.h>

#include "fixture.h"

static struct completion gone;

/* Called when the devices of a namespace have gone. */
static void __net_exit on_net_exit(struct net *net)
{
	complete(&gone);
}

static struct pernet_operations watch = { .exit = on_net_exit };

static struct net *new_net(void)
{
	return copy_net_ns(CLONE_NEWNET, current_user_ns(), &init_net);
}

static int start(struct net *net)
{
	struct hmmp_net *hn = hmmp_net(net);
	int err;

	mutex_lock(&hn->lock);
	err = hmmp_net_start(hn);
	if (!err)
		err = hmmp_net_start(hn);	/* again does nothing */
	mutex_unlock(&hn->lock);
	return err;
}

static void net_goes(struct kunit *test)
{
	struct net *net = new_net();

	KUNIT_ASSERT_FALSE(test, IS_ERR(net));
	KUNIT_EXPECT_FALSE(test, hmmp_net(net)->active);
	KUNIT_EXPECT_EQ(test, start(net), 0);
	KUNIT_EXPECT_TRUE(test, hmmp_net(net)->active);
	put_net(net);
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&gone, 20 * HZ), 0);
}

/* With flows, a binding and a hand-off in it. */
static void net_goes_full(struct kunit *test)
{
	struct net *net = new_net();
	struct hmmp_terms seed = {
		.family = AF_INET,
		.original = fixture_addr("203.0.113.5"),
		.current_addr = fixture_any("198.51.100.7"),
		.owner = 1,
		.status = HMMP_STATUS_VERIFIED,
		.seq = 1,
	};
	struct hmmp_local l = {
		.family = AF_INET,
		.original = fixture_addr("192.0.2.10"),
		.current_addr = fixture_any("192.0.2.77"),
	};
	struct hmmp_net *hn;

	KUNIT_ASSERT_FALSE(test, IS_ERR(net));
	KUNIT_EXPECT_EQ(test, start(net), 0);
	hn = hmmp_net(net);
	mutex_lock(&hn->lock);
	rcu_read_lock();
	hmmp_flow_set_owner(fixture_flow(hn, 40000), 1);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, hmmp_binding_set(hn, &seed, 60000, NULL), 0);
	KUNIT_EXPECT_EQ(test, hmmp_local_set(hn, &l, false), 0);
	mutex_unlock(&hn->lock);
	put_net(net);
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&gone, 20 * HZ), 0);
}

#define MANY	256	/* connections, so that two namespaces share chains */

static u32 visited;

static void visit_one(struct hmmp_net *hn, struct hmmp_binding *b)
{
	visited++;
}

/* What one namespace's periodic work looked at, is as due to others as before. */
static void net_due_apart(struct kunit *test)
{
	struct hmmp_terms seed = {
		.family = AF_INET,
		.original = fixture_addr("203.0.113.5"),
		.current_addr = fixture_any("198.51.100.7"),
		.owner = 1,
		.status = HMMP_STATUS_VERIFIED,
		.seq = 1,
	};
	struct net *net[2] = { new_net(), new_net() };
	struct hmmp_net *hn;
	int i, port;

	for (i = 0; i < 2; i++) {
		KUNIT_ASSERT_FALSE(test, IS_ERR(net[i]));
		hn = hmmp_net(net[i]);
		KUNIT_EXPECT_EQ(test, start(net[i]), 0);
		mutex_lock(&hn->lock);
		rcu_read_lock();
		for (port = 1; port <= MANY; port++)
			hmmp_flow_set_owner(fixture_flow(hn, port), 1);
		rcu_read_unlock();
		KUNIT_EXPECT_EQ(test, hmmp_binding_set(hn, &seed, 60000, NULL),
				0);
		hmmp_binding_touch(hn, AF_INET, &seed.original);
		mutex_unlock(&hn->lock);
	}
	for (i = 0; i < 2; i++) {
		hn = hmmp_net(net[i]);
		mutex_lock(&hn->lock);
		visited = 0;
		hmmp_binding_visit(hn, visit_one);
		KUNIT_EXPECT_EQ(test, visited, 1);
		hmmp_flow_gc(hn);	/* no socket has them */
		KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_flows), 0);
		mutex_unlock(&hn->lock);
	}
	put_net(net[0]);
	put_net(net[1]);
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&gone, 20 * HZ), 0);
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&gone, 20 * HZ), 0);
}

static int net_init(struct kunit *test)
{
	init_completion(&gone);
	return register_pernet_subsys(&watch);
}

static void net_exit(struct kunit *test)
{
	unregister_pernet_subsys(&watch);
}

static struct kunit_case net_cases[] = {
	KUNIT_CASE(net_goes),
	KUNIT_CASE(net_goes_full),
	KUNIT_CASE(net_due_apart),
	{}
};

static struct kunit_suite net_suite = {
	.name = "hmmp_net",
	.init = net_init,
	.exit = net_exit,
	.test_cases = net_cases,
};

kunit_test_suite(net_suite);
