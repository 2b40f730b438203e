// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IP addresses and prefixes as the agent holds them: bytes in network order,
 * compared as bytes and never as text. Pure; used by everybody.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
static const uint8_t loopback6[16] = { [15] = 1 };

/**
 * addr_parse - an address from its text
 * @text: dotted quad or RFC 5952, no brackets, no zone id
 * @a: the result; untouched on failure
 *
 * ::ffff:a.b.c.d is refused: it would be a second name for an IPv4 address.
 *
 * Return: 0 or -EINVAL.
 */
int addr_parse(const char *text, struct addr *a)
{
	struct addr tmp = { 0 };

	if (inet_pton(AF_INET, text, tmp.b) == 1)
		tmp.len = 4;
	else if (inet_pton(AF_INET6, text, tmp.b) == 1)
		tmp.len = 16;
	else
		return -EINVAL;
	if (tmp.len == 16 && !memcmp(tmp.b, mapped, sizeof(mapped)))
		return -EINVAL;
	*a = tmp;
	return 0;
}

/**
 * addr_format - the text of an address
 * @a: the address
 * @text: where it goes; "none" when @a is none
 *
 * Return: @text.
 */
const char *addr_format(const struct addr *a, char text[ADDR_TEXT])
{
	if (a->len == 4)
		inet_ntop(AF_INET, a->b, text, ADDR_TEXT);
	else if (a->len == 16)
		inet_ntop(AF_INET6, a->b, text, ADDR_TEXT);
	else
		strcpy(text, "none");
	return text;
}

/** addr_equal - same family and same bytes; none equals none */
bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->len == b->len && !memcmp(a->b, b->b, a->len);
}

static bool unicast4(const uint8_t *b)
{
	return b[0] != 0 && b[0] != 127 && b[0] < 224;
}

static bool unicast6(const uint8_t *b)
{
	static const uint8_t any[16];

	return b[0] != 0xff && memcmp(b, any, 16) &&
	       memcmp(b, loopback6, 16) && memcmp(b, mapped, 12);
}

/**
 * addr_is_unicast - could it be the address of one host on a network
 * @a: the address
 *
 * Not unspecified, loopback, multicast, broadcast or reserved.
 */
bool addr_is_unicast(const struct addr *a)
{
	if (a->len == 4)
		return unicast4(a->b);
	return a->len == 16 && unicast6(a->b);
}

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int whole = bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> (bits % 8));

	if (memcmp(a, b, whole))
		return false;
	return !mask || !((a[whole] ^ b[whole]) & mask);
}

static int parse_bits(const char *text, const struct addr *a, uint8_t *bits)
{
	char *end;
	long n;
	unsigned int i;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	n = strtol(text, &end, 10);
	if (*end || end - text > 3)
		return -EINVAL;
	if (n > a->len * 8)
		return -ERANGE;
	for (i = (unsigned int)n; i < a->len * 8u; i++)
		if (a->b[i / 8] & (0x80 >> (i % 8)))
			return -ERANGE;
	*bits = (uint8_t)n;
	return 0;
}

/**
 * prefix_parse - "address/bits", or an address alone for that host
 * @text: the text
 * @p: the result; untouched on failure
 *
 * Return: 0, -EINVAL when it is not a prefix, -ERANGE when there are too many
 * bits or bits of the address are set beyond them.
 */
int prefix_parse(const char *text, struct prefix *p)
{
	const char *slash = strchr(text, '/');
	char host[ADDR_TEXT];
	struct prefix tmp;
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	int err;

	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	err = addr_parse(host, &tmp.addr);
	if (err)
		return err;
	tmp.bits = tmp.addr.len * 8;
	if (slash)
		err = parse_bits(slash + 1, &tmp.addr, &tmp.bits);
	if (!err)
		*p = tmp;
	return err;
}

/** prefix_has - does @p cover @a; never across families */
bool prefix_has(const struct prefix *p, const struct addr *a)
{
	return a->len && p->addr.len == a->len &&
	       bits_equal(p->addr.b, a->b, p->bits);
}
