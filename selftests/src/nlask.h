/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking the module by netlink, one request at a time, for test programs. */
#ifndef NLASK_H
#define NLASK_H

#include <stdint.h>
#include <libmnl/libmnl.h>

extern struct mnl_socket *nl_sock;
extern uint16_t nl_family, nl_group;
extern char nl_sentence[256];	/* of the last refusal */

void die(const char *what);
void nl_open(void);
struct nlmsghdr *nl_start(char *buf, uint16_t type, uint8_t cmd);
int nl_ask(const struct nlmsghdr *req, mnl_cb_t cb, void *arg);

#endif
