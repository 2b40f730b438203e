// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SIP as hmmpd speaks it: the library's agent, one UDP transport per address
 * of this host, and what happens to an INFO before a role sees it.
 *
 * There is no default leg and no server transaction: every request comes to
 * on_message() and is answered there without state. A repeated request is a
 * matter of its Seq, which the role judges, and not of the transaction layer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "scan.h"
#include "sip.h"
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>

#define UNUSED_MAX	64	/* transports of addresses that are gone */

/* A transport. The library cannot close one, so it stays when the address goes. */
struct bound {
	struct bound *next;
	struct addr addr;
	char ident[ADDR_TEXT];
	bool used;
};

static nta_agent_t *agent;
static sip_handler handle;
static struct bound *bounds;
static uint16_t port;

nta_agent_t *sip_agent(void)
{
	return agent;
}

uint16_t sip_port(void)
{
	return port;
}

/** sip_token - 128 bits of getrandom() as 22 characters of base64url */
void sip_token(char token[SIP_TOKEN])
{
	static const char set[] = SCAN_BASE64URL;
	uint8_t raw[SIP_TOKEN - 1];
	unsigned int i;

	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		abort();	/* cannot happen for so few bytes */
	for (i = 0; i < sizeof(raw); i++)
		token[i] = set[raw[i] & 0x3f];
	token[i] = '\0';
}

/** sip_source - where a message came from, by its datagram */
void sip_source(msg_t *msg, struct endpoint *from)
{
	const su_sockaddr_t *su = msg_addr(msg);

	memset(from, 0, sizeof(*from));
	if (su->su_family == AF_INET) {
		from->addr.len = 4;
		memcpy(from->addr.b, &su->su_sin.sin_addr, 4);
	} else {
		from->addr.len = 16;
		memcpy(from->addr.b, &su->su_sin6.sin6_addr, 16);
	}
	from->port = ntohs(su->su_port);
}

/* ---------------------------------------------------------------- transports */

static struct bound *find(const struct addr *a)
{
	struct bound *b;

	for (b = bounds; b && !addr_equal(&b->addr, a); b = b->next)
		;
	return b;
}

/** sip_ident - the name of the transport to send from @a with, or NULL */
const char *sip_ident(const struct addr *a)
{
	struct bound *b = find(a);

	return b && b->used ? b->ident : NULL;
}

static int bind_transport(struct bound *b)
{
	char url[ADDR_TEXT + 40];

	snprintf(url, sizeof(url),
		 b->addr.len == 4 ? "sip:%s:%u;transport=udp" :
				    "sip:[%s]:%u;transport=udp",
		 b->ident, port);
	/* the first transport of all decides about STUN, not the agent */
	if (nta_agent_add_tport(agent, URL_STRING_MAKE(url),
				TPTAG_IDENT(b->ident), TPTAG_STUN_SERVER(0),
				TAG_END()) < 0)
		return errno ? -errno : -EADDRNOTAVAIL;
	return 0;
}

/*
 * Closes all transports and opens those again that are used: the only way to
 * get rid of the others. Only while no request is pending.
 */
static void compact(void)
{
	struct bound **at = &bounds;
	struct bound *b;
	int err;

	nta_agent_close_tports(agent);
	while ((b = *at)) {
		err = b->used ? bind_transport(b) : 0;
		if (err)
			log_print(LOG_WARN, "cannot listen on %s again: %s",
				  b->ident, strerror(-err));
		if (b->used && !err) {
			at = &b->next;
			continue;
		}
		*at = b->next;
		free(b);
	}
}

static void compact_if_many(void)
{
	unsigned int unused = 0;
	struct bound *b;

	for (b = bounds; b; b = b->next)
		unused += !b->used;
	if (unused > UNUSED_MAX && sip_txn_idle())
		compact();
}

/**
 * sip_addr_add - listen on an address of this host, and send from it
 * @a: the address; adding it again is no error
 *
 * Return: 0 or -errno; -EADDRNOTAVAIL while it is not (yet) usable.
 */
