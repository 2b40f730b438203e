// SPDX-License-Identifier: GPL-2.0
/*
 * Packets of a bound host that are held back until it can be reached (K11),
 * then sent in order: while what was held drains, new packets join its end.
 * Draining has a pace, because a burst would only be lost in the next queue
 * (RFC 5568 9). A held packet keeps no route, device, socket or conntrack
 * entry, so that holding it keeps nothing else.
 */
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include "hmmp.h"
#include "hmmp_compat.h"

#define TICK_NS		NSEC_PER_MSEC	/* limit.buffer_rate is in this */

static unsigned long buffer_max = 64UL << 20;
module_param(buffer_max, ulong, 0644);
MODULE_PARM_DESC(buffer_max, "Bytes of memory held by all buffers together");

static atomic_long_t buffer_total = ATOMIC_LONG_INIT(0);

enum state { FILLING, DRAINING, DONE, STOPPED };

/**
 * struct hmmp_buffer - what is held for one host
 * @hn: namespace
 * @original: the host's bound address
 * @lock: the rest; BH off, taken by packets and by the timer
 * @queue: packets, the oldest first
 * @bytes: memory that they take
 * @state: FILLING until released, DRAINING until empty, then DONE
 * @overflowed: an event has told that packets were lost
 * @timer: drains
 * @family: of @original
 * @rcu: for freeing
 */
struct hmmp_buffer {
	struct hmmp_net *hn;
	union nf_inet_addr original;
	spinlock_t lock;	/* guards queue, bytes, state, overflowed */
	struct sk_buff_head queue;
	u32 bytes;
	enum state state;
	bool overflowed;
	struct hrtimer timer;
	u8 family;
	struct rcu_head rcu;
};

/* In the control block of a held packet: when it gets too old. */
struct held {
	u64 until;
};

static struct held *held(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct held) > sizeof(skb->cb));
	return (struct held *)skb->cb;
}

static struct sk_buff *take(struct hmmp_buffer *buf)
{
	struct sk_buff *skb = __skb_dequeue(&buf->queue);

	if (skb) {
		buf->bytes -= skb->truesize;
		atomic_long_sub(skb->truesize, &buffer_total);
	}
	return skb;
}

static void drop_oldest(struct hmmp_buffer *buf)
{
	kfree_skb(take(buf));
	hmmp_drop(buf->hn, DROP_BUFFER);
}

static void drop_old(struct hmmp_buffer *buf)
{
	u64 now = hmmp_now();

	while (!skb_queue_empty(&buf->queue) &&
	       held(skb_peek(&buf->queue))->until <= now)
		drop_oldest(buf);
}

static bool too_full(const struct hmmp_buffer *buf)
{
	const struct hmmp_limits *limit = &buf->hn->limit;

	return skb_queue_len(&buf->queue) > READ_ONCE(limit->buffer_packets) ||
	       buf->bytes > READ_ONCE(limit->buffer_bytes) ||
	       atomic_long_read(&buffer_total) > READ_ONCE(buffer_max);
}

/* Return: true if packets were lost for the first time. */
static bool trim(struct hmmp_buffer *buf)
{
	bool first = false;

	drop_old(buf);
	while (!skb_queue_empty(&buf->queue) && too_full(buf)) {
		drop_oldest(buf);
		first |= !buf->overflowed;
		buf->overflowed = true;
	}
	return first;
}

static void let_go_of_all(struct sk_buff *skb)
{
	skb_orphan(skb);
	skb_scrub_packet(skb, false);
	skb->dev = NULL;
}

/**
 * hmmp_buffer_hold - hold a packet back, if it is the time for that
 * @buf: buffer, or NULL
 * @b: binding that covers the packet
 * @skb: packet in the send hook
 *
 * Context: RCU read side. Return: true if it was taken.
 */
bool hmmp_buffer_hold(struct hmmp_buffer *buf, struct hmmp_binding *b,
		      struct sk_buff *skb)
{
	struct hmmp_net *hn;
	bool first;

