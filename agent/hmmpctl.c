// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hmmpctl, the operator's command: options, the table of commands, and how
 * success and failure are told. It speaks to the module itself; only "status"
 * and "handoff" ask the agent, if it runs.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "hmmpctl.h"
#include "kernel.h"

#define SOCKET "/run/hmmpd/control"

struct command {
	const char *name;
	ctl_command run;
	const char *args;
	const char *help;
};

static const struct command commands[] = {
	{ "status", hmmpctl_status, "",
	  "where this host is, and what follows it" },
	{ "flows", hmmpctl_flows, "[--local A] [--remote A] [--owner N]",
	  "tracked connections, and whether they can move" },
	{ "bindings", hmmpctl_bindings, "",
	  "where far ends receive, and for whom" },
	{ "local", hmmpctl_local, "", "where this host receives" },
	{ "peers", hmmpctl_peers, "", "what far ends said of that" },
	{ "stats", hmmpctl_stats, "[-a]",
	  "counters that are not 0; -a: all of them" },
	{ "monitor", hmmpctl_monitor, "", "events, as they happen" },
	{ "limits", hmmpctl_limits, "[flows=N] [bindings=N] [locals=N] [peers=N]\n"
	  "          [buffer-packets=N] [buffer-bytes=N] [buffer-time=MS]\n"
	  "          [buffer-rate=N]",
	  "show limits and what is in use, or change them" },
	{ "handoff", hmmpctl_handoff, "OLD NEW",
	  "a test aid: current address OLD becomes NEW" },
	{ "version", hmmpctl_version, "", "of this program and the module" },
	{ NULL },
};

/*
 * Test aids, and an operator's last resort. They stand apart in the help, so
 * that nobody takes them for a way to configure a host.
 */
static const struct command by_hand[] = {
	{ "bind", hmmpctl_bind, "ORIGINAL CURRENT (owner=HEX | host)\n"
	  "          [encap=ipip|ip6ip6|4in6|6in4|minenc]\n"
	  "          [status=verified|provisional|held] [lifetime=MS] [seq=N]\n"
	  "          [local-outer=A] [via=A] [dev=IFNAME] [link=IFNAME]\n"
	  "          [lladdr=MAC] [mark=N] [credit=BYTES]\n"
	  "          [buffer] [secured] [granted] [lost]",
	  "send to CURRENT what is for ORIGINAL" },
	{ "unbind", hmmpctl_unbind, "ORIGINAL (owner=HEX | host) [seq=N]",
	  "end that; with seq, unless it is newer" },
	{ "release", hmmpctl_release, "ORIGINAL (owner=HEX | host)",
	  "send what its buffer holds" },
	{ "at", hmmpctl_at, "ORIGINAL CURRENT [dev=IFNAME]\n"
	  "          [via=OUTER-LOCAL,OUTER-REMOTE] [via-encap=E]\n"
	  "          [via-lifetime=MS] [via-secured]",
	  "this host's ORIGINAL receives at CURRENT" },
	{ "forget", hmmpctl_forget, "ORIGINAL",
	  "do not follow this host's ORIGINAL any more" },
	{ "peer", hmmpctl_peer, "REMOTE owner=HEX current=A\n"
	  "          (accepted | refused | unknown) [encap=E]",
	  "what a far end said of this host's current address" },
	{ "own", hmmpctl_own, "LOCAL:PORT REMOTE:PORT HEX",
	  "give a connection its owner; 0 takes it away" },
	{ "track", hmmpctl_track,
	  "LOCAL:PORT REMOTE:PORT [opener | opener-unknown]",
	  "track a connection that is older than the module" },
	{ NULL },
};

static void print_commands(FILE *out, const struct command *cmd)
{
	for (; cmd->name; cmd++)
		fprintf(out, "  %s %s\n      %s\n", cmd->name, cmd->args,
			cmd->help);
}

