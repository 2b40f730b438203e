// SPDX-License-Identifier: GPL-2.0
/*
 * TCP between two namespaces, with both ends here in the kernel: streams with
 * a copy at either end, short connections, and single segments of a connection
 * that is up, sent or received again and again.
 */
#include <linux/net.h>
#include <net/inet_connection_sock.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "bench.h"

#define CHUNK	65536
#define WARM_UP	64	/* more segments than make a connection young */

/**
 * struct ends - a connection
 * @listener: at the far end
 * @client: here
 * @server: at the far end
 * @buf: for what is sent and received
 */
struct ends {
	struct socket *listener;
	struct socket *client;
	struct socket *server;
	char *buf;
};

static int put(struct socket *s, char *buf, size_t len)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT };
	struct kvec v = { .iov_base = buf, .iov_len = len };

	return kernel_sendmsg(s, &msg, &v, 1, len);
}

static int get(struct socket *s, char *buf, size_t len, int flags)
{
	struct msghdr msg = { .msg_flags = flags };
	struct kvec v = { .iov_base = buf, .iov_len = len };

	return kernel_recvmsg(s, &msg, &v, 1, len, flags);
}

static void disconnect(struct ends *e)
{
	if (e->client)
		sock_release(e->client);
	if (e->server)
		sock_release(e->server);
	e->client = NULL;
	e->server = NULL;
}

static void stop(struct ends *e)
{
	disconnect(e);
	if (e->listener)
		sock_release(e->listener);
	kvfree(e->buf);
}

static int listen(struct bench *b, struct ends *e)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(b->port),
		.sin_addr.s_addr = b->dst,
	};
	int err;

	memset(e, 0, sizeof(*e));
	if (!b->net || !b->peer)
		return -EINVAL;
	e->buf = kvzalloc(CHUNK, GFP_KERNEL);
	if (!e->buf)
		return -ENOMEM;
	err = sock_create_kern(b->peer, AF_INET, SOCK_STREAM, IPPROTO_TCP,
			       &e->listener);
	if (err)
		return err;
	sock_set_reuseaddr(e->listener->sk);
	err = kernel_bind(e->listener, (struct sockaddr *)&at, sizeof(at));
	return err ? err : kernel_listen(e->listener, 16);
}

static int connect(struct bench *b, struct ends *e)
{
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = b->src,
	};
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(b->port),
		.sin_addr.s_addr = b->dst,
	};
	int err;

	err = sock_create_kern(b->net, AF_INET, SOCK_STREAM, IPPROTO_TCP,
			       &e->client);
	if (!err && b->src)
		err = kernel_bind(e->client, (struct sockaddr *)&from,
				  sizeof(from));
	if (!err)
		err = kernel_connect(e->client, (struct sockaddr *)&to,
				     sizeof(to), 0);
	if (!err)
		err = kernel_accept(e->listener, &e->server, 0);
	return err;
}

static int start(struct bench *b, struct ends *e)
{
	int err = listen(b, e), i;

	if (!err)
		err = connect(b, e);
	for (i = 0; i < WARM_UP && err >= 0; i++) {
		err = put(e->client, e->buf, 1);
		if (err > 0)
			err = get(e->server, e->buf, 1, 0);
		if (err > 0)
			err = put(e->server, e->buf, 1);
		if (err > 0)
			err = get(e->client, e->buf, 1, 0);
	}
	if (err >= 0 && b->owner)
		err = bench_move(b, e->client->sk, e->server->sk);
	return err < 0 ? err : 0;
}

/* Write until there is no room, read until there is nothing. */
static int pump(struct bench *b, struct ends *e)
{
	u64 sent = 0, total = (u64)b->n * b->len;
	unsigned long limit = jiffies + 60 * HZ;
	int ret, moved;

	b->len = min_t(u32, b->len, CHUNK);
	while (b->count < total) {
		moved = 0;
		if (sent < total) {
			ret = put(e->client, e->buf, min_t(u64, b->len,
							   total - sent));
			if (ret > 0) {
				sent += ret;
				moved = ret;
			}
		}
		ret = get(e->server, e->buf, CHUNK, MSG_DONTWAIT);
		if (ret > 0) {
			b->count += ret;
			moved = ret;
		}
		if (!moved)
			schedule_timeout_uninterruptible(1);
		if (time_after(jiffies, limit))
			return -ETIMEDOUT;
		cond_resched();
	}
	return 0;
}

/**
 * bench_tcp_stream - one stream, with a copy at either end
 * @b: net, peer, src, dst, port, n writes of len bytes
 *
 * Return: 0 with @b->count bytes that arrived, or an error.
 */
int bench_tcp_stream(struct bench *b)
{
	struct ends e;
	int err = start(b, &e);

	if (!err) {
		b->ns = bench_clock();
		err = pump(b, &e);
		b->ns = bench_clock() - b->ns;
	}
	stop(&e);
	return err;
}

