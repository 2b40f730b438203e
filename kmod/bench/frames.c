// SPDX-License-Identifier: GPL-2.0
/*
 * Frames that come in by a device, as if from the wire: a new buffer for each,
 * so that nothing has to be copied or cloned on the way.
 */
#include <linux/if_ether.h>
#include <linux/udp.h>
#include <net/gre.h>
#include <net/ip.h>
#include "bench.h"

#define HEADROOM	128

/**
 * bench_frame_ipv4 - put an IPv4 header in front of a packet
 * @skb: packet
 * @src: source
 * @dst: destination
 * @proto: what follows
 */
void bench_frame_ipv4(struct sk_buff *skb, __be32 src, __be32 dst, u8 proto)
{
	struct iphdr *iph = skb_push(skb, sizeof(*iph));

	*iph = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tot_len = htons(skb->len),
		.frag_off = htons(IP_DF),
		.ttl = 64,
		.protocol = proto,
		.saddr = src,
		.daddr = dst,
	};
	ip_send_check(iph);
	skb_reset_network_header(skb);
}

static void push_gre(struct sk_buff *skb)
{
	struct gre_base_hdr *gre = skb_push(skb, sizeof(*gre));

	gre->flags = 0;
	gre->protocol = htons(ETH_P_IP);
}

/* The inner header, made smaller (RFC 2004 3). */
static void push_minimal(struct sk_buff *skb, const struct bench *b)
{
	const struct iphdr *iph = ip_hdr(skb);
	__be32 words[3] = {
		htonl((u32)iph->protocol << 24 | 0x800000), iph->daddr,
		iph->saddr,
	};
	__sum16 sum = ip_compute_csum(words, sizeof(words));

	words[0] |= (__force __be32)htonl((__force u16)ntohs((__force __be16)
							     sum));
	skb_pull(skb, sizeof(*iph));
	memcpy(skb_push(skb, sizeof(words)), words, sizeof(words));
	bench_frame_ipv4(skb, b->osrc, b->odst, HMMP_IPPROTO_MINENC);
}

/* One frame of what was asked for, or NULL. */
static struct sk_buff *template(const struct bench *b)
{
	struct sk_buff *skb;
	struct udphdr *uh;

	if (b->len < sizeof(struct iphdr) + sizeof(*uh) || b->len > 1480)
		return NULL;
	skb = alloc_skb(HEADROOM + b->len, GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_reserve(skb, HEADROOM);
	uh = skb_put_zero(skb, b->len - sizeof(struct iphdr));
	uh->source = htons(9);
	uh->dest = htons(9);
	uh->len = htons(skb->len);
	bench_frame_ipv4(skb, b->src, b->dst, IPPROTO_UDP);
	if (!strcmp(b->kind, "minenc")) {
		push_minimal(skb, b);
	} else if (!strcmp(b->kind, "ipip")) {
		bench_frame_ipv4(skb, b->osrc, b->odst, IPPROTO_IPIP);
	} else if (!strcmp(b->kind, "gre")) {
		push_gre(skb);
		bench_frame_ipv4(skb, b->osrc, b->odst, IPPROTO_GRE);
	}
	return skb;
}

/* A buffer as a driver makes it, with the contents of the template. */
static struct sk_buff *frame(const struct bench *b, const struct sk_buff *t)
{
	struct sk_buff *skb = netdev_alloc_skb(b->dev, HEADROOM + t->len);

	if (!skb)
		return NULL;
	skb_reserve(skb, HEADROOM);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_put_data(skb, t->data, t->len);
	skb->protocol = htons(ETH_P_IP);
	skb->pkt_type = PACKET_HOST;
	return skb;
}

/* Another destination; of the inner header the sum only, it is not looked at */
static void vary(const struct bench *b, struct sk_buff *skb)
{
	struct iphdr *iph = ip_hdr(skb);
	__be32 dst;

	if (b->spread == 1)
		return;
	dst = htonl(ntohl(b->dst) + bench_random(b->spread));
	csum_replace4(&iph->check, iph->daddr, dst);
	iph->daddr = dst;
}

static u64 came_through(const struct net_device *dev)
{
	struct rtnl_link_stats64 stats;

	dev_get_stats((struct net_device *)dev, &stats);
	return stats.tx_packets;
}

/**
 * bench_replay - let frames come in
 * @b: net, dev, sink, kind (udp, ipip, minenc, gre), addresses, n, len, spread
 *
 * Return: 0 with @b->count packets that the sink got; -EINVAL, -ENOMEM.
 */
int bench_replay(struct bench *b)
{
	struct sk_buff *t, *skb;
	u64 before;
	u32 i;

	if (!b->dev || !b->sink)
		return -EINVAL;
	t = template(b);
	if (!t)
		return -EINVAL;
	before = came_through(b->sink);
	b->ns = bench_clock();
	for (i = 0; i < b->n; i++) {
		local_bh_disable();
		skb = frame(b, t);
		if (skb) {
			vary(b, skb);
			netif_receive_skb(skb);
		}
		local_bh_enable();
		if (!(i & 1023))
			cond_resched();
	}
	b->ns = bench_clock() - b->ns;
	b->count = came_through(b->sink) - before;
	kfree_skb(t);
	return 0;
}
