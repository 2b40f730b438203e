// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hmmpd: options, the ladder of the start, signals, the orderly end.
 *
 * One thread, one loop: every callback of this program runs in it, one after
 * the other, and nothing waits for anything but the kernel. So no structure
 * has a lock, and whatever takes long is cut into pieces by timers. The loop
 * is sip_loop.c; file descriptors and timers are hung into it by the files
 * that own them. It may be killed at any instant: what must survive is in the
 * kernel and in the state file (state.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "kernel.h"

#ifndef HMMP_VERSION
#define HMMP_VERSION "unknown"
#endif

#define CONFIG_FILE	"/etc/hmmpd.conf"

struct options {
	const char *config;
	const char *pid_file;
	bool foreground;
	bool test;
};

static struct config cfg;	/* node.c keeps a pointer to it */
static int signal_fd = -1;
static int ready_fd = -1;	/* the parent waits at its other end */

static void print_usage(FILE *to)
{
	fprintf(to,
		"usage: hmmpd [-f] [-c FILE] [-p FILE]\n"
		"       hmmpd -t [-c FILE]\n"
		"  -c FILE  configuration, else " CONFIG_FILE "\n"
		"  -f       stay in the foreground and log to stderr\n"
		"  -p FILE  write the process id there\n"
		"  -t       check the configuration and exit\n"
		"  -V       print the version and exit\n"
		"  -h       print this and exit\n");
}

/* Exits for what needs no daemon, and for bad usage with status 2. */
static void read_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt(argc, argv, "c:fhp:tV")) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'f':
			o->foreground = true;
			break;
		case 'p':
			o->pid_file = optarg;
			break;
		case 't':
			o->test = true;
			break;
		case 'V':
			puts("hmmpd " HMMP_VERSION);
			exit(0);
		case 'h':
			print_usage(stdout);
			exit(0);
		default:
			print_usage(stderr);
			exit(2);
		}
	}
	if (optind < argc) {
		print_usage(stderr);
		exit(2);
	}
}

static void say_hello(void)
{
	log_print(LOG_NOTE, "hmmpd " HMMP_VERSION " starts:%s%s",
		  cfg.role_mobile ? " mobile" : "",
		  cfg.role_correspondent ? " correspondent" : "");
	log_print(LOG_WARN, "security = none-laboratory: nobody is authenticated; whoever can send packets here can redirect connections");
	if (cfg.role_mobile && !cfg.peers.all && !cfg.peers.n)
		log_print(LOG_WARN, "[mobile] peers is empty: no host is asked, no connection will move");
}

/* ------------------------------------------------------------------- daemon */

/* The parent: exits with what the child says, once it is up. */
static void wait_for_child(int fd)
{
	char status = 1;

	if (read(fd, &status, 1) < 0)
		status = 1;
	_exit(status);
}

/*
 * Before anything that is bound to our process id or that a child would share.
 * The command returns when the daemon serves, or with status 1.
 */
static int daemonise(void)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid) {
		close(fds[1]);
		wait_for_child(fds[0]);
	}
	close(fds[0]);
	ready_fd = fds[1];
	setsid();
	return chdir("/") ? -errno : 0;
}

/* The daemon is up: from here on nobody reads our stderr. */
static void tell_parent(void)
{
	char status = 0;
	int null;

	log_init(cfg.log_level, true);
	say_hello();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		close(null);
	}
	if (write(ready_fd, &status, 1) != 1)
		log_print(LOG_WARN, "the starting process has gone");
	close(ready_fd);
	ready_fd = -1;
}

static int write_pid(const char *path)
{
	FILE *f;

	if (!path)
		return 0;
	f = fopen(path, "we");
	if (!f)
		return -errno;
	fprintf(f, "%d\n", (int)getpid());
	return fclose(f) ? -errno : 0;
}

/* ------------------------------------------------------------------ signals */

