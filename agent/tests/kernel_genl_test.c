// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What kernel_genl.c writes, attribute by attribute, and reads, without a
 * module: genl.c is played here. What is not set must not be said at all, as
 * an attribute that is there changes something.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <linux/genetlink.h>
#include <linux/hmmp.h>
#include "genl.h"
#include "kernel.h"

#define BIT(n)	(1u << (n))
#define OWNER	0xfedcba9876543210

static char sent[4096] __attribute__((aligned(8)));
static char answer[4096] __attribute__((aligned(8)));
static const struct genl_events *genl_ev;

/* ------------------------------------------------------------------ genl.c */

static struct nlmsghdr *start_message(char *buf, uint8_t cmd)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	g->cmd = cmd;
	return h;
}

int genl_init(const char *family, uint8_t version, const char *group,
	      const struct genl_events *ev)
{
	genl_ev = ev;
	return 0;
}

void genl_exit(void)
{
}

const char *genl_error(void)
{
	return "";
}

struct nlmsghdr *genl_build(uint8_t cmd, uint16_t flags)
{
	return start_message(sent, cmd);
}

int genl_ask(struct nlmsghdr *req, nl_cb cb, void *arg)
{
	return cb ? cb((struct nlmsghdr *)answer, arg) : 0;
}

int genl_dump(struct nlmsghdr *req, nl_cb cb, void *arg)
{
	return cb((struct nlmsghdr *)answer, arg);
}

/* ------------------------------------------------------------------- tools */

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* The attributes of the request, and which they are. */
static uint32_t said(const struct nlattr **tb, unsigned int max)
{
	uint32_t bits = 0;
	unsigned int i;

	assert_int_equal(nl_attrs((struct nlmsghdr *)sent, GENL_HDRLEN, tb,
				  max), 0);
	for (i = 0; i <= max; i++)
		bits |= tb[i] ? BIT(i) : 0;
	return bits;
}

static void assert_cmd(uint8_t cmd)
{
	const struct genlmsghdr *g =
		mnl_nlmsg_get_payload((struct nlmsghdr *)sent);

	assert_int_equal(g->cmd, cmd);
}

static void assert_addr(const struct nlattr *a, const struct addr *want)
{
	struct addr got;

	nl_addr(a, &got);
	assert_true(addr_equal(&got, want));
}

#define KEY	(BIT(HMMP_A_BINDING_SCOPE) | BIT(HMMP_A_BINDING_ORIGINAL) | \
		 BIT(HMMP_A_BINDING_OWNER))
#define BARE	(KEY | BIT(HMMP_A_BINDING_CURRENT) | \
		 BIT(HMMP_A_BINDING_ENCAP) | BIT(HMMP_A_BINDING_STATUS) | \
		 BIT(HMMP_A_BINDING_LIFETIME) | BIT(HMMP_A_BINDING_SEQ))
#define OPTIONS	(BIT(HMMP_A_BINDING_LOCAL_OUTER) | BIT(HMMP_A_BINDING_VIA) | \
		 BIT(HMMP_A_BINDING_FLAGS) | BIT(HMMP_A_BINDING_CREDIT) | \
		 BIT(HMMP_A_BINDING_IFINDEX) | BIT(HMMP_A_BINDING_MARK) | \
		 BIT(HMMP_A_BINDING_LINK) | BIT(HMMP_A_BINDING_LLADDR))

static struct kernel_binding bare(void)
{
	struct kernel_binding b = {
		.scope = SCOPE_FLOW, .original = addr("192.0.2.1"),
		.current = addr("2001:db8::9"), .owner = OWNER,
		.encap = ENCAP_4IN6, .status = KERNEL_VERIFIED,
		.lifetime = 60000, .seq = 7,
	};

	return b;
}

static struct kernel_binding full(void)
{
	struct kernel_binding b = bare();

	b.scope = SCOPE_HOST;
	b.owner = 0;
	b.status = KERNEL_PROVISIONAL;
	b.local_outer = addr("2001:db8::5");
	b.via = addr("2001:db8::1");
	b.flags = KERNEL_BINDING_BUFFER | KERNEL_BINDING_GRANTED;
	b.credit = 1ULL << 40;
	b.ifindex = 3;
	b.mark = 0x10;
	b.link = 4;
	b.lladdr.len = 6;
	memcpy(b.lladdr.b, "\x02\0\0\0\0\x01", 6);
	return b;
}

/* --------------------------------------------------------------- the tests */

