// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SIP listens on every usable address of this host, and since when each is
 * usable is remembered: hand-offs are measured from that moment. node.c calls
 * it when rtnetlink has changed.
 */
#include "agent.h"

#define LISTENS 64

static struct {
	struct addr addr;
	uint64_t since;			/* ms, loop_now() */
	bool open;			/* SIP has it */
	bool seen;
} listens[LISTENS];
static unsigned int n_listens;

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
	       __builtin_memcmp(b, loopback6, 16);
}

static void add(const struct addr *a)
{
	char text[ADDR_TEXT];
	int i = find(a);

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
	listens[i].open = !sip_addr_add(a);
	if (!listens[i].open)
		log_print(LOG_INFO, "SIP cannot listen on %s yet",
			  addr_format(a, text));
}

static void drop(unsigned int i)
{
	if (listens[i].open)
		sip_addr_del(&listens[i].addr);
	listens[i] = listens[--n_listens];
}

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
}
