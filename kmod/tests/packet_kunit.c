// SPDX-License-Identifier: GPL-2.0
/* Headers: read at any offset, written byte by byte, and found in a loop. */
#include <kunit/test.h>
#include <net/ip.h>
#include <net/dsfield.h>
#include <net/ipv6.h>

#include "fixture.h"

#define ROOM	64

/* A packet with this at its data, which is its network header. */
static struct sk_buff *packet(struct kunit *test, const void *bytes, int len,
			      __be16 protocol)
{
	struct sk_buff *skb = alloc_skb(ROOM + len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, ROOM);
	skb_put_data(skb, bytes, len);
	skb_reset_network_header(skb);
	skb->protocol = protocol;
	return skb;
}

struct four {
	struct iphdr ip;
	struct tcphdr tcp;
} __packed;

static struct four segment4(void)
{
	return (struct four){
		.ip = {
			.version = 4,
			.ihl = 5,
			.tot_len = htons(sizeof(struct four)),
			.ttl = 61,
			.tos = 0xb9,
			.frag_off = htons(IP_DF),
			.protocol = IPPROTO_TCP,
			.saddr = htonl(0xc000020a),
			.daddr = htonl(0xcb007105),
		},
		.tcp = {
			.source = htons(40000),
			.dest = htons(80),
			.doff = 5,
		},
	};
}

static void packet_read4(struct kunit *test)
{
	struct four f = segment4();
	struct sk_buff *skb = packet(test, &f, sizeof(f), htons(ETH_P_IP));
	struct hmmp_packet p;

	KUNIT_EXPECT_TRUE(test, hmmp_packet_read(skb, 0, AF_INET, true, &p));
	KUNIT_EXPECT_EQ(test, p.tcp, 20);
	KUNIT_EXPECT_EQ(test, p.key.local.ip, f.ip.saddr);
	KUNIT_EXPECT_EQ(test, p.key.lport, htons(40000));
	KUNIT_EXPECT_EQ(test, p.key.rport, htons(80));
	KUNIT_EXPECT_TRUE(test, hmmp_packet_read(skb, 0, AF_INET, false, &p));
	KUNIT_EXPECT_EQ(test, p.key.local.ip, f.ip.daddr);
	KUNIT_EXPECT_EQ(test, p.key.lport, htons(80));
	KUNIT_EXPECT_FALSE(test, hmmp_packet_read(skb, 0, AF_INET6, true, &p));
	kfree_skb(skb);
}

/*
 * A fragment is no whole segment, but the first one has the ports, by which a
 * plain one is refused (K2). Half a header has none.
 */
static void packet_read4_parts(struct kunit *test)
{
	struct four f = segment4();
	struct hmmp_packet p;
	struct sk_buff *skb;

	f.ip.frag_off = htons(IP_MF);
	skb = packet(test, &f, sizeof(f), htons(ETH_P_IP));
	KUNIT_EXPECT_TRUE(test, hmmp_packet_read(skb, 0, AF_INET, true, &p));
	KUNIT_EXPECT_TRUE(test, p.fragment);
	KUNIT_EXPECT_EQ(test, p.tcp, 0);
	KUNIT_EXPECT_TRUE(test, p.ports);
	KUNIT_EXPECT_EQ(test, p.key.lport, htons(40000));
	kfree_skb(skb);
	f.ip.frag_off = htons(IP_MF | 1);
	skb = packet(test, &f, sizeof(f), htons(ETH_P_IP));
	KUNIT_EXPECT_TRUE(test, hmmp_packet_read(skb, 0, AF_INET, true, &p));
	KUNIT_EXPECT_TRUE(test, p.fragment);
	KUNIT_EXPECT_FALSE(test, p.ports);
	kfree_skb(skb);
	f = segment4();
	skb = packet(test, &f, sizeof(f.ip) + 3, htons(ETH_P_IP));
	KUNIT_EXPECT_TRUE(test, hmmp_packet_read(skb, 0, AF_INET, true, &p));
	KUNIT_EXPECT_EQ(test, p.tcp, 0);
	KUNIT_EXPECT_FALSE(test, p.ports);
	kfree_skb(skb);
	skb = packet(test, &f, sizeof(f.ip) - 1, htons(ETH_P_IP));
	KUNIT_EXPECT_FALSE(test, hmmp_packet_read(skb, 0, AF_INET, true, &p));
	kfree_skb(skb);
}

