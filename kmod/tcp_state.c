// SPDX-License-Identifier: GPL-2.0
/*
 * The state machine of the tracker (Draft 5) as a pure function.
 *
 * The draft's named states follow from six facts a direction: a segment first
 * has to be acceptable (RFC 9293 3.10.7, RFC 5961 3.2), then adds its facts,
 * then the name is derived. So a segment that causes two steps (FIN and ACK
 * of the other FIN) needs no row of its own, and a retransmission adds
 * nothing.
 */
#include <linux/minmax.h>
#include "tcp_state.h"

static u32 seg_end(const struct hmmp_tcp_seg *s)
{
	return s->seq + s->len + !!(s->flags & HMMP_SEG_SYN) +
	       !!(s->flags & HMMP_SEG_FIN);
}

static bool acked(const struct hmmp_tcp_half *h, u32 limit)
{
	return hmmp_tcp_has(h, HMMP_TCP_UNA) && !hmmp_tcp_before(h->una, limit);
}

static bool syn_acked(const struct hmmp_tcp_half *h)
{
	return acked(h, h->isn + 1);
}

static bool fin_acked(const struct hmmp_tcp_half *h)
{
	return hmmp_tcp_has(h, HMMP_TCP_FIN) && acked(h, h->fin);
}

/* Draft 5: the name of what the two directions show. */
static u8 opening_state(const struct hmmp_tcp *t)
{
	const struct hmmp_tcp_half *o = &t->half[HMMP_DIR_OUT];
	const struct hmmp_tcp_half *i = &t->half[HMMP_DIR_IN];
	int syns = hmmp_tcp_has(o, HMMP_TCP_SYN) +
		   hmmp_tcp_has(i, HMMP_TCP_SYN);

	if (!syns)
		return HMMP_TCP_STATE_NONE;
	if (syns == 1)
		return HMMP_TCP_STATE_SETUP_REQ;
	if (!syn_acked(o) || !syn_acked(i))
		return HMMP_TCP_STATE_SETUP_PROG;
	return HMMP_TCP_STATE_ESTABLISHED;
}

/**
 * hmmp_tcp_state - the draft's name for what has been seen
 * @t: connection
 *
 * Return: HMMP_TCP_STATE_*.
 */
u8 hmmp_tcp_state(const struct hmmp_tcp *t)
{
	const struct hmmp_tcp_half *o = &t->half[HMMP_DIR_OUT];
	const struct hmmp_tcp_half *i = &t->half[HMMP_DIR_IN];
	bool both = fin_acked(o) && fin_acked(i);
	int fins = hmmp_tcp_has(o, HMMP_TCP_FIN) +
		   hmmp_tcp_has(i, HMMP_TCP_FIN);
	u8 open = HMMP_TCP_STATE_ESTABLISHED;

	if (t->reset)
		return HMMP_TCP_STATE_DISCONNECT;
	if (!t->picked)
		open = opening_state(t);
	if (open != HMMP_TCP_STATE_ESTABLISHED || !fins)
		return open;
	if (fins == 2)
		return both ? HMMP_TCP_STATE_DISCONNECT :
			      HMMP_TCP_STATE_RELEASE_ACCEPT;
	if (fin_acked(o) || fin_acked(i))
		return HMMP_TCP_STATE_RELEASE_ACK;
	return HMMP_TCP_STATE_RELEASE_REQ;
}

/*
 * RFC 5961 3.2: a RST counts only at the very next sequence number; while only
 * our SYN is known, only if it acknowledges it. What the receiver expects next
 * lies between what it has acknowledged and what has been sent; a tracker in
 * the middle takes either end of that.
 */
static bool rst_valid(const struct hmmp_tcp *t, const struct hmmp_tcp_seg *s)
{
	const struct hmmp_tcp_half *own = &t->half[s->dir];
	const struct hmmp_tcp_half *other = &t->half[!s->dir];

	if (t->state == HMMP_TCP_STATE_NONE)
		return false;
	if (!hmmp_tcp_has(own, HMMP_TCP_END | HMMP_TCP_UNA))
		return (s->flags & HMMP_SEG_ACK) && s->ack == other->end &&
		       hmmp_tcp_has(other, HMMP_TCP_SYN);
	return (hmmp_tcp_has(own, HMMP_TCP_END) && s->seq == own->end) ||
	       (hmmp_tcp_has(own, HMMP_TCP_UNA) && s->seq == own->una);
}

