/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The third part of the map: bindings. All that a packet reads of one is in
 * its first 64 bytes, what it counts in the next; IPv6 addresses stand behind
 * these, and what few bindings have is an object of its own.
 *
 * Locks: hmmp_binding_lock and hmmp_dead_lock, see hmmp.h.
 */
#ifndef _HMMP_BINDING_H
#define _HMMP_BINDING_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include "packet.h"

struct hmmp_cursor;

/**
 * struct hmmp_before - what a provisional binding falls back to
 * @to: the last verified address
 * @via: outer destination in its place, or none
 * @local_outer: outer source, or none
 * @expires: end of its life, CLOCK_BOOTTIME ns
 * @status: HMMP_STATUS_VERIFIED or HMMP_STATUS_HELD
 * @encap: how to send there
 * @home: it was address 1, or there was no binding
 */
struct hmmp_before {
	struct hmmp_addr to;
	struct hmmp_addr via;
	struct hmmp_addr local_outer;
	u64 expires;
	u8 status;
	u8 encap;
	bool home;
};

/**
 * struct hmmp_terms - all that is said of a binding, spelled out
 * @original: address 1
 * @current_addr: address 2
 * @local_outer: outer source, or none: it follows the local map
 * @previous: address 2 before the last update, or none
 * @via: outer destination in place of @current_addr, or none
 * @before: while provisional, what was before
 * @owner: owner of the flows that it covers, 0 with scope host
 * @expires: end of its life, CLOCK_BOOTTIME ns
 * @since: when @current_addr became that, CLOCK_BOOTTIME ns; not known of a
 *	binding without &struct hmmp_more, which has no use for it
 * @settled: since when plain segments from address 1 are somebody else's but
 *	for the grace; 0: they are not; to 4 ms
 * @id: unique number, ascending; kept by updates
 * @credit: bytes that may be sent while provisional
 * @buffer: scope host, what is held back, or NULL; handed on by updates
 * @seq: sequence number of the message that brought it
 * @mark: for the route look-up
 * @ifindex: scope host, the interface of the host route; else that which outer
 *	packets have to leave by, or 0
 * @link: scope host, the served interface, or 0
 * @flags: HMMP_BINDING_FLAGS_*
 * @status: HMMP_STATUS_*; an expired one counts as held at once, the gc work
 *	writes it down
 * @encap: HMMP_ENCAP_*
 * @family: of @original
 * @home: address 2 is address 1, only @previous is still of use
 * @leaving: removed; lives on for the grace of @previous only
 * @lladdr_len: bytes of @lladdr
 * @lladdr: the bound host's own link-layer address on @link
 */
struct hmmp_terms {
	union nf_inet_addr original;
	struct hmmp_addr current_addr;
	struct hmmp_addr local_outer;
	struct hmmp_addr previous;
	struct hmmp_addr via;
	struct hmmp_before before;
	u64 owner;
	u64 expires;
	u64 since;
	u64 settled;
	u64 id;
	s64 credit;
	struct hmmp_buffer *buffer;
	u32 seq;
	u32 mark;
	u32 ifindex;
	u32 link;
	u32 flags;
	u8 status;
	u8 encap;
	u8 family;
	bool home;
	bool leaving;
	u8 lladdr_len;
	u8 lladdr[MAX_ADDR_LEN];
};

/**
 * struct hmmp_more - what few bindings have; as in &struct hmmp_terms
 * @via: outer destination
 * @previous: address 2 before
 * @before: what was before
 * @since: when address 2 became that
 * @buffer: what is held back
 * @credit: bytes
 * @mark: for the route look-up
 * @link: the served interface
 * @lladdr_len: bytes of @lladdr
 * @lladdr: on @link
 */
struct hmmp_more {
	struct hmmp_addr via;
	struct hmmp_addr previous;
	struct hmmp_before before;
	u64 since;
	struct hmmp_buffer *buffer;
	atomic64_t credit;
	u32 mark;
	u32 link;
	u8 lladdr_len;
	u8 lladdr[MAX_ADDR_LEN];
};

/**
 * struct hmmp_wide - the addresses of a binding that has to do with IPv6
 * @original: address 1
 * @to: address 2
 * @from: outer source, or zero
 * @saddr: outer source that the remembered route is for
 */
