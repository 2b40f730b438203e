/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that the module tells of a namespace, for comparing, see nlstate.c. */
#ifndef NLSTATE_H
#define NLSTATE_H

#include <stdbool.h>
#include <stddef.h>

struct state {
	size_t len;
	char bytes[1 << 16];
};

void state_read(struct state *s);
bool state_equal(const struct state *a, const struct state *b);
unsigned int state_count(const struct state *s, int cmd);

#endif
