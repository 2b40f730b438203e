/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of a TCP connection as a pure function of what has been seen of
 * it (Draft 5). No locks, no clock, no socket: the caller owns the structure.
 */
#ifndef _HMMP_TCP_STATE_H
#define _HMMP_TCP_STATE_H

#include <linux/hmmp.h>
#include <linux/string.h>
#include <linux/types.h>

enum hmmp_dir { HMMP_DIR_OUT, HMMP_DIR_IN, HMMP_DIRS };

/* Which of the sequence facts of a direction are known. */
#define HMMP_TCP_SYN	0x01	/* isn */
#define HMMP_TCP_FIN	0x02	/* fin */
#define HMMP_TCP_UNA	0x04	/* una */
#define HMMP_TCP_END	0x08	/* end */

/**
 * struct hmmp_tcp_half - what has been seen of one direction
 * @isn: initial sequence number
 * @end: highest sequence number after a segment
 * @una: highest acknowledgment of it (seen in the other direction)
 * @fin: sequence number after its FIN
 * @window: largest window offered for it (in the other direction), bytes
 * @known: which of the above, HMMP_TCP_*
 * @scale: window scale that this side offered in its SYN
 */
struct hmmp_tcp_half {
	u32 isn;
	u32 end;
	u32 una;
	u32 fin;
	u32 window;
	u8 known;
	u8 scale;
};

/**
 * struct hmmp_tcp - what has been seen of a connection
 * @half: by direction of the segments, enum hmmp_dir
 * @state: HMMP_TCP_STATE_*, follows from the rest
 * @picked: known from its socket, not from its SYNs
 * @reset: ended by a valid RST
 */
struct hmmp_tcp {
	struct hmmp_tcp_half half[HMMP_DIRS];
	u8 state;
	bool picked;
	bool reset;
};

#define HMMP_SEG_FIN	0x01
#define HMMP_SEG_SYN	0x02
#define HMMP_SEG_RST	0x04
#define HMMP_SEG_ACK	0x10

/**
 * struct hmmp_tcp_seg - the facts of one segment, host byte order
 * @seq: sequence number
 * @ack: acknowledgment number, valid with HMMP_SEG_ACK
 * @len: bytes of payload; a super-segment has one header and many bytes
 * @window: as on the wire
 * @flags: HMMP_SEG_*
 * @dir: enum hmmp_dir
 * @scale: window scale option of a SYN, 0 if absent
 */
struct hmmp_tcp_seg {
	u32 seq;
	u32 ack;
	u32 len;
	u16 window;
	u8 flags;
	u8 dir;
	u8 scale;
};

u8 hmmp_tcp_state(const struct hmmp_tcp *t);
u8 hmmp_tcp_step(struct hmmp_tcp *t, const struct hmmp_tcp_seg *s);

static inline bool hmmp_tcp_has(const struct hmmp_tcp_half *h, u8 what)
{
	return h->known & what;
}

/* Modulo 2^32: @a comes before @b. */
static inline bool hmmp_tcp_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

#endif
