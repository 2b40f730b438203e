// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hmmpd as a process, in a network namespace of its own: options, refusals at
 * the start, life and orderly end, the daemon, and what a kill leaves behind.
 * The module need not be there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent.h"
#include "netns.h"

#define OURS	"10.9.0.1"
#define THEIRS	"10.9.0.2"
#define PATIENCE 20000		/* ms; the machine may be busy */

static char hmmpd[512];		/* the program */
static char dir[32];		/* holds everything */
static char out[8192];

static void write_config(const char *user, const char *extra)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/conf", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "[agent]\nroles = correspondent\n"
		"security = none-laboratory\ncontrol = %s/run/control\n"
		"state = %s/run/state\n%s%s", dir, dir, user, extra);
	fclose(f);
}

static int setup_group(void **state)
{
	ssize_t n = readlink("/proc/self/exe", out, sizeof(out) - 1);

	assert_true(n > 0);
	out[n] = '\0';
	snprintf(hmmpd, sizeof(hmmpd), "%s/../hmmpd", dirname(out));
	strcpy(dir, "/tmp/hmmpd-test-XXXXXX");
	if (!netns_enter() || !mkdtemp(dir) || chmod(dir, 0755))
		return -1;
	netns_run("ip link add v0 type veth peer name v1");
	netns_run("ip addr add " OURS "/24 dev v0");
	netns_run("ip addr add " THEIRS "/24 dev v1");
	netns_run("ip link set v0 up && ip link set v1 up");
	return 0;
}

static int teardown_group(void **state)
{
	netns_run("rm -rf %s", dir);
	return 0;
}

static int setup(void **state)
{
	netns_run("rm -rf %s/run %s/log %s/pid", dir, dir, dir);
	write_config("", "");
	return 0;
}

/* Exit status; what it says is in out. */
static int run(const char *args)
{
	return netns_read(out, sizeof(out), "%s %s 2>&1", hmmpd, args);
}

/* ------------------------------------------------------------ the process */

