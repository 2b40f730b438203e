// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Root is left right after the start: of its powers hmmpd keeps the network
 * administrator's (netlink, addresses, rules, the sysctls of its namespace),
 * and that of binding a port below 1024 if SIP has one.
 */
#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

static int keep_caps(uint64_t caps)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{ .effective = (uint32_t)caps, .permitted = (uint32_t)caps },
		{ .effective = (uint32_t)(caps >> 32),
		  .permitted = (uint32_t)(caps >> 32) },
	};

	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

/* The folder of a file that we shall write, for its last component only. */
static int own_folder(const char *file, const struct passwd *pw)
{
	char path[256];
	char *dir;

	snprintf(path, sizeof(path), "%s", file);
	dir = dirname(path);
	if (!mkdir(dir, 0755))
		return pw && chown(dir, pw->pw_uid, pw->pw_gid) ? -errno : 0;
	return errno == EEXIST ? 0 : -errno;
}

static int change_user(const struct passwd *pw)
{
	if (prctl(PR_SET_KEEPCAPS, 1) ||
	    initgroups(pw->pw_name, pw->pw_gid) ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
		return -errno;
	return 0;
}

/**
 * privs_drop - make the folders of control socket and state file, leave root
 * @cfg: cfg->user says who to become; empty: nobody else
 *
 * Folders that exist already are left as they are.
 *
 * Return: 0 or -errno, logged.
 */
int privs_drop(const struct config *cfg)
{
	const struct passwd *pw = NULL;
	uint64_t caps = 1ull << CAP_NET_ADMIN;
	int err;

	if (cfg->user[0]) {
		errno = 0;
		pw = getpwnam(cfg->user);
		if (!pw) {
			log_print(LOG_ERROR, "there is no user %s", cfg->user);
			return errno ? -errno : -ENOENT;
		}
	}
	if (cfg->sip_port < 1024)
		caps |= 1ull << CAP_NET_BIND_SERVICE;
	err = own_folder(cfg->control, pw);
	if (!err)
		err = own_folder(cfg->state, pw);
	if (err)
		log_print(LOG_WARN, "cannot make the folder of %s or %s: %s",
			  cfg->control, cfg->state, strerror(-err));
	if (!pw)
		return 0;
	err = change_user(pw);
	if (!err)
		err = keep_caps(caps);
	if (err)
		log_print(LOG_ERROR, "cannot become %s: %s", cfg->user,
			  strerror(-err));
	return err;
}
