/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters, one per event and per reason to drop a packet. Their numbers are
 * those of the netlink attributes, so that there is one list of them.
 */
#ifndef _HMMP_MIB_H
#define _HMMP_MIB_H

#include <linux/hmmp.h>
#include <linux/percpu.h>
#include <linux/u64_stats_sync.h>

struct hmmp_mib {
	u64 count[HMMP_A_COUNTER_MAX + 1];
};

/* One counter up. Any context. */
#define hmmp_count(hn, what) \
	this_cpu_inc((hn)->mib->count[HMMP_A_COUNTER_##what])

/* The same for a packet that is dropped; a tracepoint names it, too. */
#define hmmp_drop(hn, what)	hmmp_mib_drop(hn, HMMP_A_COUNTER_##what)

struct hmmp_net;
struct sk_buff;

void hmmp_mib_drop(struct hmmp_net *hn, int what);

u64 hmmp_mib_read(const struct hmmp_net *hn, int what);
int hmmp_mib_put(const struct hmmp_net *hn, struct sk_buff *msg, int attr);

#endif