struct hmmp_wide {
	union nf_inet_addr original;
	union nf_inet_addr to;
	union nf_inet_addr from;
	struct in6_addr saddr;
};

/* Bits of &struct hmmp_binding.told: said once in the life of a binding. */
#define HMMP_TOLD_CREDIT	0x01
#define HMMP_TOLD_UNREACHABLE	0x02
#define HMMP_BEFORE_UNREACHABLE	0x04

/**
 * struct hmmp_binding - a far end's address 1 is bound to address 2
 * @node: in its chain; RCU. Once it has left, node.pprev links the dead
 * @netno: &struct hmmp_net.number; bindings die with their namespace
 * @key: address 1 if it is IPv4, else a hash of it
 * @owner: owner of the flows that it covers, 0 with scope host
 * @expires: end of its life, CLOCK_BOOTTIME ns
 * @route: route to address 2, and that address if it is IPv4
 * @from: outer source if it is IPv4; 0: it follows the local map
 * @status: HMMP_STATUS_*
 * @encap: HMMP_ENCAP_*
 * @plain: verified, not home, and its packets need nothing of @more
 * @flags: HMMP_BINDING_FLAGS_*
 * @home: address 2 is address 1
 * @leaving: removed; lives on for a grace
 * @inner6: address 1 is IPv6
 * @outer6: address 2 is IPv6
 * @from6: the outer source is IPv6
 * @told: HMMP_TOLD_*
 * @seen: who was seen with address 1 on the link: 0 or HMMP_SEEN_* + 1
 * @more: what few bindings have, or NULL
 * @tx_packets: and so on: what it carried; moved to its successor on update
 * @id: unique number, ascending; kept by updates
 * @seq: sequence number of the message that brought it
 * @settled: as in the terms, in units of HMMP_SETTLED_SHIFT; 0: not
 * @ifindex: as in the terms
 * @drops: packets that it cost
 * @wide: one if @inner6, @outer6 or @from6, else none
 *
 * All but the counters, @told, @seen and the remembered route is written once;
 * an update replaces the whole object (K7).
 */
struct hmmp_binding {
	struct hlist_node node;
	u32 netno;
	u32 key;
	u64 owner;
	u64 expires;
	struct hmmp_route route;
	__be32 from;
	u8 status:2, encap:4, plain:1, from6:1;
	u8 flags:4, home:1, leaving:1, inner6:1, outer6:1;
	u8 told;
	u8 seen;

	struct hmmp_more *more;
	atomic64_t tx_packets;
	atomic64_t tx_bytes;
	atomic64_t rx_packets;
	atomic64_t rx_bytes;
	u64 id;
	u32 seq;
	u32 settled;
	u32 ifindex;
	atomic_t drops;

	struct hmmp_wide wide[];
};

#define HMMP_SETTLED_SHIFT	22	/* ns, so 4 ms */

/**
 * struct hmmp_where - where a binding leads at a moment
 * @to: address 2, or what counts in its place
 * @status: HMMP_STATUS_*
 * @encap: HMMP_ENCAP_*
 * @home: nothing is encapsulated
 * @before: it is what was before
 */
struct hmmp_where {
	struct hmmp_addr to;
	u8 status;
	u8 encap;
	bool home;
	bool before;
};

static inline u8 hmmp_binding_family(const struct hmmp_binding *b)
{
	return b->inner6 ? AF_INET6 : AF_INET;
}

static inline bool hmmp_binding_is_wide(const struct hmmp_binding *b)
{
	return b->inner6 || b->outer6 || b->from6;
}

static inline union nf_inet_addr
hmmp_binding_original(const struct hmmp_binding *b)
{
	if (hmmp_binding_is_wide(b))
		return b->wide->original;
	return (union nf_inet_addr){ .ip = (__force __be32)b->key };
}

/* Address 2. */
static inline struct hmmp_addr hmmp_binding_to(const struct hmmp_binding *b)
{
	struct hmmp_addr a = {
		.ip.ip = b->route.daddr,
		.family = b->outer6 ? AF_INET6 : AF_INET,
	};

	if (unlikely(hmmp_binding_is_wide(b)))
		a.ip = b->wide->to;
	return a;
}

