// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * conns: holds many TCP connections and proves, when asked, that every one of
 * them carries data both ways.
 *
 *	conns SOCKET [PORT]	holds connections; with PORT accepts them, too
 *	conns -t SOCKET WORD...	tells the one at SOCKET what to do:
 *
 *	open ADDRESS PORT N [P]	opens N connections, from port P on if it is given
 *	ask [SECONDS]		asks a question on each connection, and reads the
 *				answer (10 s)
 *	close [ADDRESS]		closes those with this address at either end, or
 *				all: this end first
 *	reset [ADDRESS]		the same by RST, which leaves no TIME-WAIT
 *	count			says how many there are, and how many were lost
 *
 * "-t" prints one line and exits with 0 if all connections did as they were
 * told. A question is a block of bytes that depends on the round; its answer is
 * the same with every bit inverted. Either end may ask.
 * One thread; sockets never block; what is told is done before the next is
 * read.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 512
#define MAX 1000
#define WORDS 5

struct conn {
	int fd;
	bool connecting;
	bool waiting;			/* for an answer */
	size_t have;			/* bytes of in */
	size_t left;			/* bytes of out not yet sent */
	unsigned char in[BLOCK];
	unsigned char out[4 * BLOCK];	/* what is left is at its start */
};

static struct conn conns[MAX];
static struct pollfd fds[MAX + 2];
static unsigned int n_conns;		/* alive, at the start of conns */
static unsigned int n_lost;		/* ended with an error */
static unsigned int n_ended;		/* closed by the other end */
static unsigned int n_wrong;		/* bytes that are not what they must be */
static unsigned char round_no;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ------------------------------------------------------------ connections */

static struct conn *conn_add(int fd, bool connecting)
{
	struct conn *c;
	int one = 1;

	if (n_conns == MAX) {
		close(fd);
		return NULL;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c = &conns[n_conns++];
	memset(c, 0, sizeof(*c));
	c->fd = fd;
	c->connecting = connecting;
	return c;
}

static void conn_del(struct conn *c, int err)
{
	if (err) {
		printf("lost: %s\n", strerror(err));
		n_lost++;
	}
	close(c->fd);
	*c = conns[--n_conns];
}

static void queue(struct conn *c, const unsigned char *block)
{
	if (c->left + BLOCK > sizeof(c->out)) {
		n_wrong++;
		return;
	}
	memcpy(c->out + c->left, block, BLOCK);
	c->left += BLOCK;
}

/* The question of a round: 'Q', the round, then a pattern. */
static void make_question(unsigned char *block, unsigned char number)
{
	unsigned int i;

	block[0] = 'Q';
	for (i = 1; i < BLOCK; i++)
		block[i] = number + i * 7;
}

static void on_question(struct conn *c)
{
	unsigned char want[BLOCK], answer[BLOCK];
	unsigned int i;

	make_question(want, c->in[1] - 7);	/* i is 1 there */
	n_wrong += !!memcmp(want, c->in, BLOCK);
	for (i = 0; i < BLOCK; i++)
		answer[i] = ~c->in[i];
	queue(c, answer);
}

static void on_answer(struct conn *c)
{
	unsigned char want[BLOCK];
	unsigned int i;

	make_question(want, round_no);
	for (i = 0; i < BLOCK; i++)
		want[i] = ~want[i];
	if (!c->waiting || memcmp(want, c->in, BLOCK))
		n_wrong++;
	c->waiting = false;
}

/* 0, or the error that ended it, or -1: the other end closed */
static int conn_read(struct conn *c)
{
	ssize_t n;

	for (;;) {
		n = read(c->fd, c->in + c->have, BLOCK - c->have);
		if (n < 0)
			return errno == EAGAIN ? 0 : errno;
		if (!n)
			return -1;
		c->have += n;
		if (c->have < BLOCK)
			continue;
		c->have = 0;
		if (c->in[0] == 'Q')
			on_question(c);
		else
			on_answer(c);
	}
}

static int conn_write(struct conn *c)
{
	ssize_t n;

	if (!c->left)
		return 0;
	n = send(c->fd, c->out, c->left, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN ? 0 : errno;
	c->left -= n;
	memmove(c->out, c->out + n, c->left);
	return 0;
}

static int conn_error(const struct conn *c)
{
	socklen_t len = sizeof(int);
	int err = 0;

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

static void conn_serve(struct conn *c, short revents)
{
	int err = 0;

	if (c->connecting) {
		err = conn_error(c);
		c->connecting = false;
	}
	if (!err && revents & (POLLIN | POLLHUP | POLLERR))
		err = conn_read(c);
	if (!err)
		err = conn_write(c);
	if (err < 0)
		n_ended++;
	if (err)
		conn_del(c, err > 0 ? err : 0);
}

static void accept_all(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
		conn_add(fd, false);
}

/* turn - one turn of the loop; true if somebody wants to tell something */
static bool turn(int control, int listener, int timeout)
{
	unsigned int i;

	for (i = 0; i < n_conns; i++) {
		fds[i].fd = conns[i].fd;
		fds[i].events = conns[i].connecting ? POLLOUT : POLLIN;
		if (conns[i].left)
			fds[i].events |= POLLOUT;
	}
	fds[i].fd = control;
	fds[i + 1].fd = listener;
	fds[i].events = POLLIN;
	fds[i + 1].events = POLLIN;
	if (poll(fds, i + 2, timeout) <= 0)
		return false;
	control = fds[i].revents;
	if (fds[i + 1].revents)
		accept_all(listener);
	/* backwards: conn_del() fills the gap from the end */
	while (i--)
		if (fds[i].revents)
			conn_serve(&conns[i], fds[i].revents);
	return control;
}

/* --------------------------------------------------------- what it is told */

static unsigned int count_connecting(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < n_conns; i++)
		n += conns[i].connecting;
	return n;
}

static unsigned int count_waiting(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < n_conns; i++)
		n += conns[i].waiting;
	return n;
}

static int open_one(const char *addr, const char *port, int own_port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(atoi(port)),
	};
	struct sockaddr_in own = {
		.sin_family = AF_INET,
		.sin_port = htons(own_port),
	};
	int fd;

