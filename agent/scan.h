/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pieces that the grammar of bodies is made of (scan.c), for body.c and
 * body_build.c only.
 */
#ifndef HMMP_SCAN_H
#define HMMP_SCAN_H

#include "agent.h"

#define SCAN_FIELDS	64	/* in one body */

/* RFC 4648 5, in the order of its values */
#define SCAN_BASE64URL \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* What is still to be read: p <= end. */
struct scan {
	const char *p;
	const char *end;
};

size_t scan_left(const struct scan *c);
bool scan_at_end(const struct scan *c);
size_t scan_span(const struct scan *c, const char *set);
bool scan_word(struct scan *c, const char *word);
int scan_number(struct scan *c, size_t digits, uint64_t min, uint64_t max,
		uint64_t *out);
int scan_hex32(struct scan *c, uint32_t *out);
int scan_bytes(struct scan *c, uint8_t *out, size_t len);
int scan_addr(struct scan *c, struct addr *a);
int scan_addr_bare(struct scan *c, struct addr *a);
int scan_endpoint(struct scan *c, struct endpoint *e);
bool scan_is_text(const struct scan *c);

#endif
