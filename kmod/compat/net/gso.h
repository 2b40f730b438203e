/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Found only where the kernel has no such file: before 6.5 the helpers were in
 * netdevice.h and skbuff.h.
 */
#ifndef _HMMP_COMPAT_NET_GSO_H
#define _HMMP_COMPAT_NET_GSO_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>

#endif
