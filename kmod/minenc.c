// SPDX-License-Identifier: GPL-2.0
/*
 * Minimal encapsulation (RFC 2004): the header of the packet itself becomes
 * the outer one, and 8 or 12 bytes behind it keep what it was. No kernel has
 * it, so this is both ends of it. Packets that it cannot carry (fragments,
 * header options) go as IP in IP.
 */
#include <linux/icmp.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/protocol.h>
#include "hmmp.h"

#define SOURCE_KEPT	0x80

/**
 * struct minenc - the header (RFC 2004 section 3)
 * @proto: protocol of the packet
 * @flags: SOURCE_KEPT
 * @check: one's complement sum over this header
 * @daddr: the packet's destination
 * @saddr: its source, if SOURCE_KEPT
 */
struct minenc {
	u8 proto;
	u8 flags;
	__sum16 check;
	__be32 daddr;
	__be32 saddr;
};

#define SHORT	offsetof(struct minenc, saddr)
#define LONG	sizeof(struct minenc)

static u32 length(const struct minenc *m)
{
	return m->flags & SOURCE_KEPT ? LONG : SHORT;
}

/**
 * hmmp_minenc_possible - can a packet be carried like that?
 * @skb: IPv4 packet, network header set
 *
 * Return: false if it has to be IP in IP.
 */
bool hmmp_minenc_possible(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	return skb->protocol == htons(ETH_P_IP) && iph->ihl == 5 &&
	       !ip_is_fragment(iph);
}

/**
 * hmmp_minenc_push - change a packet's header and put the rest behind it
 * @skb: IPv4 packet; its header is private, with room for 12 bytes; it is no
 *	super-packet, and its checksum is complete or left to a device that
 *	needs no protocol for that
 * @o: outer addresses
 */
void hmmp_minenc_push(struct sk_buff *skb, const struct hmmp_outer *o)
{
	struct iphdr old = *ip_hdr(skb), *iph;
	struct minenc m = {
		.proto = old.protocol,
		.flags = old.saddr == o->saddr.ip.ip ? 0 : SOURCE_KEPT,
		.daddr = old.daddr,
		.saddr = old.saddr,
	};
	u32 len = length(&m);

	m.check = csum_fold(csum_partial(&m, len, 0));
	iph = skb_push(skb, len);
	skb_reset_network_header(skb);
	*iph = old;
	memcpy(iph + 1, &m, len);
	skb_set_transport_header(skb, sizeof(*iph));
	iph->protocol = HMMP_IPPROTO_MINENC;
	iph->saddr = o->saddr.ip.ip;
	iph->daddr = o->daddr.ip.ip;
}

/*
 * What stands behind the outer header, if it is right. The packet must not
 * have come in a form that RFC 2004 forbids.
 */
static bool read_header(struct sk_buff *skb, struct minenc *m)
{
	memset(m, 0, sizeof(*m));
	if (!pskb_may_pull(skb, SHORT) || ip_hdr(skb)->ihl != 5)
		return false;
	memcpy(m, skb->data, SHORT);
	if (!pskb_may_pull(skb, length(m)))
		return false;
	memcpy(m, skb->data, length(m));
	return !csum_fold(csum_partial(m, length(m), 0));
}

/*
 * Put the packet's own header back, over the end of the minimal one, and leave
 * the outer one for those who compare addresses: it is copied before it. The
 * result looks as if IP in IP had come: network header, then the packet at
 * skb->data.
 */
static int restore(struct sk_buff *skb, const struct minenc *m)
{
	struct iphdr outer = *ip_hdr(skb), *iph;
	u32 len = length(m);

	if (skb_cow_head(skb, 2 * sizeof(*iph)))
		return -ENOMEM;
	skb_pull_rcsum(skb, len);
	iph = skb_push(skb, sizeof(*iph));
	*iph = outer;
	iph->protocol = m->proto;
	iph->daddr = m->daddr;
	if (m->flags & SOURCE_KEPT)
		iph->saddr = m->saddr;
	iph->tot_len = htons(ntohs(outer.tot_len) - len);
	ip_send_check(iph);
	skb_push(skb, sizeof(*iph));
	skb_reset_network_header(skb);
	*ip_hdr(skb) = outer;
	skb_pull(skb, sizeof(*iph));
	return 0;
}

