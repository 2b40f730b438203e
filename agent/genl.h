/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One generic netlink family: found, lost when its module goes, found again
 * when it comes back. Used by kernel_genl.c, which knows what is said.
 */
#ifndef HMMP_GENL_H
#define HMMP_GENL_H

#include "nl.h"

/* What the owner of the family wants to hear; called from the loop. */
struct genl_events {
	nl_cb message;			/* a message of the family's group */
	void (*resync)(void);		/* some were lost, or it is back */
	void (*gone)(void);		/* the family is unregistered */
};

/*
 * genl_init - find the family (its module is loaded if it can be) and, with
 * ev, join its group. 0; -ESRCH: everything is ready, but the family is not
 * there (with ev, resync() tells when it comes); other: nothing was set up.
 */
int genl_init(const char *family, uint8_t version, const char *group,
	      const struct genl_events *ev);
void genl_exit(void);
const char *genl_error(void);

/* A request of the family; the buffer is the only one. */
struct nlmsghdr *genl_build(uint8_t cmd, uint16_t flags);
/* nl_ask() and nl_dump(); -ESRCH: no such family. */
int genl_ask(struct nlmsghdr *req, nl_cb cb, void *arg);
int genl_dump(struct nlmsghdr *req, nl_cb cb, void *arg);

#endif
