/* SPDX-License-Identifier: GPL-2.0 */
/* 6.5 moved the GSO helpers out of netdevice.h and skbuff.h. */
#ifndef _HMMP_COMPAT_NET_GSO_H
#define _HMMP_COMPAT_NET_GSO_H

#if __has_include_next(<net/gso.h>)
#include_next <net/gso.h>
#else
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#endif

#endif