struct six {
	struct ipv6hdr ip;
	u8 ext[8];
	struct tcphdr tcp;
} __packed;

/* Destination options, or a fragment header, before the segment. */
static struct six segment6(u8 next)
{
	return (struct six){
		.ip = {
			.version = 6,
			.payload_len = htons(sizeof(struct six) - 40),
			.nexthdr = next,
			.hop_limit = 61,
			.saddr = { .s6_addr = { 0xfd, [15] = 1 } },
			.daddr = { .s6_addr = { 0xfd, [15] = 2 } },
		},
		.ext = { IPPROTO_TCP, 0, 1, 4 },	/* PadN */
		.tcp = { .source = htons(1), .dest = htons(2), .doff = 5 },
	};
}

static void packet_read6(struct kunit *test)
{
	struct six s = segment6(NEXTHDR_DEST);
	struct hmmp_packet p;
	struct sk_buff *skb;

	skb = packet(test, &s, sizeof(s), htons(ETH_P_IPV6));
	KUNIT_EXPECT_TRUE(test, hmmp_packet_read(skb, 0, AF_INET6, true, &p));
	KUNIT_EXPECT_EQ(test, p.tcp, 48);
	KUNIT_EXPECT_EQ(test, p.key.lport, htons(1));
	KUNIT_EXPECT_EQ(test, p.key.local.in6.s6_addr[15], 1);
	kfree_skb(skb);
	s = segment6(NEXTHDR_FRAGMENT);
	s.ext[1] = 0;
	s.ext[2] = 0;
	s.ext[3] = 1;				/* more will follow */
	skb = packet(test, &s, sizeof(s), htons(ETH_P_IPV6));
	KUNIT_EXPECT_TRUE(test, hmmp_packet_read(skb, 0, AF_INET6, true, &p));
	KUNIT_EXPECT_TRUE(test, p.fragment);
	KUNIT_EXPECT_EQ(test, p.tcp, 0);
	KUNIT_EXPECT_TRUE(test, p.ports);
	kfree_skb(skb);
	s.ext[3] = 9;				/* not the first */
	skb = packet(test, &s, sizeof(s), htons(ETH_P_IPV6));
	hmmp_packet_read(skb, 0, AF_INET6, true, &p);
	KUNIT_EXPECT_FALSE(test, p.ports);
	kfree_skb(skb);
}

static struct hmmp_outer outer4(u8 encap, const char *from, const char *to)
{
	return (struct hmmp_outer){
		.saddr = fixture_any(from),
		.daddr = fixture_any(to),
		.encap = encap,
	};
}

/* RFC 2004 3: the bytes of the header, and its checksum. */
static void minenc_bytes(struct kunit *test)
{
	static const u8 kept[] = {		/* from 192.0.2.10 */
		0x06, 0x80, 0xfb, 0x6e, 0xcb, 0x00, 0x71, 0x05,
		0xc0, 0x00, 0x02, 0x0a,
	};
	static const u8 same[] = {
		0x06, 0x00, 0xbd, 0xf9, 0xcb, 0x00, 0x71, 0x05,
	};
	struct hmmp_outer o = outer4(HMMP_ENCAP_MINENC, "198.51.100.7",
				     "203.0.113.9");
	struct four f = segment4();
	struct sk_buff *skb;

	skb = packet(test, &f, sizeof(f), htons(ETH_P_IP));
	KUNIT_EXPECT_TRUE(test, hmmp_minenc_possible(skb));
	KUNIT_EXPECT_EQ(test, hmmp_header_len(&o, skb), 12);
	hmmp_minenc_push(skb, &o);
	KUNIT_EXPECT_EQ(test, skb->len, sizeof(f) + 12);
	KUNIT_EXPECT_EQ(test, ip_hdr(skb)->protocol, 55);
	KUNIT_EXPECT_EQ(test, ip_hdr(skb)->ttl, 61);
	KUNIT_EXPECT_EQ(test, ip_hdr(skb)->daddr, in_aton("203.0.113.9"));
	KUNIT_EXPECT_MEMEQ(test, skb->data + 20, kept, sizeof(kept));
	kfree_skb(skb);

	o.saddr = fixture_any("192.0.2.10");	/* its own source */
	skb = packet(test, &f, sizeof(f), htons(ETH_P_IP));
	KUNIT_EXPECT_EQ(test, hmmp_header_len(&o, skb), 8);
	hmmp_minenc_push(skb, &o);
	KUNIT_EXPECT_EQ(test, skb->len, sizeof(f) + 8);
	KUNIT_EXPECT_MEMEQ(test, skb->data + 20, same, sizeof(same));
	kfree_skb(skb);
}

