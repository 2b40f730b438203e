// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration file: INI by libinih, checked against one table of keys.
 * Nothing is guessed: whatever is not understood is refused with file, line
 * and reason, and then the caller's structure is untouched.
 *
 * libinih as built for Debian does not tell its handler the line, so the
 * reader below counts: inih asks for a line, then calls the handler for it.
 */
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

#define LINE_MAX_BYTES	1024	/* without the newline */

struct key;

/* One run of config_load. */
struct loader {
	const char *path;
	FILE *file;
	struct config cfg;
	int line;
	uint64_t seen;		/* keys, by their place in the table */
	bool failed;
	char *err;
	size_t err_len;
};

/* parse returns false after fail(). */
struct key {
	const char *section;
	const char *name;
	bool (*parse)(struct loader *l, const struct key *k, const char *v);
	size_t offset;		/* in struct config */
	unsigned int min;	/* of a number; size of a text */
	unsigned int max;
};

/* Keeps the first reason only. Returns false, so that it can be returned. */
__attribute__((format(printf, 2, 3)))
static bool fail(struct loader *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (l->failed)
		return false;
	l->failed = true;
	n = snprintf(l->err, l->err_len, "%s:%d: ", l->path, l->line);
	if (n < 0 || (size_t)n >= l->err_len)
		return false;
	va_start(ap, fmt);
	vsnprintf(l->err + n, l->err_len - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

static void *field(struct loader *l, const struct key *k)
{
	return (char *)&l->cfg + k->offset;
}

/* -------------------------------------------------------- kinds of values */

/* Digits only: strtoul alone takes blanks, signs and other bases. */
static bool to_number(const char *v, unsigned long *n)
{
	char *end;

	if (*v < '0' || *v > '9')
		return false;
	errno = 0;
	*n = strtoul(v, &end, 10);
	return !*end && !errno;
}

static bool parse_u32(struct loader *l, const struct key *k, const char *v)
{
	unsigned long n;

	if (!to_number(v, &n) || n < k->min || n > k->max)
		return fail(l, "%s: \"%s\" is not a number from %u to %u",
			    k->name, v, k->min, k->max);
	*(uint32_t *)field(l, k) = (uint32_t)n;
	return true;
}

static bool parse_port(struct loader *l, const struct key *k, const char *v)
{
	unsigned long n;

	if (!to_number(v, &n) || n < 1 || n > 65535)
		return fail(l, "%s: \"%s\" is not a port from 1 to 65535",
			    k->name, v);
	*(uint16_t *)field(l, k) = (uint16_t)n;
	return true;
}

static bool parse_yes_no(struct loader *l, const struct key *k, const char *v)
{
	if (strcmp(v, "yes") && strcmp(v, "no"))
		return fail(l, "%s: \"%s\" is neither yes nor no", k->name, v);
	*(bool *)field(l, k) = v[0] == 'y';
	return true;
}

static bool parse_path(struct loader *l, const struct key *k, const char *v)
{
	if (v[0] != '/')
		return fail(l, "%s: \"%s\" is not an absolute path", k->name,
			    v);
	if (strlen(v) >= k->max)
		return fail(l, "%s: the path is longer than %u bytes", k->name,
			    k->max - 1);
	strcpy(field(l, k), v);
	return true;
}

/* A name of an interface or of a user. */
static bool parse_name(struct loader *l, const struct key *k, const char *v)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t len = strlen(v);

	if (!len || len >= k->max || strspn(v, good) != len || v[0] == '-')
		return fail(l, "%s: \"%s\" is not a name of 1 to %u letters, digits, - and _",
			    k->name, v, k->max - 1);
	strcpy(field(l, k), v);
	return true;
}

typedef bool (*take_fn)(struct loader *l, const struct key *k,
			const char *item);

/* For each item of a list that is separated by commas and blanks. */
static bool split_list(struct loader *l, const struct key *k, const char *v,
		       take_fn take)
{
	char copy[LINE_MAX_BYTES + 1];
	char *save;
	char *item;

	snprintf(copy, sizeof(copy), "%s", v);
	for (item = strtok_r(copy, ", \t", &save); item;
	     item = strtok_r(NULL, ", \t", &save))
		if (!take(l, k, item))
			return false;
	return true;
}

static bool take_prefix(struct loader *l, const struct key *k,
			const char *item)
{
	struct prefix_list *list = field(l, k);
	int err;

	if (!strcmp(item, "all")) {
		list->all = true;
		return true;
	}
	if (list->n == CONFIG_PREFIXES)
		return fail(l, "%s: more than %d prefixes", k->name,
			    CONFIG_PREFIXES);
	err = prefix_parse(item, &list->p[list->n]);
	if (err == -ERANGE)
		return fail(l, "%s: \"%s\" has bits set beyond its length, or too many bits",
			    k->name, item);
	if (err)
		return fail(l, "%s: \"%s\" is neither an address, nor a prefix, nor \"all\"",
			    k->name, item);
	list->n++;
	return true;
}

static bool parse_prefixes(struct loader *l, const struct key *k,
			   const char *v)
{
	struct prefix_list *list = field(l, k);

	memset(list, 0, sizeof(*list));
	if (!split_list(l, k, v, take_prefix))
		return false;
	if (list->all && list->n)
		return fail(l, "%s: \"all\" beside prefixes", k->name);
	return true;
}

/* --------------------------------------------------- keys of their own kind */

static bool take_role(struct loader *l, const struct key *k, const char *item)
{
	bool *role;

	if (!strcmp(item, "mobile"))
		role = &l->cfg.role_mobile;
	else if (!strcmp(item, "correspondent"))
		role = &l->cfg.role_correspondent;
	else
		return fail(l, "roles: \"%s\" is neither mobile nor correspondent",
			    item);
	if (*role)
		return fail(l, "roles: %s is there twice", item);
	*role = true;
	return true;
}

static bool parse_roles(struct loader *l, const struct key *k, const char *v)
{
	if (!split_list(l, k, v, take_role))
		return false;
	if (!l->cfg.role_mobile && !l->cfg.role_correspondent)
		return fail(l, "roles: none given");
	return true;
}

/*
 * The only value so far leaves out all authentication. It has to be said by
 * name, so that nobody runs without by forgetting a line.
 */
static bool parse_security(struct loader *l, const struct key *k,
			   const char *v)
{
	if (strcmp(v, "none-laboratory"))
		return fail(l, "security: \"%s\" is not built yet; the only value is none-laboratory, which authenticates nobody and belongs into laboratories",
			    v);
	l->cfg.laboratory = true;
	return true;
}

static bool parse_log(struct loader *l, const struct key *k, const char *v)
{
	static const char *const names[] = {
		[LOG_ERROR] = "error", [LOG_WARN] = "warning",
		[LOG_NOTE] = "note", [LOG_INFO] = "info",
		[LOG_TRACE] = "trace",
	};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(v, names[i])) {
			l->cfg.log_level = i;
			return true;
		}
	}
	return fail(l, "log: \"%s\" is none of error, warning, note, info, trace",
		    v);
}

