// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket: hmmpctl asks one JSON object a line and gets one line
 * back. Only the agent's own user may connect (mode 0600). What a client may
 * take is bounded: how many there are, how long a line is, how long it stays.
 * main.c opens it; who serves the commands is given to it.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent.h"

#define CLIENTS 8
#define LINE 4096
#define STAY_MS 10000
#define DRAIN_MS 5			/* between two tries to write */

struct client {
	int fd;				/* -1: free */
	char line[LINE];
	size_t len;
	char *out;			/* not written yet */
	size_t out_len;
	struct timer stay, drain;
};

static struct sockaddr_un where;
static int listener = -1;
static ctl_fn serve;
static struct client clients[CLIENTS];

static void close_client(struct client *c)
{
	loop_fd_del(c->fd);
	timer_stop(&c->stay);
	timer_stop(&c->drain);
	close(c->fd);
	free(c->out);
	c->fd = -1;
	c->out = NULL;
	c->len = 0;
	c->out_len = 0;
}

static void on_stay(struct timer *t)
{
	close_client((void *)((char *)t - offsetof(struct client, stay)));
}

/* As much as the socket takes; the rest a little later. */
static void drain(struct client *c)
{
	ssize_t n = send(c->fd, c->out, c->out_len,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		close_client(c);
		return;
	}
	if (n > 0) {
		c->out_len -= n;
		memmove(c->out, c->out + n, c->out_len);
	}
	if (c->out_len)
		timer_set(&c->drain, DRAIN_MS);
}

static void on_drain(struct timer *t)
{
	drain((void *)((char *)t - offsetof(struct client, drain)));
}

static void queue(struct client *c, const char *text)
{
	size_t len = strlen(text);
	char *out = realloc(c->out, c->out_len + len + 1);

	if (!out)
		return;
	memcpy(out + c->out_len, text, len);
	out[c->out_len + len] = '\n';
	c->out = out;
	c->out_len += len + 1;
}

static void answer(struct client *c, const char *line, size_t len)
{
	json_t *request = json_loadb(line, len, 0, NULL);
	json_t *reply;
	char *text;

	if (json_is_object(request))
		reply = serve(request);
	else
		reply = json_pack("{s:b, s:s}", "ok", 0, "error",
				  "not a JSON object on one line");
	text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
	if (text)
		queue(c, text);
	free(text);
	json_decref(reply);
	json_decref(request);
}

static void take_lines(struct client *c)
{
	char *end;
	size_t n;

	while ((end = memchr(c->line, '\n', c->len))) {
		n = end - c->line;
		answer(c, c->line, n);
		c->len -= n + 1;
		memmove(c->line, end + 1, c->len);
	}
}

static void on_client(void *arg, int fd)
{
	struct client *c = arg;
	ssize_t n;

	n = recv(fd, c->line + c->len, sizeof(c->line) - c->len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_client(c);
		return;
	}
	c->len += n;
	take_lines(c);
	if (c->len == sizeof(c->line))
		close_client(c);
	else if (c->out_len && !c->drain.armed)
		drain(c);
}

static struct client *find_free(void)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++)
		if (clients[i].fd < 0)
			return &clients[i];
	return NULL;
}

static void on_connect(void *arg, int fd)
{
	int to = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c = find_free();

	if (to < 0)
		return;
	if (!c || loop_fd_add(to, on_client, c)) {
		close(to);
		return;
	}
	c->fd = to;
	c->stay.fire = on_stay;
	c->drain.fire = on_drain;
	timer_set(&c->stay, STAY_MS);
}

/* Does a living agent listen there? A dead one's socket may be removed. */
static bool is_alive(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool alive;

	if (fd < 0)
		return false;
	alive = !connect(fd, (struct sockaddr *)&where, sizeof(where));
	close(fd);
	return alive;
}

static int bind_path(void)
{
	mode_t old = umask(0177);
	int err = 0;

	if (bind(listener, (struct sockaddr *)&where, sizeof(where)))
		err = -errno;
	umask(old);
	return err;
}

static int open_listener(void)
{
	int err;

	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			  0);
	if (listener < 0)
		return -errno;
	err = bind_path();
	if (err == -EADDRINUSE) {
		if (is_alive())
			return err;
		unlink(where.sun_path);
		err = bind_path();
	}
	if (!err && listen(listener, CLIENTS))
		err = -errno;
	return err ? err : loop_fd_add(listener, on_connect, NULL);
}

/**
 * ctl_init - open the control socket
 * @path: of the socket
 * @fn: answers one request with one object
 *
 * -EADDRINUSE: another agent listens there; else -errno. Not logged.
 */
int ctl_init(const char *path, ctl_fn fn)
{
	unsigned int i;
	int err;

	serve = fn;
	for (i = 0; i < CLIENTS; i++)
		clients[i].fd = -1;
	memset(&where, 0, sizeof(where));
	where.sun_family = AF_UNIX;
	if (snprintf(where.sun_path, sizeof(where.sun_path), "%s", path) >=
	    (int)sizeof(where.sun_path))
		return -ENAMETOOLONG;
	err = open_listener();
	if (err && listener >= 0) {
		close(listener);
		listener = -1;
	}
	return err;
}

void ctl_exit(void)
{
	unsigned int i;

	if (listener < 0)
		return;
	for (i = 0; i < CLIENTS; i++)
		if (clients[i].fd >= 0)
			close_client(&clients[i]);
	loop_fd_del(listener);
	close(listener);
	unlink(where.sun_path);
	listener = -1;
}