	if (inet_pton(AF_INET, addr, &to.sin_addr) != 1)
		return EINVAL;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	if ((own_port && bind(fd, (struct sockaddr *)&own, sizeof(own))) ||
	    (connect(fd, (struct sockaddr *)&to, sizeof(to)) &&
	     errno != EINPROGRESS)) {
		close(fd);
		return errno;
	}
	return conn_add(fd, true) ? 0 : EMFILE;
}

static bool tell_open(char **word, int listener, char *reply, size_t size)
{
	unsigned int want = atoi(word[3] ?: "0"), before = n_lost, i;
	long end = now_ms() + 60000;
	int err = want ? 0 : EINVAL, port = atoi(word[4] ?: "0");

	for (i = 0; i < want && !err; i++)
		err = open_one(word[1], word[2], port ? port++ : 0);
	while (!err && count_connecting() && now_ms() < end)
		turn(-1, listener, 100);
	snprintf(reply, size, "%u opened, %u connecting, %u failed%s%s",
		 i - count_connecting() - (n_lost - before),
		 count_connecting(), n_lost - before, err ? ": " : "",
		 err ? strerror(err) : "");
	return !err && !count_connecting() && n_lost == before;
}

static bool tell_ask(char **word, int listener, char *reply, size_t size)
{
	unsigned int before = n_lost + n_ended, asked = n_conns, i;
	long end = now_ms() + 1000 * atoi(word[1] ?: "10");
	unsigned char block[BLOCK];

	make_question(block, ++round_no);
	for (i = 0; i < n_conns; i++) {
		conns[i].waiting = true;
		queue(&conns[i], block);
	}
	while (count_waiting() && now_ms() < end)
		turn(-1, listener, 100);
	snprintf(reply, size, "%u asked, %u silent, %u lost, %u wrong",
		 asked, count_waiting(), n_lost + n_ended - before, n_wrong);
	return asked && !count_waiting() && !n_wrong &&
	       n_lost + n_ended == before;
}

