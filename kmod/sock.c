// SPDX-License-Identifier: GPL-2.0
/*
 * What a TCP socket knows: the first witness of the tracker, and the one whose
 * timer is fired when its path is whole again (K10).
 */
#include <net/inet6_connection_sock.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/ipv6.h>
#include <net/tcp.h>
#include "hmmp.h"

/**
 * hmmp_sock_get - find the socket of a connection
 * @net: namespace
 * @key: its ends
 * @bound_if: interface that it is bound to, or 0
 *
 * Caller: BH off. Return: the socket with a reference (sock_gen_put()), which
 * may be a full one, in TIME-WAIT or a request; or NULL.
 */
struct sock *hmmp_sock_get(struct net *net, const struct hmmp_tuple *key,
			   int bound_if)
{
	if (key->family == AF_INET6)
		return __inet6_lookup_established(net,
				net->ipv4.tcp_death_row.hashinfo,
				&key->remote.in6, key->rport, &key->local.in6,
				ntohs(key->lport), bound_if, 0);
	return __inet_lookup_established(net, net->ipv4.tcp_death_row.hashinfo,
					 key->remote.ip, key->rport,
					 key->local.ip, ntohs(key->lport),
					 bound_if, 0);
}

/* An IPv6 socket may carry a connection of IPv4. */
static bool speaks_ipv6(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 &&
	       !ipv6_addr_v4mapped(&sk->sk_v6_daddr);
}

/**
 * hmmp_sock_key - the ends of a connection as its socket knows them
 * @sk: full TCP socket
 * @key: filled
 */
void hmmp_sock_key(const struct sock *sk, struct hmmp_tuple *key)
{
	const struct inet_sock *inet = inet_sk(sk);

	memset(key, 0, sizeof(*key));
	if (speaks_ipv6(sk)) {
		key->family = AF_INET6;
		key->local.in6 = sk->sk_v6_rcv_saddr;
		key->remote.in6 = sk->sk_v6_daddr;
	} else {
		key->family = AF_INET;
		key->local.ip = inet->inet_saddr;
		key->remote.ip = inet->inet_daddr;
	}
	key->lport = inet->inet_sport;
	key->rport = inet->inet_dport;
}

/**
 * hmmp_sock_flags - what keeps a socket's connection from moving
 * @sk: full socket
 *
 * Return: HMMP_FLOW_FLAGS_*.
 */
u32 hmmp_sock_flags(const struct sock *sk)
{
	u32 flags = 0;

	if (READ_ONCE(sk->sk_bound_dev_if))
		flags |= HMMP_FLOW_FLAGS_DEVICE_BOUND;
	if (tcp_sk(sk)->repair)
		flags |= HMMP_FLOW_FLAGS_REPAIR;
	return flags;
}

static bool fin_sent(const struct sock *sk)
{
	return (1 << sk->sk_state) & (TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2 |
				      TCPF_CLOSING | TCPF_LAST_ACK);
}

/* While it answers the FIN that ends it, its state is the old one still. */
static bool fin_received(const struct sock *sk)
{
	if (sk->sk_state == TCP_FIN_WAIT2)
		return sock_flag(sk, SOCK_DONE);
	return (1 << sk->sk_state) & (TCPF_CLOSE_WAIT | TCPF_CLOSING |
				      TCPF_LAST_ACK);
}

static void facts_in(const struct sock *sk, struct hmmp_tcp_half *in)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	in->isn = tp->rcv_nxt - (u32)tp->bytes_received - 1;
	in->end = tp->rcv_nxt;
	in->una = tp->rcv_nxt;
	in->window = max_t(u32, in->window, tp->rcv_wnd);
	in->known |= HMMP_TCP_SYN | HMMP_TCP_END | HMMP_TCP_UNA;
	if (fin_received(sk)) {
		in->fin = tp->rcv_nxt;
		in->known |= HMMP_TCP_FIN;
	}
}

/**
 * hmmp_sock_facts - what a socket knows, in the tracker's terms
 * @sk: full socket; its lock is held, or its user is this CPU
 * @opener: this end sent the first SYN
 * @t: facts are added to it, and the state follows
 *
 * The initial sequence numbers follow from counters that start at the
 * handshake and are 64 bits wide, so they are right at any age; the counter
 * of acknowledged bytes includes the SYN of the end that sent it first.
 */
void hmmp_sock_facts(const struct sock *sk, bool opener, struct hmmp_tcp *t)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct hmmp_tcp_half *out = &t->half[HMMP_DIR_OUT];

	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		return;
	out->end = tp->snd_nxt;
	out->una = tp->snd_una;
	out->known |= HMMP_TCP_SYN | HMMP_TCP_END;
	if (sk->sk_state == TCP_SYN_SENT) {
		out->isn = tp->snd_una;
		t->state = hmmp_tcp_state(t);
		return;
	}
	out->isn = tp->snd_una - (u32)tp->bytes_acked - !opener;
	out->window = max_t(u32, out->window, tp->max_window);
	out->known |= HMMP_TCP_UNA;
	if (fin_sent(sk)) {
		out->fin = tp->write_seq;
		out->known |= HMMP_TCP_FIN;
	}
	facts_in(sk, &t->half[HMMP_DIR_IN]);
	t->picked = sk->sk_state != TCP_SYN_RECV;
	t->state = hmmp_tcp_state(t);
}

/*
 * What has been sent, counted back from the next sequence number, leads to the
 * initial one if no transmission ever failed on the way.
 */
static u32 isn_by_sent(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return tp->snd_nxt - 1 - (u32)(tp->bytes_sent - tp->bytes_retrans) -
	       fin_sent(sk);
}