/* The outer source, or none. */
static inline struct hmmp_addr hmmp_binding_from(const struct hmmp_binding *b)
{
	struct hmmp_addr a = { .ip.ip = b->from };

	if (unlikely(hmmp_binding_is_wide(b)))
		a.ip = b->wide->from;
	if (!ipv6_addr_any(&a.ip.in6))
		a.family = b->from6 ? AF_INET6 : AF_INET;
	return a;
}

static inline struct hmmp_buffer *
hmmp_binding_buffer(const struct hmmp_binding *b)
{
	return b->more ? b->more->buffer : NULL;
}

/* The usual case: it leads to address 2, and there is nothing to think of. */
static inline bool hmmp_binding_plain(const struct hmmp_binding *b, u64 now)
{
	return likely(b->plain && now < b->expires && !READ_ONCE(b->seen));
}

int hmmp_binding_init(void);
void hmmp_binding_exit(void);
void hmmp_binding_net_pre_exit(struct hmmp_net *hn);
int hmmp_binding_net_init(struct hmmp_net *hn);
void hmmp_binding_net_exit(struct hmmp_net *hn);
struct hmmp_binding *hmmp_binding_find(const struct hmmp_net *hn, u8 family,
				       const union nf_inet_addr *original,
				       u64 owner);
struct hmmp_binding *hmmp_binding_first(const struct hmmp_net *hn, u8 family,
					const union nf_inet_addr *original);
struct hmmp_binding *hmmp_binding_leads(const struct hmmp_net *hn, u8 family,
					const union nf_inet_addr *original,
					const struct hmmp_addr *to);
void hmmp_binding_where(const struct hmmp_binding *b, u64 now,
			struct hmmp_where *w);
u8 hmmp_binding_status(const struct hmmp_binding *b, u64 now);
bool hmmp_binding_credit(struct hmmp_net *hn, struct hmmp_binding *b, u32 len);
void hmmp_binding_unreachable(struct hmmp_net *hn, struct hmmp_binding *b,
			      const struct hmmp_addr *to);
u32 hmmp_binding_machine_limit(void);
void hmmp_binding_insert(struct hmmp_net *hn, struct hmmp_binding *b);
void hmmp_binding_replace(struct hmmp_net *hn, struct hmmp_binding *b,
			  struct hmmp_binding *old);
void hmmp_binding_erase(struct hmmp_net *hn, struct hmmp_binding *b);
bool hmmp_binding_room(struct hmmp_net *hn);
void hmmp_binding_room_back(struct hmmp_net *hn);

void hmmp_binding_touch(struct hmmp_net *hn, u8 family,
			const union nf_inet_addr *original);
u64 hmmp_binding_visit(struct hmmp_net *hn,
		       void (*fn)(struct hmmp_net *hn, struct hmmp_binding *b));

typedef int (*hmmp_binding_walk_t)(struct hmmp_binding *b, void *arg);
int hmmp_binding_walk(struct hmmp_net *hn, struct hmmp_cursor *at,
		      hmmp_binding_walk_t fn, void *arg);

/* ------------------------------------------------------ binding_terms.c */

int hmmp_binding_terms_init(void);
void hmmp_binding_terms_exit(void);
u32 hmmp_binding_key(u8 family, const union nf_inet_addr *original);
void hmmp_binding_read(const struct hmmp_binding *b, struct hmmp_terms *t);
struct hmmp_binding *hmmp_binding_make(const struct hmmp_net *hn,
				       const struct hmmp_terms *t, gfp_t gfp);
void hmmp_binding_free(struct hmmp_binding *b);
void hmmp_binding_bury(struct hmmp_binding *b);

/* -------------------------------------------------------- binding_set.c */

int hmmp_binding_set(struct hmmp_net *hn, const struct hmmp_terms *seed,
		     u32 lifetime_ms, struct netlink_ext_ack *extack);
int hmmp_binding_del(struct hmmp_net *hn, u8 family,
		     const union nf_inet_addr *original, u64 owner,
		     const u32 *seq, struct netlink_ext_ack *extack);
void hmmp_binding_gc(struct hmmp_net *hn);
int hmmp_binding_release(struct hmmp_net *hn, u8 family,
			 const union nf_inet_addr *original, u64 owner,
			 struct netlink_ext_ack *extack);

#endif
