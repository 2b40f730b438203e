// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The played module keeps to the rules of the netlink spec: what the exchange
 * tests show is worth no more than this.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "kernel_fake.h"

static uint64_t now = 1000;

uint64_t loop_now(void)
{
	return now;
}

static struct kernel_fake *fake;
static unsigned int flows, bindings, resyncs, gones;
static struct kernel_flow last_flow;
static struct kernel_binding last_binding;

static void on_flow(const struct kernel_flow *f)
{
	flows++;
	last_flow = *f;
}

static void on_binding(const struct kernel_binding *b)
{
	bindings++;
	last_binding = *b;
}

static void on_resync(void)
{
	resyncs++;
}

static void on_gone(void)
{
	gones++;
}

static const struct kernel_events events = {
	.flow = on_flow, .binding = on_binding, .resync = on_resync,
	.gone = on_gone,
};

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct kernel_flow flow(uint16_t port)
{
	struct kernel_flow f = {
		.local = { addr("10.1.0.5"), port },
		.remote = { addr("192.0.2.1"), 80 },
		.state = KERNEL_ESTABLISHED,
	};

	return f;
}

static struct kernel_binding binding(uint32_t seq, const char *current)
{
	struct kernel_binding b = {
		.scope = SCOPE_FLOW, .original = addr("192.0.2.1"),
		.current = addr(current), .owner = 7, .encap = ENCAP_IPIP,
		.status = KERNEL_VERIFIED, .lifetime = 60000, .seq = seq,
	};

	return b;
}

static int start(void **state)
{
	flows = 0;
	bindings = 0;
	resyncs = 0;
	gones = 0;
	fake = kernel_fake_alloc();
	kernel_fake_use(fake);
	return kernel_init(&events);
}

static int end(void **state)
{
	kernel_fake_free(fake);
	return 0;
}

static void test_owner_is_given_once(void **state)
{
	struct kernel_flow f = flow(40000);

	assert_int_equal(kernel_flow_set(&f.local, &f.remote, 7), -ENOENT);
	kernel_fake_flow_add(&f);
	assert_int_equal(flows, 0);	/* queued */
	kernel_fake_deliver();
	assert_int_equal(flows, 1);
	assert_int_equal(last_flow.event, KERNEL_FLOW_ESTABLISHED);
	assert_int_equal(kernel_flow_set(&f.local, &f.remote, 7), 0);
	assert_int_equal(kernel_flow_set(&f.local, &f.remote, 7), 0);
	assert_int_equal(kernel_flow_set(&f.local, &f.remote, 8), -EBUSY);
	kernel_fake_deliver();
	assert_int_equal(last_flow.event, KERNEL_FLOW_CONTESTED);
	assert_int_equal(last_flow.owner, 7);
	assert_int_equal(kernel_flow_set(&f.local, &f.remote, 0), 0);
	assert_int_equal(kernel_flow_set(&f.local, &f.remote, 8), 0);
}

static void test_sequence(void **state)
{
	struct kernel_binding b = binding(5, "10.2.0.9");
	struct kernel_flow f = flow(40000);

	assert_int_equal(kernel_binding_new(&b), -ENOENT);
	f.owner = 7;
	kernel_fake_flow_add(&f);
	assert_int_equal(kernel_binding_new(&b), 0);
	assert_int_equal(kernel_binding_new(&b), 0);
	b = binding(5, "10.3.0.9");
	assert_int_equal(kernel_binding_new(&b), -ESTALE);
	b = binding(4, "10.3.0.9");
	assert_int_equal(kernel_binding_new(&b), -ESTALE);
	b = binding(6, "10.3.0.9");
	assert_int_equal(kernel_binding_new(&b), 0);
	assert_int_equal(kernel_flow_get(&f.local, &f.remote, &f), 0);
	assert_int_equal(f.remote_current.b[1], 3);
}

static void test_lapse_and_end(void **state)
{
	struct kernel_binding b = binding(1, "10.2.0.9");
	struct kernel_flow f = flow(40000), g = flow(40001);

	f.owner = 7;
	g.owner = 7;
	kernel_fake_flow_add(&f);
	kernel_fake_flow_add(&g);
	assert_int_equal(kernel_binding_new(&b), 0);
	assert_int_equal(kernel_fake_next(), now + 60000);
	now += 59999;
	kernel_fake_deliver();
	assert_int_equal(bindings, 0);
	now++;
	kernel_fake_deliver();
	assert_int_equal(bindings, 1);
	assert_int_equal(last_binding.event, KERNEL_BINDING_EXPIRED);
	assert_int_equal(last_binding.status, KERNEL_HELD);
	/* it ends with the last flow of its owner, not before */
	kernel_fake_flow_state(&f.local, &f.remote, KERNEL_DISCONNECT);
	kernel_fake_deliver();
	assert_int_equal(bindings, 1);
	kernel_fake_flow_state(&g.local, &g.remote, KERNEL_DISCONNECT);
	kernel_fake_deliver();
	assert_int_equal(bindings, 2);
	assert_int_equal(last_binding.event, KERNEL_BINDING_ENDED);
	assert_int_equal(last_flow.event, KERNEL_FLOW_ENDED);
	assert_int_equal(kernel_binding_del(SCOPE_FLOW, &b.original, 7, NULL),
			 -ENOENT);
}

