// SPDX-License-Identifier: GPL-2.0
/*
 * Malformed packets, a fixed number of them, from a seed that is printed: good
 * ones of every encapsulation with bytes changed, cut off, nested or at another
 * place, given to the handlers as the core would, and quoted in ICMP errors.
 * What is looked for is found by the kernel itself: reads beyond a packet,
 * locks, leaks. Here it is checked that the state of the module is the same
 * afterwards, and that the good ones are still taken.
 */
#include <kunit/test.h>
#include <linux/icmp.h>
#include <linux/prandom.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/protocol.h>

#include "fixture.h"

#define CASES	20000
#define OWNER	7
#define ROOM	128
#define LONGEST	200

/* Bytes of a packet, the outer header first. */
struct shot {
	u8 byte[LONGEST];
	int len;
	u8 family;	/* of the outer header */
	u8 proto;	/* that it names */
};

static struct rnd_state rnd;

static u32 below(u32 n)
{
	return prandom_u32_state(&rnd) % n;
}

static void put(struct shot *s, const void *bytes, int len)
{
	memcpy(s->byte + s->len, bytes, len);
	s->len += len;
}

static void put4(struct shot *s, u8 proto, const char *from, const char *to,
		 int behind)
{
	struct iphdr h = {
		.version = 4,
		.ihl = 5,
		.ttl = 60,
		.protocol = proto,
		.saddr = in_aton(from),
		.daddr = in_aton(to),
		.tot_len = htons(sizeof(h) + behind),
	};

	h.check = ip_fast_csum(&h, h.ihl);
	put(s, &h, sizeof(h));
}

static void put6(struct shot *s, u8 proto, int behind)
{
	struct ipv6hdr h = {
		.version = 6,
		.nexthdr = proto,
		.hop_limit = 60,
		.payload_len = htons(behind),
		.saddr = { .s6_addr = { 0xfd, [15] = 1 } },
		.daddr = { .s6_addr = { 0xfd, [15] = 2 } },
	};

	put(s, &h, sizeof(h));
}

static void put_tcp(struct shot *s)
{
	struct tcphdr h = {
		.source = htons(80),
		.dest = htons(40000),
		.doff = 5,
		.ack = 1,
	};

	put(s, &h, sizeof(h));
}

/* One that belongs to the flow, the host or nothing, in some encapsulation. */
static void make(struct shot *s, u32 kind)
{
	static const u8 minimal[] = { IPPROTO_TCP, 0x80, 0, 0, 192, 0, 2, 10,
				      203, 0, 113, 5 };

	memset(s, 0, sizeof(*s));
	s->family = kind & 4 ? AF_INET6 : AF_INET;
	s->proto = kind & 1 ? IPPROTO_IPV6 : IPPROTO_IPIP;
	if (kind == 2) {
		s->proto = HMMP_IPPROTO_MINENC;
		put4(s, s->proto, "198.51.100.7", "192.0.2.10", 32);
		put(s, minimal, sizeof(minimal));
		put_tcp(s);
		return;
	}
	if (s->family == AF_INET)
		put4(s, s->proto, "198.51.100.7", "192.0.2.10", 60);
	else
		put6(s, s->proto, 60);
	if (s->proto == IPPROTO_IPV6)
		put6(s, IPPROTO_TCP, 20);
	else if (kind & 8)
		put4(s, IPPROTO_IPIP, "203.0.113.5", "192.0.2.10", 20);
	else
		put4(s, IPPROTO_TCP, "203.0.113.5", "192.0.2.10", 20);
	put_tcp(s);
}

/* Some bytes of what is behind the outer addresses, or of the length. */
static void spoil(struct shot *s)
{
	u32 n = below(4);

	while (n--)
		s->byte[below(s->len)] = below(256);
	if (!below(3))
		s->len -= below(s->len - 20);
	/* the core has looked at these */
	s->byte[0] = s->family == AF_INET ? 0x45 : 0x60;
}

static int header_len(const struct shot *s)
{
	return s->family == AF_INET ? sizeof(struct iphdr) :
				      sizeof(struct ipv6hdr);
}

/* As it is on the wire, sometimes with little in its linear part. */
static struct sk_buff *packet(const struct shot *s)
{
	int linear = max(header_len(s), below(2) ? s->len : 0);
	struct sk_buff *skb;
	int err;