/* As the core answers to a protocol that nobody takes. */
static int nobody(struct sk_buff *skb)
{
	icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0);
	kfree_skb(skb);
	return 0;
}

/* What the packet is, seen from this end. */
static bool read_packet(struct sk_buff *skb, const struct minenc *m,
			struct hmmp_packet *p)
{
	__be16 buf[2], *port;

	memset(p, 0, sizeof(*p));
	p->key.family = AF_INET;
	p->key.local.ip = m->daddr;
	p->key.remote.ip = m->flags & SOURCE_KEPT ? m->saddr :
						    ip_hdr(skb)->saddr;
	p->proto = m->proto;
	if (m->proto != IPPROTO_TCP)
		return true;
	p->tcp = length(m);
	port = skb_header_pointer(skb, p->tcp, sizeof(buf), buf);
	if (!port)
		return false;
	p->key.rport = port[0];
	p->key.lport = port[1];
	p->ports = true;
	return true;
}

static int minenc_rcv(struct sk_buff *skb)
{
	struct hmmp_net *hn = hmmp_net(dev_net(skb->dev));
	struct hmmp_match match = {};
	struct hmmp_packet p;
	struct minenc m;

	/* pairs with hmmp_net_start() */
	if (!smp_load_acquire(&hn->active))
		return nobody(skb);
	if (!read_header(skb, &m) || !read_packet(skb, &m, &p)) {
		hmmp_drop(hn, DROP_MALFORMED);
		kfree_skb(skb);
		return 0;
	}
	if (!hmmp_match_find(hn, skb, AF_INET, &p, &match))
		return nobody(skb);
	if (restore(skb, &m)) {
		hmmp_drop(hn, DROP_MEMORY);
		kfree_skb(skb);
		return 0;
	}
	hmmp_decap_deliver(hn, skb, AF_INET, &match);
	return 0;
}

static int minenc_err(struct sk_buff *skb, u32 info)
{
	return hmmp_pmtu_err4(skb, info, AF_INET);
}

static const struct net_protocol minenc_protocol = {
	.handler = minenc_rcv,
	.err_handler = minenc_err,
	.no_policy = 1,		/* hmmp_decap_deliver() asks */
};

/**
 * hmmp_minenc_init - take protocol 55, in all namespaces
 *
 * Return: 0, or -EBUSY if somebody else has it.
 */
int hmmp_minenc_init(void)
{
	if (!inet_add_protocol(&minenc_protocol, HMMP_IPPROTO_MINENC))
		return 0;
	pr_err("IP protocol 55 is taken by another module\n");
	return -EBUSY;
}

/**
 * hmmp_minenc_exit - leave it; waits for packets under way
 */
void hmmp_minenc_exit(void)
{
	inet_del_protocol(&minenc_protocol, HMMP_IPPROTO_MINENC);
}

/**
 * hmmp_minenc_quoted - the packet inside one that an ICMP error quotes
 * @skb: at its data the quoted outer header, without options
 * @p: filled, seen from the sender
 *
 * Return: false if too little is quoted.
 */
bool hmmp_minenc_quoted(const struct sk_buff *skb, struct hmmp_packet *p)
{
	const struct iphdr *outer = (const struct iphdr *)skb->data;
	struct minenc buf = {}, *m;

	m = skb_header_pointer(skb, sizeof(*outer), SHORT, &buf);
	if (!m || outer->ihl != 5)
		return false;
	memcpy(&buf, m, SHORT);
	if (buf.flags & SOURCE_KEPT &&
	    skb_copy_bits(skb, sizeof(*outer), &buf, LONG))
		return false;
	memset(p, 0, sizeof(*p));
	p->key.family = AF_INET;
	p->key.local.ip = buf.flags & SOURCE_KEPT ? buf.saddr : outer->saddr;
	p->key.remote.ip = buf.daddr;
	p->proto = buf.proto;
	return true;
}
