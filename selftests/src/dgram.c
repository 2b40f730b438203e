// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dgram: numbered datagrams, to see which of them arrive and in which order.
 *
 *	dgram listen ADDRESS PORT		prints the number of each, and
 *						sends it back
 *	dgram send ADDRESS PORT FIRST LAST [SIZE]
 *						one a millisecond, or slower
 *	dgram ask ADDRESS PORT SECONDS		until one has come back
 *
 * Started by the scenarios about bound hosts, in the guest.
 */
#include <netdb.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define SIZE_MAX_OF_ONE 1400
#define RECEIVE_BUFFER	(32 << 20)	/* a slow machine loses nothing here */
#define ASK_EVERY_MS	100

static int refuse(void)
{
	fputs("usage: dgram listen ADDRESS PORT\n"
	      "       dgram send ADDRESS PORT FIRST LAST [SIZE]\n"
	      "       dgram ask ADDRESS PORT SECONDS\n", stderr);
	return 2;
}

/* A socket that is bound to an address, or connected to it; or -1. */
static int open_socket(const char *address, const char *port, int passive)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_DGRAM,
	};
	int bytes = RECEIVE_BUFFER;
	struct addrinfo *a;
	int fd, err;

	if (getaddrinfo(address, port, &hints, &a))
		return -1;
	fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	err = passive ? bind(fd, a->ai_addr, a->ai_addrlen) :
			connect(fd, a->ai_addr, a->ai_addrlen);
	freeaddrinfo(a);
	if (!err)
		return fd;
	close(fd);
	return -1;
}

static _Noreturn void answer(int fd)
{
	char buf[SIZE_MAX_OF_ONE + 1];
	struct sockaddr_storage from;
	socklen_t len;
	ssize_t n;

	for (;;) {
		len = sizeof(from);
		n = recvfrom(fd, buf, SIZE_MAX_OF_ONE, 0,
			     (struct sockaddr *)&from, &len);
		if (n < 0)
			continue;	/* an ICMP error about an answer */
		buf[n] = 0;
		printf("%d\n", atoi(buf));
		fflush(stdout);
		sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
}

/* Errors tell of packets before; what gets lost is seen at the other end. */
static int send_all(int fd, int first, int last, size_t size)
{
	const struct timespec gap = { .tv_nsec = NSEC_PER_MSEC };
	char buf[SIZE_MAX_OF_ONE] = "";
	int i;

	if (size < 16 || size > sizeof(buf))
		return refuse();
	for (i = first; i <= last; i++) {
		snprintf(buf, sizeof(buf), "%d", i);
		if (send(fd, buf, size, 0) < 0)
			send(fd, buf, size, 0);
		nanosleep(&gap, NULL);
	}
	return 0;
}

static int ask(int fd, int seconds)
{
	uint64_t end = clock_now() + (uint64_t)seconds * 1000 * NSEC_PER_MSEC;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[16] = "0";

	do {
		if (send(fd, buf, sizeof(buf), 0) < 0)
			continue;
		if (poll(&p, 1, ASK_EVERY_MS) > 0 &&
		    recv(fd, buf, sizeof(buf), 0) > 0)
			return 0;
	} while (clock_now() < end);
	return 1;
}

int main(int argc, char **argv)
{
	int fd;

	if (argc < 4)
		return refuse();
	fd = open_socket(argv[2], argv[3], !strcmp(argv[1], "listen"));
	if (fd < 0) {
		perror(argv[2]);
		return 1;
	}
	if (!strcmp(argv[1], "listen") && argc == 4)
		answer(fd);
	if (!strcmp(argv[1], "send") && (argc == 6 || argc == 7))
		return send_all(fd, atoi(argv[4]), atoi(argv[5]),
				argc == 7 ? (size_t)atoi(argv[6]) : 16);
	if (!strcmp(argv[1], "ask") && argc == 5)
		return ask(fd, atoi(argv[4]));
	return refuse();
}
