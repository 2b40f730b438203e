// SPDX-License-Identifier: GPL-2.0-or-later
/* M and C (duo.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "duo.h"

struct host *m, *c;

void duo_add(bool m_correspondent, bool c_mobile)
{
	world_start(10);
	m = host_add("M", true, m_correspondent);
	c = host_add("C", c_mobile, true);
	host_addr(m, M0, 2, true);
	host_route(m, NULL, M0);
	host_addr(c, C0, 2, true);
	host_route(c, NULL, C0);
}

int duo_setup(void **state)
{
	duo_add(false, false);
	host_start(m);
	host_start(c);
	return 0;
}

int duo_teardown(void **state)
{
	world_end();
	return 0;
}

void duo_join(void)
{
	flow_open(m, E(M0, 5000), c, E(C0, 80));
	world_run(1000);
	assert_int_equal(host_owned(m, M0), 1);
	assert_int_equal(host_owned(c, C0), 1);
	world.messages = 0;
}

void duo_assert(const char *now)
{
	struct kernel_binding b;
	struct addr current;

	assert_true(host_current(m, M0, &current));
	assert_true(is(&current, now));
	assert_int_equal(host_peer(m, C0, now), KERNEL_ACCEPTED);
	assert_true(host_binding(c, M0, &b));
	assert_true(is(&b.current, now));
	assert_int_equal(b.status, KERNEL_VERIFIED);
}