static void test_binding_says_no_more(void **state)
{
	const struct nlattr *tb[HMMP_A_BINDING_MAX + 1];
	struct kernel_binding b = bare();

	assert_int_equal(kernel_binding_new(&b), 0);
	assert_cmd(HMMP_CMD_BINDING_NEW);
	assert_int_equal(said(tb, HMMP_A_BINDING_MAX), BARE);
	assert_int_equal(nl_u32(tb[HMMP_A_BINDING_SCOPE]), HMMP_SCOPE_FLOW);
	assert_int_equal(nl_u64(tb[HMMP_A_BINDING_OWNER]), OWNER);
	assert_addr(tb[HMMP_A_BINDING_ORIGINAL], &b.original);
	assert_addr(tb[HMMP_A_BINDING_CURRENT], &b.current);
	assert_int_equal(nl_u32(tb[HMMP_A_BINDING_ENCAP]), HMMP_ENCAP_4IN6);
	assert_int_equal(nl_u32(tb[HMMP_A_BINDING_SEQ]), 7);
	/* what only the module knows is not told to it */
	b.previous = b.current;
	b.verified = b.current;
	b.held_packets = 3;
	b.tx_bytes = 9;
	b.event = KERNEL_BINDING_SEEN;
	b.seen = KERNEL_SEEN_FOREIGN;
	assert_int_equal(kernel_binding_new(&b), 0);
	assert_int_equal(said(tb, HMMP_A_BINDING_MAX), BARE);
}

static void test_binding_says_all(void **state)
{
	const struct nlattr *tb[HMMP_A_BINDING_MAX + 1];
	struct kernel_binding b = full();

	assert_int_equal(kernel_binding_new(&b), 0);
	assert_int_equal(said(tb, HMMP_A_BINDING_MAX), BARE | OPTIONS);
	assert_int_equal(nl_u32(tb[HMMP_A_BINDING_SCOPE]), HMMP_SCOPE_HOST);
	assert_addr(tb[HMMP_A_BINDING_LOCAL_OUTER], &b.local_outer);
	assert_addr(tb[HMMP_A_BINDING_VIA], &b.via);
	assert_int_equal(nl_u32(tb[HMMP_A_BINDING_STATUS]),
			 HMMP_STATUS_PROVISIONAL);
	assert_int_equal(nl_u32(tb[HMMP_A_BINDING_FLAGS]),
			 HMMP_BINDING_FLAGS_BUFFER |
			 HMMP_BINDING_FLAGS_GRANTED);
	assert_true(nl_u64(tb[HMMP_A_BINDING_CREDIT]) == b.credit);
	assert_int_equal(nl_u32(tb[HMMP_A_BINDING_IFINDEX]), 3);
	assert_int_equal(nl_u32(tb[HMMP_A_BINDING_MARK]), 0x10);
	assert_int_equal(nl_u32(tb[HMMP_A_BINDING_LINK]), 4);
	assert_int_equal(mnl_attr_get_payload_len(tb[HMMP_A_BINDING_LLADDR]),
			 6);
	assert_memory_equal(mnl_attr_get_payload(tb[HMMP_A_BINDING_LLADDR]),
			    b.lladdr.b, 6);
}

static void test_binding_by_its_key(void **state)
{
	const struct nlattr *tb[HMMP_A_BINDING_MAX + 1];
	struct addr a = addr("192.0.2.1");
	uint32_t seq = 0;

	assert_int_equal(kernel_binding_del(SCOPE_FLOW, &a, OWNER, NULL), 0);
	assert_cmd(HMMP_CMD_BINDING_DEL);
	assert_int_equal(said(tb, HMMP_A_BINDING_MAX), KEY);
	assert_int_equal(kernel_binding_del(SCOPE_FLOW, &a, OWNER, &seq), 0);
	assert_int_equal(said(tb, HMMP_A_BINDING_MAX),
			 KEY | BIT(HMMP_A_BINDING_SEQ));
	assert_int_equal(kernel_release(SCOPE_HOST, &a, 0), 0);
	assert_cmd(HMMP_CMD_RELEASE);
	assert_int_equal(said(tb, HMMP_A_BINDING_MAX), KEY);
	assert_int_equal(nl_u32(tb[HMMP_A_BINDING_SCOPE]), HMMP_SCOPE_HOST);
}

/* An answer is what a request says, and what only the module knows. */
static struct nlmsghdr *build_answer(const struct kernel_binding *b)
{
	struct addr verified = addr("2001:db8::7");
	struct nlmsghdr *h;

