/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two settings of this network namespace that an address without a
 * network needs. Used by anchor.c, which keeps the text in the alias of its
 * device: it outlives the agent, so that whoever stops last can put back what
 * there was.
 *
 * arp_ignore=1: without it the host answers ARP for a former address on every
 * network, and steals the traffic of whoever has that address now.
 * promote_secondaries=1: without it an interface loses its other addresses
 * together with the first one of a subnet.
 */
#ifndef HMMP_KNOB_H
#define HMMP_KNOB_H

#include <stdbool.h>
#include <stddef.h>

/* Set both; what they were is added to the text. 0 or the last -errno. */
int knob_set(char *text, size_t size);
/* Set again what somebody has changed; how many. */
unsigned int knob_check(void);
/* Put back what the text says, but nothing that somebody else has changed. */
void knob_restore(const char *text);

#endif
