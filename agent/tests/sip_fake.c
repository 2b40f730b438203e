// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SIP between the hosts of a world: requests that repeat themselves like those
 * of sip_txn.c (RTO doubles, tries, total), and a network that carries every
 * copy and every answer as one message.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define EVENTS 65536

struct sip_txn {
	struct sip_txn *next;
	unsigned int number;
	struct host *host;
	struct sip_request req;
	char body[SIP_BODY];
	uint64_t start, last, again;	/* ms; again 0: no more copies */
	unsigned int rto, sent;
	sip_txn_cb cb;
	void *arg;
};

static struct sip_txn *txns;
static unsigned int next_number = 1;
static struct {
	uint64_t at;
	uint64_t order;
	struct message *m;
} queue[EVENTS];
static unsigned int n_queue;
static uint64_t next_order;

static void push(const struct message *m)
{
	struct message *copy = malloc(sizeof(*copy));
	unsigned int i = n_queue++;

	if (n_queue == EVENTS || !copy)
		abort();
	*copy = *m;
	queue[i].at = world.now + m->delay;
	queue[i].order = next_order++;
	queue[i].m = copy;
}

static void post(struct message *m)
{
	m->delay = world.one_way;
	m->copies = 1;
	m->sent = world.now;
	world.messages++;
	if (world.filter)
		world.filter(m);
	while (m->copies--)
		push(m);
}

static bool is_listening(const struct host *h, const struct addr *a)
{
	unsigned int i;

	for (i = 0; i < h->n_listens; i++)
		if (addr_equal(&h->listens[i], a))
			return true;
	return false;
}

/* Who has this address on a network that works? */
static struct host *find_host(const struct addr *a)
{
	unsigned int i, j;
	struct host *h;

	for (i = 0; i < world.n_hosts; i++) {
		h = &world.hosts[i];
		for (j = 0; j < h->n_addrs; j++)
			if (h->addrs[j].usable && !h->addrs[j].held &&
			    addr_equal(&h->addrs[j].addr, a))
				return h;
	}
	return NULL;
}

static void send_copy(struct sip_txn *t)
{
	static struct message m;

	m.answer = false;
	m.src = t->req.src;
	m.dst = t->req.dst;
	m.len = t->req.len;
	m.txn = t->number;
	memcpy(m.body, t->body, m.len);
	m.body[m.len] = '\0';
	t->last = world.now;
	t->sent++;
	t->again = world.now + t->rto;
	t->rto *= 2;
	if (t->req.tries && t->sent == t->req.tries)
		t->again = 0;
	t->host->sent++;
	if (find_host(&m.src) == t->host)
		post(&m);
}

struct sip_txn *sip_txn_send(const struct sip_request *req, sip_txn_cb cb,
			     void *arg)
{
	struct sip_txn *t;

	if (!is_listening(world.in, &req->src))
		return NULL;
	t = calloc(1, sizeof(*t));
	if (!t || req->len > sizeof(t->body) || req->rto < 20 ||
	    !req->total || req->total > 32000)
		abort();
	t->number = next_number++;
	t->host = world.in;
	t->req = *req;
	memcpy(t->body, req->body, req->len);
	t->start = world.now;
	t->rto = req->rto;
	t->cb = cb;
	t->arg = arg;
	t->next = txns;
	txns = t;
	send_copy(t);
	return t;
}

static void unlink_txn(struct sip_txn *t)
{
	struct sip_txn **p = &txns;

	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
}

void sip_txn_cancel(struct sip_txn *t)
{
	unlink_txn(t);
	free(t);
}

static void finish(struct sip_txn *t, struct sip_answer *ans)
{
	ans->sent = t->sent;
	unlink_txn(t);
	world_enter(t->host);
	t->cb(t->arg, ans);
	free(t);
}

int sip_addr_add(const struct addr *a)
{
	struct host *h = world.in;

	if (world.deaf) {
		world.deaf--;
		return -EADDRNOTAVAIL;
	}
	if (!is_listening(h, a))
		h->listens[h->n_listens++] = *a;
	return 0;
}

void sip_addr_del(const struct addr *a)
{
	struct host *h = world.in;
	unsigned int i;

	for (i = 0; i < h->n_listens; i++)
		if (addr_equal(&h->listens[i], a))
			h->listens[i--] = h->listens[--h->n_listens];
}

/* ------------------------------------------------------------ the network */

static void on_request(const struct message *m)
{
	static struct sip_reply reply;
	static struct message back;
	struct host *h = find_host(&m->dst);
	struct sip_incoming in = {
		.from = { m->src, 5060 }, .to = m->dst,
		.body = m->body, .len = m->len,
	};

	if (!h || !h->so || !is_listening(h, &m->dst))
		return;
	world_enter(h);
	memset(&reply, 0, sizeof(reply));
	if (!h->node_on_info(&in, &reply))
		return;
	back.answer = true;
	back.src = m->dst;
	back.dst = m->src;
	back.status = reply.status;
	back.len = reply.len;
	back.txn = m->txn;
	memcpy(back.body, reply.body, reply.len);
	back.body[reply.len] = '\0';
	post(&back);
}

static void on_response(const struct message *m)
{
	struct sip_answer ans = {
		.why = SIP_ANSWER, .status = m->status,
		.body = m->body, .len = m->len,
	};
	struct sip_txn *t;

	for (t = txns; t; t = t->next)
		if (t->number == m->txn)
			break;
	if (!t || find_host(&m->dst) != t->host)
		return;
	ans.rtt = world.now - t->last;
	finish(t, &ans);
}

static int first_message(void)
{
	int best = -1;
	unsigned int i;

	for (i = 0; i < n_queue; i++)
		if (best < 0 || queue[i].at < queue[best].at ||
		    (queue[i].at == queue[best].at &&
		     queue[i].order < queue[best].order))
			best = i;
	return best;
}

static uint64_t txn_at(const struct sip_txn *t)
{
	uint64_t end = t->start + t->req.total;

	return t->again && t->again < end ? t->again : end;
}

static struct sip_txn *first_txn(void)
{
	struct sip_txn *t, *best = NULL;

	for (t = txns; t; t = t->next)
		if (!best || txn_at(t) < txn_at(best))
			best = t;
	return best;
}

bool sip_fake_step(uint64_t *at)
{
	struct sip_txn *t = first_txn();
	int i = first_message();

	if (i < 0 && !t)
		return false;
	*at = i < 0 ? txn_at(t) : queue[i].at;
	if (t && txn_at(t) < *at)
		*at = txn_at(t);
	return true;
}

static void fire_txn(struct sip_txn *t)
{
	struct sip_answer ans = { .why = SIP_TIMEOUT };

	if (world.now >= t->start + t->req.total)
		finish(t, &ans);
	else
		send_copy(t);
}

void sip_fake_fire(void)
{
	struct sip_txn *t = first_txn();
	int i = first_message();
	struct message *m;

	if (i < 0 || queue[i].at > world.now) {
		fire_txn(t);
		return;
	}
	m = queue[i].m;
	queue[i] = queue[--n_queue];
	if (m->answer)
		on_response(m);
	else
		on_request(m);
	free(m);
}

void sip_fake_kill(struct host *h)
{
	struct sip_txn *t, *next;

	for (t = txns; t; t = next) {
		next = t->next;
		if (t->host == h)
			sip_txn_cancel(t);
	}
	h->n_listens = 0;
}

void sip_fake_end(void)
{
	while (n_queue)
		free(queue[--n_queue].m);
	while (txns)
		sip_txn_cancel(txns);
}
