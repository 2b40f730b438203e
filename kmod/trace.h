/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: what a person follows when a counter alone does not tell why.
 * Addresses are printed in hexadecimal, 4 or 16 bytes.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM hmmp

#if !defined(_HMMP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _HMMP_TRACE_H

#include <linux/in6.h>
#include <linux/tracepoint.h>
#include "hmmp.h"

#define hmmp_reason(name)	{ HMMP_A_COUNTER_DROP_##name, #name }
#define hmmp_reasons							\
	hmmp_reason(PEER_UNKNOWN), hmmp_reason(PEER_REFUSED),		\
	hmmp_reason(FORMER), hmmp_reason(HELD), hmmp_reason(CREDIT),	\
	hmmp_reason(PLAIN), hmmp_reason(TOO_BIG), hmmp_reason(NO_ROUTE), \
	hmmp_reason(MEMORY), hmmp_reason(LOOP), hmmp_reason(CONNTRACK),	\
	hmmp_reason(CGROUP), hmmp_reason(POLICY), hmmp_reason(ECN),	\
	hmmp_reason(MALFORMED), hmmp_reason(SECURED),			\
	hmmp_reason(BUFFER), hmmp_reason(SEGMENT)

/* A packet was dropped; the counter of that name went up. */
TRACE_EVENT(hmmp_drop,
	TP_PROTO(const struct net *net, int reason),
	TP_ARGS(net, reason),
	TP_STRUCT__entry(
		__field(unsigned int, netns)
		__field(int, reason)
	),
	TP_fast_assign(
		__entry->netns = net->ns.inum;
		__entry->reason = reason;
	),
	TP_printk("netns=%u reason=%s", __entry->netns,
		  __print_symbolic(__entry->reason, hmmp_reasons))
);

DECLARE_EVENT_CLASS(hmmp_flow,
	TP_PROTO(const struct hmmp_flow *f),
	TP_ARGS(f),
	TP_STRUCT__entry(
		__field(unsigned int, netns)
		__field(u64, id)
		__field(u64, owner)
		__field(u16, lport)
		__field(u16, rport)
		__field(u8, family)
		__array(u8, local, 16)
		__array(u8, remote, 16)
	),
	TP_fast_assign(
		__entry->netns = f->net->ns.inum;
		__entry->id = f->id;
		__entry->owner = READ_ONCE(f->owner);
		__entry->lport = ntohs(f->key.lport);
		__entry->rport = ntohs(f->key.rport);
		__entry->family = f->key.family;
		memcpy(__entry->local, &f->key.local, 16);
		memcpy(__entry->remote, &f->key.remote, 16);
	),
	TP_printk("netns=%u id=%llu owner=%llx local=%*phN:%u remote=%*phN:%u",
		  __entry->netns, __entry->id, __entry->owner,
		  __entry->family == AF_INET ? 4 : 16, __entry->local,
		  __entry->lport,
		  __entry->family == AF_INET ? 4 : 16, __entry->remote,
		  __entry->rport)
);

/* A connection is tracked from now on. */
DEFINE_EVENT(hmmp_flow, hmmp_flow_new,
	TP_PROTO(const struct hmmp_flow *f), TP_ARGS(f));

/* It is not any more. */
DEFINE_EVENT(hmmp_flow, hmmp_flow_end,
	TP_PROTO(const struct hmmp_flow *f), TP_ARGS(f));

DECLARE_EVENT_CLASS(hmmp_binding,
	TP_PROTO(const struct net *net, const struct hmmp_binding *b),
	TP_ARGS(net, b),
	TP_STRUCT__entry(
		__field(unsigned int, netns)
		__field(u64, id)
		__field(u64, owner)
		__field(u32, seq)
		__field(u8, status)
		__field(u8, encap)
		__field(u8, family)
		__field(u8, outer)
		__array(u8, original, 16)
		__array(u8, current_addr, 16)
	),
	TP_fast_assign(
		union nf_inet_addr original = hmmp_binding_original(b);
		struct hmmp_addr to = hmmp_binding_to(b);

		__entry->netns = net->ns.inum;
		__entry->id = b->id;
		__entry->owner = b->owner;
		__entry->seq = b->seq;
		__entry->status = b->status;
		__entry->encap = b->encap;
		__entry->family = hmmp_binding_family(b);
		__entry->outer = to.family;
		memcpy(__entry->original, &original, 16);
		memcpy(__entry->current_addr, &to.ip, 16);
	),
	TP_printk("netns=%u id=%llu owner=%llx seq=%u status=%u encap=%u original=%*phN current=%*phN",
		  __entry->netns, __entry->id, __entry->owner, __entry->seq,
		  __entry->status, __entry->encap,
		  __entry->family == AF_INET ? 4 : 16, __entry->original,
		  __entry->outer == AF_INET ? 4 : 16, __entry->current_addr)
);

/* A binding was installed, updated or changed its status. */
DEFINE_EVENT(hmmp_binding, hmmp_binding_set,
	TP_PROTO(const struct net *net, const struct hmmp_binding *b),
	TP_ARGS(net, b));

/* It left the table. One that lapses into held is set, it does not leave. */
DEFINE_EVENT(hmmp_binding, hmmp_binding_expire,
	TP_PROTO(const struct net *net, const struct hmmp_binding *b),
	TP_ARGS(net, b));

/* A hand-off was carried out. */
TRACE_EVENT(hmmp_handoff,
	TP_PROTO(const struct net *net, int changed),
	TP_ARGS(net, changed),
	TP_STRUCT__entry(
		__field(unsigned int, netns)
		__field(int, changed)
	),
	TP_fast_assign(
		__entry->netns = net->ns.inum;
		__entry->changed = changed;
	),
	TP_printk("netns=%u changed=%d", __entry->netns, __entry->changed)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
