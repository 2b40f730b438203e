/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SELFTESTS_KICK_H
#define SELFTESTS_KICK_H

#include "stream.h"

/**
 * struct kick - a way to wake a stream's writer
 * @raw: socket for ICMP in the writer's namespace
 * @from: the writer's address
 * @to: the reader's address
 */
struct kick {
	int raw;
	in_addr_t from;
	in_addr_t to;
};

int kick_open(struct kick *k, const struct stream_end *from,
	      const struct stream_end *to);
void kick_close(struct kick *k);
int kick_send(const struct kick *k, const struct stream *s);

#endif