static bool has_address(const struct conn *c, const char *addr)
{
	struct sockaddr_in local = { 0 }, remote = { 0 };
	socklen_t len = sizeof(local);
	struct in_addr want;

	if (!addr)
		return true;
	if (inet_pton(AF_INET, addr, &want) != 1)
		return false;
	getsockname(c->fd, (struct sockaddr *)&local, &len);
	len = sizeof(remote);
	getpeername(c->fd, (struct sockaddr *)&remote, &len);
	return local.sin_addr.s_addr == want.s_addr ||
	       remote.sin_addr.s_addr == want.s_addr;
}

static bool tell_close(char **word, char *reply, size_t size)
{
	struct linger now = { .l_onoff = !strcmp(word[0], "reset") };
	unsigned int i, n = 0;

	/* backwards: conn_del() fills the gap from the end */
	for (i = n_conns; i--;) {
		if (!has_address(&conns[i], word[1]))
			continue;
		setsockopt(conns[i].fd, SOL_SOCKET, SO_LINGER, &now,
			   sizeof(now));
		conn_del(&conns[i], 0);
		n++;
	}
	snprintf(reply, size, "%u closed", n);
	return n;
}

static bool obey(char **word, int listener, char *reply, size_t size)
{
	if (!strcmp(word[0], "open") && word[1] && word[2])
		return tell_open(word, listener, reply, size);
	if (!strcmp(word[0], "ask"))
		return tell_ask(word, listener, reply, size);
	if (!strcmp(word[0], "close") || !strcmp(word[0], "reset"))
		return tell_close(word, reply, size);
	snprintf(reply, size, "%u alive, %u ended, %u lost, %u wrong",
		 n_conns, n_ended, n_lost, n_wrong);
	return !strcmp(word[0], "count") && !n_lost && !n_wrong;
}

static void on_told(int control, int listener)
{
	char line[256] = "", reply[256] = "+", *word[WORDS + 1] = { NULL };
	int fd = accept(control, NULL, NULL), i = 0;
	char *save, *w;

	if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0)
		return;
	for (w = strtok_r(line, " ", &save); w && i < WORDS;
	     w = strtok_r(NULL, " ", &save))
		word[i++] = w;
	if (!i || !obey(word, listener, reply + 1, sizeof(reply) - 1))
		reply[0] = '-';
	printf("%s %s: %s\n", word[0] ?: "", word[1] ?: "", reply);
	fflush(stdout);
	if (send(fd, reply, strlen(reply), MSG_NOSIGNAL) < 0)
		perror("reply");
	close(fd);
}

/* ------------------------------------------------------------------- main */

static int unix_socket(const char *path, bool server)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (server)
		unlink(path);
	if (fd < 0 ||
	    (server && (bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
			listen(fd, 8))) ||
	    (!server && connect(fd, (struct sockaddr *)&a, sizeof(a))))
		fail(path);
	return fd;
}

static int listen_at(const char *port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons(atoi(port)),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, MAX))
		fail("listen");
	return fd;
}

/* tell - send the words, print the answer; the exit status */
static int tell(const char *path, char **words)
{
	char line[256] = "";
	int fd = unix_socket(path, false);
	ssize_t n;

	for (; *words; words++) {
		strncat(line, *words, sizeof(line) - strlen(line) - 2);
		strcat(line, " ");
	}
	if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
		fail("send");
	n = read(fd, line, sizeof(line) - 1);
	if (n <= 0)
		fail("read");
	line[n] = '\0';
	puts(line + 1);
	return line[0] != '+';
}

int main(int argc, char **argv)
{
	int control, listener = -1;

	if (argc >= 4 && !strcmp(argv[1], "-t"))
		return tell(argv[2], argv + 3);
	if (argc < 2 || argc > 3) {
		fputs("conns SOCKET [PORT] | conns -t SOCKET WORD...\n",
		      stderr);
		return 2;
	}
	control = unix_socket(argv[1], true);
	if (argc == 3)
		listener = listen_at(argv[2]);
	for (;;)
		if (turn(control, listener, -1))
			on_told(control, listener);
}
