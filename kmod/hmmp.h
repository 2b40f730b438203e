/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The map of the module: every structure that two files share, and every
 * function that one file offers to the others, under the name of the file.
 * Packets and the files that they pass are in packet.h, bindings in binding.h.
 *
 * Locks, outermost first:
 *   hmmp_net.lock       mutex; all changes by netlink and by the gc work
 *   flow bucket lock    spinlock, BH off; members of one bucket of flows
 *   hmmp_owner_lock     spinlock, BH off; chains of flows by owner
 *   hmmp_binding_lock   spinlock, BH off; chains of bindings
 *   hmmp_dead_lock      spinlock, BH off; bindings that wait to be freed
 *   hmmp_peer_lock      spinlock, BH off; chains of peers
 *   hmmp_net.wake_lock  spinlock, BH off; paths to see to
 *   buffer lock         spinlock, BH off; the packets of one buffer
 *   hmmp_route_lock     spinlock, BH off; remembered routes
 * Packets of connections take none but a flow's bucket lock, while it is young
 * or ends, and the lock of routes, when one is looked up anew; those of a host that
 * are held, their buffer's. Everything else is read under RCU.
 */
#ifndef _HMMP_H
#define _HMMP_H

#include <linux/hmmp.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "binding.h"
#include "mib.h"
#include "packet.h"
#include "tcp_state.h"

#define HMMP_VERSION	"0.1"

/* Outer addresses of before a change are accepted for this long (K3). */
#define HMMP_GRACE_NS	(2 * NSEC_PER_SEC)

/* ---------------------------------------------------------------- due.c */

#define HMMP_DUE_GROUPS	4096	/* at most: 32 KB */

/**
 * struct hmmp_due - when a namespace has to look at a table again
 * @at: by group of chains, CLOCK_BOOTTIME ns, S64_MAX for never
 * @groups: how many
 * @chains: of a group
 */
struct hmmp_due {
	atomic64_t *at;
	u32 groups;
	u32 chains;
};

int hmmp_due_init(struct hmmp_due *d, u32 buckets);
void hmmp_due_exit(struct hmmp_due *d);
void hmmp_due_by(struct hmmp_due *d, u32 bucket, u64 when);
bool hmmp_due_take(struct hmmp_due *d, u32 group, u64 now);
u64 hmmp_due_next(const struct hmmp_due *d);

/* --------------------------------------------------------------- flow.c */

/**
 * struct hmmp_flow - a tracked TCP connection
 * @node: in its bucket; RCU
 * @net: namespace; flows die with it, so no reference
 * @key: its ends
 * @owner_node: in the chain of its owner; RCU
 * @owner: who may move it, 0 nobody; written under the bucket lock
 * @id: unique number, ascending
 * @birth: when it was first seen, CLOCK_BOOTTIME ns
 * @heard: &struct hmmp_local.gen of the move after which the far end has sent
 *	to where we are now: it knows, whether its answer has come or not
 * @bound_if: interface that its socket is bound to, or 0
 * @checked: when its socket was last looked at, the low half of jiffies
 * @tcp: what has been seen of it; written under the bucket lock
 * @flags: HMMP_FLOW_FLAGS_*
 * @announced: its "established" event has been sent
 * @dead: unlinked; under the bucket lock
 * @rcu: for freeing
 *
 * What a packet reads of it is in the first 64 bytes, but for the owner.
 */
struct hmmp_flow {
	struct hlist_node node;
	struct net *net;
	struct hmmp_tuple key;
	struct hlist_node owner_node;
	u64 owner;
	u64 id;
	u64 birth;
	u64 heard;
	int bound_if;
	u32 checked;
	struct hmmp_tcp tcp;
	u16 flags;
	bool announced;
	bool dead;
	struct rcu_head rcu;
};

/* Flags of a flow that cannot move. */
#define HMMP_FLOW_FIXED	(HMMP_FLOW_FLAGS_DEVICE_BOUND | \
			 HMMP_FLOW_FLAGS_IPSEC | HMMP_FLOW_FLAGS_NAT | \
			 HMMP_FLOW_FLAGS_FORMER | HMMP_FLOW_FLAGS_REPAIR)

/* Flags that say who sent the first SYN; neither: the far end did. */
#define HMMP_FLOW_OPENERS	(HMMP_FLOW_FLAGS_OPENER | \
				 HMMP_FLOW_FLAGS_OPENER_UNKNOWN)

