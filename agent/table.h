/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables for people: columns as wide as their widest cell. */
#ifndef HMMP_TABLE_H
#define HMMP_TABLE_H

#include <stdio.h>

#define TABLE_COLUMNS 16

struct table {
	unsigned int columns;
	unsigned int n, room;		/* cells, the heading included */
	char **cell;
	int failed;			/* -ENOMEM has happened */
};

/*
 * table_init - heading: one text a column, ended by NULL; a leading '>' has
 * the column's cells stand at its right edge.
 */
void table_init(struct table *t, const char *const *heading);
void table_exit(struct table *t);
/* The next cell, row after row. */
void table_add(struct table *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Print the heading and the rows; nothing if there are none. 0 or -errno. */
int table_print(const struct table *t, FILE *out);

#endif
