// SPDX-License-Identifier: GPL-2.0
/*
 * SIP_EYE (Draft 5): which TCP connections live here. It rides on the send
 * hook, where the socket of a packet is at hand and tells its state for
 * nothing. Only a packet that opens or closes, or one of a young connection,
 * looks into the table. Received SYNs make no entry, so a flood costs nothing,
 * and SYN cookies or fast open need no care.
 */
#include <net/inet_hashtables.h>
#include <net/ipv6.h>
#include <net/tcp.h>
#include <net/xfrm.h>
#include "hmmp.h"

/* A connection is looked up for its first packets, then no more. */
#define YOUNG_SEGS	16

/* Where the TCP header of a whole segment begins, or -1. */
static int tcp_offset(const struct sk_buff *skb, u8 family)
{
	int off = skb_network_offset(skb);
	const struct ipv6hdr *ip6h;
	const struct iphdr *iph;
	__be16 frag = 0;
	u8 proto;

	if (family == AF_INET) {
		iph = ip_hdr(skb);
		return iph->protocol == IPPROTO_TCP && !ip_is_fragment(iph) ?
		       off + iph->ihl * 4 : -1;
	}
	ip6h = ipv6_hdr(skb);
	off += sizeof(*ip6h);
	proto = ip6h->nexthdr;
	if (proto == IPPROTO_TCP)
		return off;
	off = ipv6_skip_exthdr(skb, off, &proto, &frag);
	return proto == IPPROTO_TCP && !frag ? off : -1;
}

static bool read_segment(const struct sk_buff *skb, u8 family,
			 struct hmmp_tcp_seg *s)
{
	int off = tcp_offset(skb, family);
	struct tcphdr buf, *th;

	if (off < 0)
		return false;
	th = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!th || th->doff < 5)
		return false;
	s->seq = ntohl(th->seq);
	s->ack = ntohl(th->ack_seq);
	s->len = skb->len - min_t(u32, skb->len, off + th->doff * 4);
	s->window = ntohs(th->window);
	s->flags = tcp_flag_byte(th) & (HMMP_SEG_FIN | HMMP_SEG_SYN |
					HMMP_SEG_RST | HMMP_SEG_ACK);
	s->dir = HMMP_DIR_OUT;
	s->scale = 0;
	return true;
}

/*
 * The connection's own socket. Resets and answers from TIME-WAIT are sent by a
 * raw socket of the core, answers to SYNs by a request: neither tells anything.
 * The family is not looked at: an IPv6 socket may carry mapped IPv4.
 */
static const struct sock *tcp_sock_of(const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;

	if (!sk || !sk_fullsock(sk) || sk->sk_protocol != IPPROTO_TCP ||
	    sk->sk_type != SOCK_STREAM)
		return NULL;
	return sk;
}

/*
 * Most segments: of a connection that is up and not young, neither closing nor
 * resetting it. TCP has just written the header of what its socket sends.
 */
static bool just_data(const struct sk_buff *skb, const struct sock *sk)
{
	const struct tcphdr *th = tcp_hdr(skb);

	return sk->sk_state == TCP_ESTABLISHED &&
	       tcp_sk(sk)->segs_out > YOUNG_SEGS &&
	       skb_transport_header_was_set(skb) &&
	       skb_headlen(skb) >= skb_transport_offset(skb) + sizeof(*th) &&
	       !(th->syn | th->fin | th->rst);
}

/* Opens, closes, or is young: worth a look. */
static bool of_interest(const struct sock *sk, u8 flags)
{
	if (flags & (HMMP_SEG_SYN | HMMP_SEG_FIN | HMMP_SEG_RST))
		return true;
	return sk && (sk->sk_state != TCP_ESTABLISHED ||
		      tcp_sk(sk)->segs_out <= YOUNG_SEGS);
}

/*
 * A SYN with another number on a connection that was up: it is a new one with
 * the addresses and ports of the old one, and nobody's yet.
 */
