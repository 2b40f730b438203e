// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes what body.c reads, and the proof that stands in Flow lines. Pure.
 * The order of the fields is the one of Documentation's examples, addresses
 * are in RFC 5952 form.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "scan.h"

struct text {
	char *p;
	size_t size;
	size_t len;
	bool full;
};

__attribute__((format(printf, 2, 3)))
static void put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->full)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->p + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->size - t->len)
		t->full = true;
	else
		t->len += (size_t)n;
}

static void put_endpoint(struct text *t, const struct endpoint *e)
{
	char a[ADDR_TEXT];

	put(t, "[%s]:%u ", addr_format(&e->addr, a), e->port);
}

static void put_mac(struct text *t, const uint8_t mac[16])
{
	char out[23];
	uint32_t acc = 0;
	int bits = 0;
	int n = 0;
	int i;

	for (i = 0; i < 16; i++) {
		acc = acc << 8 | mac[i];
		for (bits += 8; bits >= 6; bits -= 6)
			out[n++] = SCAN_BASE64URL[acc >> (bits - 6) & 0x3f];
	}
	out[n++] = SCAN_BASE64URL[acc << (6 - bits) & 0x3f];
	out[n] = '\0';
	put(t, "mac=%s\r\n", out);
}

static void put_flow(struct text *t, const struct body_flow *f)
{
	put(t, "Flow: tcp ");
	put_endpoint(t, &f->end[0]);
	put_endpoint(t, &f->end[1]);
	if (f->proof == PROOF_ISN)
		put(t, "isn-h=%08x\r\n", f->isn_hash);
	else if (f->proof == PROOF_MAC)
		put_mac(t, f->mac);
	else
		put(t, "link\r\n");
}

static void put_denied(struct text *t, const struct body_flow *f)
{
	static const char *const words[] = {
		[DENIED_UNKNOWN] = "unknown", [DENIED_OWNED] = "owned",
		[DENIED_PROOF] = "proof", [DENIED_LATE] = "late",
		[DENIED_STATE] = "state",
	};

	put(t, "Denied: tcp ");
	put_endpoint(t, &f->end[0]);
	put_endpoint(t, &f->end[1]);
	put(t, "%s\r\n", words[f->denied]);
}

static void put_encaps(struct text *t, const struct body *b)
{
	static const char *const words[] = {
		[ENCAP_NONE] = "", [ENCAP_IPIP] = "ipip",
		[ENCAP_IP6IP6] = "ip6ip6", [ENCAP_4IN6] = "4in6",
		[ENCAP_6IN4] = "6in4", [ENCAP_MINENC] = "minenc",
		[ENCAP_GUE] = "gue",
	};
	unsigned int i;

	for (i = 0; i < b->n_encaps; i++)
		put(t, "%s%s", i ? "," : "Encap: ", words[b->encaps[i]]);
	if (b->n_encaps)
		put(t, "\r\n");
}

static void put_statement(struct text *t, const struct body *b)
{
	static const char *const words[] = {
		[BODY_BIND] = "Bind", [BODY_BOUND] = "Bound",
		[BODY_REFUSED] = "Refused",
	};
	char from[ADDR_TEXT];
	char to[ADDR_TEXT];

	put(t, "%s [%s] to [%s]\r\nVersion: 1\r\n", words[b->kind],
	    addr_format(&b->from, from), addr_format(&b->to, to));
}

static void put_numbers(struct text *t, const struct body *b)
{
	if (b->assoc[0])
		put(t, "Association: %s\r\n", b->assoc);
	if (b->has_seq)
		put(t, "Seq: %u\r\n", b->seq);
	if (b->has_status)
		put(t, "Status: %03u\r\n", b->status);
	if (b->has_lifetime)
		put(t, "Lifetime: %u\r\n", b->lifetime);
	if (b->has_retry)
		put(t, "Retry: %u\r\n", b->retry);
}