static bool parse_follow(struct loader *l, const struct key *k, const char *v)
{
	if (!strcmp(v, "route"))
		l->cfg.follow = FOLLOW_ROUTE;
	else if (!strcmp(v, "keep"))
		l->cfg.follow = FOLLOW_KEEP;
	else
		return fail(l, "follow: \"%s\" is neither route nor keep", v);
	return true;
}

/* ---------------------------------------------------------------- the table */

/*
 * A mobile asks nobody until it is told whom: an INFO to every server that a
 * user connects to looks like a scan. A correspondent listens to everybody.
 * The rule's priority is before those that VPN programs use.
 */
static const struct config defaults = {
	.log_level = LOG_NOTE,
	.sip_port = 5060,
	.control = "/run/hmmpd/control",
	.state = "/run/hmmpd/state.json",
	.follow = FOLLOW_ROUTE,
	.lifetime = 60,
	.dummy = "hmmp0",
	.table = 7000,
	.rule_priority = 100,
	.accept = { .all = true },
	.max_associations = 4096,
	.max_per_address = 64,
};

#define AT(member)	offsetof(struct config, member)
#define SIZE(member)	sizeof(defaults.member)

/*
 * Names and ranges are an interface: hmmpd.conf(5) lists them in this order.
 * A row without an offset has a parser that knows its field.
 */
static const struct key keys[] = {
	{ "agent", "roles", parse_roles, 0, 0, 0 },
	{ "agent", "security", parse_security, 0, 0, 0 },
	{ "agent", "log", parse_log, 0, 0, 0 },
	{ "agent", "syslog", parse_yes_no, AT(log_syslog), 0, 0 },
	{ "agent", "control", parse_path, AT(control), 0, SIZE(control) },
	{ "agent", "state", parse_path, AT(state), 0, SIZE(state) },
	{ "agent", "user", parse_name, AT(user), 0, SIZE(user) },
	{ "sip", "port", parse_port, AT(sip_port), 0, 0 },
	{ "mobile", "peers", parse_prefixes, AT(peers), 0, 0 },
	{ "mobile", "follow", parse_follow, 0, 0, 0 },
	{ "mobile", "lifetime", parse_u32, AT(lifetime), 4, 420 },
	{ "mobile", "dummy", parse_name, AT(dummy), 0, SIZE(dummy) },
	{ "mobile", "table", parse_u32, AT(table), 256, 0x7fffffff },
	{ "mobile", "rule-priority", parse_u32, AT(rule_priority), 1, 32765 },
	{ "correspondent", "accept", parse_prefixes, AT(accept), 0, 0 },
	{ "correspondent", "max-associations", parse_u32,
	  AT(max_associations), 1, 1000000 },
	{ "correspondent", "max-per-address", parse_u32,
	  AT(max_per_address), 1, 1000000 },
	{ "limits", "flows", parse_u32, AT(limit_flows), 1, 100000000 },
	{ "limits", "bindings", parse_u32, AT(limit_bindings), 1, 100000000 },
};

