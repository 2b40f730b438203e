// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state file: one JSON object a line, one line per change of an
 * association; the last line of an id counts. A change is one write() to the
 * end, made before the message that it belongs to is sent, so an agent that
 * is killed at any instant finds its Seq again. Rewritten when it has grown.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "roles.h"

#define REWRITE_MIN 65536		/* bytes, never rewritten below */
#define PEER_MAX_MS 420000		/* no binding lives longer */

static char path[256];
static int fd = -1;
static char *pending;			/* lines not written yet */
static size_t pending_len;
static size_t size, live;		/* bytes now, and after the rewrite */
static bool torn;			/* the last write failed half-way */

static json_t *addr_json(const struct addr *a)
{
	char text[ADDR_TEXT];

	return json_string(addr_format(a, text));
}

static json_t *answer_json(const struct assoc_answer *ans)
{
	if (!ans)
		return json_null();
	return json_pack("{s:i, s:s%}", "status", ans->status, "body",
			 ans->body, ans->len);
}

static void hex(char *out, const uint8_t *in, size_t n)
{
	while (n--) {
		sprintf(out, "%02x", *in++);
		out += 2;
	}
}

static json_t *assoc_json(const struct assoc *a)
{
	char owner[17], hash[65];

	snprintf(owner, sizeof(owner), "%016" PRIx64, a->owner);
	hex(hash, a->peer_hash, sizeof(a->peer_hash));
	return json_pack("{s:s, s:s, s:o, s:o, s:b, s:i, s:i, s:I, s:o, s:i, s:i, s:i, s:I, s:o, s:I, s:s, s:o}",
			 "id", a->id, "owner", owner,
			 "local", addr_json(&a->local),
			 "remote", addr_json(&a->remote),
			 "initiator", a->initiator,
			 "srtt", a->srtt, "rttvar", a->rttvar,
			 "seq", (json_int_t)a->seq,
			 "bound_to", addr_json(&a->bound_to),
			 "phase", a->phase, "lifetime", a->lifetime,
			 "far", a->far,
			 "peer_seq", (json_int_t)a->peer_seq,
			 "peer_current", addr_json(&a->peer_current),
			 "peer_until", (json_int_t)a->peer_until,
			 "peer_hash", hash, "answer", answer_json(a->answer));
}

/* Appends one line to the pending ones; json is used up. */
static void note(json_t *json)
{
	char *line = json ? json_dumps(json, JSON_COMPACT) : NULL;
	size_t len;
	char *more;

	json_decref(json);
	len = line ? strlen(line) + 1 : 0;
	more = line ? realloc(pending, pending_len + len + 1) : NULL;
	if (more) {
		memcpy(more + pending_len, line, len - 1);
		more[pending_len + len - 1] = '\n';
		pending = more;
		pending_len += len;
	} else {
		torn = true;
	}
	free(line);
}

void state_put(const struct assoc *a)
{
	if (fd >= 0)
		note(assoc_json(a));
}

void state_drop(const struct assoc *a)
{
	if (fd >= 0)
		note(json_pack("{s:s, s:b}", "id", a->id, "gone", 1));
}

static int write_all(int to, const char *p, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(to, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= n;
	}
	return 0;
}

static int open_file(const char *name, int flags)
{
	int to = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
		      O_NOFOLLOW | flags, 0600);

	return to < 0 ? -errno : to;
}

/* Everything that lives, into a new file that takes the old one's name. */
static int rewrite(void)
{
	char temp[sizeof(path) + 8];
	struct assoc *a;
	int to, err;

	free(pending);
	pending = NULL;
	pending_len = 0;
	torn = false;
	for (a = assoc_first(); a; a = a->next)
		note(assoc_json(a));
	snprintf(temp, sizeof(temp), "%s.new", path);
	unlink(temp);
	to = open_file(temp, O_EXCL);
	if (to < 0)
		return to;
	err = write_all(to, pending, pending_len);
	if (!err && rename(temp, path))
		err = -errno;
	if (err) {
		close(to);
		unlink(temp);
		return err;
	}
	if (fd >= 0)
		close(fd);
	fd = to;
	size = pending_len;
	live = pending_len;
	return 0;
}

/**
 * state_save - write what was noted, in one write()
 *
 * The error is logged here, once until it works again; the agent goes on,
 * because a lost counter is repaired by the peer's refusal (protocol.rst).
 */
