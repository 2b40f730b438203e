// SPDX-License-Identifier: GPL-2.0
/*
 * Many bindings and flows at once, by the functions that the netlink commands
 * call, and what it costs to install, change and look after them.
 *
 * Flows have no sockets here. So the periodic work, which would end them, is
 * stopped in a namespace that has got some; what one round of it costs is a
 * measurement of its own.
 */
#include <net/netfilter/nf_conntrack.h>
#include "bench.h"

#define LIFETIME	3600000

static u32 seq;

static struct hmmp_net *begin(struct bench *b)
{
	struct hmmp_net *hn = b->net ? hmmp_net(b->net) : NULL;

	if (!hn)
		return NULL;
	mutex_lock(&hn->lock);
	if (hmmp_net_start(hn)) {
		mutex_unlock(&hn->lock);
		return NULL;
	}
	hn->limit.flows = U32_MAX / 4;
	hn->limit.bindings = U32_MAX / 4;
	hn->limit.peers = U32_MAX / 4;
	return hn;
}

static void end(struct hmmp_net *hn)
{
	mutex_unlock(&hn->lock);
	cancel_delayed_work_sync(&hn->gc);
}

static struct hmmp_terms seed_of(const struct bench *b, u32 i)
{
	struct hmmp_terms seed = {
		.owner = b->owner ? b->owner + i : 0,
		.original.ip = htonl(ntohl(b->dst) + i),
		.current_addr = { .ip.ip = b->odst, .family = AF_INET },
		.local_outer = { .ip.ip = b->osrc, .family = AF_INET },
		.ifindex = b->dev && !b->owner ? b->dev->ifindex : 0,
		.family = AF_INET,
		.encap = b->encap,
		.status = HMMP_STATUS_VERIFIED,
		.seq = seq,
	};

	return seed;
}

/**
 * bench_bind - install bindings, or update those that are there
 * @b: net, dst and spread (address 1 of the first, and how many), odst
 *	(address 2), osrc, encap, owner (of the first; 0: scope host), dev
 *
 * Return: 0 with @b->count bindings; an error of hmmp_binding_set().
 */
int bench_bind(struct bench *b)
{
	struct hmmp_net *hn = begin(b);
	struct hmmp_terms seed;
	int err = 0;
	u32 i;

	if (!hn)
		return -EINVAL;
	seq++;
	b->n = b->spread;
	b->ns = bench_clock();
	for (i = 0; i < b->spread && !err; i++) {
		seed = seed_of(b, i);
		err = hmmp_binding_set(hn, &seed, LIFETIME, NULL);
		if (!(i & 1023))
			cond_resched();
	}
	b->ns = bench_clock() - b->ns;
	b->count = atomic_read(&hn->n_bindings);
	end(hn);
	return err;
}

/**
 * bench_unbind - forget all bindings and flows of a namespace at once
 * @b: net
 *
 * Return: 0 or -EINVAL.
 */
int bench_unbind(struct bench *b)
{
	struct hmmp_net *hn = begin(b);

	if (!hn)
		return -EINVAL;
	b->ns = bench_clock();
	hmmp_binding_net_exit(hn);
	hmmp_flow_net_exit(hn);
	rcu_barrier();
	b->ns = bench_clock() - b->ns;
	b->count = atomic_read(&hn->n_chained) + atomic_read(&hn->n_flows);
	end(hn);
	return 0;
}

/**
 * bench_flows - track connections
 * @b: net, src, dst and spread (far ends, and how many), port, owner of the
 *	first
 *
 * Return: 0 with @b->count flows; -ENOSPC.
 */
int bench_flows(struct bench *b)
{
	struct hmmp_net *hn = begin(b);
	struct hmmp_flow seed = {};
	struct hmmp_flow *f;
	int err = 0;
	u32 i;

	if (!hn)
		return -EINVAL;
	b->n = b->spread;
	b->ns = bench_clock();
	for (i = 0; i < b->spread && !err; i++) {
		seed.key.family = AF_INET;
		seed.key.local.ip = b->src;
		seed.key.remote.ip = htonl(ntohl(b->dst) + i);
		seed.key.lport = htons(b->port);
		seed.key.rport = htons(80);
		rcu_read_lock();
		f = hmmp_flow_add(hn, &seed);
		err = f ? 0 : -ENOSPC;
		if (f && b->owner)
			err = hmmp_flow_set_owner(f, b->owner + i);
		rcu_read_unlock();
		if (!(i & 1023))
			cond_resched();
	}
	b->ns = bench_clock() - b->ns;
	b->count = atomic_read(&hn->n_flows);
	end(hn);
	return err;
}

