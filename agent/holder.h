/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dummy device that holds former addresses, and the sysctls that go with
 * it. Used by anchor.c.
 */
#ifndef HMMP_HOLDER_H
#define HMMP_HOLDER_H

#include "agent.h"

/* Its interface, made if it is not there; ifindex or -errno. */
int holder_init(const char *name);
/* Remove it, if it is ours and nothing is held. */
void holder_exit(bool in_use);
/* ifindex, as it was last seen; 0: somebody has removed it. */
int holder_ifindex(void);
/* Make it or set it up; ifindex or -errno. */
int holder_need(void);
/* Is it still there, the same, and up? */
bool holder_is_whole(void);

void holder_set_knobs(void);
void holder_restore_knobs(void);

#endif
