// SPDX-License-Identifier: GPL-2.0
/*
 * The local map: each address that connections were born with, and where this
 * host receives now. It is small, never changed in place and replaced by one
 * pointer, so a hand-off is one step for every packet, whatever the number of
 * connections (K7).
 */
#include <linux/slab.h>
#include <net/tcp.h>
#include "hmmp.h"
#include "trace.h"

/**
 * hmmp_local_find - the entry of an address
 * @map: map, or NULL
 * @family: AF_INET or AF_INET6
 * @original: the address that connections were born with
 *
 * Return: the entry or NULL.
 */
const struct hmmp_local *hmmp_local_find(const struct hmmp_local_map *map,
					 u8 family,
					 const union nf_inet_addr *original)
{
	u32 i;

	for (i = 0; map && i < map->n; i++)
		if (map->entry[i].family == family &&
		    hmmp_addr_equal(&map->entry[i].original, original))
			return &map->entry[i];
	return NULL;
}

static struct hmmp_local_map *map_of(struct hmmp_net *hn)
{
	return rcu_dereference_protected(hn->local,
					 lockdep_is_held(&hn->lock));
}

static struct hmmp_local_map *copy(const struct hmmp_local_map *old, u32 room)
{
	u32 n = old ? old->n : 0;
	struct hmmp_local_map *map;

	map = kzalloc(struct_size(map, entry, n + room), GFP_KERNEL_ACCOUNT);
	if (!map)
		return NULL;
	if (n)
		memcpy(map->entry, old->entry, flex_array_size(map, entry, n));
	map->n = n;
	return map;
}

static void publish(struct hmmp_net *hn, struct hmmp_local_map *map)
{
	struct hmmp_local_map *old = map_of(hn);
	u32 i;

	map->busy = 0;
	for (i = 0; i < map->n; i++)
		map->busy += hmmp_local_moved(&map->entry[i]) ||
			     map->entry[i].via.remote.family;
	rcu_assign_pointer(hn->local, map);
	if (old)
		kfree_rcu(old, rcu);
}

static void stamp(struct hmmp_local *l)
{
	l->changed = hmmp_now();
	l->stamp = tcp_jiffies32;
	l->gen = hmmp_next_id();
}

static void move(struct hmmp_local *l, const struct hmmp_addr *now)
{
	l->previous = l->current_addr;
	l->current_addr = *now;
	stamp(l);
}

/**
 * hmmp_local_set - add or change an entry
 * @hn: namespace; its lock is held
 * @seed: original, family, current_addr, ifindex, and via
 * @via: @seed has one; else that of an entry stays
 *
 * Return: 0, -ENOMEM, or -ENOSPC at the limit.
 */
int hmmp_local_set(struct hmmp_net *hn, const struct hmmp_local *seed, bool via)
{
	struct hmmp_local_map *old = map_of(hn), *map;
	const struct hmmp_local *had;
	struct hmmp_local *l;

	had = hmmp_local_find(old, seed->family, &seed->original);
	if (!had && old && old->n >= min_t(u32, hn->limit.locals,
					   HMMP_LOCALS_MAX)) {
		hmmp_count(hn, LOCAL_LIMIT);
		return -ENOSPC;
	}
	map = copy(old, 1);
	if (!map)
		return -ENOMEM;
	if (had) {
		l = &map->entry[had - old->entry];
		if (!hmmp_same(&l->current_addr, &seed->current_addr))
			move(l, &seed->current_addr);
		l->ifindex = seed->ifindex;
		if (via)
			l->via = seed->via;
	} else {
		l = &map->entry[map->n++];
		*l = *seed;
		stamp(l);
	}
	publish(hn, map);
	return 0;
}

/**
 * hmmp_local_del - remove an entry
 * @hn: namespace; its lock is held
 * @family: AF_INET or AF_INET6
 * @original: the address that connections were born with
 *
 * Return: 0, -ENOENT, or -ENOMEM.
 */
int hmmp_local_del(struct hmmp_net *hn, u8 family,
		   const union nf_inet_addr *original)
{
	struct hmmp_local_map *old = map_of(hn), *map;
	const struct hmmp_local *had;

	had = hmmp_local_find(old, family, original);
	if (!had)
		return -ENOENT;
	map = copy(old, 0);
	if (!map)
		return -ENOMEM;
	map->entry[had - old->entry] = map->entry[--map->n];
	publish(hn, map);
	return 0;
}

/**
 * hmmp_local_handoff - the move, in one step for every connection (Draft 4.2.2)
 * @hn: namespace; its lock is held
 * @old_addr: the current address until now
 * @now: the current address from now on, of either family
 *
 * Return: how many entries changed, -ENOENT if none has that current address,
 * or -ENOMEM.
 */
int hmmp_local_handoff(struct hmmp_net *hn, const struct hmmp_addr *old_addr,
		       const struct hmmp_addr *now)
{
	struct hmmp_local_map *map;
	int changed = 0;
	u32 i;

	map = copy(map_of(hn), 0);
	if (!map)
		return -ENOMEM;
	for (i = 0; i < map->n; i++) {
		struct hmmp_local *l = &map->entry[i];

		if (!hmmp_same(&l->current_addr, old_addr))
			continue;
		move(l, now);
		changed++;
	}
	if (!changed) {
		kfree(map);
		return -ENOENT;
	}
	publish(hn, map);
	hmmp_count(hn, HANDOFFS);
	trace_hmmp_handoff(hn->net, changed);
	return changed;
}

/**
 * hmmp_local_net_exit - forget the map
 * @hn: namespace; no packet can see it any more
 */
void hmmp_local_net_exit(struct hmmp_net *hn)
{
	kfree(rcu_dereference_protected(hn->local, 1));
}
