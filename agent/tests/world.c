// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The world of the exchange tests: virtual time, hosts, and an agent per host
 * that is a private copy of one shared object, so that it can be killed and
 * started again like a process.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "world.h"

#define START 1000000			/* ms */

struct world world;

struct addr A(const char *text)
{
	struct addr a;

	if (addr_parse(text, &a))
		abort();
	return a;
}

struct endpoint E(const char *text, uint16_t port)
{
	struct endpoint e = { A(text), port };

	return e;
}

bool is(const struct addr *a, const char *text)
{
	struct addr b = A(text);

	return addr_equal(a, &b);
}

void log_print(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level == LOG_ERROR)
		world.errors++;
	if (!getenv("V"))
		return;
	fprintf(stderr, "%8llu %s: ", (unsigned long long)world.now - START,
		world.in ? world.in->name : "-");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* ------------------------------------------------------------------- time */

void world_enter(struct host *h)
{
	world.in = h;
	if (h)
		kernel_fake_use(h->kernel);
}

void world_deliver(void)
{
	unsigned int i, n;

	do {
		for (n = 0, i = 0; i < world.n_hosts; i++) {
			if (!world.hosts[i].so)
				continue;
			world_enter(&world.hosts[i]);
			n += kernel_fake_deliver();
		}
	} while (n);
}

/* The next thing that happens: a kernel's expiry, a message, or a timer. */
static int next_step(uint64_t *at)
{
	uint64_t t, best = UINT64_MAX;
	unsigned int i;
	int what = 0;

	for (i = 0; i < world.n_hosts; i++) {
		world_enter(&world.hosts[i]);
		t = kernel_fake_next();
		if (t < best && world.hosts[i].so) {
			best = t;
			what = 1;
		}
	}
	if (sip_fake_step(&t) && t < best) {
		best = t;
		what = 2;
	}
	if (loop_fake_step(&t) && t < best) {
		best = t;
		what = 3;
	}
	*at = best;
	return what;
}

void world_run(unsigned int ms)
{
	uint64_t until = world.now + ms, at;
	int what;

	world_deliver();
	while ((what = next_step(&at)) && at <= until) {
		if (at > world.now)
			world.now = at;
		if (what == 2)
			sip_fake_fire();
		else if (what == 3)
			loop_fake_fire();
		world_deliver();
	}
	world.now = until;
}

void world_start(unsigned int one_way)
{
	memset(&world, 0, sizeof(world));
	world.now = START;
	world.one_way = one_way;
}

void world_end(void)
{
	unsigned int i;

	for (i = 0; i < world.n_hosts; i++) {
		host_stop(&world.hosts[i]);
		kernel_fake_free(world.hosts[i].kernel);
		unlink(world.hosts[i].cfg.state);
	}
	sip_fake_end();
	loop_fake_end();
}

/* ------------------------------------------------------------------ hosts */

struct host *host_add(const char *name, bool mobile, bool correspondent)
{
	struct host *h = &world.hosts[world.n_hosts++];
	int fd;

	if (world.n_hosts > WORLD_HOSTS)
		abort();
	h->name = name;
	h->kernel = kernel_fake_alloc();
	h->cfg.role_mobile = mobile;
	h->cfg.role_correspondent = correspondent;
	h->cfg.laboratory = true;
	h->cfg.peers.all = true;
	h->cfg.accept.all = true;
	h->cfg.lifetime = 60;
	h->cfg.max_associations = 100;
	h->cfg.max_per_address = 10;
	snprintf(h->cfg.state, sizeof(h->cfg.state),
		 "/tmp/hmmp-exchange-XXXXXX");
	fd = mkstemp(h->cfg.state);
	if (fd < 0)
		abort();
	close(fd);
	return h;
}

