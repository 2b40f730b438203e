// SPDX-License-Identifier: GPL-2.0
/* Counters of a namespace: sum and dump. The tracepoints live here, too. */
#include "hmmp.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/**
 * hmmp_mib_drop - a packet is dropped
 * @hn: namespace
 * @what: HMMP_A_COUNTER_DROP_*
 *
 * Any context.
 */
void hmmp_mib_drop(struct hmmp_net *hn, int what)
{
	this_cpu_inc(hn->mib->count[what]);
	trace_hmmp_drop(hn->net, what);
}

/**
 * hmmp_mib_read - a counter over all CPUs
 * @hn: namespace
 * @what: HMMP_A_COUNTER_*
 *
 * Return: the sum; it may miss what other CPUs are adding.
 */
u64 hmmp_mib_read(const struct hmmp_net *hn, int what)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(hn->mib, cpu)->count[what]);
	return sum;
}

/**
 * hmmp_mib_put - all counters as a nest
 * @hn: namespace
 * @msg: message
 * @attr: number of the nest
 *
 * Return: 0 or -EMSGSIZE.
 */
int hmmp_mib_put(const struct hmmp_net *hn, struct sk_buff *msg, int attr)
{
	struct nlattr *nest = nla_nest_start(msg, attr);
	int i;

	if (!nest)
		return -EMSGSIZE;
	for (i = HMMP_A_COUNTER_PAD + 1; i <= HMMP_A_COUNTER_MAX; i++)
		if (nla_put_u64_64bit(msg, i, hmmp_mib_read(hn, i),
				      HMMP_A_COUNTER_PAD))
			return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}
