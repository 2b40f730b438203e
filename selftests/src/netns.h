/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces by the names that ip(8) gives them. */
#ifndef SELFTESTS_NETNS_H
#define SELFTESTS_NETNS_H

/* The calling thread goes into one; 0 or a negative errno. */
int netns_enter(const char *name);

#endif