/* dlopen() knows files by their inode: a copy is another object. */
static void *load_copy(void)
{
	char self[256], path[300];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct stat st;
	int from, to;
	void *so;

	if (n < 0)
		abort();
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(path, sizeof(path), "%s/exchange_agent.so", self);
	from = open(path, O_RDONLY);
	to = memfd_create("agent", 0);
	if (from < 0 || to < 0 || fstat(from, &st) ||
	    sendfile(to, from, NULL, st.st_size) != st.st_size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", to);
	so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!so) {
		fprintf(stderr, "%s\n", dlerror());
		abort();
	}
	close(from);
	return so;		/* "to" stays open: its number is the name */
}

static void *symbol(struct host *h, const char *name)
{
	void *p = dlsym(h->so, name);

	if (!p)
		abort();
	return p;
}

void host_start(struct host *h)
{
	const struct kernel_events *(*events)(void);

	h->so = load_copy();
	*(void **)&h->node_init = symbol(h, "node_init");
	*(void **)&h->node_exit = symbol(h, "node_exit");
	*(void **)&h->node_on_link = symbol(h, "node_on_link");
	*(void **)&h->node_on_info = symbol(h, "node_on_info");
	*(void **)&h->status_serve = symbol(h, "status_serve");
	*(void **)&events = symbol(h, "node_kernel_events");
	world_enter(h);
	kernel_init(events());
	if (h->node_init(&h->cfg))
		abort();
	world_deliver();
}

void host_stop(struct host *h)
{
	if (!h->so)
		return;
	world_enter(h);
	h->node_exit();
	kernel_exit();
	loop_fake_kill(h);
	sip_fake_kill(h);
	h->so = NULL;
}

/*
 * Nothing of it runs any more, and nothing is tidied up. The copy stays
 * loaded: its memory is not lost, only never looked at again.
 */
void host_kill(struct host *h)
{
	world_enter(h);
	kernel_exit();
	loop_fake_kill(h);
	sip_fake_kill(h);
	h->so = NULL;
}

void host_addr(struct host *h, const char *addr, int ifindex, bool usable)
{
	struct addr a = A(addr);
	unsigned int i;

	for (i = 0; i < h->n_addrs; i++)
		if (addr_equal(&h->addrs[i].addr, &a))
			break;
	if (i == HOST_ADDRS)
		abort();
	if (i == h->n_addrs)
		h->n_addrs++;
	h->addrs[i].addr = a;
	h->addrs[i].bits = 24;
	h->addrs[i].ifindex = ifindex;
	h->addrs[i].usable = usable;
	h->addrs[i].held = false;
}

void host_addr_gone(struct host *h, const char *addr)
{
	struct addr a = A(addr);
	unsigned int i;

	for (i = 0; i < h->n_addrs; i++)
		if (addr_equal(&h->addrs[i].addr, &a))
			h->addrs[i--] = h->addrs[--h->n_addrs];
}

void host_route(struct host *h, const char *dst, const char *src)
{
	struct addr none = { 0 }, to = dst ? A(dst) : none;
	unsigned int i;

	for (i = 0; i < h->n_routes; i++)
		if (addr_equal(&h->routes[i].dst, &to))
			break;
	if (i == HOST_ROUTES)
		abort();
	if (i == h->n_routes)
		h->n_routes++;
	h->routes[i].dst = to;
	h->routes[i].src = src ? A(src) : none;
}

void host_link(struct host *h)
{
	if (!h->so)
		return;
	world_enter(h);
	h->node_on_link();
	world_deliver();
}

void host_move(struct host *h, const char *old, const char *now)
{
	host_addr_gone(h, old);
	host_route(h, NULL, NULL);
	host_link(h);
	if (!now)
		return;
	host_addr(h, now, 3, true);
	host_route(h, NULL, now);
	host_link(h);
}

struct host_anchor *host_anchor(struct host *h, const char *addr)
{
	struct addr a = A(addr);
	unsigned int i;

	for (i = 0; i < h->n_anchors; i++)
		if (addr_equal(&h->anchors[i].addr, &a))
			return &h->anchors[i];
	return NULL;
}

/* ------------------------------------------------------------------ flows */

