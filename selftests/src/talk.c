// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * talk: TCP connections whose sockets have options.
 *
 *	talk listen PORT [OPTION...]		sends back what it gets; says
 *						"error NAME" of what else a
 *						socket tells it, and goes on
 *	talk connect ADDRESS PORT [OPTION...]	says "open"; then obeys lines:
 *
 *	ask	sends BLOCK bytes, waits for them: "answered" or "error NAME"
 *	errors	what is in the error queue: "TYPE CODE", or "none"
 *
 * Options: device=NAME mark=N recverr keepalive (each second) fastopen (what is
 * sent first goes with the SYN) md5=ADDRESS (a key for that far end). Until its
 * input ends. Started by sockets.sh, in the guest.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK	4000
#define WAIT	60		/* s, for an answer */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int set_keepalive(int fd)
{
	return set(fd, SOL_SOCKET, SO_KEEPALIVE, 1) ||
	       set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1) ||
	       set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
}

static int set_md5(int fd, const char *address)
{
	struct tcp_md5sig key = { .tcpm_keylen = 6, .tcpm_key = "secret" };
	struct sockaddr_in *far = (struct sockaddr_in *)&key.tcpm_addr;

	far->sin_family = AF_INET;
	return inet_pton(AF_INET, address, &far->sin_addr) != 1 ||
	       setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof(key));
}

static int set_option(int fd, const char *o, int listens)
{
	if (!strncmp(o, "device=", 7))
		return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, o + 7,
				  (socklen_t)strlen(o + 7));
	if (!strncmp(o, "mark=", 5))
		return set(fd, SOL_SOCKET, SO_MARK, atoi(o + 5));
	if (!strncmp(o, "md5=", 4))
		return set_md5(fd, o + 4);
	if (!strcmp(o, "recverr"))
		return set(fd, IPPROTO_IP, IP_RECVERR, 1);
	if (!strcmp(o, "keepalive"))
		return set_keepalive(fd);
	if (!strcmp(o, "fastopen"))
		return listens ? set(fd, IPPROTO_TCP, TCP_FASTOPEN, 16) :
				 set(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
	errno = EINVAL;
	return -1;
}

static int new_socket(char **options, int listens)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || set(fd, SOL_SOCKET, SO_REUSEADDR, 1))
		die("socket");
	for (; *options; options++)
		if (set_option(fd, *options, listens))
			die(*options);
	return fd;
}

static int say(const char *what)
{
	puts(what);
	return fflush(stdout);
}

static int say_error(void)
{
	printf("error %s\n", strerrorname_np(errno));
	return fflush(stdout);
}

/* ----------------------------------------------------------------- server */

/* One that is full has no more to say; clients ask one block at a time. */
static void send_back(int fd)
{
	char buf[BLOCK];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n > 0 && send(fd, buf, (size_t)n, MSG_NOSIGNAL) == n)
		return;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n)
		say_error();
	if (!n || errno == ECONNRESET || errno == EPIPE || errno == ETIMEDOUT)
		close(fd);
}

static int serve(const char *port, char **options)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(atoi(port)),
	};
	int all = epoll_create1(0), fd = new_socket(options, 1);
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 16) ||
	    epoll_ctl(all, EPOLL_CTL_ADD, fd, &e))
		die("listen");
	while (epoll_wait(all, &e, 1, -1) == 1) {
		if (e.data.fd != fd) {
			send_back(e.data.fd);
			continue;
		}
		e.data.fd = accept(fd, NULL, NULL);
		e.events = EPOLLIN;
		if (e.data.fd >= 0)
			epoll_ctl(all, EPOLL_CTL_ADD, e.data.fd, &e);
	}
	return 1;
}

/* ----------------------------------------------------------------- client */

static int ask(int fd)
{
	static char out[BLOCK], in[BLOCK];
	unsigned int i;

	for (i = 0; i < BLOCK; i++)
		out[i] = (char)rand();
	if (send(fd, out, sizeof(out), MSG_NOSIGNAL) != sizeof(out) ||
	    recv(fd, in, sizeof(in), MSG_WAITALL) != sizeof(in))
		return say_error();
	return say(memcmp(in, out, sizeof(in)) ? "wrong" : "answered");
}

static int errors(int fd)
{
	char control[512], data[64];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	const struct sock_extended_err *e;
	struct cmsghdr *c;

	if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return errno == EAGAIN ? say("none") : say_error();
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		e = (const void *)CMSG_DATA(c);
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR)
			printf("%u %u\n", e->ee_type, e->ee_code);
	}
	return fflush(stdout);
}

static int talk(const char *address, const char *port, char **options)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(atoi(port)),
	};
	const struct timeval limit = { .tv_sec = WAIT };
	int fd = new_socket(options, 0);
	char line[16];

	if (inet_pton(AF_INET, address, &a.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		die("connect");
	say("open");
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "ask\n"))
			ask(fd);
		else if (!strcmp(line, "errors\n"))
			errors(fd);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 3 && !strcmp(argv[1], "listen"))
		return serve(argv[2], argv + 3);
	if (argc >= 4 && !strcmp(argv[1], "connect"))
		return talk(argv[2], argv[3], argv + 4);
	fputs("talk listen PORT | talk connect ADDRESS PORT\n", stderr);
	return 2;
}
