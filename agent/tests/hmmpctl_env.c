// SPDX-License-Identifier: GPL-2.0-or-later
/* hmmpctl with the module played (hmmpctl_env.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "hmmpctl.h"
#include "kernel_fake.h"
#include "tests/hmmpctl_env.h"

char *out, *err;
char path[64];

static struct kernel_fake *fake;
static char dir[32];

/* ---------------------------------------------------------------- the loop */

/* One turn: what has happened so far is told, then it is interrupted. */
void loop_run(void)
{
	kernel_fake_deliver();
}

int loop_init(void)
{
	return 0;
}

void loop_exit(void)
{
}

void loop_stop(void)
{
}

uint64_t loop_now(void)
{
	return 1000000;
}

/* ------------------------------------------------------------------- tools */

struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* Run "hmmpctl -s PATH WORDS"; its exit status. */
int run(const char *words)
{
	char line[512], *argv[32] = { "hmmpctl", "-s", path };
	size_t out_len, err_len;
	FILE *o, *e;
	int argc = 3, ret;

	free(out);
	free(err);
	o = open_memstream(&out, &out_len);
	e = open_memstream(&err, &err_len);
	snprintf(line, sizeof(line), "%s", words);
	for (char *w = strtok(line, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	ret = hmmpctl_run(argc, argv, o, e);
	fclose(o);
	fclose(e);
	return ret;
}

json_t *run_json(const char *words)
{
	json_t *j;

	assert_int_equal(run(words), CTL_OK);
	assert_string_equal(err, "");
	j = json_loads(out, JSON_DECODE_ANY, NULL);
	assert_non_null(j);
	return j;
}

const char *text(const json_t *o, const char *key)
{
	const char *t = json_string_value(json_object_get(o, key));

	return t ? t : "(none)";
}

long long number(const json_t *o, const char *key)
{
	assert_true(json_is_integer(json_object_get(o, key)));
	return json_integer_value(json_object_get(o, key));
}

void assert_says(const char *where, const char *words)
{
	if (!strstr(where, words))
		fail_msg("no \"%s\" in: %s", words, where);
}

void add_flow(const char *remote, uint16_t port, uint64_t owner,
	      uint32_t flags)
{
	struct kernel_flow f = {
		.local = { addr("10.1.0.5"), 40000 },
		.remote = { addr(remote), port },
		.state = KERNEL_ESTABLISHED, .owner = owner, .flags = flags,
		.age = 65000, .isn_local = 0xfffffffe,
	};

	kernel_fake_flow_add(&f);
}

int start(void **state)
{
	fake = kernel_fake_alloc();
	kernel_fake_use(fake);
	return 0;
}

int end(void **state)
{
	kernel_fake_free(fake);
	return 0;
}

int enter(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/hmmpctl_test.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/control", dir);
	return 0;
}

int leave(void **state)
{
	free(out);
	free(err);
	return rmdir(dir);
}