/* Neither fragments nor header options fit into it. */
static void minenc_not_possible(struct kunit *test)
{
	struct four f = segment4();
	struct sk_buff *skb;

	f.ip.frag_off = htons(IP_MF);
	skb = packet(test, &f, sizeof(f), htons(ETH_P_IP));
	KUNIT_EXPECT_FALSE(test, hmmp_minenc_possible(skb));
	kfree_skb(skb);
	f = segment4();
	f.ip.ihl = 6;
	skb = packet(test, &f, sizeof(f), htons(ETH_P_IP));
	KUNIT_EXPECT_FALSE(test, hmmp_minenc_possible(skb));
	kfree_skb(skb);
}

/* What an ICMP error quotes of it is found again, if enough is quoted. */
static void minenc_quoted(struct kunit *test)
{
	struct hmmp_outer o = outer4(HMMP_ENCAP_MINENC, "198.51.100.7",
				     "203.0.113.9");
	struct four f = segment4();
	struct hmmp_packet p;
	struct sk_buff *skb;

	skb = packet(test, &f, sizeof(f), htons(ETH_P_IP));
	hmmp_minenc_push(skb, &o);
	KUNIT_EXPECT_TRUE(test, hmmp_minenc_quoted(skb, &p));
	KUNIT_EXPECT_EQ(test, p.key.local.ip, f.ip.saddr);
	KUNIT_EXPECT_EQ(test, p.key.remote.ip, f.ip.daddr);
	KUNIT_EXPECT_EQ(test, p.proto, IPPROTO_TCP);
	skb_trim(skb, 28);
	KUNIT_EXPECT_FALSE(test, hmmp_minenc_quoted(skb, &p));
	kfree_skb(skb);
}

/* TTL, DSCP, ECN and DF of the outer header are those of the inner one. */
static void header_ipip(struct kunit *test)
{
	struct hmmp_outer o = outer4(HMMP_ENCAP_IPIP, "198.51.100.7",
				     "203.0.113.9");
	struct four f = segment4();
	struct sk_buff *skb;

	skb = packet(test, &f, sizeof(f), htons(ETH_P_IP));
	KUNIT_EXPECT_EQ(test, hmmp_header_push(&init_net, skb, &o, true), 0);
	KUNIT_EXPECT_EQ(test, skb->len, sizeof(f) + 20);
	KUNIT_EXPECT_EQ(test, ip_hdr(skb)->protocol, IPPROTO_IPIP);
	KUNIT_EXPECT_EQ(test, ip_hdr(skb)->ttl, 61);
	KUNIT_EXPECT_EQ(test, ip_hdr(skb)->tos, 0xb9);
	KUNIT_EXPECT_EQ(test, ip_hdr(skb)->frag_off, htons(IP_DF));
	KUNIT_EXPECT_EQ(test, ip_hdr(skb)->saddr, in_aton("198.51.100.7"));
	KUNIT_EXPECT_MEMEQ(test, skb->data + 20, &f, sizeof(f));
	kfree_skb(skb);
}