static void print_help(FILE *out)
{
	fprintf(out, "hmmpctl [-j] [-s PATH] COMMAND\n\n"
		"  -j, --json         JSON for programs\n"
		"  -s, --socket PATH  the agent's control socket (%s)\n"
		"  -h, --help         this text\n\n", SOCKET);
	print_commands(out, commands);
	fputs("\nBy hand, for tests and emergencies: ", out);
	fputs("hmmpd does not know of it, and may undo it.\n", out);
	fputs("An IPv6 address with a port is [ADDRESS]:PORT.\n\n", out);
	print_commands(out, by_hand);
	fprintf(out, "\nExit status: 0 done, 1 refused or failed, 2 usage.\n");
}

static void tell(const struct ctl *c, const char *fmt, va_list ap)
{
	fputs("hmmpctl: ", c->err);
	vfprintf(c->err, fmt, ap);
	fputc('\n', c->err);
}

int hmmpctl_fail(const struct ctl *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(c, fmt, ap);
	va_end(ap);
	return CTL_FAILED;
}

int hmmpctl_usage(const struct ctl *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(c, fmt, ap);
	va_end(ap);
	fputs("Try: hmmpctl --help\n", c->err);
	return CTL_USAGE;
}

int hmmpctl_refused(const struct ctl *c, int err)
{
	const char *sentence = kernel_error();

	/* the kernel says more only when it is not about that */
	if (err == -EPERM && (!*sentence || !strcmp(sentence, strerror(EPERM))))
		return hmmpctl_fail(c, "this needs CAP_NET_ADMIN");
	return hmmpctl_fail(c, "%s", *sentence ? sentence : strerror(-err));
}

int hmmpctl_print(const struct ctl *c, json_t *value)
{
	int err = !value || json_dumpf(value, c->out, JSON_COMPACT |
				       JSON_ENCODE_ANY);

	json_decref(value);
	fputc('\n', c->out);
	if (err || fflush(c->out))
		return hmmpctl_fail(c, "cannot write");
	return CTL_OK;
}

/* A module that is not there is told by the first call to it. */
static int with_kernel(const struct ctl *c, const struct command *cmd,
		       int argc, char **argv)
{
	int err = cmd->run == hmmpctl_monitor ? 0 : kernel_init(NULL);

	if (err && err != -ESRCH)
		return hmmpctl_fail(c, "cannot speak to the kernel: %s",
				    strerror(-err));
	err = cmd->run(c, argc, argv);
	kernel_exit();
	return err;
}

static const struct command *find_command(const struct command *cmd,
					  const char *name)
{
	while (cmd->name && strcmp(cmd->name, name))
		cmd++;
	return cmd->name ? cmd : NULL;
}

static int run_command(const struct ctl *c, int argc, char **argv)
{
	const struct command *cmd = find_command(commands, argv[0]);

	if (!cmd)
		cmd = find_command(by_hand, argv[0]);
	if (!cmd)
		return hmmpctl_usage(c, "there is no command \"%s\"", argv[0]);
	if (argc > 1 && !*cmd->args)
		return hmmpctl_usage(c, "\"%s\" takes no arguments", argv[0]);
	return with_kernel(c, cmd, argc, argv);
}

int hmmpctl_run(int argc, char **argv, FILE *out, FILE *err)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 's' },
		{ "all", no_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct ctl c = { .socket = SOCKET, .out = out, .err = err };
	int opt;

	optind = 0;			/* start anew: tests run it often */
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+js:ah", options, NULL)) >= 0) {
		if (opt == 'j') {
			c.json = true;
		} else if (opt == 'a') {
			c.all = true;
		} else if (opt == 's') {
			c.socket = optarg;
		} else if (opt == 'h') {
			print_help(out);
			return CTL_OK;
		} else {
			return hmmpctl_usage(&c, "unknown option or value missing");
		}
	}
	if (optind == argc)
		return hmmpctl_usage(&c, "a command is missing");
	return run_command(&c, argc - optind, argv + optind);
}
