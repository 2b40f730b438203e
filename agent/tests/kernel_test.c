// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kernel_genl.c against the module itself. HMMP_KO names its file; without it
 * (a machine for building) everything is skipped. A connection between two
 * network namespaces, this program's and its child's:
 *
 *	va 10.1.0.5/24 ---- vb 10.1.0.1/24 (the child listens there)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "kernel.h"
#include "tests/netns.h"

#define PORT	5000
#define OWNER	0xfedcba9876543210

static const struct kernel_limits unchanged;
static const char *module;
static pid_t far_end;
static struct addr here, there, elsewhere;
static unsigned int resyncs, gones, n_flows, n_bindings;
static struct kernel_flow flow_event[64];
static struct kernel_binding binding_event[16];

#define NEED_MODULE() do { if (!module) skip(); } while (0)

/* ------------------------------------------------------------------ events */

static void on_flow(const struct kernel_flow *f)
{
	flow_event[n_flows++ % 64] = *f;
}

static void on_binding(const struct kernel_binding *b)
{
	binding_event[n_bindings++ % 16] = *b;
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

static bool has_flow_event(enum kernel_flow_event what)
{
	unsigned int i;

	for (i = 0; i < n_flows && i < 64; i++) {
		if (flow_event[i].event == what)
			return true;
	}
	return false;
}

static bool established(void)
{
	return has_flow_event(KERNEL_FLOW_ESTABLISHED);
}

static bool contested(void)
{
	return has_flow_event(KERNEL_FLOW_CONTESTED);
}

static bool ended(void)
{
	return has_flow_event(KERNEL_FLOW_ENDED);
}

static bool is_gone(void)
{
	return gones;
}

static bool is_back(void)
{
	return resyncs;
}

static bool binding_ended(void)
{
	return n_bindings &&
	       binding_event[0].event == KERNEL_BINDING_ENDED;
}

static bool binding_expired(void)
{
	return n_bindings &&
	       binding_event[0].event == KERNEL_BINDING_EXPIRED;
}

/* ------------------------------------------------------------- connections */

static struct sockaddr_in name(const char *ip)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(PORT),
	};

	inet_pton(AF_INET, ip, &sin.sin_addr);
	return sin;
}

/* The child: takes connections and holds them until the far end closes. */
static void serve(int ready, int go)
{
	struct sockaddr_in sin = name("0.0.0.0");
	int fd, on = 1, c;
	char byte;

	if (unshare(CLONE_NEWNET) || write(ready, "n", 1) != 1 ||
	    read(go, &byte, 1) != 1)
		_exit(1);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	netns_run("ip addr add 10.1.0.1/24 dev vb; ip link set vb up");
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || listen(fd, 64) ||
	    write(ready, "l", 1) != 1)
		_exit(1);
	while ((c = accept(fd, NULL, NULL)) >= 0) {
		while (read(c, &byte, 1) > 0)
			;
		close(c);
	}
	_exit(0);
}

static int start_far_end(void)
{
	int ready[2], go[2];
	char byte;

	if (pipe(ready) || pipe(go))
		return -1;
	far_end = fork();
	if (!far_end)
		serve(ready[1], go[0]);
	close(ready[1]);
	close(go[0]);
	if (read(ready[0], &byte, 1) != 1)
		return -1;
	netns_run("ip link add va type veth peer name vb;"
		  "ip link set vb netns %d;"
		  "ip addr add 10.1.0.5/24 dev va; ip link set va up",
		  (int)far_end);
	if (write(go[1], "g", 1) != 1 || read(ready[0], &byte, 1) != 1)
		return -1;
	return 0;
}

static int join(struct kernel_flow *key)
{
	struct sockaddr_in sin = name("10.1.0.1");
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	memset(key, 0, sizeof(*key));
	key->local.addr = here;
	key->local.port = ntohs(sin.sin_port);
	key->remote.addr = there;
	key->remote.port = PORT;
	assert_true(netns_wait(established, 3000));
	return fd;
}

static void part(int fd)
{
	struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	assert_true(netns_wait(ended, 3000));
}

static struct kernel_binding binding(uint32_t seq)
{
	struct kernel_binding b = {
		.scope = SCOPE_FLOW, .original = there, .current = elsewhere,
		.owner = OWNER, .encap = ENCAP_IPIP,
		.status = KERNEL_VERIFIED, .lifetime = 60000, .seq = seq,
	};

	return b;
}

static int start(void **state)
{
	n_flows = 0;
	n_bindings = 0;
	resyncs = 0;
	gones = 0;
	if (!module)
		return 0;
	if (loop_init() || kernel_init(&events))
		return -1;
	return kernel_limits_set(&unchanged);	/* brings it into use */
}

static int end(void **state)
{
	if (!module)
		return 0;
	kernel_exit();
	loop_exit();
	return 0;
}

/* --------------------------------------------------------------- the tests */

static void test_info(void **state)
{
	struct kernel_info info;
	unsigned int i;

	NEED_MODULE();
	assert_int_equal(kernel_info(&info), 0);
	assert_string_not_equal(info.version, "");
	assert_true(info.active);
	assert_true(info.limits.flows > 0);
	assert_true(info.limits.bindings > 0);
	assert_true(info.table_size > 0);
	assert_true(info.n_counters >= 29);
	for (i = 0; i < info.n_counters; i++)
		assert_non_null(info.counter[i].name);
}

