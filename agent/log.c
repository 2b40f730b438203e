// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One line per event, to stderr or to syslog. Text of other hosts may be in
 * it, so whatever is not printable is replaced.
 */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "agent.h"

/* From here on the LOG_ names are those of syslog where both have one. */
#include <syslog.h>

static const struct {
	int priority;
	const char *name;
} levels[] = {			/* in the order of enum log_level */
	{ LOG_ERR, "error" },
	{ LOG_WARNING, "warning" },
	{ LOG_NOTICE, "note" },
	{ LOG_INFO, "info" },
	{ LOG_DEBUG, "trace" },
};

static enum log_level most = 2;
static bool use_syslog;

/**
 * log_init - say how much is logged and where; may be called again
 * @level: the last level that is still printed
 * @to_syslog: syslog instead of stderr
 */
void log_init(enum log_level level, bool to_syslog)
{
	most = level;
	if (use_syslog && !to_syslog)
		closelog();
	if (!use_syslog && to_syslog)
		openlog("hmmpd", LOG_PID, LOG_DAEMON);
	use_syslog = to_syslog;
}

static void make_printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
}

/**
 * log_print - one line, without a newline in @fmt
 * @level: its level
 * @fmt: printf format
 */
void log_print(enum log_level level, const char *fmt, ...)
{
	struct timespec t;
	char line[1024];
	va_list ap;

	if (level > most)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	make_printable(line);
	if (use_syslog) {
		syslog(levels[level].priority, "%s", line);
		return;
	}
	clock_gettime(CLOCK_BOOTTIME, &t);
	fprintf(stderr, "[%5lld.%03ld] %s: %s\n", (long long)t.tv_sec,
		t.tv_nsec / 1000000, levels[level].name, line);
}