int state_save(void)
{
	static bool told;
	int err = 0;

	if (fd < 0)
		return 0;
	if (torn || (size > REWRITE_MIN && size > 4 * live)) {
		err = rewrite();
	} else if (pending_len) {
		err = write_all(fd, pending, pending_len);
		size += pending_len;
	}
	torn = err != 0;
	free(pending);
	pending = NULL;
	pending_len = 0;
	if (err && !told)
		log_print(LOG_ERROR, "state file %s: %s", path,
			  strerror(-err));
	told = err != 0;
	return err;
}

static int get_addr(json_t *line, const char *key, struct addr *a)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text ? addr_parse(text, a) : -EINVAL;
}

static uint64_t get_int(json_t *line, const char *key, uint64_t max)
{
	json_int_t v = json_integer_value(json_object_get(line, key));

	return v < 0 ? 0 : (uint64_t)v > max ? max : (uint64_t)v;
}

static int get_hash(json_t *line, uint8_t *out, size_t n)
{
	const char *text = json_string_value(json_object_get(line,
							     "peer_hash"));
	size_t i;

	if (!text || strlen(text) != 2 * n)
		return -EINVAL;
	for (i = 0; i < n; i++)
		if (sscanf(text + 2 * i, "%2hhx", &out[i]) != 1)
			return -EINVAL;
	return 0;
}

static void get_answer(json_t *o, struct assoc *a)
{
	const char *body = json_string_value(json_object_get(o, "body"));

	if (body && strlen(body) <= SIP_BODY)
		assoc_answer(a, get_int(o, "status", 699), body,
			     strlen(body));
}

static void get_rest(json_t *line, struct assoc *a)
{
	uint64_t until = loop_now() + PEER_MAX_MS;

	a->initiator = json_is_true(json_object_get(line, "initiator"));
	a->srtt = get_int(line, "srtt", 60000);
	a->rttvar = get_int(line, "rttvar", 60000);
	a->seq = get_int(line, "seq", UINT32_MAX);
	a->phase = get_int(line, "phase", ASSOC_REFUSED);
	a->lifetime = get_int(line, "lifetime", 86400);
	a->far = get_int(line, "far", FAR_HELD);
	a->peer_seq = get_int(line, "peer_seq", UINT32_MAX);
	a->peer_until = get_int(line, "peer_until", until);
	get_answer(json_object_get(line, "answer"), a);
}

static int take_assoc(json_t *line, const char *id)
{
	const char *owner = json_string_value(json_object_get(line, "owner"));
	struct addr local, remote, bound, current;
	uint64_t handle;
	struct assoc *a;

	if (!owner || sscanf(owner, "%16" SCNx64, &handle) != 1 || !handle ||
	    get_addr(line, "local", &local) ||
	    get_addr(line, "remote", &remote) ||
	    get_addr(line, "bound_to", &bound) ||
	    get_addr(line, "peer_current", &current))
		return -EINVAL;
	a = assoc_add(id, handle, &local, &remote);
	if (!a)
		return -ENOMEM;
	a->bound_to = bound;
	a->peer_current = current;
	get_rest(line, a);
	return get_hash(line, a->peer_hash, sizeof(a->peer_hash));
}

/* One line: it replaces what an earlier one said of the same id. */
static int take(json_t *line)
{
	const char *id = json_string_value(json_object_get(line, "id"));
	struct assoc *a;

	if (!id || strlen(id) != ASSOC_ID)
		return -EINVAL;
	a = assoc_find_id(id);
	if (a)
		assoc_del(a);
	if (json_is_true(json_object_get(line, "gone")))
		return 0;
	return take_assoc(line, id);
}

static void read_lines(FILE *in)
{
	unsigned int n = 0, bad = 0;
	char *text = NULL;
	size_t room = 0;
	json_t *line;

	while (getline(&text, &room, in) > 0) {
		n++;
		line = json_loads(text, JSON_ALLOW_NUL, NULL);
		if ((!line || take(line)) && !bad++)
			log_print(LOG_WARN, "%s:%u: not understood, left out",
				  path, n);
		json_decref(line);
	}
	free(text);
}

/**
 * state_load - read the file, and be ready to write it
 * @name: its path; its directory must exist
 *
 * Lines that make no sense (the last one of an agent that was killed, at
 * most) are left out. -errno when the file cannot be read or made.
 */
int state_load(const char *name)
{
	FILE *in;
	int from;

	snprintf(path, sizeof(path), "%s", name);
	from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (from < 0 && errno != ENOENT)
		return -errno;
	in = from < 0 ? NULL : fdopen(from, "r");
	if (in) {
		read_lines(in);
		fclose(in);
	}
	return rewrite();
}

void state_exit(void)
{
	state_save();
	if (fd >= 0)
		close(fd);
	fd = -1;
	size = 0;
	live = 0;
}
