// SPDX-License-Identifier: GPL-2.0-or-later
/* Log lines: their form, the level, and what is not printable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent.h"

static char text[4096];

/* What one call writes to stderr. */
#define CAPTURE(call) do {						\
	int save = dup(2);						\
	FILE *f = tmpfile();						\
	size_t got;							\
									\
	assert_non_null(f);						\
	dup2(fileno(f), 2);						\
	call;								\
	dup2(save, 2);							\
	close(save);							\
	rewind(f);							\
	got = fread(text, 1, sizeof(text) - 1, f);			\
	text[got] = '\0';						\
	fclose(f);							\
} while (0)

static void a_line_has_time_level_and_text(void **state)
{
	long long seconds;
	int ms;
	int n = 0;
	int found;

	log_init(LOG_NOTE, false);
	CAPTURE(log_print(LOG_WARN, "%s -> %d", "old", 7));
	found = sscanf(text, "[%lld.%3d] warning: old -> 7\n%n",
		       &seconds, &ms, &n);
	assert_int_equal(found, 2);
	assert_int_equal(n, strlen(text));
}

static void levels_above_are_not_printed(void **state)
{
	log_init(LOG_WARN, false);
	CAPTURE(log_print(LOG_NOTE, "x"));
	assert_string_equal(text, "");
	CAPTURE(log_print(LOG_WARN, "x"));
	assert_string_not_equal(text, "");
	log_init(LOG_TRACE, false);
	CAPTURE(log_print(LOG_TRACE, "x"));
	assert_non_null(strstr(text, "trace: x\n"));
}

static void control_characters_are_replaced(void **state)
{
	log_init(LOG_NOTE, false);
	CAPTURE(log_print(LOG_NOTE, "%s", "a\nb\x1b[2J\x7f\xc3\xa4"));
	assert_non_null(strstr(text, "note: a?b?[2J?\xc3\xa4\n"));
}

static void long_lines_are_cut(void **state)
{
	char big[3000];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	CAPTURE(log_print(LOG_ERROR, "%s", big));
	assert_in_range(strlen(text), 1000, 1100);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_time_level_and_text),
		cmocka_unit_test(levels_above_are_not_printed),
		cmocka_unit_test(control_characters_are_replaced),
		cmocka_unit_test(long_lines_are_cut),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
