/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites of the module's tables share: the first namespace, held by
 * its lock, so that the periodic work stays out, and emptied at the end. No
 * hook is registered and no packet sees it. Expectations only, no assertions,
 * between fixture_begin() and fixture_end(): an assertion would keep the lock.
 */
#ifndef _HMMP_TESTS_FIXTURE_H
#define _HMMP_TESTS_FIXTURE_H

#include <linux/inet.h>

#include "hmmp.h"

static inline struct hmmp_net *fixture_begin(void)
{
	struct hmmp_net *hn = hmmp_net(&init_net);

	mutex_lock(&hn->lock);
	if (hmmp_flow_net_init(hn) || hmmp_binding_net_init(hn))
		pr_err("fixture: no memory for what is due\n");
	return hn;
}

static inline void fixture_end(struct hmmp_net *hn)
{
	hmmp_binding_net_exit(hn);
	hmmp_peer_net_exit(hn);
	hmmp_flow_net_exit(hn);
	mutex_unlock(&hn->lock);
	rcu_barrier();
}

static inline union nf_inet_addr fixture_addr(const char *text)
{
	return (union nf_inet_addr){ .ip = in_aton(text) };
}

static inline struct hmmp_addr fixture_any(const char *text)
{
	return (struct hmmp_addr){ .ip.ip = in_aton(text), .family = AF_INET };
}

/* A connection to 203.0.113.5; its port tells it from others. */
static inline struct hmmp_flow *fixture_flow(struct hmmp_net *hn, u16 port)
{
	struct hmmp_flow seed = {
		.key = {
			.family = AF_INET,
			.local = fixture_addr("192.0.2.10"),
			.remote = fixture_addr("203.0.113.5"),
			.lport = htons(port),
			.rport = htons(80),
		},
	};
	struct hmmp_flow *f;

	rcu_read_lock();
	f = hmmp_flow_add(hn, &seed);
	rcu_read_unlock();
	return f;
}

static inline u64 fixture_count(struct hmmp_net *hn, int what)
{
	return hmmp_mib_read(hn, what);
}

#endif