static bool born_again(const struct hmmp_flow *f, const struct hmmp_tcp_seg *s)
{
	return s->flags & HMMP_SEG_SYN &&
	       f->tcp.state >= HMMP_TCP_STATE_ESTABLISHED &&
	       s->seq != f->tcp.half[HMMP_DIR_OUT].isn;
}

static bool can_begin(const struct sock *sk, u8 flags)
{
	if (!sk || (flags & HMMP_SEG_RST))
		return false;
	if (sk->sk_state == TCP_SYN_SENT)
		return flags & HMMP_SEG_SYN;
	return (1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_FIN_WAIT1 |
				      TCPF_FIN_WAIT2 | TCPF_CLOSE_WAIT |
				      TCPF_CLOSING | TCPF_LAST_ACK);
}

static bool on_former_address(struct hmmp_net *hn, const struct hmmp_tuple *key)
{
	const struct hmmp_local *l;

	l = hmmp_local_find(rcu_dereference(hn->local), key->family,
			    &key->local);
	return l && hmmp_local_moved(l);
}

static struct hmmp_flow *begin(struct hmmp_net *hn, const struct sk_buff *skb,
			       const struct sock *sk,
			       const struct hmmp_tuple *wire)
{
	struct hmmp_flow seed = {}, *f;

	hmmp_sock_key(sk, &seed.key);
	seed.bound_if = READ_ONCE(sk->sk_bound_dev_if);
	seed.flags = hmmp_sock_flags(sk) | hmmp_sock_opener(sk);
	if (memcmp(&seed.key, wire, sizeof(*wire)))
		seed.flags |= HMMP_FLOW_FLAGS_NAT;
	if (on_former_address(hn, &seed.key))
		seed.flags |= HMMP_FLOW_FLAGS_FORMER;
	if (dst_xfrm(skb_dst(skb)))
		seed.flags |= HMMP_FLOW_FLAGS_IPSEC;
	f = hmmp_flow_add(hn, &seed);
	if (IS_ERR(f))
		return NULL;
	if (sk->sk_state == TCP_SYN_SENT)
		hmmp_count(hn, FLOW_NEW);
	else
		hmmp_count(hn, FLOW_PICKED);
	return f;
}

/* A name in the draft's table that has data: worth telling the agent. */
static bool announce(struct hmmp_flow *f)
{
	if (f->announced || f->tcp.state < HMMP_TCP_STATE_ESTABLISHED ||
	    f->tcp.state > HMMP_TCP_STATE_RELEASE_ACCEPT)
		return false;
	f->announced = true;
	return true;
}

/*
 * Nobody can want to move it any more: both ends have closed, and what is left
 * is to acknowledge the last FIN. Without an owner nobody waits for its end, so
 * it does not stay in the table until the periodic work finds no socket.
 */
static bool is_over(const struct hmmp_flow *f, const struct sock *sk)
{
	return !f->owner && (f->tcp.state == HMMP_TCP_STATE_DISCONNECT ||
			     (sk && sk->sk_state == TCP_LAST_ACK));
}

/* Add what a segment shows, and what its socket knows. */
static void learn(struct hmmp_net *hn, struct hmmp_flow *f,
		  const struct sock *sk, const struct hmmp_tcp_seg *seg)
{
	bool tell, over, ends;

	hmmp_flow_lock(f);
	if (sk)
		hmmp_sock_facts(sk, f->flags & HMMP_FLOW_OPENERS, &f->tcp);
	hmmp_tcp_step(&f->tcp, seg);
	tell = announce(f);
	over = is_over(f, sk);
	ends = f->tcp.state > HMMP_TCP_STATE_ESTABLISHED;
	hmmp_flow_unlock(f);
	if (tell)
		hmmp_event_flow(hn, f, HMMP_FLOW_EVENT_ESTABLISHED);
	if (over)
		hmmp_flow_end(hn, f);
	else if (ends)
		hmmp_flow_soon(f);
}