int hmmp_flow_init(void);
void hmmp_flow_exit(void);
int hmmp_flow_net_init(struct hmmp_net *hn);
void hmmp_flow_net_exit(struct hmmp_net *hn);
struct hmmp_flow *hmmp_flow_find(struct net *net, const struct hmmp_tuple *key);
struct hmmp_flow *hmmp_flow_add(struct hmmp_net *hn,
				const struct hmmp_flow *seed);
void hmmp_flow_lock(const struct hmmp_flow *f) __acquires(f);
void hmmp_flow_unlock(const struct hmmp_flow *f) __releases(f);
int hmmp_flow_set_owner(struct hmmp_flow *f, u64 owner);
bool hmmp_flow_owner_alive(struct net *net, const union nf_inet_addr *remote,
			   u64 owner);
void hmmp_flow_end(struct hmmp_net *hn, struct hmmp_flow *f);
void hmmp_flow_soon(const struct hmmp_flow *f);
void hmmp_flow_gc(struct hmmp_net *hn);
u32 hmmp_flow_buckets(void);
u32 hmmp_flow_machine_limit(void);

/**
 * hmmp_flow_walk_t - called for a flow under RCU
 *
 * Return: 0 to go on, anything else ends the walk.
 */
typedef int (*hmmp_flow_walk_t)(struct hmmp_flow *f, void *arg);

/**
 * struct hmmp_cursor - where a walk over a table of chains stands
 * @bucket: chain
 * @id: the last object visited in it; chains are in descending order of id
 */
struct hmmp_cursor {
	u32 bucket;
	u64 id;
};

int hmmp_flow_walk(struct net *net, struct hmmp_cursor *at,
		   hmmp_flow_walk_t fn, void *arg);
void hmmp_flow_walk_owner(struct net *net, u64 owner, hmmp_flow_walk_t fn,
			  void *arg);

/* ------------------------------------------------------------ sip_eye.c */

void hmmp_sip_eye_out(struct hmmp_net *hn, const struct sk_buff *skb,
		      u8 family);
int hmmp_sip_eye_take(struct hmmp_net *hn, const struct hmmp_tuple *key,
		      u32 opener);

/* --------------------------------------------------------------- sock.c */

struct sock *hmmp_sock_get(struct net *net, const struct hmmp_tuple *key,
			   int bound_if);
void hmmp_sock_key(const struct sock *sk, struct hmmp_tuple *key);
void hmmp_sock_facts(const struct sock *sk, bool opener, struct hmmp_tcp *t);
u32 hmmp_sock_flags(const struct sock *sk);
u32 hmmp_sock_opener(const struct sock *sk);

/**
 * enum hmmp_wake_result - what became of an attempt to wake a socket
 * @HMMP_WAKE_DONE: its timer has fired
 * @HMMP_WAKE_IDLE: nothing waits, or something was acknowledged meanwhile
 * @HMMP_WAKE_LATER: try again, its user holds it or it is too early
 */
enum hmmp_wake_result {
	HMMP_WAKE_DONE,
	HMMP_WAKE_IDLE,
	HMMP_WAKE_LATER,
};

enum hmmp_wake_result hmmp_sock_wake(struct sock *sk, u32 since, u32 mtu,
				     bool lost);

/* -------------------------------------------------------------- local.c */

/**
 * struct hmmp_via - a tunnel that is chosen by source
 * @local: this end's outer address
 * @remote: the far end's outer address; AF_UNSPEC: there is no tunnel
 * @expires: end of its life, CLOCK_BOOTTIME ns
 * @flags: HMMP_BINDING_FLAGS_SECURED or 0
 * @encap: HMMP_ENCAP_*
 */
struct hmmp_via {
	struct hmmp_addr local;
	struct hmmp_addr remote;
	u64 expires;
	u32 flags;
	u8 encap;
};

/**
 * struct hmmp_local - an address of this host, and where it receives now
 * @original: the address that connections were born with
 * @current_addr: where packets for it are received
 * @previous: the same before the last hand-off; none if there was none
 * @via: what its packets go through that no flow binding takes
 * @changed: time of the last hand-off, CLOCK_BOOTTIME ns
 * @gen: number of that hand-off, unique
 * @stamp: its time in TCP's jiffies
 * @ifindex: dummy interface that holds @original
 * @family: of @original, AF_INET or AF_INET6
 */
struct hmmp_local {
	union nf_inet_addr original;
	struct hmmp_addr current_addr;
	struct hmmp_addr previous;
	struct hmmp_via via;
	u64 changed;
	u64 gen;
	u32 stamp;
	u32 ifindex;
	u8 family;
};

/**
 * struct hmmp_local_map - all of them; replaced whole (K7)
 * @rcu: for freeing
 * @busy: how many are not at home, or have a tunnel chosen by source
 * @n: how many
 * @entry: in no order
 */