static void header_4in6(struct kunit *test)
{
	struct hmmp_outer o = {
		.saddr = { .family = AF_INET6, .ip.ip6 = { 1, 2, 3, 4 } },
		.daddr = { .family = AF_INET6, .ip.ip6 = { 5, 6, 7, 8 } },
		.encap = HMMP_ENCAP_4IN6,
	};
	struct four f = segment4();
	struct sk_buff *skb;

	skb = packet(test, &f, sizeof(f), htons(ETH_P_IP));
	KUNIT_EXPECT_EQ(test, hmmp_header_len(&o, skb), 40);
	KUNIT_EXPECT_EQ(test, hmmp_header_push(&init_net, skb, &o, true), 0);
	KUNIT_EXPECT_EQ(test, ipv6_hdr(skb)->nexthdr, IPPROTO_IPIP);
	KUNIT_EXPECT_EQ(test, ipv6_hdr(skb)->hop_limit, 61);
	KUNIT_EXPECT_EQ(test, ipv6_get_dsfield(ipv6_hdr(skb)), 0xb9);
	KUNIT_EXPECT_EQ(test, skb->protocol, htons(ETH_P_IPV6));
	KUNIT_EXPECT_FALSE(test, skb->ignore_df);
	kfree_skb(skb);
	skb = packet(test, &f, sizeof(f), htons(ETH_P_IP));
	KUNIT_EXPECT_EQ(test, hmmp_header_push(&init_net, skb, &o, false), 0);
	KUNIT_EXPECT_TRUE(test, skb->ignore_df);
	kfree_skb(skb);
}

/* The outer header of a tunnel, around another one or around nothing. */
static struct sk_buff *nested(struct kunit *test, const char *const *sources,
			      int n)
{
	struct sk_buff *skb = alloc_skb(256, GFP_KERNEL);
	struct iphdr *iph;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, 200);
	while (n--) {
		iph = skb_push(skb, sizeof(*iph));
		memset(iph, 0, sizeof(*iph));
		iph->version = 4;
		iph->ihl = 5;
		iph->protocol = skb->len == sizeof(*iph) ? IPPROTO_UDP :
							   IPPROTO_IPIP;
		iph->saddr = in_aton(sources[n]);
		iph->daddr = in_aton("203.0.113.1");
	}
	skb_reset_network_header(skb);
	return skb;
}

static bool loops(struct kunit *test, bool forwarded, int n,
		  const char *const *sources)
{
	struct hmmp_addr self = fixture_any("192.0.2.1");
	struct sk_buff *skb = nested(test, sources, n);
	bool ret;

	rcu_read_lock();
	ret = hmmp_packet_loops(&init_net, skb, AF_INET, forwarded, &self);
	rcu_read_unlock();
	kfree_skb(skb);
	return ret;
}

/* K4: the own address inside, or too many levels. */
static void packet_loops(struct kunit *test)
{
	static const char *const own_first[] = { "192.0.2.1", "192.0.2.77" };
	static const char *const own_inside[] = { "192.0.2.9", "192.0.2.1",
						  "192.0.2.77" };
	static const char *const own_payload[] = { "192.0.2.9", "192.0.2.1" };
	static const char *const deep[] = { "192.0.2.9", "192.0.2.8",
					    "192.0.2.7", "192.0.2.6",
					    "192.0.2.5" };

	KUNIT_EXPECT_FALSE(test, loops(test, false, 1, own_first));
	KUNIT_EXPECT_FALSE(test, loops(test, true, 1, own_first));
	KUNIT_EXPECT_FALSE(test, loops(test, false, 2, own_first));
	KUNIT_EXPECT_TRUE(test, loops(test, true, 2, own_first));
	KUNIT_EXPECT_TRUE(test, loops(test, false, 3, own_inside));
	KUNIT_EXPECT_TRUE(test, loops(test, true, 3, own_inside));
	/* the last one is no tunnel: it may be from here */
	KUNIT_EXPECT_FALSE(test, loops(test, true, 2, own_payload));
	KUNIT_EXPECT_FALSE(test, loops(test, true, 4, deep));
	KUNIT_EXPECT_TRUE(test, loops(test, true, 5, deep));
}

static struct kunit_case packet_cases[] = {
	KUNIT_CASE(packet_read4),
	KUNIT_CASE(packet_read4_parts),
	KUNIT_CASE(packet_read6),
	KUNIT_CASE(minenc_bytes),
	KUNIT_CASE(minenc_not_possible),
	KUNIT_CASE(minenc_quoted),
	KUNIT_CASE(header_ipip),
	KUNIT_CASE(header_4in6),
	KUNIT_CASE(packet_loops),
	{}
};

static struct kunit_suite packet_suite = {
	.name = "hmmp_packet",
	.test_cases = packet_cases,
};

kunit_test_suite(packet_suite);