static struct kernel_flow an_end(struct endpoint local,
				 struct endpoint remote, bool opener)
{
	struct kernel_flow k = {
		.local = local, .remote = remote,
		.state = KERNEL_ESTABLISHED,
		.flags = opener ? KERNEL_FLOW_OPENER : 0,
		.isn_local = local.port * 7919u + local.addr.b[3],
		.isn_remote = remote.port * 7919u + remote.addr.b[3],
	};

	return k;
}

static void add_end(struct host *h, struct endpoint local,
		    struct endpoint remote, bool opener)
{
	struct kernel_flow k = an_end(local, remote, opener);

	world_enter(h);
	kernel_fake_flow_add(&k);
}

/* Nobody knows who opened: what accepted shows one more than its ISN. */
static void add_sock(struct host *h, struct endpoint local,
		     struct endpoint remote, bool opener)
{
	struct kernel_flow k = an_end(local, remote, opener);

	if (h->n_socks == HOST_SOCKS)
		abort();
	k.isn_local += !opener;
	h->socks[h->n_socks].local = local;
	h->socks[h->n_socks].remote = remote;
	h->socks[h->n_socks++].opener = -1;
	world_enter(h);
	kernel_fake_socket_add(&k);
}

void flow_old(struct host *c, struct endpoint from, struct host *s,
	      struct endpoint to)
{
	add_sock(c, from, to, true);
	add_sock(s, to, from, false);
}

void flow_open(struct host *c, struct endpoint from, struct host *s,
	       struct endpoint to)
{
	add_end(c, from, to, true);
	add_end(s, to, from, false);
	world_deliver();
}

void flow_close(struct host *c, struct endpoint from, struct host *s,
		struct endpoint to)
{
	world_enter(c);
	kernel_fake_flow_state(&from, &to, KERNEL_DISCONNECT);
	world_enter(s);
	kernel_fake_flow_state(&to, &from, KERNEL_DISCONNECT);
	world_deliver();
}

/* -------------------------------------------------- what the kernels have */

struct look {
	struct addr a, b;
	unsigned int n;
	struct kernel_binding binding;
	struct addr current;
	enum kernel_peer word;
};

static void look_binding(void *arg, const struct kernel_binding *b)
{
	struct look *l = arg;

	if (l->a.len && !addr_equal(&b->original, &l->a))
		return;
	l->binding = *b;
	l->n++;
}

bool host_binding(struct host *h, const char *original,
		  struct kernel_binding *b)
{
	struct look l = { .a = A(original) };

	world_enter(h);
	kernel_binding_dump(look_binding, &l);
	*b = l.binding;
	return l.n == 1;
}

unsigned int host_bindings(struct host *h)
{
	struct look l = { 0 };

	world_enter(h);
	kernel_binding_dump(look_binding, &l);
	return l.n;
}

static void look_flow(void *arg, const struct kernel_flow *f)
{
	((struct look *)arg)->n += f->owner != 0;
}

unsigned int host_owned(struct host *h, const char *local)
{
	struct look l = { .a = A(local) };

	world_enter(h);
	kernel_flow_dump(&l.a, NULL, 0, look_flow, &l);
	return l.n;
}

static void look_local(void *arg, const struct kernel_local *k)
{
	struct look *l = arg;

	l->n++;
	if (addr_equal(&k->original, &l->a))
		l->current = k->current;
}

bool host_current(struct host *h, const char *original, struct addr *now)
{
	struct look l = { .a = A(original) };

	world_enter(h);
	kernel_local_dump(look_local, &l);
	*now = l.current;
	return l.current.len;
}

unsigned int host_locals(struct host *h)
{
	struct look l = { 0 };

	world_enter(h);
	kernel_local_dump(look_local, &l);
	return l.n;
}

static void look_peer(void *arg, const struct kernel_peer_word *w)
{
	struct look *l = arg;

	if (addr_equal(&w->remote, &l->a) && addr_equal(&w->current, &l->b))
		l->word = w->state;
}

enum kernel_peer host_peer(struct host *h, const char *remote,
			   const char *current)
{
	struct look l = { .a = A(remote), .b = A(current) };

	world_enter(h);
	kernel_peer_dump(look_peer, &l);
	return l.word;
}
