/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How hmmpctl shows the module's objects: as JSON for programs (the fields of
 * Documentation/hmmpctl.rst, which only grow) and in words for people. Pure.
 */
#ifndef HMMP_VIEW_H
#define HMMP_VIEW_H

#include <jansson.h>
#include "kernel.h"

#define VIEW_TEXT 128

json_t *view_flow(const struct kernel_flow *f);
json_t *view_binding(const struct kernel_binding *b);
json_t *view_local(const struct kernel_local *l);
json_t *view_peer(const struct kernel_peer_word *p);
json_t *view_limits(const struct kernel_limits *l);
json_t *view_counters(const struct kernel_info *info);

const char *view_tcp(enum kernel_tcp state);
const char *view_status(enum kernel_status status);
const char *view_peer_state(enum kernel_peer state);
const char *view_encap(enum body_encap encap);
const char *view_scope(enum body_scope scope);
const char *view_seen(enum kernel_seen seen);
const char *view_flow_event(enum kernel_flow_event event);
const char *view_binding_event(enum kernel_binding_event event);

/* Why a flow cannot move, or NULL. */
const char *view_fixed(uint32_t flags);
/* "10.0.0.1:80", "[2001:db8::1]:80", "-" */
const char *view_endpoint(const struct endpoint *e, char text[VIEW_TEXT]);
const char *view_addr(const struct addr *a, char text[VIEW_TEXT]);
const char *view_lladdr(const struct kernel_lladdr *l, char text[VIEW_TEXT]);
/* The name of an interface, "#7" if it has gone, "-" for none. */
const char *view_device(uint32_t ifindex, char text[VIEW_TEXT]);
/* One flag after the other, NULL at the end: which of them are set. */
const char *view_binding_flag(uint32_t flags, unsigned int *at);
const char *view_owner(uint64_t owner, char text[VIEW_TEXT]);
/* "950 ms", "12 s", "3 min", "2 h 5 min" */
const char *view_time(uint64_t ms, char text[VIEW_TEXT]);

#endif
