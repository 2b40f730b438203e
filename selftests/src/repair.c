// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * repair LOCAL PORT REMOTE PORT: a TCP socket that says it is connected, put
 * together by TCP_REPAIR; nothing is sent for it. The addresses may be anybody's.
 * Says "open", and what a line then makes of it:
 *
 *	on, off		repair mode, as between checkpoint and restore
 *
 * Until its input ends.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int refuse(const char *what)
{
	perror(what);
	return 1;
}

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

/* -1: without a window probe. */
static int repair(int fd, int on)
{
	return set(fd, IPPROTO_TCP, TCP_REPAIR, on ? 1 : -1);
}

static int end(struct sockaddr_in *a, const char *addr, const char *port)
{
	*a = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(atoi(port)),
	};
	return inet_pton(AF_INET, addr, &a->sin_addr) != 1;
}

int main(int argc, char **argv)
{
	struct sockaddr_in l, r;
	char line[16];
	int fd;

	if (argc != 5 || end(&l, argv[1], argv[2]) ||
	    end(&r, argv[3], argv[4])) {
		fputs("repair LOCAL PORT REMOTE PORT\n", stderr);
		return 2;
	}
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || set(fd, IPPROTO_IP, IP_TRANSPARENT, 1) ||
	    set(fd, SOL_SOCKET, SO_REUSEADDR, 1) || repair(fd, 1))
		return refuse("socket");
	if (bind(fd, (struct sockaddr *)&l, sizeof(l)) ||
	    connect(fd, (struct sockaddr *)&r, sizeof(r)) || repair(fd, 0))
		return refuse("connection");
	puts("open");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (repair(fd, !strncmp(line, "on", 2)))
			return refuse("repair");
		fputs(line, stdout);
		fflush(stdout);
	}
	return repair(fd, 1) ? refuse("end") : 0;
}
