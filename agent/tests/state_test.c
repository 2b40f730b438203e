// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state file: what is written is read again, whatever was torn or written
 * by nonsense; it stays small; nobody else may read it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../roles.h"

#define ID1 "AAAABBBBCCCCDDDD"
#define ID2 "ZZZZYYYYXXXXWWWW"

static char dir[] = "/tmp/hmmp-state-XXXXXX";
static char path[64];
static unsigned int warnings, errors;

/* What assoc.c needs of its neighbours, without a loop and SIP. */
uint64_t loop_now(void)
{
	return 5000000;
}

void timer_set(struct timer *t, unsigned int ms)
{
	t->armed = true;
}

void timer_stop(struct timer *t)
{
	t->armed = false;
}

void bind_stop(struct assoc *a)
{
}

struct pair *pair_find(const struct addr *local, const struct addr *remote)
{
	return NULL;
}

void log_print(enum log_level level, const char *fmt, ...)
{
	warnings += level == LOG_WARN;
	errors += level == LOG_ERROR;
}

static struct addr A(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static int setup(void **state)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/state", dir);
	warnings = 0;
	errors = 0;
	return 0;
}

static int teardown(void **state)
{
	state_exit();
	assoc_exit();
	unlink(path);
	rmdir(dir);
	return 0;
}

static struct assoc *make(const char *id, uint64_t owner)
{
	struct addr local = A("10.1.0.2"), remote = A("10.9.0.5");

	return assoc_add(id, owner, &local, &remote);
}

/* What a killed agent's successor finds. */
static void restart(void)
{
	assoc_exit();
	assert_int_equal(state_load(path), 0);
}

static void test_round_trip(void **state)
{
	static const char body[] = "Bound [10.9.0.5] to [10.8.0.5]\r\n";
	struct assoc *a;

	assert_int_equal(state_load(path), 0);
	a = make(ID1, 0xfedcba9876543210);
	a->initiator = true;
	a->phase = ASSOC_BOUND;
	a->seq = 4000000000u;
	a->peer_seq = 7;
	a->bound_to = A("10.2.0.2");
	a->peer_current = A("10.8.0.5");
	a->far = FAR_HELD;
	a->lifetime = 60;
	a->srtt = 21;
	a->rttvar = 3;
	a->peer_until = loop_now() + 1234;
	memset(a->peer_hash, 0xa5, sizeof(a->peer_hash));
	assoc_answer(a, 200, body, strlen(body));
	state_put(a);
	assert_int_equal(state_save(), 0);
	restart();
	a = assoc_find_id(ID1);
	assert_non_null(a);
	assert_true(a->owner == 0xfedcba9876543210);
	assert_true(a->initiator);
	assert_int_equal(a->phase, ASSOC_BOUND);
	assert_int_equal(a->seq, 4000000000u);
	assert_int_equal(a->peer_seq, 7);
	assert_true(addr_equal(&a->bound_to, &(struct addr){ 4, { 10, 2, 0, 2 } }));
	assert_true(addr_equal(&a->peer_current,
			       &(struct addr){ 4, { 10, 8, 0, 5 } }));
	assert_int_equal(a->far, FAR_HELD);
	assert_int_equal(a->lifetime, 60);
	assert_int_equal(a->srtt, 21);
	assert_int_equal(a->rttvar, 3);
	assert_true(a->peer_until == loop_now() + 1234);
	assert_int_equal(a->peer_hash[31], 0xa5);
	assert_non_null(a->answer);
	assert_int_equal(a->answer->status, 200);
	assert_int_equal(a->answer->len, strlen(body));
	assert_memory_equal(a->answer->body, body, strlen(body));
}

static void test_last_line_counts(void **state)
{
	struct assoc *a, *b;
	unsigned int i;

	assert_int_equal(state_load(path), 0);
	a = make(ID1, 1);
	b = make(ID2, 2);
	for (i = 0; i < 10; i++) {
		a->seq = i;
		state_put(a);
		b->seq = 100 + i;
		state_put(b);
		assert_int_equal(state_save(), 0);
	}
	assoc_del(b);
	assert_int_equal(state_save(), 0);
	restart();
	assert_int_equal(assoc_find_id(ID1)->seq, 9);
	assert_null(assoc_find_id(ID2));
	assert_int_equal(assoc_count(NULL), 1);
}

/* Nothing is kept back: what was saved is there without an orderly end. */
static void test_not_saved_is_not_there(void **state)
{
	struct assoc *a;

	assert_int_equal(state_load(path), 0);
	a = make(ID1, 1);
	a->seq = 1;
	state_put(a);
	state_save();
	a->seq = 2;
	state_put(a);
	restart();
	assert_int_equal(assoc_find_id(ID1)->seq, 1);
}