/**
 * hmmp_sock_opener - which end sent the first SYN?
 * @sk: full socket; its lock is held, or its user is this CPU
 *
 * An accepted socket has inherited the backlog of its listener. Without one it
 * has connected, or came from listen(fd, 0): then the two ways to compute the
 * initial sequence number have to agree.
 *
 * Return: HMMP_FLOW_FLAGS_OPENER, 0, or HMMP_FLOW_FLAGS_OPENER_UNKNOWN.
 */
u32 hmmp_sock_opener(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 connected = tp->snd_una - (u32)tp->bytes_acked;

	if (sk->sk_state == TCP_SYN_SENT)
		return HMMP_FLOW_FLAGS_OPENER;
	if (READ_ONCE(sk->sk_max_ack_backlog))
		return 0;
	if (isn_by_sent(sk) == connected)
		return HMMP_FLOW_FLAGS_OPENER;
	if (isn_by_sent(sk) == connected - 1)
		return 0;
	return HMMP_FLOW_FLAGS_OPENER_UNKNOWN;
}

/* One round trip of this connection, in jiffies, at least one. */
static u32 srtt_jiffies(const struct tcp_sock *tp)
{
	return max_t(u32, usecs_to_jiffies(tp->srtt_us >> 3), 1);
}

/*
 * What waits in the socket may have been cut for a larger packet than the
 * tunnel takes; without this the first retransmission would only fetch an
 * ICMP, and the next would wait for a whole time-out.
 */
static void fit_mtu(struct sock *sk, u32 mtu)
{
	if (!mtu || inet_csk(sk)->icsk_pmtu_cookie <= mtu)
		return;
	if (speaks_ipv6(sk))
		inet6_csk_update_pmtu(sk, max_t(u32, mtu, IPV6_MIN_MTU));
	else
		inet_csk_update_pmtu(sk, mtu);
}

/*
 * The timers that stand for "nothing comes back". A tail loss probe is one:
 * left alone it lets a short exchange wait for a whole time-out.
 */
static bool waits(u8 pending)
{
	return pending == ICSK_TIME_RETRANS || pending == ICSK_TIME_PROBE0 ||
	       pending == ICSK_TIME_LOSS_PROBE;
}

static enum hmmp_wake_result wake_locked(struct sock *sk, u32 since, u32 mtu,
					 bool lost)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 quiet = tcp_jiffies32 - tp->rcv_tstamp;
	u8 timer = icsk->icsk_pending;

	fit_mtu(sk, mtu);	/* woken or not, what it sends next must fit */
	if (!waits(timer))
		return tp->packets_out ? HMMP_WAKE_LATER : HMMP_WAKE_IDLE;
	if (!icsk->icsk_backoff) {	/* else nothing new was acknowledged */
		if ((s32)(tp->rcv_tstamp - since) > 0)
			return HMMP_WAKE_IDLE;
		if (!lost && quiet < srtt_jiffies(tp))
			return HMMP_WAKE_LATER;
	}
	/* A probe asks what is known already, at the price of a round trip. */
	if (lost && timer == ICSK_TIME_LOSS_PROBE)
		timer = ICSK_TIME_RETRANS;
	icsk->icsk_backoff = 0;
	if (tp->srtt_us)
		icsk->icsk_rto = min_t(u32, __tcp_set_rto(tp), TCP_RTO_MAX);
	/* TCP counts probes, and this one is not by its own clock. */
	if (timer == ICSK_TIME_PROBE0 && icsk->icsk_probes_out)
		icsk->icsk_probes_out--;
	inet_csk_reset_xmit_timer(sk, timer, 0, TCP_RTO_MAX);
	return HMMP_WAKE_DONE;
}

/*
 * The timer wheel would take up to a tick. Its function drops the reference
 * of a timer that has run out; this one stays where it is, and finds then
 * that it was set anew.
 */
static void fire(struct sock *sk)
{
	struct timer_list *timer = &inet_csk(sk)->icsk_retransmit_timer;

	sock_hold(sk);
	timer->function(timer);
}

/*
 * Where only the last acknowledgment was lost, the first retransmission
 * repeats what has arrived. TCP would take that for a sign that nothing was
 * lost (F-RTO, Eifel, DSACK) and find the hole a round trip later.
 */
static void believe_loss(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk) &&
	    inet_csk(sk)->icsk_ca_state == TCP_CA_Loss) {
		tp->frto = 0;
		tp->undo_marker = 0;
	}
	bh_unlock_sock(sk);
}

/**
 * hmmp_sock_wake - fire the timer of a socket that waits, once (K10)
 * @sk: full socket
 * @since: TCP's jiffies when its path changed; if anything was acknowledged
 *	later there is nothing to do
 * @mtu: what fits into the tunnel, bytes, or 0
 * @lost: what was sent before does not arrive any more, so a round trip of
 *	silence, which spares sockets that are alive, is not waited for
 *
 * Its time-outs towards the user keep their meaning: only the back-off is
 * taken back. Context: BH off, no lock held.
 *
 * Return: enum hmmp_wake_result.
 */
enum hmmp_wake_result hmmp_sock_wake(struct sock *sk, u32 since, u32 mtu,
				     bool lost)
{
	enum hmmp_wake_result result = HMMP_WAKE_LATER;

	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk)) {
		if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN ||
		    sk->sk_state == TCP_SYN_SENT)
			result = HMMP_WAKE_IDLE;
		else
			result = wake_locked(sk, since, mtu, lost);
	}
	bh_unlock_sock(sk);
	if (result != HMMP_WAKE_DONE)
		return result;
	fire(sk);
	if (lost)
		believe_loss(sk);
	return result;
}
