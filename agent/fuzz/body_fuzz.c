// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parser of bodies: no input harms it, its phrase is printable, and what
 * it accepts is built and read back equal.
 */
#include <stdlib.h>

#include "../body.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_phrase(const char *err)
{
	if (!*err)
		abort();
	for (; *err; err++)
		if (*err < ' ' || *err > '~')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct body a, b;
	char text[2 * SIP_BODY];
	char err[64] = "";
	int len;

	if (body_parse((const char *)data, size, &a, err, sizeof(err))) {
		check_phrase(err);
		return 0;
	}
	len = body_build(&a, text, sizeof(text));
	if (len < 0)
		abort();
	if (has_encap(&a, ENCAP_GUE))
		return 0;	/* its port is not kept */
	if (body_parse(text, (size_t)len, &b, err, sizeof(err)) ||
	    memcmp(&a, &b, sizeof(a)))
		abort();
	return 0;
}