static bool syn_valid(const struct hmmp_tcp *t, const struct hmmp_tcp_seg *s)
{
	const struct hmmp_tcp_half *own = &t->half[s->dir];
	const struct hmmp_tcp_half *other = &t->half[!s->dir];

	if (hmmp_tcp_has(own, HMMP_TCP_SYN) && own->isn != s->seq)
		return false;
	if (s->flags & HMMP_SEG_ACK)
		return hmmp_tcp_has(other, HMMP_TCP_SYN) &&
		       s->ack == other->isn + 1;
	switch (t->state) {
	case HMMP_TCP_STATE_NONE:
	case HMMP_TCP_STATE_SETUP_REQ:	/* again, or simultaneous open */
	case HMMP_TCP_STATE_SETUP_PROG:
		return true;
	default:			/* challenge ACKs are TCP's job */
		return false;
	}
}

/* In the window, and acknowledging nothing that has not been sent. */
static bool data_valid(const struct hmmp_tcp *t, const struct hmmp_tcp_seg *s)
{
	const struct hmmp_tcp_half *own = &t->half[s->dir];
	const struct hmmp_tcp_half *other = &t->half[!s->dir];
	u32 behind = max_t(u32, own->window, 1 << 16);

	if (!t->picked && (!hmmp_tcp_has(own, HMMP_TCP_SYN) ||
			   !hmmp_tcp_has(other, HMMP_TCP_SYN)))
		return false;
	if ((s->flags & HMMP_SEG_ACK) && hmmp_tcp_has(other, HMMP_TCP_END) &&
	    hmmp_tcp_before(other->end, s->ack))
		return false;
	if (!hmmp_tcp_has(own, HMMP_TCP_UNA))
		return true;
	return !hmmp_tcp_before(s->seq + behind, own->una) &&
	       !hmmp_tcp_before(own->una + behind, seg_end(s));
}

static bool acceptable(const struct hmmp_tcp *t, const struct hmmp_tcp_seg *s)
{
	if (s->flags & HMMP_SEG_RST)
		return rst_valid(t, s);
	if (s->flags & HMMP_SEG_SYN)
		return syn_valid(t, s);
	return data_valid(t, s);
}

/* A later connection between the same ends (RFC 9293 3.6.1). */
static bool new_incarnation(const struct hmmp_tcp *t,
			    const struct hmmp_tcp_seg *s)
{
	const struct hmmp_tcp_half *own = &t->half[s->dir];

	return t->state == HMMP_TCP_STATE_DISCONNECT &&
	       (s->flags & (HMMP_SEG_SYN | HMMP_SEG_ACK | HMMP_SEG_RST)) ==
	       HMMP_SEG_SYN &&
	       (!hmmp_tcp_has(own, HMMP_TCP_END) ||
		hmmp_tcp_before(own->end, s->seq));
}

static void learn_sent(struct hmmp_tcp_half *own, const struct hmmp_tcp_seg *s)
{
	u32 end = seg_end(s);

	if ((s->flags & HMMP_SEG_SYN) && !hmmp_tcp_has(own, HMMP_TCP_SYN)) {
		own->isn = s->seq;
		own->scale = s->scale;
		own->known |= HMMP_TCP_SYN;
	}
	if (!hmmp_tcp_has(own, HMMP_TCP_END) || hmmp_tcp_before(own->end, end))
		own->end = end;
	own->known |= HMMP_TCP_END;
	if ((s->flags & HMMP_SEG_FIN) && !hmmp_tcp_has(own, HMMP_TCP_FIN)) {
		own->fin = end;
		own->known |= HMMP_TCP_FIN;
	}
}

static void learn_acked(struct hmmp_tcp_half *other, u8 scale,
			const struct hmmp_tcp_seg *s)
{
	u32 window = s->window;

	if (!(s->flags & HMMP_SEG_SYN))
		window <<= scale;
	other->window = max(other->window, window);
	if (!(s->flags & HMMP_SEG_ACK))
		return;
	if (!hmmp_tcp_has(other, HMMP_TCP_UNA) ||
	    hmmp_tcp_before(other->una, s->ack))
		other->una = s->ack;
	other->known |= HMMP_TCP_UNA;
}

/**
 * hmmp_tcp_step - add what a segment shows
 * @t: connection, zeroed before its first segment
 * @s: segment
 *
 * A segment that is not acceptable changes nothing.
 *
 * Return: the state after it, HMMP_TCP_STATE_*.
 */
u8 hmmp_tcp_step(struct hmmp_tcp *t, const struct hmmp_tcp_seg *s)
{
	if (new_incarnation(t, s))
		*t = (struct hmmp_tcp){};
	if (!acceptable(t, s))
		return t->state;
	if (s->flags & HMMP_SEG_RST) {
		t->reset = true;
	} else {
		learn_sent(&t->half[s->dir], s);
		learn_acked(&t->half[!s->dir], t->half[s->dir].scale, s);
	}
	t->state = hmmp_tcp_state(t);
	return t->state;
}
