// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SIP listens on every usable address of this host, and since when each is
 * usable is remembered: hand-offs are measured from that moment. node.c calls
 * it when rtnetlink has changed.
 */
#include <string.h>

#include "roles.h"

#define LISTENS 64
#define AGAIN_MIN 10			/* ms; an address comes before its route */
#define AGAIN_MAX 2000

static struct {
	struct addr addr;
	uint64_t since;			/* ms, loop_now() */
	bool open;			/* SIP has it */
	bool seen;
} listens[LISTENS];
static unsigned int n_listens;
static struct timer timer;
static unsigned int again;		/* ms */

static int find(const struct addr *a)
{
	unsigned int i;

	for (i = 0; i < n_listens; i++)
		if (addr_equal(&listens[i].addr, a))
			return i;
	return -1;
}

/* Link-local addresses have no use without their interface. */
static bool is_wanted(const struct link_addr *l)
{
	static const uint8_t loopback6[16] = { [15] = 1 };
	const uint8_t *b = l->addr.b;

	if (!l->usable || l->held)
		return false;
	if (l->addr.len == 4)
		return b[0] != 127 && !(b[0] == 169 && b[1] == 254);
	return !(b[0] == 0xfe && (b[1] & 0xc0) == 0x80) &&
	       memcmp(b, loopback6, 16);
}

static void add(const struct addr *a)
{
	char text[ADDR_TEXT];
	int i = find(a);
	int err;

	if (i < 0) {
		if (n_listens == LISTENS)
			return;
		i = n_listens++;
		listens[i].addr = *a;
		listens[i].since = loop_now();
		listens[i].open = false;
	}
	listens[i].seen = true;
	if (listens[i].open)
		return;
	err = sip_addr_add(a);
	listens[i].open = !err;
	if (err && !again)
		log_print(LOG_INFO, "SIP cannot listen on %s yet: %s",
			  addr_format(a, text), strerror(-err));
}

/* Is one of them not open, the kernel being late? */
static bool is_lacking(void)
{
	unsigned int i;

	for (i = 0; i < n_listens; i++)
		if (!listens[i].open)
			return true;
	return false;
}

static void on_again(struct timer *t)
{
	listen_sync();
}

static void try_again(void)
{
	again = again ? 2 * again : AGAIN_MIN;
	if (again > AGAIN_MAX)
		again = AGAIN_MAX;
	timer.fire = on_again;
	timer_set(&timer, again);
}

static void drop(unsigned int i)
{
	if (listens[i].open)
		sip_addr_del(&listens[i].addr);
	listens[i] = listens[--n_listens];
}

/**
 * listen_sync - follow the addresses of this host
 *
 * New ones are opened, vanished ones closed. One that cannot be bound yet is
 * tried again by itself: no further event need come.
 */
void listen_sync(void)
{
	const struct link_addr *l;
	unsigned int i, n;

	for (i = 0; i < n_listens; i++)
		listens[i].seen = false;
	l = link_addrs(&n);
	for (i = 0; i < n; i++)
		if (is_wanted(&l[i]))
			add(&l[i].addr);
	for (i = n_listens; i-- > 0;)
		if (!listens[i].seen)
			drop(i);
	if (is_lacking()) {
		try_again();
	} else {
		again = 0;
		timer_stop(&timer);
	}
}

uint64_t listen_since(const struct addr *a)
{
	int i = find(a);

	return i < 0 ? 0 : listens[i].since;
}

void listen_exit(void)
{
	while (n_listens)
		drop(n_listens - 1);
	timer_stop(&timer);
	again = 0;
}
