// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables for people (table.h). Used by hmmpctl. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "table.h"

static void add_cell(struct table *t, char *text)
{
	if (t->n == t->room) {
		unsigned int room = t->room ? 2 * t->room : 64;
		char **more = reallocarray(t->cell, room, sizeof(*more));

		if (!more) {
			t->failed = -ENOMEM;
			free(text);
			return;
		}
		t->cell = more;
		t->room = room;
	}
	t->cell[t->n++] = text;
}

void table_add(struct table *t, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		t->failed = -ENOMEM;
	else
		add_cell(t, text);
	va_end(ap);
}

void table_init(struct table *t, const char *const *heading)
{
	memset(t, 0, sizeof(*t));
	for (; *heading && t->columns < TABLE_COLUMNS; heading++) {
		table_add(t, "%s", *heading);
		t->columns++;
	}
}

void table_exit(struct table *t)
{
	unsigned int i;

	for (i = 0; i < t->n; i++)
		free(t->cell[i]);
	free(t->cell);
	memset(t, 0, sizeof(*t));
}

/* A heading's mark is no part of its text. */
static const char *text_of(const struct table *t, unsigned int i)
{
	const char *text = t->cell[i];

	return i < t->columns && *text == '>' ? text + 1 : text;
}

static void print_cell(const struct table *t, unsigned int i, int width,
		       FILE *out)
{
	unsigned int column = i % t->columns;
	bool last = column == t->columns - 1;

	if (t->cell[column][0] == '>')
		fprintf(out, "%*s", width, text_of(t, i));
	else
		fprintf(out, "%-*s", last ? 0 : width, text_of(t, i));
	fputs(last ? "\n" : "  ", out);
}

int table_print(const struct table *t, FILE *out)
{
	size_t width[TABLE_COLUMNS] = { 0 };
	unsigned int i;

	if (t->failed)
		return t->failed;
	if (t->n == t->columns)
		return 0;
	for (i = 0; i < t->n; i++) {
		size_t len = strlen(text_of(t, i));

		if (len > width[i % t->columns])
			width[i % t->columns] = len;
	}
	for (i = 0; i < t->n; i++)
		print_cell(t, i, (int)width[i % t->columns], out);
	return 0;
}