	if (!hmmp_buffer_open(buf))
		return false;
	hn = buf->hn;
	spin_lock_bh(&buf->lock);
	if (buf->state != FILLING && buf->state != DRAINING) {
		spin_unlock_bh(&buf->lock);
		return false;
	}
	let_go_of_all(skb);
	held(skb)->until = hmmp_now() +
		(u64)READ_ONCE(hn->limit.buffer_time) * NSEC_PER_MSEC;
	__skb_queue_tail(&buf->queue, skb);
	buf->bytes += skb->truesize;
	atomic_long_add(skb->truesize, &buffer_total);
	first = trim(buf);
	spin_unlock_bh(&buf->lock);
	hmmp_count(hn, BUFFERED);
	if (first)
		hmmp_event_binding(hn, b, HMMP_BINDING_EVENT_OVERFLOW);
	return true;
}

static struct dst_entry *native_route(struct net *net,
				      const struct sk_buff *skb, u8 family)
{
	struct flowi6 fl6 = {};
	struct flowi4 fl4 = {};
	struct dst_entry *dst;
	struct rtable *rt;

	if (family == AF_INET) {
		fl4.daddr = ip_hdr(skb)->daddr;
		fl4.flowi4_tos = ip_hdr(skb)->tos & INET_DSCP_MASK;
		rt = ip_route_output_key(net, &fl4);
		return IS_ERR(rt) ? ERR_CAST(rt) : &rt->dst;
	}
	fl6.daddr = ipv6_hdr(skb)->daddr;
	dst = ip6_route_output(net, NULL, &fl6);
	if (dst->error) {
		dst_release(dst);
		return ERR_PTR(-ENETUNREACH);
	}
	return dst;
}

/* The packet has been through POST_ROUTING before it was held. */
static void send_natively(struct hmmp_net *hn, struct sk_buff *skb, u8 family)
{
	struct dst_entry *dst = native_route(hn->net, skb, family);

	if (IS_ERR(dst)) {
		hmmp_drop(hn, DROP_NO_ROUTE);
		kfree_skb(skb);
		return;
	}
	skb_dst_set(skb, dst);
	skb->dev = dst->dev;
	if (family == AF_INET)
		IPCB(skb)->flags = IPSKB_REROUTED | IPSKB_FORWARDED;
	else
		IP6CB(skb)->flags = IP6SKB_REROUTED | IP6SKB_FORWARDED;
	dst_output(hn->net, NULL, skb);
}

static void send_one(struct hmmp_buffer *buf, struct sk_buff *skb)
{
	struct hmmp_net *hn = buf->hn;
	struct hmmp_binding *b;

	memset(skb->cb, 0, sizeof(skb->cb));
	hmmp_count(hn, RELEASED);
	rcu_read_lock();
	b = hmmp_binding_find(hn, buf->family, &buf->original, 0);
	if (!b || hmmp_encap_held(hn, skb, b, buf->family))
		send_natively(hn, skb, buf->family);
	rcu_read_unlock();
}

/* The next one to be sent, or NULL if there is none for now. */
static struct sk_buff *next(struct hmmp_buffer *buf)
{
	struct sk_buff *skb = NULL;

	spin_lock_bh(&buf->lock);
	if (buf->state == DRAINING) {
		drop_old(buf);
		skb = take(buf);
		if (!skb)
			WRITE_ONCE(buf->state, DONE);
	}
	spin_unlock_bh(&buf->lock);
	return skb;
}

/*
 * In a while more. The timer is started under the lock only: it may be filled
 * and released again while it drains.
 */
static void go_on(struct hmmp_buffer *buf)
{
	spin_lock_bh(&buf->lock);
	if (buf->state == DRAINING)
		hrtimer_start(&buf->timer, TICK_NS, HRTIMER_MODE_REL_SOFT);
	spin_unlock_bh(&buf->lock);
}

static enum hrtimer_restart drain(struct hrtimer *timer)
{
	struct hmmp_buffer *buf = container_of(timer, struct hmmp_buffer,
					       timer);
	u32 rate = READ_ONCE(buf->hn->limit.buffer_rate);
	struct sk_buff *skb;

