// SPDX-License-Identifier: GPL-2.0
/* The table of flows: keys, owners, limits, and what a dump promises. */
#include <kunit/test.h>
#include <linux/ip.h>
#include <linux/tcp.h>

#include "fixture.h"

#define FIRST	10000	/* local port */
#define MANY	3000

static int own(struct hmmp_flow *f, u64 owner)
{
	int err;

	rcu_read_lock();
	err = hmmp_flow_set_owner(f, owner);
	rcu_read_unlock();
	return err;
}

static void flow_add_twice(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();
	struct hmmp_flow *f = fixture_flow(hn, FIRST);

	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, f);
	KUNIT_EXPECT_PTR_EQ(test, fixture_flow(hn, FIRST), f);
	KUNIT_EXPECT_PTR_NE(test, fixture_flow(hn, FIRST + 1), f);
	KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_flows), 2);
	fixture_end(hn);
	KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_flows), 0);
}

/* Each part of the key counts: D5 of the draft is that ports do not. */
static void flow_key(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();
	struct hmmp_tuple key = fixture_flow(hn, FIRST)->key, other;

	rcu_read_lock();
	KUNIT_EXPECT_NOT_NULL(test, hmmp_flow_find(hn->net, &key));
	other = key;
	other.lport = htons(FIRST + 1);
	KUNIT_EXPECT_NULL(test, hmmp_flow_find(hn->net, &other));
	other = key;
	other.rport = htons(81);
	KUNIT_EXPECT_NULL(test, hmmp_flow_find(hn->net, &other));
	other = key;
	other.local = fixture_addr("192.0.2.11");
	KUNIT_EXPECT_NULL(test, hmmp_flow_find(hn->net, &other));
	other = key;
	other.remote = fixture_addr("203.0.113.6");
	KUNIT_EXPECT_NULL(test, hmmp_flow_find(hn->net, &other));
	rcu_read_unlock();
	fixture_end(hn);
}

/* The former or the next holder of an address moves nobody else's flows. */
static void flow_owner_once(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();
	struct hmmp_flow *f = fixture_flow(hn, FIRST);

	KUNIT_EXPECT_EQ(test, own(f, 7), 0);
	KUNIT_EXPECT_EQ(test, own(f, 7), 0);
	KUNIT_EXPECT_EQ(test, own(f, 8), -EBUSY);
	KUNIT_EXPECT_EQ(test, f->owner, 7);
	KUNIT_EXPECT_EQ(test, own(f, 0), 0);
	KUNIT_EXPECT_EQ(test, own(f, 8), 0);
	KUNIT_EXPECT_TRUE(test, hmmp_flow_owner_alive(hn->net, &f->key.remote,
						      8));
	KUNIT_EXPECT_FALSE(test, hmmp_flow_owner_alive(hn->net, &f->key.remote,
						       7));
	KUNIT_EXPECT_FALSE(test, hmmp_flow_owner_alive(hn->net, &f->key.local,
						       8));
	fixture_end(hn);
}

static int count_one(struct hmmp_flow *f, void *arg)
{
	++*(int *)arg;
	return 0;
}

static void flow_walk_owner(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();
	int i, n = 0;

	for (i = 0; i < 100; i++)
		own(fixture_flow(hn, FIRST + i), 1 + i % 4);
	hmmp_flow_walk_owner(hn->net, 3, count_one, &n);
	KUNIT_EXPECT_EQ(test, n, 25);
	fixture_end(hn);
}

static void flow_limit(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();
	u32 limit = hn->limit.flows;
	u64 before = fixture_count(hn, HMMP_A_COUNTER_FLOW_LIMIT);

	hn->limit.flows = 2;
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, fixture_flow(hn, FIRST));
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, fixture_flow(hn, FIRST + 1));
	KUNIT_EXPECT_PTR_EQ(test, fixture_flow(hn, FIRST + 2),
			    ERR_PTR(-ENOSPC));
	KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_flows), 2);
	KUNIT_EXPECT_EQ(test, fixture_count(hn, HMMP_A_COUNTER_FLOW_LIMIT),
			before + 1);
	hn->limit.flows = limit;
	fixture_end(hn);
}

/* A walk that stops after some flows, as a dump does at the end of a page. */
struct dump {
	u8 *seen;	/* by local port */
	int room;
};

