// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the dummy device and remembers, in its alias, which sysctls were
 * changed for its sake: both outlive the agent. A device that the
 * administrator has made is used as it is and never removed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "agent.h"
#include "anchor_nl.h"
#include "holder.h"
#include "knob.h"

#define OURS "hmmpd"			/* begins the alias of our device */

static struct {
	char name[16];
	int ifindex;			/* 0: not there */
	bool ours;
	bool set;			/* the sysctls are */
	char knobs[ANCHOR_ALIAS];	/* what they were */
} holder;

static int adopt(const struct anchor_device *d)
{
	int err;

	if (!d->dummy) {
		log_print(LOG_ERROR, "%s exists and is no dummy interface",
			  holder.name);
		return -EEXIST;
	}
	holder.ifindex = d->ifindex;
	holder.ours = !strncmp(d->alias, OURS, strlen(OURS));
	if (holder.ours && !holder.knobs[0])
		snprintf(holder.knobs, sizeof(holder.knobs), "%s",
			 d->alias + strlen(OURS));
	err = d->up ? 0 : anchor_nl_set_up(d->ifindex);
	return err ? err : holder.ifindex;
}

static void keep_text(void)
{
	char alias[2 * ANCHOR_ALIAS];

	snprintf(alias, sizeof(alias), OURS "%s", holder.knobs);
	if (holder.ours)
		anchor_nl_set_alias(holder.ifindex, alias);
}

static int create(void)
{
	struct anchor_device d;
	int err = anchor_nl_add_device(holder.name);

	if (err) {
		log_print(LOG_ERROR, "cannot make the dummy interface %s: %s",
			  holder.name, anchor_nl_error());
		return err;
	}
	err = anchor_nl_find_device(holder.name, &d);
	if (err)
		return err;
	snprintf(d.alias, sizeof(d.alias), OURS);
	err = adopt(&d);
	keep_text();
	return err;
}

int holder_need(void)
{
	struct anchor_device d;
	int err = anchor_nl_find_device(holder.name, &d);

	if (err == -ENODEV)
		return create();
	return err ? err : adopt(&d);
}

bool holder_is_whole(void)
{
	struct anchor_device d;

	if (anchor_nl_find_device(holder.name, &d))
		holder.ifindex = 0;
	return holder.ifindex && d.ifindex == holder.ifindex && d.up;
}

int holder_ifindex(void)
{
	return holder.ifindex;
}

void holder_set_knobs(void)
{
	int err;

	if (holder.set)
		return;
	err = knob_set(holder.knobs, sizeof(holder.knobs));
	if (err)
		log_print(LOG_WARN, "cannot set sysctls for %s: %s",
			  holder.name, strerror(-err));
	holder.set = true;
	keep_text();
}

void holder_restore_knobs(void)
{
	knob_restore(holder.knobs);
	holder.knobs[0] = 0;
	holder.set = false;
	keep_text();
}

int holder_init(const char *name)
{
	memset(&holder, 0, sizeof(holder));
	snprintf(holder.name, sizeof(holder.name), "%s", name);
	return holder_need();
}

void holder_exit(bool in_use)
{
	if (!in_use && holder.ours && holder.ifindex)
		anchor_nl_del_device(holder.ifindex);
}
