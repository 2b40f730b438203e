// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The associations of this host: who agreed with whom that the connections
 * between two original addresses may move. Symmetric: either end may move.
 * Both roles work on them; flow.c counts their flows, state.c keeps them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "roles.h"

#define IDLE_MS 60000			/* kept after its last flow */
#define RTO_FIRST 100			/* ms, before the first measurement */
#define RTO_MIN 20
#define RTO_MAX 4000

static struct assoc *list;

static void on_idle(struct timer *t)
{
	struct assoc *a = (void *)((char *)t - offsetof(struct assoc, idle));

	if (a->flows)
		return;
	/* an unanswered claim may have been heard: its id stays good */
	if (a->txn || (a->phase == ASSOC_NEW &&
		       pair_find(&a->local, &a->remote))) {
		assoc_idle(a);
		return;
	}
	log_print(LOG_INFO, "association %s: forgotten, no flow is left",
		  a->id);
	assoc_del(a);
}

/**
 * assoc_add - one that is known already (state file)
 * @id: its name on the wire
 * @owner: kernel handle, not 0
 * @local: our original address
 * @remote: theirs
 *
 * NULL: no memory.
 */
struct assoc *assoc_add(const char *id, uint64_t owner,
			const struct addr *local, const struct addr *remote)
{
	struct assoc *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	memcpy(a->id, id, ASSOC_ID);
	a->owner = owner;
	a->local = *local;
	a->bound_to = *local;
	a->remote = *remote;
	a->peer_current = *remote;
	a->idle.fire = on_idle;
	a->next = list;
	list = a;
	return a;
}

static int random_id(char id[ASSOC_ID + 1])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t r[ASSOC_ID];
	int i;

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		return -EIO;
	for (i = 0; i < ASSOC_ID; i++)
		id[i] = digits[r[i] & 63];
	id[ASSOC_ID] = '\0';
	return 0;
}

/**
 * assoc_make - a new association
 * @id: its name, if the far end has made it up; NULL: ours, random
 * @local: our original address
 * @remote: theirs
 *
 * The owner handle is random and never told to anybody but the kernel. NULL
 * without memory or randomness.
 */
struct assoc *assoc_make(const char *id, const struct addr *local,
			 const struct addr *remote)
{
	char own[ASSOC_ID + 1];
	uint64_t owner;

	if (!id) {
		if (random_id(own))
			return NULL;
		id = own;
	}
	do {
		if (getrandom(&owner, sizeof(owner), 0) != sizeof(owner))
			return NULL;
	} while (!owner || assoc_find_owner(owner));
	return assoc_add(id, owner, local, remote);
}

/*
 * Forget it, here and in the state file. Flows that it owned keep the handle
 * in the kernel: nobody else can move them any more (no second owner).
 */
void assoc_del(struct assoc *a)
{
	struct assoc **p = &list;

	while (*p != a)
		p = &(*p)->next;
	*p = a->next;
	bind_stop(a);
	timer_stop(&a->idle);
	state_drop(a);
	free(a->say);
	free(a->answer);
	free(a);
}

/* At exit: the state file keeps them. */
void assoc_exit(void)
{
	struct assoc *a;

	while ((a = list)) {
		list = a->next;
		bind_stop(a);
		timer_stop(&a->idle);
		free(a->say);
		free(a->answer);
		free(a);
	}
}

struct assoc *assoc_find_id(const char *id)
{
	struct assoc *a;

	for (a = list; a; a = a->next)
		if (!strcmp(a->id, id))
			break;
	return a;
}

struct assoc *assoc_find_owner(uint64_t owner)
{
	struct assoc *a;

	for (a = list; a; a = a->next)
		if (a->owner == owner)
			break;
	return a;
}

struct assoc *assoc_first(void)
{
	return list;
}

unsigned int assoc_count(const struct addr *remote)
{
	unsigned int n = 0;
	struct assoc *a;

	for (a = list; a; a = a->next)
		n += !remote || addr_equal(&a->remote, remote);
	return n;
}

/*
 * Kept for a while: the far end may repeat its last message, and the next
 * connection between the two is claimed under the same name.
 */
void assoc_idle(struct assoc *a)
{
	timer_set(&a->idle, IDLE_MS);
}

/* Keep the answer to the peer's last Seq. */
int assoc_answer(struct assoc *a, int status, const char *body, size_t len)
{
	struct assoc_answer *ans = malloc(sizeof(*ans) + len);

	if (!ans)
		return -ENOMEM;
	ans->status = status;
	ans->len = len;
	memcpy(ans->body, body, len);
	free(a->answer);
	a->answer = ans;
	return 0;
}

/**
 * assoc_measure - learn from one round trip (RFC 6298 section 2)
 * @a: whose peer answered
 * @rtt: ms; 0 is no measurement
 */
void assoc_measure(struct assoc *a, unsigned int rtt)
{
	unsigned int off;

	if (!rtt)
		return;
	if (!a->srtt) {
		a->srtt = rtt;
		a->rttvar = rtt / 2;
		return;
	}
	off = a->srtt > rtt ? a->srtt - rtt : rtt - a->srtt;
	a->rttvar = (3 * a->rttvar + off) / 4;
	a->srtt = (7 * a->srtt + rtt) / 8;
	if (!a->srtt)
		a->srtt = 1;
}

/* How long an answer may take before the message is sent again, in ms. */
unsigned int assoc_rto(const struct assoc *a)
{
	unsigned int rto = RTO_FIRST;

	if (a->srtt)
		rto = a->srtt + (4 * a->rttvar > 10 ? 4 * a->rttvar : 10);
	if (rto < RTO_MIN)
		rto = RTO_MIN;
	return rto > RTO_MAX ? RTO_MAX : rto;
}

const char *assoc_phase_text(const struct assoc *a)
{
	static const char * const text[] = {
		[ASSOC_NEW] = "new",
		[ASSOC_HOME] = "claimed",
		[ASSOC_MOVING] = "moving",
		[ASSOC_BOUND] = "bound",
		[ASSOC_REFUSED] = "refused",
	};

	return text[a->phase];
}

bool assoc_away(const struct assoc *a)
{
	return !addr_equal(&a->bound_to, &a->local);
}
