// SPDX-License-Identifier: GPL-2.0-or-later
/* Arguments of hmmpctl's commands by a table (hmmpctl_args.h). */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include "hmmpctl_args.h"
#include "view.h"

/* ----------------------------------------------------------------- values */

const char *arg_addr(const struct arg *a, const char *text, void *field)
{
	return addr_parse(text, field) ? "no address" : NULL;
}

/* A sign or a blank, which strtoull() takes, is no digit. */
static int parse_number(const char *text, int base, uint64_t *n)
{
	char *end;

	if (base == 10 && !strncmp(text, "0x", 2)) {
		text += 2;
		base = 16;
	}
	if (!isxdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*n = strtoull(text, &end, base);
	return errno || *end ? -EINVAL : 0;
}

const char *arg_u64(const struct arg *a, const char *text, void *field)
{
	static char sentence[80];
	uint64_t n;

	if (!parse_number(text, 10, &n) && n >= a->min && n <= a->max) {
		*(uint64_t *)field = n;
		return NULL;
	}
	snprintf(sentence, sizeof(sentence), "no number from %llu to %llu",
		 (unsigned long long)a->min, (unsigned long long)a->max);
	return sentence;
}

const char *arg_u32(const struct arg *a, const char *text, void *field)
{
	uint64_t n;
	const char *bad = arg_u64(a, text, &n);

	if (!bad)
		*(uint32_t *)field = (uint32_t)n;
	return bad;
}

const char *arg_owner(const struct arg *a, const char *text, void *field)
{
	uint64_t owner;

	if (parse_number(text, 16, &owner) || owner < a->min)
		return "no owner: hexadecimal digits, at most 16";
	*(uint64_t *)field = owner;
	return NULL;
}

/* "10.0.0.1:80" or "[2001:db8::1]:80" */
const char *arg_endpoint(const struct arg *a, const char *text, void *field)
{
	static const char bad[] = "no address with a port";
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool brackets = len > 2 && *text == '[' && text[len - 1] == ']';
	char host[ADDR_TEXT];
	struct endpoint e;
	uint64_t port;

	if (brackets) {
		text++;
		len -= 2;
	}
	if (!colon || len >= sizeof(host))
		return bad;
	memcpy(host, text, len);
	host[len] = 0;
	if (addr_parse(host, &e.addr) || e.addr.len != (brackets ? 16 : 4) ||
	    !isdigit((unsigned char)colon[1]) ||
	    parse_number(colon + 1, 10, &port) || !port || port > 65535)
		return bad;
	e.port = (uint16_t)port;
	*(struct endpoint *)field = e;
	return NULL;
}

const char *arg_via(const struct arg *a, const char *text, void *field)
{
	struct kernel_via *via = field;
	const char *comma = strchr(text, ',');
	size_t len = comma ? (size_t)(comma - text) : 0;
	char local[ADDR_TEXT];

	if (!comma || len >= sizeof(local))
		return "no two addresses with a comma between";
	memcpy(local, text, len);
	local[len] = 0;
	if (addr_parse(local, &via->local))
		return "no address before the comma";
	if (addr_parse(comma + 1, &via->remote))
		return "no address after the comma";
	if (via->local.len != via->remote.len)
		return "the two are not of one family";
	return NULL;
}

const char *arg_device(const struct arg *a, const char *text, void *field)
{
	unsigned int ifindex = if_nametoindex(text);

	if (!ifindex)
		return "no such interface";
	*(uint32_t *)field = ifindex;
	return NULL;
}

/* "02:00:00:00:00:01", as long as a link makes it. */
const char *arg_lladdr(const struct arg *a, const char *text, void *field)
{
	static const char bad[] = "no link-layer address";
	struct kernel_lladdr l = { .len = 0 };
	char pair[3] = "";

	for (;;) {
		if (!isxdigit((unsigned char)text[0]) ||
		    !isxdigit((unsigned char)text[1]) ||
		    l.len == sizeof(l.b))
			return bad;
		memcpy(pair, text, 2);
		l.b[l.len++] = (uint8_t)strtoul(pair, NULL, 16);
		text += 2;
		if (!*text)
			break;
		if (*text++ != ':')
			return bad;
	}
	*(struct kernel_lladdr *)field = l;
	return NULL;
}

/* "none" is what nobody can send by, and gue is not built. */
const char *arg_encap(const struct arg *a, const char *text, void *field)
{
	enum body_encap e;

	for (e = ENCAP_IPIP; e <= ENCAP_MINENC; e++) {
		if (strcmp(text, view_encap(e)))
			continue;
		*(enum body_encap *)field = e;
		return NULL;
	}
	return "none of ipip, ip6ip6, 4in6, 6in4, minenc";
}

/* Suspended is what only the module makes a binding. */
const char *arg_status(const struct arg *a, const char *text, void *field)
{
	enum kernel_status s;

	for (s = KERNEL_PROVISIONAL; s <= KERNEL_HELD; s++) {
		if (strcmp(text, view_status(s)))
			continue;
		*(enum kernel_status *)field = s;
		return NULL;
	}
	return "none of verified, provisional, held";
}

/* -------------------------------------------------------------- the table */

/* The text behind "name=", the text of a word, or NULL: it is another. */
static const char *value_of(const struct arg *a, const char *text)
{
	size_t len = strlen(a->name);

	if (a->form == ARG_VALUE)
		return !strncmp(text, a->name, len) && text[len] == '=' ?
			text + len + 1 : NULL;
	if (a->form == ARG_PLACE)
		return NULL;
	return strcmp(text, a->name) ? NULL : text;
}

static int excluded(const struct args *a, unsigned int i)
{
	unsigned int k;

	if (a->given[i])
		return hmmpctl_usage(a->c, "%s: \"%s\" is given twice",
				     a->command, a->table[i].name);
	for (k = 0; a->table[i].choice && a->table[k].form; k++) {
		if (a->given[k] && a->table[k].choice == a->table[i].choice)
			return hmmpctl_usage(a->c, "%s: \"%s\" and \"%s\" exclude each other",
					     a->command, a->table[k].name,
					     a->table[i].name);
	}
	return CTL_OK;
}

static int take(struct args *a, unsigned int i, const char *text,
		const char *value)
{
	const struct arg *arg = &a->table[i];
	void *field = (char *)a->to + arg->field;
	const char *bad = NULL;
	int err = excluded(a, i);

	if (err)
		return err;
	a->given[i] = true;
	if (arg->form == ARG_WORD)
		*(uint32_t *)field = (uint32_t)arg->min;
	else if (arg->form == ARG_FLAG)
		*(uint32_t *)field |= (uint32_t)arg->min;
	else
		bad = arg->read(arg, value, field);
	if (bad && arg->form == ARG_PLACE)
		return hmmpctl_usage(a->c, "%s: %s is \"%s\": %s", a->command,
				     arg->name, text, bad);
	if (bad)
		return hmmpctl_usage(a->c, "%s: \"%s\": %s", a->command, text,
				     bad);
	return CTL_OK;
}

static int find_and_take(struct args *a, const char *text)
{
	const char *value;
	unsigned int i;

	for (i = 0; a->table[i].form; i++) {
		value = value_of(&a->table[i], text);
		if (value)
			return take(a, i, text, value);
	}
	return hmmpctl_usage(a->c, "%s: what is \"%s\"?", a->command, text);
}

static bool chosen(const struct args *a, const struct arg *arg)
{
	unsigned int i;

	for (i = 0; a->table[i].form; i++) {
		if (a->given[i] && (&a->table[i] == arg ||
				    (arg->choice &&
				     a->table[i].choice == arg->choice)))
			return true;
	}
	return false;
}

/* "owner= or host is missing" */
static int complain(const struct args *a, const struct arg *need)
{
	const struct arg *arg;
	char names[128] = "";
	size_t n = 0;

	for (arg = a->table; arg->form; arg++) {
		if (arg != need && (!need->choice ||
				    arg->choice != need->choice))
			continue;
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s%s",
				      n ? " or " : "", arg->name,
				      arg->form == ARG_VALUE ? "=" : "");
		if (n >= sizeof(names))
			break;
	}
	return hmmpctl_usage(a->c, "%s: %s is missing", a->command, names);
}

int args_read(struct args *a, int argc, char **argv)
{
	unsigned int i;
	int at = 1, err = CTL_OK;

	a->command = argv[0];
	for (i = 0; a->table[i].form == ARG_PLACE; i++, at++) {
		if (at >= argc)
			return hmmpctl_usage(a->c, "%s: %s is missing",
					     a->command, a->table[i].name);
		err = take(a, i, argv[at], argv[at]);
		if (err)
			return err;
	}
	for (; at < argc && !err; at++)
		err = find_and_take(a, argv[at]);
	for (i = 0; a->table[i].form && !err; i++) {
		if (a->table[i].need && !chosen(a, &a->table[i]))
			err = complain(a, &a->table[i]);
	}
	return err;
}

bool args_has(const struct args *a, const char *name)
{
	unsigned int i;

	for (i = 0; a->table[i].form; i++) {
		if (a->given[i] && !strcmp(a->table[i].name, name))
			return true;
	}
	return false;
}