struct hmmp_local_map {
	struct rcu_head rcu;
	u32 busy;
	u32 n;
	struct hmmp_local entry[];
};

#define HMMP_LOCALS_MAX	64	/* a hand-off copies them; packets scan them */

const struct hmmp_local *hmmp_local_find(const struct hmmp_local_map *map,
					 u8 family,
					 const union nf_inet_addr *original);
int hmmp_local_set(struct hmmp_net *hn, const struct hmmp_local *l, bool via);
int hmmp_local_del(struct hmmp_net *hn, u8 family,
		   const union nf_inet_addr *original);
int hmmp_local_handoff(struct hmmp_net *hn, const struct hmmp_addr *old,
		       const struct hmmp_addr *now);
void hmmp_local_net_exit(struct hmmp_net *hn);

static inline bool hmmp_via_alive(const struct hmmp_via *v, u64 now)
{
	return v->remote.family && now < v->expires;
}

static inline bool hmmp_local_moved(const struct hmmp_local *l)
{
	return !hmmp_is(&l->current_addr, l->family, &l->original);
}

/* --------------------------------------------------------------- peer.c */

/**
 * struct hmmp_peer - what a far end said of this host's current address
 * @node: in its chain; RCU
 * @net: namespace
 * @remote: the far end's original address
 * @current_addr: the address of this host that it spoke of
 * @owner: owner of the flows in question
 * @route: route from @current_addr to @remote
 * @saddr6: the source that it is for, if that is IPv6
 * @id: unique number, ascending
 * @state: HMMP_PEER_STATE_*
 * @encap: HMMP_ENCAP_*, none: IP in IP
 * @family: of @remote
 * @rcu: for freeing
 */
struct hmmp_peer {
	struct hlist_node node;
	struct net *net;
	union nf_inet_addr remote;
	struct hmmp_addr current_addr;
	u64 owner;
	struct hmmp_route route;
	struct in6_addr saddr6;
	u64 id;
	u8 state;
	u8 encap;
	u8 family;
	struct rcu_head rcu;
};

void hmmp_peer_net_exit(struct hmmp_net *hn);
struct hmmp_peer *hmmp_peer_find(struct net *net, u8 family,
				 const union nf_inet_addr *remote, u64 owner);
u32 hmmp_peer_machine_limit(void);
int hmmp_peer_set(struct hmmp_net *hn, const struct hmmp_peer *seed);
void hmmp_peer_gc(struct hmmp_net *hn);
typedef int (*hmmp_peer_walk_t)(struct hmmp_peer *p, void *arg);
int hmmp_peer_walk(struct net *net, struct hmmp_cursor *at,
		   hmmp_peer_walk_t fn, void *arg);

/* --------------------------------------------------------------- wake.c */

void hmmp_wake_net_init(struct hmmp_net *hn);
void hmmp_wake_net_exit(struct hmmp_net *hn);
void hmmp_wake(struct hmmp_net *hn, const union nf_inet_addr *remote,
	       u64 owner, u32 since, const struct hmmp_outer *outer,
	       bool lost);

/* -------------------------------------------------------------- hooks.c */

int hmmp_hooks_add(struct hmmp_net *hn);
void hmmp_hooks_del(struct hmmp_net *hn);

/* ------------------------------------------------ netlink*.c and event.c */

extern struct genl_family hmmp_genl_family;

struct hmmp_net *hmmp_netlink_begin(struct genl_info *info);
void hmmp_netlink_end(struct hmmp_net *hn);
int hmmp_netlink_addr(struct genl_info *info, int attr, u8 *family,
		      union nf_inet_addr *addr);
int hmmp_netlink_any(struct genl_info *info, int attr, struct hmmp_addr *addr);
int hmmp_netlink_encap(struct genl_info *info, int attr, u8 inner, u8 outer,
		       u8 *encap);
int hmmp_netlink_filter(const struct nlattr *nla,
			struct netlink_ext_ack *extack);
int hmmp_netlink_put_addr(struct sk_buff *msg, int attr, u8 family,
			  const union nf_inet_addr *addr);
int hmmp_netlink_put_any(struct sk_buff *msg, int attr,
			 const struct hmmp_addr *addr);

/**
 * hmmp_netlink_has - is an attribute there? If not, say which
 * @info: request
 * @attr: its name in the uapi header
 *
 * Return: false, with the sentence and the number set, if it is not.
 */
#define hmmp_netlink_has(info, attr) ({					\
	struct genl_info *_hn_info = (info);				\
	bool _hn_has = !GENL_REQ_ATTR_CHECK(_hn_info, attr);		\
									\
	if (!_hn_has)							\
		NL_SET_ERR_MSG(_hn_info->extack, #attr " is missing");	\
	_hn_has;							\
})