static unsigned int count_fields(const struct body *b)
{
	return 1u + !!b->assoc[0] + b->has_seq + b->has_status +
	       b->has_lifetime + b->has_retry + !!b->scope + b->flows_owned +
	       b->lost + b->n_flows + b->n_denied + !!b->n_encaps +
	       !!b->peer.len;
}

/**
 * body_build - write a body
 * @b: what it says; what is absent in it is left out
 * @text: where it goes, not NUL terminated
 * @size: room there; one byte more than the text is needed
 *
 * Return: the length, or -ENOSPC when it does not fit or has more fields than
 * a reader takes.
 */
int body_build(const struct body *b, char *text, size_t size)
{
	struct text t = { .p = text, .size = size, .full = !size };
	char peer[ADDR_TEXT];
	unsigned int i;

	if (count_fields(b) > SCAN_FIELDS)
		return -ENOSPC;
	put_statement(&t, b);
	put_numbers(&t, b);
	if (b->scope)
		put(&t, "Scope: %s\r\n",
		    b->scope == SCOPE_FLOW ? "flow" : "host");
	if (b->flows_owned)
		put(&t, "Flows: owned\r\n");
	if (b->lost)
		put(&t, "Previous: lost\r\n");
	for (i = 0; i < b->n_flows; i++)
		put_flow(&t, &b->flows[i]);
	for (i = 0; i < b->n_denied; i++)
		put_denied(&t, &b->denied[i]);
	put_encaps(&t, b);
	if (b->peer.len)
		put(&t, "Peer: [%s]\r\n", addr_format(&b->peer, peer));
	return t.full ? -ENOSPC : (int)t.len;
}

/* -------------------------------------------------------------- isn-h proof */

static uint8_t *put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, (uint16_t)(v >> 16)), (uint16_t)v);
}

static uint8_t *put_end(uint8_t *p, const struct endpoint *e)
{
	if (e->addr.len == 4) {
		memset(p, 0, 10);
		p[10] = 0xff;
		p[11] = 0xff;
		memcpy(p + 12, e->addr.b, 4);
	} else {
		memcpy(p, e->addr.b, 16);
	}
	return put16(p + 16, e->port);
}

static uint32_t isn_hash(const uint8_t nonce[16], const struct endpoint end[2],
			 uint32_t isn0, uint32_t isn1)
{
	uint8_t in[8 + 16 + 1 + 18 + 18 + 8] = "hmmp1 pf";
	uint8_t out[EVP_MAX_MD_SIZE];
	uint8_t *p = in + 8;

	memcpy(p, nonce, 16);
	p[16] = 6;
	p = put_end(p + 17, &end[0]);
	p = put_end(p, &end[1]);
	p = put32(p, isn0);
	put32(p, isn1);
	/* only fails for want of memory; a wrong hash is then denied */
	if (!EVP_Digest(in, sizeof(in), out, NULL, EVP_sha256(), NULL))
		return 0;
	return (uint32_t)out[0] << 24 | (uint32_t)out[1] << 16 |
	       (uint32_t)out[2] << 8 | out[3];
}

/**
 * body_isn_hash - first four bytes of SHA-256 over a connection's incarnation
 * @assoc: the association; its 12 bytes and four zeros are the nonce
 * @end: both endpoints, the claimant's first
 * @isn0: the claimant's initial sequence number, host byte order
 * @isn1: the other's
 *
 * No protection by itself: both ends mean the same connection, no more.
 */
uint32_t body_isn_hash(const char assoc[ASSOC_ID + 1],
		       const struct endpoint end[2], uint32_t isn0,
		       uint32_t isn1)
{
	struct scan c = { assoc, assoc + ASSOC_ID };
	uint8_t nonce[16] = { 0 };

	if (scan_bytes(&c, nonce, 12))
		return 0;
	return isn_hash(nonce, end, isn0, isn1);
}
