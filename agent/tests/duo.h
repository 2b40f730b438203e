/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The usual two of the exchange tests: M, a mobile, and C, a correspondent,
 * on a network with a round trip of 20 ms.
 */
#ifndef HMMP_DUO_H
#define HMMP_DUO_H

#include "world.h"

#define M0 "10.1.0.2"
#define M1 "10.2.0.2"
#define M2 "10.3.0.2"
#define C0 "10.9.0.5"
#define C1 "10.8.0.5"

extern struct host *m, *c;

/* The hosts with their addresses; c_mobile: C has the role as well. */
void duo_add(bool m_correspondent, bool c_mobile);
/* For cmocka: the two with their agents running, and the end. */
int duo_setup(void **state);
int duo_teardown(void **state);
/* One claimed flow between them, and the messages counted from now on. */
void duo_join(void);
/* Both kernels agree that what was born at M0 is at this address now. */
void duo_assert(const char *now);

#endif
