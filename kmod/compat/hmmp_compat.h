/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the two kernels do differently. The only place that may ask which one
 * it is.
 */
#ifndef _HMMP_COMPAT_H
#define _HMMP_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/netfilter_bridge.h>
#include <linux/version.h>
#include <net/genetlink.h>

/* 6.7 put the attributes of a dump behind genl_info. */
static inline struct nlattr **hmmp_compat_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/* 6.13 sets function and timer in one step. */
static inline void
hmmp_compat_hrtimer_setup(struct hrtimer *timer,
			  enum hrtimer_restart (*fn)(struct hrtimer *),
			  clockid_t clock, enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, fn, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
#endif
}

/* A kernel without bridge netfilter has no such packets. */
#if !IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
static inline bool nf_bridge_info_exists(const struct sk_buff *skb)
{
	return false;
}
#endif

#endif