	skb = alloc_skb_with_frags(ROOM + linear, s->len - linear, 0, &err,
				   GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_reserve(skb, ROOM);
	skb_put(skb, linear);
	skb->data_len = s->len - linear;
	skb->len += skb->data_len;
	skb_store_bits(skb, 0, s->byte, s->len);
	skb->dev = init_net.loopback_dev;
	skb->protocol = s->family == AF_INET ? htons(ETH_P_IP) :
					       htons(ETH_P_IPV6);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	return skb;
}

/* In the handlers' place: the outer header is the network header. */
static void deliver(const struct shot *s)
{
	const struct inet6_protocol *p6;
	const struct net_protocol *p4;
	struct sk_buff *skb = packet(s);
	int ret = -1;

	if (!skb)
		return;
	skb_pull(skb, header_len(s));
	skb_reset_transport_header(skb);
	local_bh_disable();
	rcu_read_lock();
	p4 = rcu_dereference(inet_protos[s->proto]);
	p6 = rcu_dereference(inet6_protos[s->proto]);
	if (s->family == AF_INET && p4)
		ret = p4->handler(skb);
	else if (s->family == AF_INET6 && p6)
		ret = p6->handler(skb);
	else
		kfree_skb(skb);
	rcu_read_unlock();
	local_bh_enable();
}

/* The same packet, quoted by a router that says something about it. */
static void complain(const struct shot *s)
{
	static const u8 codes[] = { ICMP_FRAG_NEEDED, ICMP_HOST_UNREACH,
				    ICMP_PROT_UNREACH, ICMP_PORT_UNREACH };
	const struct net_protocol *p4;
	struct icmphdr icmp = {
		.type = ICMP_DEST_UNREACH,
		.code = codes[below(ARRAY_SIZE(codes))],
	};
	struct sk_buff *skb;

	if (s->family != AF_INET)
		return;
	skb = packet(s);
	if (!skb)
		return;
	if (skb_linearize(skb)) {
		kfree_skb(skb);
		return;
	}
	memcpy(skb->data - sizeof(icmp), &icmp, sizeof(icmp));
	skb_set_transport_header(skb, -(int)sizeof(icmp));
	skb_set_network_header(skb, -(int)sizeof(icmp) -
			       (int)sizeof(struct iphdr));
	local_bh_disable();
	rcu_read_lock();
	p4 = rcu_dereference(inet_protos[s->proto]);
	if (p4 && p4->err_handler)
		p4->err_handler(skb, below(1500));
	rcu_read_unlock();
	local_bh_enable();
	kfree_skb(skb);
}

static void install(struct kunit *test, struct hmmp_net *hn)
{
	struct hmmp_terms flow = {
		.family = AF_INET,
		.original = fixture_addr("203.0.113.5"),
		.current_addr = fixture_any("198.51.100.7"),
		.owner = OWNER,
		.encap = HMMP_ENCAP_IPIP,
		.status = HMMP_STATUS_VERIFIED,
		.seq = 1,
	};
	struct hmmp_terms host = {
		.family = AF_INET,
		.original = fixture_addr("203.0.113.5"),
		.current_addr = fixture_any("198.51.100.7"),
		.local_outer = fixture_any("192.0.2.10"),
		.encap = HMMP_ENCAP_IPIP,
		.status = HMMP_STATUS_VERIFIED,
		.ifindex = 1,
		.seq = 1,
	};

	rcu_read_lock();
	hmmp_flow_set_owner(fixture_flow(hn, 40000), OWNER);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, hmmp_binding_set(hn, &flow, 60000, NULL), 0);
	KUNIT_EXPECT_EQ(test, hmmp_binding_set(hn, &host, 60000, NULL), 0);
}

static void fuzz_packets(struct kunit *test)
{
	struct hmmp_net *hn = fixture_begin();
	u64 before = fixture_count(hn, HMMP_A_COUNTER_RX_DECAP);
	u32 seed = get_random_u32();
	struct shot s;
	u64 good;
	int i;

	kunit_info(test, "seed %u", seed);
	prandom_seed_state(&rnd, seed);
	KUNIT_EXPECT_EQ(test, hmmp_net_start(hn), 0);
	install(test, hn);
	make(&s, 0);
	deliver(&s);
	good = fixture_count(hn, HMMP_A_COUNTER_RX_DECAP) - before;
	KUNIT_EXPECT_EQ(test, good, 1);
	for (i = 0; i < CASES; i++) {
		make(&s, below(16));
		spoil(&s);
		deliver(&s);
		complain(&s);
		if (!(i % 1000))
			cond_resched();
	}
	before = fixture_count(hn, HMMP_A_COUNTER_RX_DECAP);
	make(&s, 2);
	deliver(&s);
	KUNIT_EXPECT_EQ(test, fixture_count(hn, HMMP_A_COUNTER_RX_DECAP),
			before);	/* its checksum is wrong */
	make(&s, 0);
	deliver(&s);
	KUNIT_EXPECT_EQ(test, fixture_count(hn, HMMP_A_COUNTER_RX_DECAP),
			before + 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_flows), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&hn->n_bindings), 2);
	fixture_end(hn);
}

static struct kunit_case fuzz_cases[] = {
	KUNIT_CASE(fuzz_packets),
	{}
};

static struct kunit_suite fuzz_suite = {
	.name = "hmmp_fuzz",
	.test_cases = fuzz_cases,
};

kunit_test_suite(fuzz_suite);