int sip_addr_add(const struct addr *a)
{
	struct bound *b = find(a);
	int err;

	if (b) {
		b->used = true;
		return 0;
	}
	compact_if_many();
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->addr = *a;
	addr_format(a, b->ident);
	err = bind_transport(b);
	if (err) {
		free(b);
		return err;
	}
	b->used = true;
	b->next = bounds;
	bounds = b;
	return 0;
}

/**
 * sip_addr_del - do not send from an address any more
 * @a: the address, which has left this host or is about to
 */
void sip_addr_del(const struct addr *a)
{
	struct bound *b = find(a);

	if (b)
		b->used = false;
}

/* ------------------------------------------------------------------ requests */

/* An answer that is made here, before any role is asked. */
struct verdict {
	int status;		/* 0: none, let the role see it */
	const char *phrase;
};

static struct verdict judge_media(const sip_t *sip)
{
	const sip_content_type_t *type = sip->sip_content_type;
	const sip_content_encoding_t *enc = sip->sip_content_encoding;
	const char *version;

	if (enc && enc->k_items &&
	    (strcasecmp(enc->k_items[0], "identity") || enc->k_items[1]))
		return (struct verdict){ 400, "Bad Content-Encoding" };
	if (type && !strncasecmp(type->c_type, "multipart/", 10))
		return (struct verdict){ 400, "Bad Content-Type" };
	if (!type || strcasecmp(type->c_type, SIP_MEDIA))
		return (struct verdict){ SIP_415_UNSUPPORTED_MEDIA };
	version = msg_params_find(type->c_params, "version=");
	if (version && strcmp(version, "1") && strcmp(version, "\"1\""))
		return (struct verdict){ SIP_415_UNSUPPORTED_MEDIA };
	return (struct verdict){ 0 };
}

static struct verdict judge(msg_t *msg, const sip_t *sip)
{
	if (sip->sip_error)
		return (struct verdict){ 400, "Bad Header" };
	if (sip->sip_request->rq_method != sip_method_info)
		return (struct verdict){ SIP_405_METHOD_NOT_ALLOWED };
	if (sip->sip_require)
		return (struct verdict){ SIP_420_BAD_EXTENSION };
	if (sip->sip_to->a_tag)
		return (struct verdict){ SIP_481_NO_TRANSACTION };
	if (msg_size(msg) > SIP_DATAGRAM ||
	    (sip->sip_payload && sip->sip_payload->pl_len > SIP_BODY))
		return (struct verdict){ SIP_413_REQUEST_TOO_LARGE };
	if (!sip->sip_payload || !sip->sip_payload->pl_len)
		return (struct verdict){ 400, "Body missing" };
	return judge_media(sip);
}

static void refuse(msg_t *msg, const sip_t *sip, struct verdict v)
{
	struct endpoint from;
	bool is405 = v.status == 405;
	bool is415 = v.status == 415;
	bool is420 = v.status == 420;

	sip_source(msg, &from);
	if (!sip_limit_take(&from.addr, loop_now())) {
		msg_destroy(msg);
		return;
	}
	nta_msg_treply(agent, msg, v.status, v.phrase,
		       TAG_IF(is405, SIPTAG_ALLOW_STR("INFO")),
		       TAG_IF(is415, SIPTAG_ACCEPT_STR(SIP_MEDIA_V1)),
		       TAG_IF(is420, SIPTAG_UNSUPPORTED(sip->sip_require)),
		       TAG_END());
}