/* A packet that may tell something: is it a TCP segment? */
static noinline void look(struct hmmp_net *hn, const struct sk_buff *skb,
			  u8 family, const struct sock *sk)
{
	struct hmmp_packet wire;
	struct hmmp_tuple key;
	struct hmmp_tcp_seg seg;
	struct hmmp_flow *f;

	if (!read_segment(skb, family, &seg) || !of_interest(sk, seg.flags) ||
	    !hmmp_packet_read(skb, skb_network_offset(skb), family, true,
			      &wire) || !wire.tcp)
		return;
	if (sk)
		hmmp_sock_key(sk, &key);
	else
		key = wire.key;
	f = hmmp_flow_find(hn->net, &key);
	if (f && born_again(f, &seg)) {
		hmmp_flow_end(hn, f);
		f = NULL;
	}
	if (!f && can_begin(sk, seg.flags) && sk->sk_state != TCP_LAST_ACK)
		f = begin(hn, skb, sk, &wire.key);
	if (f)
		learn(hn, f, sk, &seg);
}

/**
 * hmmp_sip_eye_out - look at a packet that leaves
 * @hn: namespace
 * @skb: packet in the send hook
 * @family: of the packet
 *
 * Context: the hook's, RCU read side; often under the socket's lock, which
 * is why no socket is locked here.
 */
void hmmp_sip_eye_out(struct hmmp_net *hn, const struct sk_buff *skb,
		      u8 family)
{
	const struct sock *sk = tcp_sock_of(skb);

	if (sk) {
		if (just_data(skb, sk))
			return;
	} else if (hmmp_packet_forwarded(skb, family) ||
		   (family == AF_INET &&
		    ip_hdr(skb)->protocol != IPPROTO_TCP)) {
		return;
	}
	look(hn, skb, family, sk);
}

static int seed_from_sock(struct hmmp_net *hn, struct sock *sk, u32 opener,
			  struct hmmp_flow *seed)
{
	int err = -EAGAIN;
	u32 knows;

	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk)) {
		err = can_begin(sk, 0) ? 0 : -ENOENT;
		knows = hmmp_sock_opener(sk);
		if (knows == HMMP_FLOW_FLAGS_OPENER_UNKNOWN)
			knows = opener;
		seed->flags = knows | hmmp_sock_flags(sk);
		hmmp_sock_facts(sk, knows, &seed->tcp);
	}
	bh_unlock_sock(sk);
	if (!err && on_former_address(hn, &seed->key))
		seed->flags |= HMMP_FLOW_FLAGS_FORMER;
	return err;
}

/**
 * hmmp_sip_eye_take - track a connection that is older than the module
 * @hn: namespace
 * @key: its ends
 * @opener: what the agent thinks, in case the socket cannot tell:
 *	HMMP_FLOW_FLAGS_OPENER, 0, or HMMP_FLOW_FLAGS_OPENER_UNKNOWN
 *
 * Context: process. Return: 0; -ENOENT if there is no such connection;
 * -EAGAIN while its user holds the socket; -ENOSPC at a limit; -ENOMEM.
 */
int hmmp_sip_eye_take(struct hmmp_net *hn, const struct hmmp_tuple *key,
		      u32 opener)
{
	struct hmmp_flow seed = { .key = *key, .announced = true }, *f;
	struct sock *sk;
	int err = -ENOENT;

	rcu_read_lock();
	if (hmmp_flow_find(hn->net, key)) {
		err = 0;
		goto out;
	}
	local_bh_disable();
	sk = hmmp_sock_get(hn->net, key, 0);
	if (sk && sk_fullsock(sk))
		err = seed_from_sock(hn, sk, opener, &seed);
	local_bh_enable();
	if (sk)
		sock_gen_put(sk);
	if (err)
		goto out;
	f = hmmp_flow_add(hn, &seed);
	if (IS_ERR(f))
		err = PTR_ERR(f);
	else
		hmmp_count(hn, FLOW_PICKED);
out:
	rcu_read_unlock();
	return err;
}