static void test_limits(void **state)
{
	struct kernel_limits one = { .bindings = 1 };
	struct kernel_binding b = binding(1, "10.2.0.9");
	struct kernel_flow f = flow(40000);

	f.owner = 7;
	kernel_fake_flow_add(&f);
	f.remote.addr = addr("192.0.2.2");
	f.owner = 8;
	kernel_fake_flow_add(&f);
	assert_int_equal(kernel_limits_set(&one), 0);
	assert_int_equal(kernel_binding_new(&b), 0);
	b.original = addr("192.0.2.2");
	b.owner = 8;
	assert_int_equal(kernel_binding_new(&b), -ENOSPC);
	assert_string_not_equal(kernel_error(), "");
}

/* What routers have: any scope, both families, an end by sequence number. */
static void test_kinds_of_bindings(void **state)
{
	struct kernel_binding b = binding(5, "2001:db8::9"), got;
	uint32_t seq = 4;

	b.scope = SCOPE_HOST;
	b.owner = 0;
	assert_int_equal(kernel_binding_new(&b), -EINVAL);
	b.encap = ENCAP_4IN6;
	b.flags = KERNEL_BINDING_BUFFER;
	assert_int_equal(kernel_binding_new(&b), 0);
	assert_int_equal(kernel_binding_get(SCOPE_FLOW, &b.original, 0, &got),
			 -ENOENT);
	assert_int_equal(kernel_release(SCOPE_HOST, &b.original, 0), 0);
	assert_int_equal(kernel_binding_get(SCOPE_HOST, &b.original, 0, &got),
			 0);
	assert_int_equal(got.flags, 0);
	b.current = addr("2001:db8::a");
	b.status = KERNEL_PROVISIONAL;
	b.seq = 6;
	assert_int_equal(kernel_binding_new(&b), 0);
	assert_int_equal(kernel_binding_get(SCOPE_HOST, &b.original, 0, &got),
			 0);
	assert_true(addr_equal(&got.verified, &got.previous));
	b.status = KERNEL_SUSPENDED;
	assert_int_equal(kernel_binding_new(&b), -EINVAL);
	assert_int_equal(kernel_binding_del(SCOPE_HOST, &b.original, 0, &seq),
			 -ESTALE);
	seq = 6;
	assert_int_equal(kernel_binding_del(SCOPE_HOST, &b.original, 0, &seq),
			 0);
}

static void test_handoff(void **state)
{
	struct addr a = addr("10.1.0.5"), b = addr("10.1.0.6");
	struct addr n = addr("10.2.0.9");
	struct kernel_local l = {
		.original = a, .current = a, .ifindex = 3,
	};

	assert_int_equal(kernel_handoff(&a, &n), -ENOENT);
	assert_int_equal(kernel_local_set(&l), 0);
	l.original = b;
	assert_int_equal(kernel_local_set(&l), 0);
	assert_int_equal(kernel_handoff(&a, &n), 2);
	assert_int_equal(kernel_handoff(&a, &n), -ENOENT);
	assert_int_equal(kernel_handoff(&n, &n), -EINVAL);
	assert_int_equal(kernel_fake_calls(FAKE_HANDOFF), 4);
	assert_int_equal(kernel_local_del(&a), 0);
	assert_int_equal(kernel_local_del(&a), -ENOENT);
}

static void test_failures_and_losses(void **state)
{
	struct kernel_flow f = flow(40000);
	struct kernel_info info;

	kernel_fake_fail(FAKE_INFO, -ENOMEM, 2);
	assert_int_equal(kernel_info(&info), -ENOMEM);
	assert_int_equal(kernel_info(&info), -ENOMEM);
	assert_int_equal(kernel_info(&info), 0);
	kernel_fake_flow_add(&f);
	kernel_fake_lose();
	kernel_fake_deliver();
	assert_int_equal(flows, 0);
	assert_int_equal(resyncs, 1);
}

static void test_module_goes_and_comes(void **state)
{
	struct kernel_flow f = flow(40000);

	f.owner = 7;
	kernel_fake_flow_add(&f);
	kernel_fake_gone();
	kernel_fake_deliver();
	assert_int_equal(gones, 1);
	assert_int_equal(kernel_flow_get(&f.local, &f.remote, &f), -ESRCH);
	assert_int_equal(kernel_init(&events), -ESRCH);
	kernel_fake_back();
	kernel_fake_deliver();
	assert_int_equal(resyncs, 1);
	/* the connection lives, the flow does not, nor its owner */
	assert_int_equal(kernel_flow_get(&f.local, &f.remote, &f), -ENOENT);
	assert_int_equal(kernel_flow_new(&f.local, &f.remote,
					 KERNEL_FLOW_OPENER_UNKNOWN), 0);
	assert_int_equal(kernel_flow_get(&f.local, &f.remote, &f), 0);
	assert_int_equal(f.owner, 0);
	assert_int_equal(f.flags, KERNEL_FLOW_OPENER_UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_owner_is_given_once),
		TEST(test_sequence),
		TEST(test_lapse_and_end),
		TEST(test_limits),
		TEST(test_kinds_of_bindings),
		TEST(test_handoff),
		TEST(test_failures_and_losses),
		TEST(test_module_goes_and_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
