// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the roles of one host share. Every event of kernel, links and SIP comes
 * in here, brings the common knowledge (flow.c, listen.c) up to date, and goes
 * on to the roles that the configuration names. main.c and the loop call it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "roles.h"

#define CHECK_MS 100			/* until others' changes are looked for */

static const struct config *cfg;
static struct timer check;
static bool gone;			/* the module is not loaded */

const struct config *node_config(void)
{
	return cfg;
}

bool node_module_gone(void)
{
	return gone;
}

/* ------------------------------------------------------------------ flows */

static void end_flow(struct flow *f)
{
	struct addr local = f->local.addr;
	uint64_t owner = f->owner;

	flow_del(f);
	if (cfg->role_mobile)
		mobile_on_end(owner, &local);
	correspondent_on_end(owner);
}

static void on_established(const struct kernel_flow *k)
{
	struct flow *f = flow_update(k);

	if (f && cfg->role_mobile)
		mobile_on_flow(f);
}

static void on_flow(const struct kernel_flow *k)
{
	struct flow *f = flow_find(&k->local, &k->remote);
	char l[ADDR_TEXT], r[ADDR_TEXT];

	switch (k->event) {
	case KERNEL_FLOW_ESTABLISHED:
		on_established(k);
		break;
	case KERNEL_FLOW_ENDED:
		/* not the end of an earlier one with the same ports */
		if (f && f->id == k->id)
			end_flow(f);
		break;
	case KERNEL_FLOW_CONTESTED:
		log_print(LOG_WARN, "[%s]:%u - [%s]:%u: claimed twice",
			  addr_format(&k->local.addr, l), k->local.port,
			  addr_format(&k->remote.addr, r), k->remote.port);
		break;
	}
}

static bool is_in(const struct prefix_list *l, const struct addr *a)
{
	unsigned int i;

	for (i = 0; i < l->n; i++)
		if (prefix_has(&l->p[i], a))
			return true;
	return l->all;
}

static bool is_wanted(const struct addr *remote)
{
	if (link_addr_find(remote))
		return false;
	return (cfg->role_mobile && is_in(&cfg->peers, remote)) ||
	       (cfg->role_correspondent && is_in(&cfg->accept, remote));
}

/* A socket that may be older than the module; known ones are lost ones. */
static void take_over(void *arg, const struct endpoint *local,
		      const struct endpoint *remote, int opener)
{
	const struct flow *f = flow_find(local, remote);
	uint32_t flags = opener > 0 ? KERNEL_FLOW_OPENER :
			 opener < 0 ? KERNEL_FLOW_OPENER_UNKNOWN : 0;
	unsigned int *n = arg;

	if (!is_wanted(&remote->addr) || (f && !gone))
		return;
	if (f)
		flags = f->flags & (KERNEL_FLOW_OPENER |
				    KERNEL_FLOW_OPENER_UNKNOWN);
	if (!kernel_flow_new(local, remote, flags))
		(*n)++;
}

/* ------------------------------------------------------------- the module */

static void take_over_all(void)
{
	unsigned int taken = 0;

	if (diag_dump(take_over, &taken))
		log_print(LOG_WARN, "older connections cannot be listed");
	if (taken)
		log_print(LOG_NOTE, "%u older connections taken over", taken);
}

/* Kernel and agent agree again. */
static void resync(bool reloaded)
{
	int err = flow_sync(reloaded, end_flow);

	gone = err == -ESRCH;
	if (err && !gone)
		log_print(LOG_ERROR, "flows: %s", kernel_error());
	if (err)
		return;
	correspondent_on_resync(reloaded);
	if (cfg->role_mobile)
		mobile_on_resync(reloaded);
}

static void count_local(void *arg, const struct kernel_local *l)
{
	++*(unsigned int *)arg;
}

/* It may have gone and come back while its events were lost. */
static bool is_reloaded(void)
{
	unsigned int n = 0;

	if (gone)
		return true;
	return original_first() && !kernel_local_dump(count_local, &n) && !n;
}

