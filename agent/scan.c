// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A cursor over text that came from elsewhere, and the pieces of the grammar:
 * words, numbers, addresses, endpoints. Pure. Whatever returns an int returns
 * 0, -EINVAL for bad form or -ERANGE for a number out of range; after a
 * failure the cursor is of no use.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "scan.h"

/** scan_left - bytes that are left */
size_t scan_left(const struct scan *c)
{
	return (size_t)(c->end - c->p);
}

/** scan_at_end - nothing is left */
bool scan_at_end(const struct scan *c)
{
	return c->p == c->end;
}

/** scan_span - length of the run of characters of @set that follows */
size_t scan_span(const struct scan *c, const char *set)
{
	size_t n = 0;

	while (n < scan_left(c) && c->p[n] && strchr(set, c->p[n]))
		n++;
	return n;
}

/** scan_word - take @word if it follows; case does not matter */
bool scan_word(struct scan *c, const char *word)
{
	size_t n = strlen(word);

	if (scan_left(c) < n || strncasecmp(c->p, word, n))
		return false;
	c->p += n;
	return true;
}

/**
 * scan_number - a decimal number
 * @c: the cursor
 * @digits: how many it may have at most; leading zeros count
 * @min: least value
 * @max: greatest value
 * @out: the number; untouched on failure
 */
int scan_number(struct scan *c, size_t digits, uint64_t min, uint64_t max,
		uint64_t *out)
{
	size_t n = scan_span(c, "0123456789");
	uint64_t v = 0;

	if (!n || n > digits)
		return -EINVAL;
	while (n--)
		v = v * 10 + (uint64_t)(*c->p++ - '0');
	if (v < min || v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

/** scan_hex32 - eight hex digits */
int scan_hex32(struct scan *c, uint32_t *out)
{
	uint32_t v = 0;
	int i;
	int d;

	if (scan_span(c, "0123456789abcdefABCDEF") != 8)
		return -EINVAL;
	for (i = 0; i < 8; i++) {
		d = tolower((unsigned char)*c->p++);
		v = v << 4 | (uint32_t)(d <= '9' ? d - '0' : d - 'a' + 10);
	}
	*out = v;
	return 0;
}

/**
 * scan_bytes - base64url without padding
 * @c: the cursor
 * @out: the bytes
 * @len: how many; bits beyond them must be zero, so each value has one text
 */
int scan_bytes(struct scan *c, uint8_t *out, size_t len)
{
	static const char set[] = SCAN_BASE64URL;
	size_t chars = (len * 8 + 5) / 6;
	uint32_t acc = 0;
	int bits = 0;

	if (scan_span(c, set) != chars)
		return -EINVAL;
	while (chars--) {
		acc = acc << 6 | (uint32_t)(strchr(set, *c->p++) - set);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*out++ = (uint8_t)(acc >> bits);
		}
	}
	return acc & ((1u << bits) - 1) ? -EINVAL : 0;
}

static int to_addr(const char *p, size_t n, struct addr *a)
{
	char text[ADDR_TEXT];

	if (!n || n >= sizeof(text))
		return -EINVAL;
	memcpy(text, p, n);
	text[n] = '\0';
	return addr_parse(text, a);
}

/** scan_addr - "[" ip-address "]", no zone id, nothing IPv4-mapped */
int scan_addr(struct scan *c, struct addr *a)
{
	const char *close;
	int err;

	if (!scan_word(c, "["))
		return -EINVAL;
	close = memchr(c->p, ']', scan_left(c));
	if (!close)
		return -EINVAL;
	err = to_addr(c->p, (size_t)(close - c->p), a);
	c->p = close + 1;
	return err;
}

/** scan_addr_bare - scan_addr, or an IPv4 address that lacks its brackets */
int scan_addr_bare(struct scan *c, struct addr *a)
{
	size_t n = scan_span(c, "0123456789.");
	int err;

	if (!n)
		return scan_addr(c, a);
	err = to_addr(c->p, n, a);
	c->p += n;
	return err;
}

/** scan_endpoint - an address, a colon, and a port from 1 */
int scan_endpoint(struct scan *c, struct endpoint *e)
{
	uint64_t port;
	int err = scan_addr(c, &e->addr);

	if (err)
		return err;
	if (!scan_word(c, ":"))
		return -EINVAL;
	err = scan_number(c, 5, 1, 65535, &port);
	if (!err)
		e->port = (uint16_t)port;
	return err;
}

/* The length of the UTF-8 sequence at s, or 0: it is none. RFC 3629 4. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 :
		s[0] < 0xf5 ? 4 : 0;
	size_t i;

	if (!len || len > n)
		return 0;
	for (i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

/** scan_is_text - all that is left is printable ASCII or other UTF-8 */
bool scan_is_text(const struct scan *c)
{
	const unsigned char *s = (const unsigned char *)c->p;
	size_t n = scan_left(c);
	size_t len;

	for (; n; s += len, n -= len) {
		len = *s >= 0x20 && *s < 0x7f ? 1 : utf8_length(s, n);
		if (!len)
			return false;
	}
	return true;
}
