/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arguments of hmmpctl's commands by a table: what stands at a place
 * ("ORIGINAL"), "name=VALUE" and words ("host"), each read into a field of one
 * structure. hmmpctl_args.c; used by hmmpctl_drive.c and hmmpctl_set.c.
 */
#ifndef HMMP_HMMPCTL_ARGS_H
#define HMMP_HMMPCTL_ARGS_H

#include "hmmpctl.h"
#include "kernel.h"

#define ARGS_MOST	24

struct arg;

/*
 * Read text into the field; NULL, or what would have been right, as in
 * "dev=x: no such interface".
 */
typedef const char *(*arg_read)(const struct arg *a, const char *text,
				void *field);

enum arg_form {
	ARG_END,
	ARG_PLACE,			/* all of them, in this order, first */
	ARG_VALUE,			/* name=VALUE */
	ARG_WORD,			/* the name alone: the field is min */
	ARG_FLAG,			/* the name alone: min is or'ed in */
};

struct arg {
	enum arg_form form;
	const char *name;		/* of a place, only for sentences */
	arg_read read;			/* places and values */
	size_t field;			/* offset in the structure */
	uint64_t min, max;		/* of numbers */
	char choice;			/* at most one of a letter; 0: free */
	bool need;			/* it, or another of its letter */
};

struct args {
	const struct ctl *c;
	const char *command;
	const struct arg *table;	/* up to ARG_END */
	void *to;			/* the structure */
	bool given[ARGS_MOST];		/* by the table's index */
};

/*
 * args_read - all of argv into a->to. Places come first and are all needed.
 * CTL_OK, or CTL_USAGE after a sentence. Nothing else has been done then.
 */
int args_read(struct args *a, int argc, char **argv);
/* Was this one given? */
bool args_has(const struct args *a, const char *name);

const char *arg_addr(const struct arg *a, const char *text, void *field);
const char *arg_endpoint(const struct arg *a, const char *text, void *field);
/* "A,B" into a struct kernel_via's local and remote. */
const char *arg_via(const struct arg *a, const char *text, void *field);
/* uint32_t and uint64_t between min and max; "0x10" is hexadecimal. */
const char *arg_u32(const struct arg *a, const char *text, void *field);
const char *arg_u64(const struct arg *a, const char *text, void *field);
/* Hexadecimal, as owners are shown; min 1: somebody. */
const char *arg_owner(const struct arg *a, const char *text, void *field);
/* The name of an interface into its index. */
const char *arg_device(const struct arg *a, const char *text, void *field);
const char *arg_lladdr(const struct arg *a, const char *text, void *field);
const char *arg_encap(const struct arg *a, const char *text, void *field);
const char *arg_status(const struct arg *a, const char *text, void *field);

#endif