	assert_int_equal(kernel_binding_new(b), 0);
	memcpy(answer, sent, sizeof(answer));
	h = (struct nlmsghdr *)answer;
	nl_put_addr(h, HMMP_A_BINDING_VERIFIED, &verified);
	mnl_attr_put_u32(h, HMMP_A_BINDING_HELD_PACKETS, 12);
	mnl_attr_put_u64(h, HMMP_A_BINDING_DROPS, 5);
	return h;
}

static void take_binding(void *arg, const struct kernel_binding *b)
{
	*(struct kernel_binding *)arg = *b;
}

static void test_binding_is_read(void **state)
{
	struct kernel_binding b = full(), got, again;
	struct addr verified = addr("2001:db8::7");

	build_answer(&b);
	assert_int_equal(kernel_binding_get(SCOPE_HOST, &b.original, 0, &got),
			 0);
	assert_cmd(HMMP_CMD_BINDING_GET);
	assert_true(addr_equal(&got.verified, &verified));
	assert_int_equal(got.held_packets, 12);
	assert_int_equal(got.drops, 5);
	b.verified = verified;
	b.held_packets = 12;
	b.drops = 5;
	assert_memory_equal(&got, &b, sizeof(b));
	assert_int_equal(kernel_binding_dump(take_binding, &again), 0);
	assert_memory_equal(&again, &b, sizeof(b));
}

static void test_long_link_address(void **state)
{
	struct kernel_binding b = bare(), got;
	struct nlmsghdr *h = build_answer(&b);
	char address[KERNEL_LLADDR + 1] = { 1 };

	mnl_attr_put(h, HMMP_A_BINDING_LLADDR, sizeof(address), address);
	assert_int_equal(kernel_binding_get(SCOPE_FLOW, &b.original, OWNER,
					    &got), 0);
	assert_int_equal(got.lladdr.len, 0);
}

static void on_binding(const struct kernel_binding *b)
{
	assert_int_equal(b->event, KERNEL_BINDING_SEEN);
	assert_int_equal(b->seen, KERNEL_SEEN_FOREIGN);
	function_called();
}

static void test_seen(void **state)
{
	static const struct kernel_events events = { .binding = on_binding };
	struct addr a = addr("192.0.2.1");
	struct nlmsghdr *h = start_message(answer, HMMP_CMD_BINDING_NTF);

	assert_int_equal(kernel_init(&events), 0);
	nl_put_addr(h, HMMP_A_BINDING_ORIGINAL, &a);
	mnl_attr_put_u32(h, HMMP_A_BINDING_EVENT, HMMP_BINDING_EVENT_SEEN);
	mnl_attr_put_u32(h, HMMP_A_BINDING_SEEN, HMMP_SEEN_FOREIGN);
	expect_function_call(on_binding);
	assert_int_equal(genl_ev->message(h, NULL), 0);
}

static void take_local(void *arg, const struct kernel_local *l)
{
	*(struct kernel_local *)arg = *l;
}

static void test_local(void **state)
{
	const struct nlattr *tb[HMMP_A_LOCAL_MAX + 1];
	uint32_t names = BIT(HMMP_A_LOCAL_ORIGINAL) |
			 BIT(HMMP_A_LOCAL_CURRENT);
	struct kernel_local got, l = {
		.original = addr("192.0.2.1"), .current = addr("10.2.0.9"),
	};

	assert_int_equal(kernel_local_set(&l), 0);
	assert_cmd(HMMP_CMD_LOCAL_SET);
	assert_int_equal(said(tb, HMMP_A_LOCAL_MAX), names);
	l.ifindex = 3;
	l.via.local = l.current;
	l.via.remote = addr("10.3.0.1");
	l.via.encap = ENCAP_IPIP;
	l.via.lifetime = 5000;
	l.via.flags = KERNEL_BINDING_SECURED;
	assert_int_equal(kernel_local_set(&l), 0);
	assert_int_equal(said(tb, HMMP_A_LOCAL_MAX), names |
			 BIT(HMMP_A_LOCAL_IFINDEX) |
			 BIT(HMMP_A_LOCAL_VIA_LOCAL) |
			 BIT(HMMP_A_LOCAL_VIA_REMOTE) |
			 BIT(HMMP_A_LOCAL_VIA_ENCAP) |
			 BIT(HMMP_A_LOCAL_VIA_LIFETIME) |
			 BIT(HMMP_A_LOCAL_VIA_FLAGS));
	memcpy(answer, sent, sizeof(answer));
	assert_int_equal(kernel_local_dump(take_local, &got), 0);
	assert_memory_equal(&got, &l, sizeof(l));
}

