// SPDX-License-Identifier: GPL-2.0-or-later
/* hmmpctl's side of the agent's control socket: one line each way. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "hmmpctl.h"

#define ANSWER_SECONDS	5
#define ANSWER_SIZE	(4 << 20)

bool hmmpctl_no_agent(int err)
{
	return err == -ECONNREFUSED || err == -ENOENT;
}

static int connect_to(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct timeval tv = { .tv_sec = ANSWER_SECONDS };
	int fd, err;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (!connect(fd, (struct sockaddr *)&sun, sizeof(sun)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int send_line(int fd, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	struct iovec part[2] = { { text, text ? strlen(text) : 0 },
				 { (char *)"\n", 1 } };
	struct msghdr msg = { .msg_iov = part, .msg_iovlen = 2 };
	ssize_t n = -1;

	if (text)
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	free(text);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return (size_t)n == part[0].iov_len + 1 ? 0 : -EMSGSIZE;
}

/* The line without its end; the caller frees it. */
static char *receive_line(int fd, int *err)
{
	char *line = malloc(ANSWER_SIZE);
	size_t len = 0;
	ssize_t n = 1;

	*err = line ? 0 : -ENOMEM;
	while (!*err) {
		n = recv(fd, line + len, ANSWER_SIZE - 1 - len, 0);
		if (n < 0)
			*err = errno == EAGAIN ? -ETIMEDOUT : -errno;
		else if (!n)
			*err = -ECONNRESET;
		else
			len += n;
		if (!*err && memchr(line + len - n, '\n', n))
			break;
	}
	if (*err) {
		free(line);
		return NULL;
	}
	line[len] = 0;
	return line;
}

json_t *hmmpctl_ask(const struct ctl *c, json_t *request, int *err)
{
	json_t *answer = NULL;
	char *line = NULL;
	int fd = connect_to(c->socket);

	*err = fd < 0 ? fd : send_line(fd, request);
	json_decref(request);
	if (!*err)
		line = receive_line(fd, err);
	if (fd >= 0)
		close(fd);
	if (!line)
		return NULL;
	answer = json_loads(line, 0, NULL);
	free(line);
	if (!json_is_object(answer)) {
		json_decref(answer);
		*err = -EBADMSG;
		return NULL;
	}
	return answer;
}