static void on_signal(void *arg, int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			log_print(LOG_WARN, "SIGHUP: the configuration is read at start only");
			continue;
		}
		log_print(LOG_NOTE, "%s: ending",
			  strsignal((int)info.ssi_signo));
		loop_stop();
	}
}

/* Blocked for good and read as events, so no handler interrupts anything. */
static int signals_init(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return signal_fd < 0 ? -errno :
		loop_fd_add(signal_fd, on_signal, NULL);
}

/* --------------------------------------------------------------- the ladder */

/* Without its module hmmpd waits, and kernel_genl.c tells when it is there. */
static int up_kernel(void)
{
	struct kernel_limits limits = {
		.flows = cfg.limit_flows, .bindings = cfg.limit_bindings,
	};
	int err = kernel_init(node_kernel_events());

	if (err == -ESRCH) {
		log_print(LOG_WARN, "the module hmmp is not loaded; waiting for it, connections do not move until then");
		return 0;
	}
	if (err)
		return err;
	/* also without limits: this is what brings the namespace into use */
	err = kernel_limits_set(&limits);
	if (err)
		kernel_exit();
	return err;
}

static int up_link(void)
{
	return link_init(cfg.dummy, node_on_link);
}

/* Only a mobile has former addresses; others get no dummy device. */
static int up_anchor(void)
{
	return cfg.role_mobile ? anchor_init(&cfg) : 0;
}

static void down_anchor(void)
{
	if (cfg.role_mobile)
		anchor_exit();
}

static int up_sip(void)
{
	return sip_init(cfg.sip_port, node_on_info);
}

static int up_node(void)
{
	return node_init(&cfg);
}

static int up_ctl(void)
{
	return ctl_init(cfg.control, status_serve);
}

static void down_signals(void)
{
	if (signal_fd >= 0) {
		loop_fd_del(signal_fd);
		close(signal_fd);
	}
	signal_fd = -1;
}

/* Climbed from the top of the list, descended from where we are. */
static const struct rung {
	const char *what;
	int (*up)(void);
	void (*down)(void);
} ladder[] = {
	{ "the event loop", loop_init, loop_exit },
	{ "signals", signals_init, down_signals },
	{ "the module", up_kernel, kernel_exit },
	{ "rtnetlink", up_link, link_exit },
	{ "the anchor of former addresses", up_anchor, down_anchor },
	{ "SIP", up_sip, sip_exit },
	{ "the roles", up_node, node_exit },
	{ "the control socket", up_ctl, ctl_exit },
};

#define RUNGS	(sizeof(ladder) / sizeof(ladder[0]))

static void descend(unsigned int from)
{
	while (from--)
		ladder[from].down();
}

/* What fails half way up cleans up by itself; what is below it is undone. */
static int climb(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < RUNGS; i++) {
		err = ladder[i].up();
		if (!err)
			continue;
		log_print(LOG_ERROR, "cannot start %s: %s", ladder[i].what,
			  strerror(-err));
		descend(i);
		return err;
	}
	return 0;
}

static int serve(const struct options *o)
{
	int err = 0;

	if (!o->foreground)
		err = daemonise();
	if (err) {
		fprintf(stderr, "hmmpd: cannot become a daemon: %s\n",
			strerror(-err));
		return 1;
	}
	log_init(cfg.log_level, cfg.log_syslog);
	say_hello();
	err = write_pid(o->pid_file);
	if (err)
		log_print(LOG_WARN, "cannot write %s: %s", o->pid_file,
			  strerror(-err));
	if (privs_drop(&cfg) || climb())
		return 1;
	if (!o->foreground)
		tell_parent();
	loop_run();
	descend(RUNGS);
	if (o->pid_file)
		unlink(o->pid_file);
	log_print(LOG_NOTE, "hmmpd has ended");
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { .config = CONFIG_FILE };
	char err[512];

	read_options(argc, argv, &o);
	if (config_load(o.config, &cfg, err, sizeof(err))) {
		fprintf(stderr, "hmmpd: %s\n", err);
		return 1;
	}
	if (o.test)
		return 0;
	return serve(&o);
}