static pid_t start(void)
{
	char conf[64];
	char log[64];
	pid_t pid;
	int fd;

	snprintf(conf, sizeof(conf), "%s/conf", dir);
	snprintf(log, sizeof(log), "%s/log", dir);
	pid = fork();
	assert_true(pid >= 0);
	if (pid)
		return pid;
	fd = open(log, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	dup2(fd, 2);
	execl(hmmpd, "hmmpd", "-f", "-c", conf, NULL);
	_exit(127);
}

static const char *log_text(void)
{
	netns_read(out, sizeof(out), "cat %s/log", dir);
	return out;
}

static bool control_answers(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/run/control", dir);
	ok = !connect(fd, (struct sockaddr *)&sun, sizeof(sun));
	close(fd);
	return ok;
}

static bool log_has_hup(void)
{
	return strstr(log_text(), "SIGHUP: the configuration is read at start");
}

/* Looks every few milliseconds, until it is true. */
static void wait_for(bool (*condition)(void), const char *what)
{
	static const struct timespec pause = { 0, 5000000 };
	uint64_t end = loop_now() + PATIENCE;

	while (!condition()) {
		if (loop_now() > end)
			fail_msg("%s: not within %d ms; log:\n%s", what,
				 PATIENCE, log_text());
		nanosleep(&pause, NULL);
	}
}

static pid_t waited;
static int wait_status;

static bool has_ended(void)
{
	return waitpid(waited, &wait_status, WNOHANG) == waited;
}

static void end_by(pid_t pid, int sig)
{
	assert_int_equal(kill(pid, sig), 0);
	waited = pid;
	wait_for(has_ended, "the end");
}

/* One request to hmmpd; false: no answer within the time-out. */
static bool ask(const char *method, const char *body)
{
	struct sockaddr_in us = { .sin_family = AF_INET };
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(5060) };
	struct timeval patience = { PATIENCE / 1000, 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[1024];
	ssize_t n;
	int len;

	inet_pton(AF_INET, THEIRS, &us.sin_addr);
	inet_pton(AF_INET, OURS, &to.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(bind(fd, (struct sockaddr *)&us, sizeof(us)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	len = snprintf(text, sizeof(text), "%s sip:hmmp@" OURS " SIP/2.0\r\n"
		       "Via: SIP/2.0/UDP " THEIRS ";branch=z9hG4bK1;rport\r\n"
		       "From: <sip:a@anonymous.invalid>;tag=1\r\n"
		       "To: <sip:hmmp@" OURS ">\r\nCall-ID: 1\r\n"
		       "CSeq: 1 %s\r\n"
		       "Content-Type: application/x.hmmp;version=1\r\n"
		       "Content-Length: %zu\r\n\r\n%s", method, method,
		       strlen(body), body);
	assert_int_equal(send(fd, text, (size_t)len, 0), len);
	n = recv(fd, out, sizeof(out) - 1, 0);
	out[n > 0 ? n : 0] = '\0';
	close(fd);
	return n > 0;
}

/* ------------------------------------------------------------------ options */

static void options_are_understood(void **state)
{
	assert_int_equal(run("-V"), 0);
	assert_int_equal(strncmp(out, "hmmpd ", 6), 0);
	assert_int_equal(run("-h"), 0);
	assert_non_null(strstr(out, "usage: hmmpd"));
	assert_int_equal(run("-x"), 2);
	assert_non_null(strstr(out, "usage: hmmpd"));
	assert_int_equal(run("more"), 2);
	assert_int_equal(run("-c /nonexistent"), 1);
	assert_non_null(strstr(out, "hmmpd: /nonexistent: No such file"));
}

static void configuration_is_checked(void **state)
{
	char args[128];
	char want[128];

	snprintf(args, sizeof(args), "-t -c %s/conf", dir);
	assert_int_equal(run(args), 0);
	assert_string_equal(out, "");
	write_config("", "colour = red\n");
	snprintf(want, sizeof(want),
		 "hmmpd: %s/conf:6: unknown key \"colour\" in [agent]\n", dir);
	assert_int_equal(run(args), 1);
	assert_string_equal(out, want);
	snprintf(args, sizeof(args), "-f -c %s/conf", dir);
	assert_int_equal(run(args), 1);
	assert_string_equal(out, want);
	assert_false(control_answers());
}

/* --------------------------------------------------------------------- life */

static void it_lives_and_ends(void **state)
{
	pid_t pid = start();

	wait_for(control_answers, "the control socket");
	assert_non_null(strstr(log_text(), "security = none-laboratory"));
	assert_true(ask("OPTIONS", ""));
	assert_non_null(strstr(out, "SIP/2.0 405 Method Not Allowed\r\n"));
	assert_true(ask("INFO", "Bind [" THEIRS "] to [" THEIRS "]\r\n"));
	assert_non_null(strstr(out, "SIP/2.0 400 Version missing\r\n"));
	kill(pid, SIGHUP);
	wait_for(log_has_hup, "the line about SIGHUP");
	end_by(pid, SIGTERM);
	assert_true(WIFEXITED(wait_status));
	if (WEXITSTATUS(wait_status))
		fail_msg("%s", log_text());
	assert_false(control_answers());
	assert_non_null(strstr(log_text(), "hmmpd has ended"));
}

static void it_starts_again_after_a_kill(void **state)
{
	pid_t pid = start();

	wait_for(control_answers, "the control socket");
	end_by(pid, SIGKILL);
	assert_false(control_answers());
	pid = start();
	wait_for(control_answers, "the control socket");
	assert_true(ask("OPTIONS", ""));
	end_by(pid, SIGINT);
	assert_int_equal(wait_status, 0);
}

/* ------------------------------------------------------------------- daemon */

static pid_t daemon_pid(void)
{
	char path[64];
	FILE *f;
	int pid = 0;

	snprintf(path, sizeof(path), "%s/pid", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	return pid;
}

static bool daemon_is_gone(void)
{
	return kill(waited, 0) && errno == ESRCH;
}

/* Its output goes nowhere: a daemon keeps no pipe of ours open. */
static int start_daemon(void)
{
	return netns_read(out, sizeof(out),
			  "%s -c %s/conf -p %s/pid 2>%s/log >/dev/null", hmmpd,
			  dir, dir, dir);
}

static void the_daemon_is_up_when_the_command_returns(void **state)
{
	assert_int_equal(start_daemon(), 0);
	waited = daemon_pid();
	assert_true(control_answers());
	assert_true(ask("OPTIONS", ""));
	kill(waited, SIGTERM);
	wait_for(daemon_is_gone, "the end of the daemon");
	assert_int_equal(netns_read(out, sizeof(out), "test -e %s/pid", dir),
			 1);
}

static void a_daemon_that_cannot_start_says_so(void **state)
{
	netns_run("mkdir -p %s/run/control", dir);
	assert_int_equal(start_daemon(), 1);
	assert_non_null(strstr(log_text(), "cannot start the control socket"));
}

static void root_is_left(void **state)
{
	if (geteuid() || access("/proc/self/uid_map", R_OK) ||
	    netns_read(out, sizeof(out),
		       "grep -q ' 4294967295$' /proc/self/uid_map"))
		skip();
	write_config("user = nobody\n", "[sip]\nport = 500\n");
	assert_int_equal(start_daemon(), 0);
	waited = daemon_pid();
	netns_read(out, sizeof(out),
		   "grep -E '^(Uid|CapEff|CapPrm)' /proc/%d/status", waited);
	kill(waited, SIGTERM);
	assert_non_null(strstr(out, "Uid:\t65534\t65534\t65534\t65534"));
	/* CAP_NET_ADMIN, CAP_NET_BIND_SERVICE */
	assert_non_null(strstr(out, "CapPrm:\t0000000000001400"));
	assert_non_null(strstr(out, "CapEff:\t0000000000001400"));
	wait_for(daemon_is_gone, "the end of the daemon");
	write_config("user = nobody-of-that-name\n", "");
	assert_int_equal(start_daemon(), 1);
	assert_non_null(strstr(log_text(), "no user nobody-of-that-name"));
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(options_are_understood),
		T(configuration_is_checked),
		T(it_lives_and_ends),
		T(it_starts_again_after_a_kill),
		T(the_daemon_is_up_when_the_command_returns),
		T(a_daemon_that_cannot_start_says_so),
		T(root_is_left),
	};

	return cmocka_run_group_tests_name("daemon", tests, setup_group,
					   teardown_group);
}