/* Sends what a role said; refusals are limited like our own. */
static void answer(msg_t *msg, const struct endpoint *from,
		   const struct sip_reply *r)
{
	sip_payload_t *body = NULL;

	if (r->len)
		body = sip_payload_create(msg_home(msg), r->body,
					  (isize_t)r->len);
	if (r->status >= 300 &&
	    !sip_limit_take(&from->addr, loop_now())) {
		msg_destroy(msg);
		return;
	}
	nta_msg_treply(agent, msg, r->status, r->phrase,
		       TAG_IF(r->headers[0], SIPTAG_HEADER_STR(r->headers)),
		       TAG_IF(body, SIPTAG_CONTENT_TYPE_STR(SIP_MEDIA_V1)),
		       TAG_IF(body, SIPTAG_PAYLOAD(body)),
		       TAG_END());
}

static void ask_role(msg_t *msg, const sip_t *sip)
{
	const tport_t *tp = tport_delivered_by(nta_agent_tports(agent), msg);
	struct sip_reply *reply = calloc(1, sizeof(*reply));
	struct sip_incoming in = {
		.body = sip->sip_payload->pl_data,
		.len = sip->sip_payload->pl_len,
	};

	sip_source(msg, &in.from);
	if (!reply || !tp || addr_parse(tport_name(tp)->tpn_ident, &in.to) ||
	    !handle(&in, reply))
		msg_destroy(msg);
	else
		answer(msg, &in.from, reply);
	free(reply);
}

/*
 * Via's maddr would send the answer to a third party. sip_filter.c has made
 * such a Via an error, but there may be another one behind it.
 */
static bool must_be_dropped(const sip_t *sip)
{
	const sip_header_t *h = (const sip_header_t *)sip->sip_error;
	const char *name;

	for (; h; h = h->sh_next) {
		/* a broken header is here as itself or only by its name */
		name = h->sh_class == sip_error_class ? h->sh_error->er_name :
			h->sh_class->hc_name;
		if (name && !strcasecmp(name, "Via"))
			return true;
	}
	return sip->sip_via->v_maddr || sip->sip_via->v_ttl ||
	       sip->sip_request->rq_method == sip_method_ack;
}

/* The library's callback for everything that belongs to nothing. */
static int on_message(nta_agent_magic_t *magic, nta_agent_t *nta, msg_t *msg,
		      sip_t *sip)
{
	struct verdict v;

	if (sip->sip_status) {
		sip_txn_on_answer(msg, sip);
		msg_destroy(msg);
		return 0;
	}
	if (must_be_dropped(sip)) {
		msg_destroy(msg);
		return 0;
	}
	v = judge(msg, sip);
	if (v.status)
		refuse(msg, sip, v);
	else
		ask_role(msg, sip);
	return 0;
}

/* ------------------------------------------------------------- start and end */

__attribute__((format(printf, 2, 0)))
static void on_library_log(void *stream, const char *fmt, va_list ap)
{
	char line[256];

	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\r\n")] = '\0';
	if (line[0])
		log_print(LOG_TRACE, "sofia-sip: %s", line);
}

/**
 * sip_init - start to speak SIP; no address is bound yet
 * @udp_port: UDP port, ours and every peer's
 * @handler: gets each INFO whose headers are right
 *
 * Return: 0 or -errno. Call loop_init() before.
 */
int sip_init(uint16_t udp_port, sip_handler handler)
{
	port = udp_port;
	handle = handler;
	su_log_redirect(NULL, on_library_log, NULL);
	agent = nta_agent_create(loop_root(), (url_string_t *)-1, on_message,
				 NULL,
				 NTATAG_MCLASS(sip_filter_mclass()),
				 NTATAG_BAD_REQ_MASK(0),
				 NTATAG_SERVER_RPORT(2),
				 NTATAG_CLIENT_RPORT(1),
				 NTATAG_USE_NAPTR(0), NTATAG_USE_SRV(0),
				 NTATAG_UDP_MTU(65535),
				 TAG_END());
	return agent ? 0 : -ENOMEM;
}

/** sip_exit - stop; transactions that are pending are forgotten */
void sip_exit(void)
{
	struct bound *b;

	sip_txn_exit();
	if (agent)
		nta_agent_destroy(agent);
	agent = NULL;
	while ((b = bounds)) {
		bounds = b->next;
		free(b);
	}
}