int hmmp_nl_flow_get_doit(struct sk_buff *skb, struct genl_info *info);
int hmmp_nl_flow_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int hmmp_nl_flow_new_doit(struct sk_buff *skb, struct genl_info *info);
int hmmp_nl_flow_set_doit(struct sk_buff *skb, struct genl_info *info);
int hmmp_nl_binding_new_doit(struct sk_buff *skb, struct genl_info *info);
int hmmp_nl_binding_del_doit(struct sk_buff *skb, struct genl_info *info);
int hmmp_nl_binding_get_doit(struct sk_buff *skb, struct genl_info *info);
int hmmp_nl_binding_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int hmmp_nl_release_doit(struct sk_buff *skb, struct genl_info *info);
int hmmp_nl_local_set_doit(struct sk_buff *skb, struct genl_info *info);
int hmmp_nl_local_del_doit(struct sk_buff *skb, struct genl_info *info);
int hmmp_nl_local_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int hmmp_nl_handoff_doit(struct sk_buff *skb, struct genl_info *info);
int hmmp_nl_peer_set_doit(struct sk_buff *skb, struct genl_info *info);
int hmmp_nl_peer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

int hmmp_netlink_put_flow(struct sk_buff *msg, const struct hmmp_flow *f);
int hmmp_netlink_put_binding(struct sk_buff *msg, const struct hmmp_binding *b);
void hmmp_event_flow(struct hmmp_net *hn, const struct hmmp_flow *f, u32 what);
void hmmp_event_binding(struct hmmp_net *hn, const struct hmmp_binding *b,
			u32 what);

/* --------------------------------------------------------------- main.c */

/**
 * struct hmmp_limits - what a namespace may use
 * @flows: tracked flows
 * @bindings: bindings
 * @locals: entries of the local map
 * @peers: far ends
 * @buffer_packets: packets that one buffer holds
 * @buffer_bytes: memory that they take
 * @buffer_time: for how long, milliseconds
 * @buffer_rate: how fast they are released, packets in a millisecond
 */
struct hmmp_limits {
	u32 flows;
	u32 bindings;
	u32 locals;
	u32 peers;
	u32 buffer_packets;
	u32 buffer_bytes;
	u32 buffer_time;
	u32 buffer_rate;
};

/**
 * struct hmmp_net - what the module keeps of a namespace
 * @net: the namespace
 * @number: its own, no other one has had it
 * @local: the local map; RCU, written under @lock
 * @n_flows: tracked flows
 * @n_bindings: bindings, those that are leaving not counted
 * @n_chained: bindings in the table, all of them: 0 lets packets pass fast
 * @n_hosts: bindings of scope host with a served link
 * @n_peers: far ends
 * @limit: how many there may be; under @lock, read anywhere
 * @active: hooks are registered; set once under @lock
 * @input: private route that marks decapsulated IPv4 packets, NULL until
 *	@active
 * @input6: the same for IPv6, NULL where there is no IPv6
 * @mib: counters
 * @lock: all changes but the birth and death of flows
 * @gc: looks after flows and lifetimes
 * @wake: wakes sockets whose path is whole again
 * @wake_lock: guards @wake_list
 * @wake_list: paths to see to
 * @wake_n: how many
 */
struct hmmp_net {
	struct net *net;
	u32 number;
	struct hmmp_local_map __rcu *local;
	atomic_t n_flows;
	atomic_t n_bindings;
	atomic_t n_chained;
	atomic_t n_hosts;
	atomic_t n_peers;
	struct hmmp_limits limit;
	bool active;
	struct rtable *input;
	struct rt6_info *input6;
	struct hmmp_mib __percpu *mib;
	struct mutex lock;	/* guards all changes but those of flows */
	struct delayed_work gc;
	struct hmmp_due flow_due;
	struct hmmp_due binding_due;
	struct delayed_work wake;
	spinlock_t wake_lock;	/* guards wake_list and wake_n */
	struct list_head wake_list;
	u32 wake_n;
};

extern unsigned int hmmp_net_id;

static inline struct hmmp_net *hmmp_net(const struct net *net)
{
	return net_generic(net, hmmp_net_id);
}

int hmmp_net_start(struct hmmp_net *hn);
int hmmp_table_size(unsigned int *buckets, unsigned int least,
		    const char *name);
void hmmp_net_gc_soon(struct hmmp_net *hn, unsigned long delay);
u64 hmmp_next_id(void);

#endif