static void count_flow(void *arg, const struct kernel_flow *f)
{
	struct kernel_flow again;

	/* the module can be asked while its list is gone through */
	assert_int_equal(kernel_flow_get(&f->local, &f->remote, &again), 0);
	(*(unsigned int *)arg)++;
}

static void test_flow(void **state)
{
	struct kernel_flow key, f;
	unsigned int n = 0;
	int fd;

	NEED_MODULE();
	fd = join(&key);
	assert_int_equal(flow_event[0].local.port, key.local.port);
	assert_true(addr_equal(&flow_event[0].remote.addr, &there));
	assert_int_equal(kernel_flow_get(&key.local, &key.remote, &f), 0);
	assert_int_equal(f.state, KERNEL_ESTABLISHED);
	assert_int_equal(f.flags, KERNEL_FLOW_OPENER);
	assert_int_equal(f.owner, 0);
	assert_int_not_equal(f.id, 0);
	assert_int_equal(f.current.len, 0);
	assert_int_equal(kernel_flow_dump(&here, &there, 0, count_flow, &n),
			 0);
	assert_int_equal(n, 1);
	assert_int_equal(kernel_flow_dump(&there, NULL, 0, count_flow, &n),
			 0);
	assert_int_equal(n, 1);
	assert_int_equal(kernel_flow_set(&key.local, &key.remote, OWNER), 0);
	assert_int_equal(kernel_flow_dump(NULL, NULL, OWNER, count_flow, &n),
			 0);
	assert_int_equal(n, 2);
	assert_int_equal(kernel_flow_set(&key.local, &key.remote, 8), -EBUSY);
	assert_string_equal(kernel_error(), "the flow has another owner");
	assert_true(netns_wait(contested, 1000));
	part(fd);
	assert_int_equal(kernel_flow_get(&key.local, &key.remote, &f),
			 -ENOENT);
	assert_string_equal(kernel_error(), "no such flow");
}

static void take_binding(void *arg, const struct kernel_binding *b)
{
	*(struct kernel_binding *)arg = *b;
}

static void test_binding(void **state)
{
	struct kernel_binding b = binding(5), got = { .seq = 0 };
	struct kernel_flow key, f;
	int fd;

	NEED_MODULE();
	assert_int_equal(kernel_binding_new(&b), -ENOENT);
	fd = join(&key);
	assert_int_equal(kernel_flow_set(&key.local, &key.remote, OWNER), 0);
	assert_int_equal(kernel_binding_new(&b), 0);
	assert_int_equal(kernel_binding_dump(take_binding, &got), 0);
	assert_int_equal(got.scope, SCOPE_FLOW);
	assert_true(addr_equal(&got.original, &there));
	assert_true(addr_equal(&got.current, &elsewhere));
	assert_int_equal(got.owner, OWNER);
	assert_int_equal(got.encap, ENCAP_IPIP);
	assert_int_equal(got.status, KERNEL_VERIFIED);
	assert_int_equal(got.seq, 5);
	assert_in_range(got.lifetime, 50000, 60000);
	assert_int_equal(kernel_flow_get(&key.local, &key.remote, &f), 0);
	assert_true(addr_equal(&f.remote_current, &elsewhere));
	b.seq = 4;
	assert_int_equal(kernel_binding_new(&b), -ESTALE);
	assert_non_null(strstr(kernel_error(), "sequence number"));
	b = binding(6);
	b.status = KERNEL_HELD;
	b.lifetime = 0;
	assert_int_equal(kernel_binding_new(&b), 0);
	assert_int_equal(kernel_binding_dump(take_binding, &got), 0);
	assert_int_equal(got.status, KERNEL_HELD);
	assert_int_equal(kernel_binding_get(SCOPE_FLOW, &there, OWNER, &got),
			 0);
	assert_int_equal(got.seq, 6);
	assert_int_equal(kernel_binding_del(SCOPE_FLOW, &there, OWNER, NULL),
			 0);
	assert_int_equal(kernel_binding_del(SCOPE_FLOW, &there, OWNER, NULL),
			 -ENOENT);
	part(fd);
}

static void test_binding_expires(void **state)
{
	struct kernel_binding b = binding(1);
	struct kernel_flow key;
	int fd;

	NEED_MODULE();
	fd = join(&key);
	assert_int_equal(kernel_flow_set(&key.local, &key.remote, OWNER), 0);
	b.lifetime = 200;
	assert_int_equal(kernel_binding_new(&b), 0);
	assert_true(netns_wait(binding_expired, 3000));
	assert_int_equal(binding_event[0].status, KERNEL_HELD);
	assert_int_equal(binding_event[0].owner, OWNER);
	n_bindings = 0;
	part(fd);
	assert_true(netns_wait(binding_ended, 3000));
}

static void take_local(void *arg, const struct kernel_local *l)
{
	*(struct kernel_local *)arg = *l;
}

