/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The benchmark: a line of words written to /proc/hmmp_bench is a measurement,
 * the line that is read back its result. Process context, one at a time.
 */
#ifndef _HMMP_BENCH_H
#define _HMMP_BENCH_H

#include "hmmp.h"

/**
 * struct bench - one measurement: what was asked for, and what came out
 * @net: namespace that it is about ("ns=" is a descriptor of one)
 * @peer: namespace of the far end ("peer="), or NULL
 * @dev: device that frames come in by ("dev=")
 * @sink: device that takes what is sent ("sink=")
 * @kind: what exactly ("kind=")
 * @src: source address ("src=")
 * @dst: first destination address ("dst=")
 * @osrc: outer source ("osrc=")
 * @odst: outer destination ("odst=")
 * @n: how often ("n=")
 * @spread: destinations, from @dst on ("spread=")
 * @len: bytes of a packet or of a write ("len=")
 * @port: of the server ("port=")
 * @owner: of flows and bindings ("owner=")
 * @encap: HMMP_ENCAP_* ("encap=")
 * @ns: result, nanoseconds of processor time
 * @count: result, packets that came through, or bytes, or objects
 */
struct bench {
	struct net *net;
	struct net *peer;
	struct net_device *dev;
	struct net_device *sink;
	char kind[16];
	__be32 src;
	__be32 dst;
	__be32 osrc;
	__be32 odst;
	u32 n;
	u32 spread;
	u32 len;
	u32 port;
	u32 owner;
	u32 encap;
	u64 ns;
	u64 count;
};

u64 bench_clock(void);
u32 bench_random(u32 below);

int bench_replay(struct bench *b);
void bench_frame_ipv4(struct sk_buff *skb, __be32 src, __be32 dst, u8 proto);

int bench_tcp_stream(struct bench *b);
int bench_tcp_born(struct bench *b);
int bench_tcp_out(struct bench *b);
int bench_tcp_in(struct bench *b);

int bench_bind(struct bench *b);
int bench_unbind(struct bench *b);
int bench_flows(struct bench *b);
int bench_handoff(struct bench *b);
int bench_gc(struct bench *b);
int bench_conntrack(struct bench *b);
int bench_move(struct bench *b, const struct sock *client,
	       const struct sock *server);

#endif
