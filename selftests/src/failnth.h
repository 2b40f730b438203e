/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lets the kernel fail one allocation of this task, see failnth.c. */
#ifndef FAILNTH_H
#define FAILNTH_H

void fail_open(void);
void fail_arm(unsigned int nth);
unsigned int fail_disarm(void);

#endif