/**
 * bench_handoff - the host moves: one operation, whatever it has
 * @b: net, src (original address), n hand-offs
 *
 * Return: 0 or an error of the local map.
 */
int bench_handoff(struct bench *b)
{
	struct hmmp_net *hn = begin(b);
	struct hmmp_local l = {
		.original.ip = b->src,
		.current_addr = { .ip.ip = b->src, .family = AF_INET },
		.family = AF_INET,
	};
	struct hmmp_addr old = l.current_addr, now = old;
	int err;
	u32 i;

	if (!hn)
		return -EINVAL;
	err = hmmp_local_set(hn, &l, false);
	b->ns = bench_clock();
	for (i = 0; i < b->n && err >= 0; i++) {
		now.ip.ip = htonl(ntohl(b->src) + 1 + i % 2);
		err = hmmp_local_handoff(hn, &old, &now);
		old = now;
	}
	b->ns = bench_clock() - b->ns;
	hmmp_local_del(hn, AF_INET, &l.original);
	end(hn);
	return err < 0 ? err : 0;
}

/**
 * bench_gc - one round of the periodic work over the bindings
 * @b: net
 *
 * Return: 0 or -EINVAL.
 */
int bench_gc(struct bench *b)
{
	struct hmmp_net *hn = begin(b);

	if (!hn)
		return -EINVAL;
	b->ns = bench_clock();
	hmmp_binding_gc(hn);
	b->ns = bench_clock() - b->ns;
	b->count = atomic_read(&hn->n_bindings);
	end(hn);
	return 0;
}

/**
 * bench_conntrack - connection tracking begins in a namespace
 * @b: net
 *
 * Return: 0 or an error.
 */
int bench_conntrack(struct bench *b)
{
	return b->net ? nf_ct_netns_get(b->net, NFPROTO_INET) : -EINVAL;
}

static int own(struct net *net, const struct sock *sk, u32 owner)
{
	struct hmmp_tuple key;
	struct hmmp_flow *f;
	int err = -ENOENT;

	hmmp_sock_key(sk, &key);
	rcu_read_lock();
	f = hmmp_flow_find(net, &key);
	if (f)
		err = hmmp_flow_set_owner(f, owner);
	rcu_read_unlock();
	return err;
}

/* This end is at osrc now. */
static int move_here(struct bench *b, struct hmmp_net *hn)
{
	struct hmmp_peer peer = {
		.net = b->net,
		.remote.ip = b->dst,
		.current_addr = { .ip.ip = b->osrc, .family = AF_INET },
		.owner = b->owner,
		.state = HMMP_PEER_STATE_ACCEPTED,
		.encap = b->encap,
		.family = AF_INET,
	};
	struct hmmp_local l = {
		.original.ip = b->src,
		.current_addr = { .ip.ip = b->src, .family = AF_INET },
		.family = AF_INET,
	};
	struct hmmp_addr old = l.current_addr;
	int err = hmmp_local_set(hn, &l, false);

	if (!err)
		err = hmmp_local_handoff(hn, &old, &peer.current_addr);
	return err < 0 ? err : hmmp_peer_set(hn, &peer);
}

/**
 * bench_move - a connection's client is somewhere else from now on
 * @b: net, peer, src and dst (its ends), osrc (where it is now), owner, encap
 * @client: its socket
 * @server: that of the far end
 *
 * Return: 0 or an error.
 */
int bench_move(struct bench *b, const struct sock *client,
	       const struct sock *server)
{
	struct bench far = *b;
	struct hmmp_net *hn;
	int err = own(b->net, client, b->owner);

	if (!err)
		err = own(b->peer, server, b->owner);
	if (err)
		return err;
	hn = begin(b);
	if (!hn)
		return -EINVAL;
	err = move_here(b, hn);
	mutex_unlock(&hn->lock);
	far.net = b->peer;
	far.odst = b->osrc;
	far.osrc = b->dst;
	far.dst = b->src;
	far.spread = 1;
	return err ? err : bench_bind(&far);
}