static int live(struct bench *b, struct ends *e)
{
	int ret = connect(b, e);

	if (!ret)
		ret = put(e->client, e->buf, 64);
	if (ret > 0)
		ret = get(e->server, e->buf, 64, 0);
	if (ret > 0)
		ret = put(e->server, e->buf, 64);
	if (ret > 0)
		ret = get(e->client, e->buf, 64, 0);
	disconnect(e);
	return ret < 0 ? ret : 0;
}

/**
 * bench_tcp_born - connections that begin, say something and end
 * @b: net, peer, src, dst, port, n connections
 *
 * Return: 0 with @b->count connections, or an error.
 */
int bench_tcp_born(struct bench *b)
{
	struct ends e;
	int err = listen(b, &e);

	b->ns = bench_clock();
	while (!err && b->count < b->n) {
		err = live(b, &e);
		b->count += !err;
		cond_resched();
	}
	b->ns = bench_clock() - b->ns;
	stop(&e);
	return err;
}

/* A segment of the connection with @len bytes; @out: as the client sends it */
static struct sk_buff *segment(const struct sock *sk, u32 len, bool out)
{
	const struct inet_sock *inet = inet_sk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = alloc_skb(128 + sizeof(struct tcphdr) + len,
					GFP_ATOMIC);
	struct tcphdr *th;

	if (!skb)
		return NULL;
	skb_reserve(skb, 128);
	th = skb_put_zero(skb, sizeof(*th) + len);
	skb_reset_transport_header(skb);
	th->source = out ? inet->inet_sport : inet->inet_dport;
	th->dest = out ? inet->inet_dport : inet->inet_sport;
	th->seq = htonl(out ? tp->snd_nxt : tp->rcv_nxt);
	th->ack_seq = htonl(out ? tp->rcv_nxt : tp->snd_una);
	th->doff = sizeof(*th) / 4;
	th->ack = 1;
	th->window = htons(512);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->protocol = htons(ETH_P_IP);
	bench_frame_ipv4(skb, out ? inet->inet_saddr : inet->inet_daddr,
			 out ? inet->inet_daddr : inet->inet_saddr,
			 IPPROTO_TCP);
	return skb;
}

static struct rtable *way_to(const struct bench *b, const struct sock *sk)
{
	struct flowi4 fl4 = {
		.saddr = inet_sk(sk)->inet_saddr,
		.daddr = inet_sk(sk)->inet_daddr,
		.flowi4_oif = b->sink->ifindex,
		.flowi4_proto = IPPROTO_TCP,
	};

	return ip_route_output_flow(b->net, &fl4, NULL);
}

/* The socket stays until all are sent: nothing to do when one is freed. */
static void not_counted(struct sk_buff *skb)
{
}

static int send_all(struct bench *b, struct sock *sk)
{
	struct rtable *rt = way_to(b, sk);
	struct sk_buff *skb;
	u32 i;

	if (IS_ERR(rt))
		return PTR_ERR(rt);
	b->ns = bench_clock();
	for (i = 0; i < b->n; i++) {
		rcu_read_lock_bh();
		skb = segment(sk, b->len, true);
		if (skb) {
			skb->sk = sk;
			skb->destructor = not_counted;
			skb_dst_set_noref(skb, &rt->dst);
			ip_local_out(b->net, sk, skb);
		}
		rcu_read_unlock_bh();
	}
	b->ns = bench_clock() - b->ns;
	ip_rt_put(rt);
	return 0;
}

/**
 * bench_tcp_out - segments of a connection leave, to a device that eats them
 * @b: net, peer, src, dst, port, sink, n segments of len bytes
 *
 * Return: 0 with @b->count segments that the sink got, or an error.
 */
int bench_tcp_out(struct bench *b)
{
	struct rtnl_link_stats64 before, after;
	struct ends e;
	int err;

	if (!b->sink)
		return -EINVAL;
	err = start(b, &e);
	dev_get_stats(b->sink, &before);
	if (!err)
		err = send_all(b, e.client->sk);
	dev_get_stats(b->sink, &after);
	b->count = after.tx_packets - before.tx_packets;
	stop(&e);
	return err;
}

/**
 * bench_tcp_in - segments of a connection arrive that say nothing new
 * @b: net, peer, src, dst, port, dev, n segments without data
 *
 * Return: 0 with @b->count segments that the socket got, or an error.
 */
int bench_tcp_in(struct bench *b)
{
	struct sk_buff *skb;
	struct ends e;
	u32 i, before;
	int err;

	if (!b->dev)
		return -EINVAL;
	err = start(b, &e);
	if (err)
		goto out;
	before = tcp_sk(e.client->sk)->segs_in;
	b->ns = bench_clock();
	for (i = 0; i < b->n; i++) {
		local_bh_disable();
		skb = segment(e.client->sk, 0, false);
		if (skb) {
			skb->dev = b->dev;
			skb->pkt_type = PACKET_HOST;
			skb_reset_mac_header(skb);
			netif_receive_skb(skb);
		}
		local_bh_enable();
	}
	b->ns = bench_clock() - b->ns;
	b->count = tcp_sk(e.client->sk)->segs_in - before;
out:
	stop(&e);
	return err;
}