#define N_KEYS		(sizeof(keys) / sizeof(keys[0]))

static bool section_known(const char *name, size_t len)
{
	unsigned int i;

	for (i = 0; i < N_KEYS; i++)
		if (strlen(keys[i].section) == len &&
		    !memcmp(keys[i].section, name, len))
			return true;
	return false;
}

/* Called by inih for each "name = value"; nonzero is success. */
static int on_key(void *arg, const char *section, const char *name,
		  const char *value)
{
	struct loader *l = arg;
	unsigned int i;

	if (!section[0])
		return fail(l, "\"%s\" stands before the first [section]",
			    name);
	for (i = 0; i < N_KEYS; i++)
		if (!strcmp(keys[i].section, section) &&
		    !strcmp(keys[i].name, name))
			break;
	if (i == N_KEYS)
		return fail(l, "unknown key \"%s\" in [%s]", name, section);
	if (l->seen & (1ull << i))
		return fail(l, "%s: given twice", name);
	l->seen |= 1ull << i;
	if (!value[0] && keys[i].parse != parse_prefixes)
		return fail(l, "%s: no value", name);
	return keys[i].parse(l, &keys[i], value);
}

/* inih reports sections only by their keys; an empty one must be known too. */
static bool check_section(struct loader *l, const char *line)
{
	const char *end;

	line += strspn(line, " \t");
	if (*line != '[')
		return true;
	end = strchr(line, ']');
	if (!end)
		return fail(l, "[section] is not closed");
	if (!section_known(line + 1, (size_t)(end - line) - 1))
		return fail(l, "unknown section [%.*s]",
			    (int)(end - line) - 1, line + 1);
	end += 1 + strspn(end + 1, " \t\r\n");
	if (*end && *end != ';' && *end != '#')
		return fail(l, "text after [section]");
	return true;
}

/* Reads one line with its newline. False: end of file or fail(). */
static bool read_line(struct loader *l, char *str, int size)
{
	int n = 0;
	int c = 0;

	l->line++;
	while (c != '\n' && (c = getc(l->file)) != EOF) {
		if (n + 2 >= size)
			return fail(l, "the line is longer than %d bytes",
				    LINE_MAX_BYTES);
		if (c == 0x7f || (c < ' ' && !strchr("\t\r\n", c)) || !c)
			return fail(l, "a control character (0x%02x)", c);
		str[n++] = (char)c;
	}
	str[n] = '\0';
	if (ferror(l->file))
		return fail(l, "%s", strerror(errno));
	return n > 0;
}

/* Called by inih for each line; NULL ends the parsing. */
static char *on_line(char *str, int size, void *arg)
{
	struct loader *l = arg;

	if (l->failed || !read_line(l, str, size) || !check_section(l, str))
		return NULL;
	return str;
}

/* Debian's inih has these as variables. No guesses: no continuation lines. */
static void setup_inih(void)
{
	ini_max_line = LINE_MAX_BYTES + 3;
	ini_allow_multiline = false;
	ini_allow_bom = false;
	ini_stop_on_first_error = true;
	ini_use_stack = true;
}

/* What no single line can be blamed for; the last line is named then. */
static bool check_whole(struct loader *l)
{
	if (!l->cfg.role_mobile && !l->cfg.role_correspondent)
		return fail(l, "no roles in [agent]");
	if (!l->cfg.laboratory)
		return fail(l, "no security in [agent]: authentication is not built yet; to run without any, in a laboratory, say security = none-laboratory");
	return true;
}

static int load_stream(FILE *file, const char *path, struct config *cfg,
		       char *err, size_t len)
{
	struct loader l = { .path = path, .file = file, .cfg = defaults,
			    .err = err, .err_len = len };
	int line;

	setup_inih();
	line = ini_parse_stream(on_line, &l, on_key, &l);
	if (line < 0)
		fail(&l, "no memory");
	else if (line > 0)
		fail(&l, "neither a [section] nor \"key = value\"");
	if (l.failed || !check_whole(&l))
		return -EINVAL;
	*cfg = l.cfg;
	return 0;
}

/**
 * config_load - read the configuration
 * @path: an INI file
 * @cfg: the result, with defaults for what is not in it; untouched on failure
 * @err: a sentence "FILE:LINE: reason" on failure
 * @len: size of @err
 *
 * Return: 0, -EINVAL for its contents, or the errno of opening it.
 */
int config_load(const char *path, struct config *cfg, char *err, size_t len)
{
	FILE *file = fopen(path, "re");
	int ret;

	if (!file) {
		ret = -errno;
		snprintf(err, len, "%s: %s", path, strerror(errno));
		return ret;
	}
	ret = load_stream(file, path, cfg, err, len);
	fclose(file);
	return ret;
}