static void take_peer(void *arg, const struct kernel_peer_word *p)
{
	*(struct kernel_peer_word *)arg = *p;
}

static void test_peer(void **state)
{
	const struct nlattr *tb[HMMP_A_PEER_MAX + 1];
	struct kernel_peer_word got, p = {
		.remote = addr("192.0.2.1"), .current = addr("10.2.0.9"),
		.owner = OWNER, .state = KERNEL_UNKNOWN,
	};
	uint32_t bits = BIT(HMMP_A_PEER_REMOTE) | BIT(HMMP_A_PEER_OWNER) |
			BIT(HMMP_A_PEER_CURRENT) | BIT(HMMP_A_PEER_STATE);

	assert_int_equal(kernel_peer_set(&p), 0);
	assert_cmd(HMMP_CMD_PEER_SET);
	assert_int_equal(said(tb, HMMP_A_PEER_MAX), bits);
	p.encap = ENCAP_MINENC;
	assert_int_equal(kernel_peer_set(&p), 0);
	assert_int_equal(said(tb, HMMP_A_PEER_MAX),
			 bits | BIT(HMMP_A_PEER_ENCAP));
	memcpy(answer, sent, sizeof(answer));
	assert_int_equal(kernel_peer_dump(take_peer, &got), 0);
	assert_memory_equal(&got, &p, sizeof(p));
}

static void test_limits(void **state)
{
	const struct nlattr *tb[HMMP_A_LIMITS_MAX + 1];
	const struct nlmsghdr *request = (struct nlmsghdr *)sent;
	struct kernel_limits l = { .flows_used = 5 };
	struct kernel_info info;
	struct nlmsghdr *h;

	assert_int_equal(kernel_limits_set(&l), 0);
	assert_cmd(HMMP_CMD_LIMITS_SET);
	assert_int_equal(said(tb, HMMP_A_LIMITS_MAX), 0);
	l = (struct kernel_limits){
		.flows = 1, .bindings = 2, .locals = 3, .peers = 4,
		.buffer_packets = 5, .buffer_bytes = 6, .buffer_time = 7,
		.buffer_rate = 8,
	};
	assert_int_equal(kernel_limits_set(&l), 0);
	assert_int_equal(said(tb, HMMP_A_LIMITS_MAX),
			 BIT(HMMP_A_LIMITS_FLOWS) |
			 BIT(HMMP_A_LIMITS_BINDINGS) |
			 BIT(HMMP_A_LIMITS_LOCALS) |
			 BIT(HMMP_A_LIMITS_PEERS) |
			 BIT(HMMP_A_LIMITS_BUFFER_PACKETS) |
			 BIT(HMMP_A_LIMITS_BUFFER_BYTES) |
			 BIT(HMMP_A_LIMITS_BUFFER_TIME) |
			 BIT(HMMP_A_LIMITS_BUFFER_RATE));
	h = start_message(answer, HMMP_CMD_INFO_GET);
	mnl_attr_put(h, HMMP_A_INFO_LIMITS,
		     mnl_nlmsg_get_payload_len(request) - GENL_HDRLEN,
		     mnl_nlmsg_get_payload_offset(request, GENL_HDRLEN));
	assert_int_equal(kernel_info(&info), 0);
	assert_memory_equal(&info.limits, &l, sizeof(l));
}

/* Every counter of the header has a name, so none is missed by "stats". */
static void test_counters(void **state)
{
	struct nlmsghdr *h = start_message(answer, HMMP_CMD_INFO_GET);
	struct nlattr *nest = mnl_attr_nest_start(h, HMMP_A_INFO_COUNTERS);
	struct kernel_info info;
	unsigned int i;

	for (i = HMMP_A_COUNTER_PAD + 1; i <= HMMP_A_COUNTER_MAX; i++)
		mnl_attr_put_u64(h, i, i);
	mnl_attr_nest_end(h, nest);
	assert_int_equal(kernel_info(&info), 0);
	assert_int_equal(info.n_counters, HMMP_A_COUNTER_MAX - 1);
	for (i = 0; i < info.n_counters; i++)
		assert_non_null(info.counter[i].name);
	assert_string_equal(info.counter[i - 1].name, "seen_foreign");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binding_says_no_more),
		cmocka_unit_test(test_binding_says_all),
		cmocka_unit_test(test_binding_by_its_key),
		cmocka_unit_test(test_binding_is_read),
		cmocka_unit_test(test_long_link_address),
		cmocka_unit_test(test_seen),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_peer),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