static void on_resync(void)
{
	struct kernel_limits limits = {
		.flows = cfg->limit_flows, .bindings = cfg->limit_bindings,
	};
	bool reloaded = is_reloaded();

	gone = reloaded;
	/* also without limits: this is what brings the namespace into use */
	if (reloaded && kernel_limits_set(&limits))
		log_print(LOG_ERROR, "limits: %s", kernel_error());
	log_print(LOG_NOTE, "%s", reloaded ? "the module is back" :
		  "events were lost, everything is read again");
	if (reloaded)
		take_over_all();
	gone = false;
	resync(reloaded);
}

static void on_gone(void)
{
	gone = true;
	log_print(LOG_WARN, "the module was unloaded, nothing can move");
}

const struct kernel_events *node_kernel_events(void)
{
	static const struct kernel_events events = {
		.flow = on_flow,
		.binding = correspondent_on_binding,
		.resync = on_resync,
		.gone = on_gone,
	};

	return &events;
}

/* -------------------------------------------------------- links and SIP */

static void on_check(struct timer *t)
{
	anchor_check();
}

/*
 * A hand-off is a burst of events, and each of these checks reads tables of
 * the kernel: after the first event of a burst they wait until a hand-off
 * would be over. Nothing leaks meanwhile (K1).
 */
static void check_soon(void)
{
	if (check.armed)
		return;
	check.fire = on_check;
	timer_set(&check, CHECK_MS);
}

void node_on_link(void)
{
	if (!cfg)
		return;
	listen_sync();
	if (cfg->role_mobile) {
		mobile_on_link();
		check_soon();
	}
}

static void say(struct sip_reply *reply, int status, const char *phrase)
{
	reply->status = status;
	snprintf(reply->phrase, sizeof(reply->phrase), "%s", phrase);
	reply->len = 0;
}

/**
 * node_on_info - sip_handler of every role
 * @in: what arrived
 * @reply: the answer
 *
 * Always answers.
 */
bool node_on_info(const struct sip_incoming *in, struct sip_reply *reply)
{
	static struct body b;		/* too large for the stack */
	char err[64];
	int bad;

	reply->headers[0] = '\0';
	if (!cfg) {
		say(reply, 503, "Starting");
		return true;
	}
	bad = body_parse(in->body, in->len, &b, err, sizeof(err));
	if (bad == -EOPNOTSUPP) {
		say(reply, 488, "Not Acceptable Here");
		snprintf(reply->headers, sizeof(reply->headers),
			 "Warning: 399 hmmp \"%s\"\r\n", err);
		return true;
	}
	if (bad || b.kind != BODY_BIND) {
		say(reply, 400, bad ? err : "Not a request");
		return true;
	}
	return correspondent_on_bind(in, &b, reply);
}

/* ------------------------------------------------------- start and end */

/**
 * node_init - the roles begin
 * @config: kept
 *
 * Called when kernel, links, anchor and SIP are there. What an earlier agent
 * left in state file and kernel is taken up, nothing is flushed. -errno after
 * a logged error.
 */
int node_init(const struct config *config)
{
	int err;

	cfg = config;
	err = state_load(cfg->state);
	if (err) {
		log_print(LOG_ERROR, "state file %s: %s", cfg->state,
			  strerror(-err));
		cfg = NULL;
		return err;
	}
	listen_sync();
	correspondent_init(cfg);
	if (cfg->role_mobile)
		err = mobile_init(cfg);
	if (err && err != -ESRCH)
		log_print(LOG_WARN, "local map: %s", kernel_error());
	flow_sync(false, end_flow);
	take_over_all();
	resync(false);
	state_save();
	return 0;
}

void node_exit(void)
{
	if (!cfg)
		return;
	timer_stop(&check);
	state_save();
	flow_exit();
	assoc_exit();
	mobile_exit();
	correspondent_exit();
	listen_exit();
	peer_exit();
	state_exit();
	cfg = NULL;
}