	while (rate--) {
		skb = next(buf);
		if (!skb)
			return HRTIMER_NORESTART;
		send_one(buf, skb);
	}
	go_on(buf);
	return HRTIMER_NORESTART;
}

/**
 * hmmp_buffer_new - begin to hold
 * @hn: namespace
 * @family: AF_INET or AF_INET6
 * @original: the host's bound address
 *
 * Return: the buffer, or NULL.
 */
struct hmmp_buffer *hmmp_buffer_new(struct hmmp_net *hn, u8 family,
				    const union nf_inet_addr *original)
{
	struct hmmp_buffer *buf = kzalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT);

	if (!buf)
		return NULL;
	buf->hn = hn;
	buf->family = family;
	buf->original = *original;
	spin_lock_init(&buf->lock);
	__skb_queue_head_init(&buf->queue);
	hmmp_compat_hrtimer_setup(&buf->timer, drain, CLOCK_MONOTONIC,
				  HRTIMER_MODE_REL_SOFT);
	return buf;
}

/**
 * hmmp_buffer_open - does a packet have to wait?
 * @buf: buffer, or NULL
 *
 * Return: true while it fills or drains.
 */
bool hmmp_buffer_open(const struct hmmp_buffer *buf)
{
	return buf && READ_ONCE(buf->state) <= DRAINING;
}

/**
 * hmmp_buffer_len - how many packets it holds
 * @buf: buffer, or NULL
 *
 * Return: packets, at this moment.
 */
u32 hmmp_buffer_len(const struct hmmp_buffer *buf)
{
	return buf ? skb_queue_len_lockless(&buf->queue) : 0;
}

/**
 * hmmp_buffer_fill - hold again
 * @buf: buffer
 */
void hmmp_buffer_fill(struct hmmp_buffer *buf)
{
	spin_lock_bh(&buf->lock);
	if (buf->state != STOPPED)
		WRITE_ONCE(buf->state, FILLING);
	buf->overflowed = false;
	spin_unlock_bh(&buf->lock);
}

/**
 * hmmp_buffer_release - let everything go, in order
 * @buf: buffer
 */
void hmmp_buffer_release(struct hmmp_buffer *buf)
{
	spin_lock_bh(&buf->lock);
	if (buf->state == FILLING) {
		WRITE_ONCE(buf->state, DRAINING);
		hrtimer_start(&buf->timer, 0, HRTIMER_MODE_REL_SOFT);
	}
	spin_unlock_bh(&buf->lock);
}

static void purge(struct hmmp_buffer *buf)
{
	while (!skb_queue_empty(&buf->queue))
		drop_oldest(buf);
}

/**
 * hmmp_buffer_close - hold nothing any more; what drains may do so
 * @buf: buffer
 */
void hmmp_buffer_close(struct hmmp_buffer *buf)
{
	spin_lock_bh(&buf->lock);
	if (buf->state == FILLING) {
		WRITE_ONCE(buf->state, DONE);
		purge(buf);
	}
	spin_unlock_bh(&buf->lock);
}

/**
 * hmmp_buffer_gc - drop what is too old
 * @buf: buffer
 */
void hmmp_buffer_gc(struct hmmp_buffer *buf)
{
	spin_lock_bh(&buf->lock);
	drop_old(buf);
	spin_unlock_bh(&buf->lock);
}

/**
 * hmmp_buffer_stop - hold and send nothing any more, for good
 * @buf: buffer
 *
 * Context: not the timer's. What it holds is dropped and counted.
 */
void hmmp_buffer_stop(struct hmmp_buffer *buf)
{
	spin_lock_bh(&buf->lock);
	WRITE_ONCE(buf->state, STOPPED);
	purge(buf);
	spin_unlock_bh(&buf->lock);
	hrtimer_cancel(&buf->timer);
}

/**
 * hmmp_buffer_free - the end of a buffer
 * @buf: buffer; packets may look at it until RCU is done with it
 */
void hmmp_buffer_free(struct hmmp_buffer *buf)
{
	hmmp_buffer_stop(buf);
	kfree_rcu(buf, rcu);
}
