// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket, over a real socket and the real poll loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "../agent.h"

static char path[64];
static unsigned int served;
static char reply[300000];
static size_t reply_len;
static struct timer timeout;

static json_t *serve(json_t *request)
{
	const char *what = json_string_value(json_object_get(request,
							     "command"));
	char *big;
	json_t *j;

	served++;
	if (!what || strcmp(what, "big"))
		return json_pack("{s:b, s:O}", "ok", 1, "echo", request);
	big = malloc(250001);
	memset(big, 'x', 250000);
	big[250000] = '\0';
	j = json_pack("{s:b, s:s}", "ok", 1, "big", big);
	free(big);
	return j;
}

static int setup(void **state)
{
	snprintf(path, sizeof(path), "/tmp/hmmp-ctl-%d", (int)getpid());
	unlink(path);
	served = 0;
	reply_len = 0;
	assert_int_equal(loop_init(), 0);
	assert_int_equal(ctl_init(path, (ctl_fn)serve), 0);
	return 0;
}

static int teardown(void **state)
{
	ctl_exit();
	loop_exit();
	return 0;
}

static int dial(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sun.sun_path, path);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void on_timeout(struct timer *t)
{
	loop_stop();
}

/* Reads until a line is whole, or the other end has closed. */
static void on_reply(void *arg, int fd)
{
	ssize_t n = recv(fd, reply + reply_len,
			 sizeof(reply) - reply_len - 1, MSG_DONTWAIT);

	if (n > 0)
		reply_len += n;
	reply[reply_len] = '\0';
	if (n <= 0 || strchr(reply, '\n'))
		loop_stop();
}

static bool ask(int fd, const char *text, size_t len)
{
	reply_len = 0;
	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
	assert_int_equal(loop_fd_add(fd, on_reply, NULL), 0);
	timeout.fire = on_timeout;
	timer_set(&timeout, 5000);
	loop_run();
	timer_stop(&timeout);
	loop_fd_del(fd);
	return reply_len && reply[reply_len - 1] == '\n';
}

#define ASK(fd, text) ask(fd, text, strlen(text))

static void test_answer(void **state)
{
	struct stat st;
	int fd = dial();

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(ASK(fd, "{\"command\":\"status\"}\n"));
	assert_string_equal(reply, "{\"ok\":true,\"echo\":{\"command\":\"status\"}}\n");
	assert_true(ASK(fd, "{\"command\":\"again\"}\n"));
	assert_int_equal(served, 2);
	close(fd);
}

static void test_nonsense(void **state)
{
	static const char * const bad[] = { "\n", "status\n", "[1]\n",
					    "{\"command\":\n", "\"x\"\n" };
	unsigned int i;
	int fd = dial();

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(ASK(fd, bad[i]));
		assert_non_null(strstr(reply, "\"ok\":false"));
		assert_non_null(strstr(reply, "not a JSON object"));
	}
	assert_int_equal(served, 0);
	close(fd);
}

static void test_big_answer(void **state)
{
	int fd = dial();

	assert_true(ASK(fd, "{\"command\":\"big\"}\n"));
	assert_true(reply_len > 250000);
	close(fd);
}

static void test_long_line(void **state)
{
	static char line[5000];
	int fd = dial();

	memset(line, 'x', sizeof(line));
	assert_false(ask(fd, line, sizeof(line)));	/* hung up on */
	assert_int_equal(served, 0);
	close(fd);
}

/* The ninth is turned away; who is there is served on. */
static void test_many_clients(void **state)
{
	int fds[9], i;

	for (i = 0; i < 8; i++) {
		fds[i] = dial();
		assert_true(ASK(fds[i], "{}\n"));
	}
	fds[8] = dial();
	assert_false(ASK(fds[8], "{}\n"));
	close(fds[8]);
	assert_true(ASK(fds[3], "{}\n"));
	close(fds[0]);
	assert_true(ASK(fds[3], "{}\n"));
	fds[0] = dial();
	assert_true(ASK(fds[0], "{}\n"));
	for (i = 0; i < 8; i++)
		close(fds[i]);
}

/* A living agent keeps its socket; a dead one's is taken over. */
static void test_second_agent(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, dead;

	fd = fork();
	if (!fd)
		_exit(ctl_init(path, (ctl_fn)serve) == -EADDRINUSE ? 0 : 1);
	assert_true(fd > 0);
	assert_int_equal(waitpid(fd, &dead, 0), fd);
	assert_int_equal(dead, 0);
	ctl_exit();
	dead = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(sun.sun_path, path);
	assert_int_equal(bind(dead, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(dead);
	assert_int_equal(ctl_init(path, (ctl_fn)serve), 0);
	fd = dial();
	assert_true(ASK(fd, "{}\n"));
	close(fd);
}

static void test_long_path(void **state)
{
	char name[200];

	ctl_exit();
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(ctl_init(name, (ctl_fn)serve), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
		T(answer), T(nonsense), T(big_answer), T(long_line),
		T(many_clients), T(second_agent), T(long_path),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