static int visit(struct hmmp_flow *f, void *arg)
{
	struct dump *p = arg;

	if (!p->room)
		return -EMSGSIZE;
	p->room--;
	p->seen[ntohs(f->key.lport)]++;
	return 0;
}

/*
 * The promise of the dump: flows that live during all of it appear exactly
 * once, whatever is added between its pages.
 */
static void flow_walk_exactly_once(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();
	struct hmmp_cursor at = {};
	struct dump p = {};
	int i, err, added = 0, wrong = 0;

	p.seen = kvzalloc(65536, GFP_KERNEL);
	for (i = 0; i < MANY; i++)
		fixture_flow(hn, FIRST + i);
	do {
		p.room = 37;
		err = hmmp_flow_walk(hn->net, &at, visit, &p);
		fixture_flow(hn, FIRST + MANY + added++);
	} while (err == -EMSGSIZE && added < MANY);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_GE(test, added, MANY / 37);
	for (i = 0; i < 65536; i++)
		wrong += i >= FIRST && i < FIRST + MANY ? p.seen[i] != 1 :
							 p.seen[i] > 1;
	KUNIT_EXPECT_EQ(test, wrong, 0);
	kvfree(p.seen);
	fixture_end(hn);
}

/* D15: a flow whose socket is gone is removed, and says so. */
static void flow_ends_with_socket(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();
	u64 before = fixture_count(hn, HMMP_A_COUNTER_FLOW_ENDED);

	fixture_flow(hn, FIRST);
	hmmp_flow_gc(hn);
	KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_flows), 0);
	KUNIT_EXPECT_EQ(test, fixture_count(hn, HMMP_A_COUNTER_FLOW_ENDED),
			before + 1);
	fixture_end(hn);
}

/* A segment without data from here, as the core sends it without a socket. */
static struct sk_buff *reset_of(const struct hmmp_flow *f, u32 seq)
{
	struct sk_buff *skb = alloc_skb(128, GFP_KERNEL);
	struct tcphdr *th;
	struct iphdr *iph;

	if (!skb)
		return NULL;
	skb_reset_network_header(skb);
	iph = skb_put_zero(skb, sizeof(*iph));
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->protocol = IPPROTO_TCP;
	iph->saddr = f->key.local.ip;
	iph->daddr = f->key.remote.ip;
	th = skb_put_zero(skb, sizeof(*th));
	th->source = f->key.lport;
	th->dest = f->key.rport;
	th->seq = htonl(seq);
	th->doff = sizeof(*th) / 4;
	th->rst = 1;
	skb->protocol = htons(ETH_P_IP);
	return skb;
}

/* Known by its sequence numbers; then a RST goes out. Return: flows left. */
static int flows_after_reset(struct hmmp_net *hn, u64 owner)
{
	struct hmmp_flow *f = fixture_flow(hn, FIRST);
	struct sk_buff *skb;

	f->tcp.state = HMMP_TCP_STATE_ESTABLISHED;
	f->tcp.picked = true;
	f->tcp.half[HMMP_DIR_OUT].end = 1000;
	f->tcp.half[HMMP_DIR_OUT].known = HMMP_TCP_END;
	own(f, owner);
	skb = reset_of(f, 1000);
	rcu_read_lock();
	if (skb)
		hmmp_sip_eye_out(hn, skb, AF_INET);
	rcu_read_unlock();
	kfree_skb(skb);
	return atomic_read(&hn->n_flows);
}

/* What is over and nobody's goes at once, else when its socket is missed. */
static void flow_over(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();

	KUNIT_EXPECT_EQ(test, flows_after_reset(hn, 0), 0);
	KUNIT_EXPECT_EQ(test, flows_after_reset(hn, 7), 1);
	hmmp_flow_gc(hn);
	KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_flows), 0);
	fixture_end(hn);
}

static struct kunit_case flow_cases[] = {
	KUNIT_CASE(flow_over),
	KUNIT_CASE(flow_add_twice),
	KUNIT_CASE(flow_key),
	KUNIT_CASE(flow_owner_once),
	KUNIT_CASE(flow_walk_owner),
	KUNIT_CASE(flow_limit),
	KUNIT_CASE(flow_walk_exactly_once),
	KUNIT_CASE(flow_ends_with_socket),
	{}
};

static struct kunit_suite flow_suite = {
	.name = "hmmp_flow",
	.test_cases = flow_cases,
};

kunit_test_suite(flow_suite);