static void test_local(void **state)
{
	struct kernel_local l = {
		.original = here, .current = here, .ifindex = 3,
	};

	NEED_MODULE();
	assert_int_equal(kernel_handoff(&here, &elsewhere), -ENOENT);
	assert_int_equal(kernel_local_set(&l), 0);
	assert_int_equal(kernel_handoff(&here, &elsewhere), 1);
	assert_int_equal(kernel_local_dump(take_local, &l), 0);
	assert_true(addr_equal(&l.original, &here));
	assert_true(addr_equal(&l.current, &elsewhere));
	assert_true(addr_equal(&l.previous, &here));
	assert_int_equal(l.ifindex, 3);
	assert_in_range(l.grace, 1, 2000);
	assert_int_equal(kernel_local_del(&here), 0);
	assert_int_equal(kernel_local_del(&here), -ENOENT);
}

static void take_peer(void *arg, const struct kernel_peer_word *p)
{
	*(struct kernel_peer_word *)arg = *p;
}

static void test_peer(void **state)
{
	struct kernel_peer_word p = {
		.remote = there, .owner = OWNER, .current = here,
		.state = KERNEL_ACCEPTED,
	};
	struct kernel_flow key;
	int fd;

	NEED_MODULE();
	assert_int_equal(kernel_peer_set(&p), -ENOENT);
	fd = join(&key);
	assert_int_equal(kernel_flow_set(&key.local, &key.remote, OWNER), 0);
	assert_int_equal(kernel_peer_set(&p), 0);
	memset(&p, 0, sizeof(p));
	assert_int_equal(kernel_peer_dump(take_peer, &p), 0);
	assert_true(addr_equal(&p.remote, &there));
	assert_true(addr_equal(&p.current, &here));
	assert_int_equal(p.owner, OWNER);
	assert_int_equal(p.state, KERNEL_ACCEPTED);
	part(fd);
}

static void test_limit(void **state)
{
	struct kernel_limits l = unchanged;
	struct kernel_info info;
	uint32_t bindings;

	NEED_MODULE();
	assert_int_equal(kernel_info(&info), 0);
	bindings = info.limits.bindings;
	l.bindings = bindings - 1;
	assert_int_equal(kernel_limits_set(&l), 0);
	assert_int_equal(kernel_info(&info), 0);
	assert_int_equal(info.limits.bindings, bindings - 1);
	l.bindings = bindings;
	assert_int_equal(kernel_limits_set(&l), 0);
}

/* As somebody else: no events, no answers. */
static void test_permission(void **state)
{
	struct kernel_info info;
	int status, err;
	pid_t pid;

	NEED_MODULE();
	pid = fork();
	if (!pid) {
		kernel_exit();
		if (setgid(65534) || setuid(65534))
			_exit(9);
		err = kernel_init(&events);
		if (err != -EPERM)
			_exit(1);
		if (kernel_init(NULL))
			_exit(2);
		err = kernel_info(&info);
		_exit(err == -EPERM ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_module_goes_and_comes(void **state)
{
	struct kernel_info info;
	struct kernel_flow key;
	int fd;

	NEED_MODULE();
	fd = join(&key);
	netns_run("rmmod hmmp");
	assert_int_equal(kernel_info(&info), -ESRCH);
	assert_non_null(strstr(kernel_error(), "not loaded"));
	assert_true(netns_wait(is_gone, 3000));
	assert_int_equal(kernel_info(&info), -ESRCH);
	netns_run("insmod %s", module);
	assert_true(netns_wait(is_back, 3000));
	assert_int_equal(kernel_info(&info), 0);
	/* events come again, of a connection that is taken over */
	n_flows = 0;
	assert_int_equal(kernel_limits_set(&unchanged), 0);
	assert_int_equal(kernel_flow_new(&key.local, &key.remote,
					 KERNEL_FLOW_OPENER), 0);
	assert_int_equal(kernel_flow_get(&key.local, &key.remote, &key), 0);
	part(fd);
}

static void test_loaded_later(void **state)
{
	struct kernel_info info;

	NEED_MODULE();
	kernel_exit();
	netns_run("rmmod hmmp");
	assert_int_equal(kernel_init(&events), -ESRCH);
	assert_int_equal(kernel_info(&info), -ESRCH);
	netns_run("insmod %s", module);
	assert_true(netns_wait(is_back, 3000));
	assert_int_equal(kernel_info(&info), 0);
}

static int enter(void **state)
{
	addr_parse("10.1.0.5", &here);
	addr_parse("10.1.0.1", &there);
	addr_parse("10.9.0.9", &elsewhere);
	module = getenv("HMMP_KO");
	if (!module)
		return 0;
	return netns_enter() ? start_far_end() : -1;
}

static int leave(void **state)
{
	if (far_end > 0) {
		kill(far_end, SIGKILL);
		waitpid(far_end, NULL, 0);
	}
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_info),
		TEST(test_flow),
		TEST(test_binding),
		TEST(test_binding_expires),
		TEST(test_local),
		TEST(test_peer),
		TEST(test_limit),
		TEST(test_permission),
		TEST(test_module_goes_and_comes),
		TEST(test_loaded_later),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
