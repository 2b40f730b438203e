/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What kernel_genl.c and kernel_genl_parse.c share, and nobody else. */
#ifndef HMMP_KERNEL_GENL_PRIV_H
#define HMMP_KERNEL_GENL_PRIV_H

#include "kernel.h"
#include "nl.h"

/* One message each, into the structure that the name says; 0 or -EBADMSG. */
int kernel_genl_parse_flow(const struct nlmsghdr *h, void *item);
int kernel_genl_parse_binding(const struct nlmsghdr *h, void *item);
int kernel_genl_parse_local(const struct nlmsghdr *h, void *item);
int kernel_genl_parse_peer(const struct nlmsghdr *h, void *item);
int kernel_genl_parse_info(const struct nlmsghdr *h, void *arg);
/* How many entries a hand-off changed, a uint32_t. */
int kernel_genl_parse_changed(const struct nlmsghdr *h, void *arg);

#endif