static void append(const char *text)
{
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_nonsense(void **state)
{
	struct assoc *a;

	assert_int_equal(state_load(path), 0);
	a = make(ID1, 1);
	a->seq = 5;
	state_put(a);
	state_save();
	append("{}\n[]\nnull\n{\"id\":3}\n{\"id\":\"short\"}\n\n");
	append("{\"id\":\"" ID2 "\",\"owner\":\"0\",\"local\":\"10.1.0.2\"}\n");
	append("{\"id\":\"" ID2 "\",\"owner\":\"zz\"}\n\xff\xfe\n");
	append("{\"id\":\"AAAABBBBCCCCDDDD\",\"seq\":9");	/* torn */
	restart();
	assert_int_equal(assoc_count(NULL), 1);
	assert_int_equal(assoc_find_id(ID1)->seq, 5);
	assert_int_equal(warnings, 1);
	/* the file is whole again: what follows is not glued to a torn line */
	a = assoc_find_id(ID1);
	a->seq = 6;
	state_put(a);
	state_save();
	restart();
	assert_int_equal(assoc_find_id(ID1)->seq, 6);
	assert_int_equal(warnings, 1);
}

/* Numbers that no agent has written must not become phases or lifetimes. */
static void test_out_of_range(void **state)
{
	struct assoc *a;

	assert_int_equal(state_load(path), 0);
	append("{\"id\":\"" ID1 "\",\"owner\":\"11\",\"local\":\"10.1.0.2\","
	       "\"remote\":\"10.9.0.5\",\"bound_to\":\"10.1.0.2\","
	       "\"peer_current\":\"10.9.0.5\",\"phase\":77,\"far\":-1,"
	       "\"seq\":99999999999,\"lifetime\":-5,\"peer_until\":1e30,"
	       "\"peer_hash\":\"" "00000000000000000000000000000000"
	       "00000000000000000000000000000000\"}\n");
	restart();
	a = assoc_find_id(ID1);
	assert_non_null(a);
	assert_in_range(a->phase, ASSOC_NEW, ASSOC_REFUSED);
	assert_in_range(a->far, FAR_HOME, FAR_HELD);
	assert_int_equal(a->seq, UINT32_MAX);
	assert_int_equal(a->lifetime, 0);
	assert_true(a->peer_until <= loop_now() + 420000);
}

static void test_stays_small(void **state)
{
	struct assoc *a;
	struct stat st;
	unsigned int i;

	assert_int_equal(state_load(path), 0);
	a = make(ID1, 1);
	for (i = 1; i <= 5000; i++) {
		a->seq = i;
		state_put(a);
		assert_int_equal(state_save(), 0);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 100000);
	restart();
	assert_int_equal(assoc_find_id(ID1)->seq, 5000);
}

static void test_private(void **state)
{
	struct stat st;

	umask(0);
	assert_int_equal(state_load(path), 0);
	make(ID1, 1);
	state_put(assoc_find_id(ID1));
	state_save();
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_symbolic_link(void **state)
{
	char other[80];
	struct stat st;

	snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(state_load(path), -ELOOP);
	assert_int_equal(stat(other, &st), -1);
}

static void test_no_directory(void **state)
{
	assert_int_equal(state_load("/nowhere/at/all/state"), -ENOENT);
}

static void limit_size(rlim_t bytes)
{
	struct rlimit l;

	getrlimit(RLIMIT_FSIZE, &l);
	l.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* No room, in the middle of a line: said once, and made good afterwards. */
static void test_full(void **state)
{
	struct assoc *a;
	struct stat st;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(state_load(path), 0);
	a = make(ID1, 1);
	a->seq = 1;
	state_put(a);
	assert_int_equal(state_save(), 0);
	assert_int_equal(stat(path, &st), 0);
	limit_size(st.st_size + 20);
	a->seq = 2;
	state_put(a);
	assert_int_equal(state_save(), -EFBIG);
	limit_size(20);
	state_put(a);
	assert_int_equal(state_save(), -EFBIG);
	assert_int_equal(errors, 1);
	limit_size(RLIM_INFINITY);
	a->seq = 3;
	state_put(a);
	assert_int_equal(state_save(), 0);
	restart();
	assert_int_equal(assoc_find_id(ID1)->seq, 3);
	assert_int_equal(warnings, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
		T(round_trip), T(last_line_counts),
		T(not_saved_is_not_there), T(nonsense), T(out_of_range),
		T(stays_small), T(private), T(symbolic_link),
		T(no_directory), T(full),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
