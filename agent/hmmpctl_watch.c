// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hmmpctl monitor: the module's events as they happen, one line each, until
 * the reader goes away or the program is interrupted.
 */
#include <errno.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include "hmmpctl.h"
#include "kernel.h"
#include "view.h"

static const struct ctl *ctl;
static int result;

static void finish_line(void)
{
	if (fflush(ctl->out)) {
		result = CTL_FAILED;
		loop_stop();
	}
}

static void print_json(const char *type, const char *event, json_t *fields)
{
	json_t *o = json_object();
	struct timeval tv;

	gettimeofday(&tv, NULL);
	json_object_set_new(o, "time", json_real(tv.tv_sec +
						 tv.tv_usec / 1e6));
	json_object_set_new(o, "type", json_string(type));
	json_object_set_new(o, "event", json_string(event));
	if (fields)
		json_object_update(o, fields);
	json_decref(fields);
	if (hmmpctl_print(ctl, o) != CTL_OK) {
		result = CTL_FAILED;
		loop_stop();
	}
}

static void print_time(void)
{
	struct timeval tv;
	struct tm tm;
	char text[16];

	gettimeofday(&tv, NULL);
	localtime_r(&tv.tv_sec, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	fprintf(ctl->out, "%s.%03u  ", text, (unsigned int)tv.tv_usec / 1000);
}

static void on_flow(const struct kernel_flow *f)
{
	char l[VIEW_TEXT], r[VIEW_TEXT];

	if (ctl->json) {
		print_json("flow", view_flow_event(f->event), view_flow(f));
		return;
	}
	print_time();
	fprintf(ctl->out, "connection %s - %s %s\n",
		view_endpoint(&f->local, l), view_endpoint(&f->remote, r),
		view_flow_event(f->event));
	finish_line();
}

/* Who was seen is in that event only. */
static json_t *binding_fields(const struct kernel_binding *b)
{
	json_t *o = view_binding(b);

	if (b->event == KERNEL_BINDING_SEEN)
		json_object_set_new(o, "seen", json_string(view_seen(b->seen)));
	return o;
}

static const char *event_words(const struct kernel_binding *b)
{
	if (b->event != KERNEL_BINDING_SEEN)
		return view_binding_event(b->event);
	return b->seen == KERNEL_SEEN_OWN ? "seen on its served link" :
					    "seen with another host";
}

static bool is_gone(const struct kernel_binding *b)
{
	return b->event == KERNEL_BINDING_ENDED ||
	       (b->event == KERNEL_BINDING_SEEN &&
		b->seen == KERNEL_SEEN_FOREIGN);
}

static void on_binding(const struct kernel_binding *b)
{
	char o[VIEW_TEXT], n[VIEW_TEXT];

	if (ctl->json) {
		print_json("binding", view_binding_event(b->event),
			   binding_fields(b));
		return;
	}
	print_time();
	fprintf(ctl->out, "binding %s -> %s %s, now %s\n",
		view_addr(&b->original, o), view_addr(&b->current, n),
		event_words(b), is_gone(b) ? "gone" : view_status(b->status));
	finish_line();
}

static void on_module(const char *event, const char *sentence)
{
	if (ctl->json) {
		print_json("module", event, NULL);
		return;
	}
	print_time();
	fprintf(ctl->out, "%s\n", sentence);
	finish_line();
}

static void on_resync(void)
{
	on_module("resync", "events were lost, or the module has come back");
}

static void on_gone(void)
{
	on_module("gone", "the module is gone");
}

int hmmpctl_monitor(const struct ctl *c, int argc, char **argv)
{
	static const struct kernel_events events = {
		.flow = on_flow, .binding = on_binding,
		.resync = on_resync, .gone = on_gone,
	};
	int err;

	ctl = c;
	result = CTL_OK;
	loop_init();
	err = kernel_init(&events);
	if (err && err != -ESRCH) {
		loop_exit();
		return err == -EPERM ? hmmpctl_refused(c, err) :
				       hmmpctl_fail(c, "%s", strerror(-err));
	}
	if (err)
		on_gone();
	loop_run();
	loop_exit();
	return result;
}
