// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the two generic netlink sockets: one asks, the other listens to the
 * family's group and to the controller, which tells of families that come and
 * go. The name is asked for only once: that is what loads a module, and a
 * module that somebody has taken out on purpose must not come back by itself.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/genetlink.h>
#include "genl.h"

#define EVENT_READS	256		/* datagrams before others get a turn */
#define DUMP_TRIES	5		/* of a list that changes meanwhile */

static struct {
	char name[GENL_NAMSIZ];
	char group[GENL_NAMSIZ];
	uint8_t version;
	uint16_t id;			/* 0: not registered */
	uint32_t group_id;
	uint32_t notify_id;		/* the controller's group */
	struct nl ask;
	struct mnl_socket *listen;
	bool lost;			/* events, since the last look */
	const struct genl_events *ev;
	char request[2048] __attribute__((aligned(8)));
	char event[NL_BUF] __attribute__((aligned(8)));
} genl;

const char *genl_error(void)
{
	return genl.ask.error;
}

/* -------------------------------------------------------- the controller */

struct family {
	char name[GENL_NAMSIZ];
	const char *group;		/* the one that is looked for */
	uint16_t id;
	uint32_t group_id;
};

static void parse_group(const struct nlattr *nest, struct family *f)
{
	const struct nlattr *tb[CTRL_ATTR_MCAST_GRP_MAX + 1];
	const struct nlattr *name;

	nl_attrs_nested(nest, tb, CTRL_ATTR_MCAST_GRP_MAX);
	name = tb[CTRL_ATTR_MCAST_GRP_NAME];
	if (name && !mnl_attr_validate(name, MNL_TYPE_NUL_STRING) &&
	    !strcmp(mnl_attr_get_str(name), f->group))
		f->group_id = nl_u32(tb[CTRL_ATTR_MCAST_GRP_ID]);
}

static int parse_family(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *tb[CTRL_ATTR_MAX + 1], *a;
	struct family *f = arg;

	if (nl_attrs(h, GENL_HDRLEN, tb, CTRL_ATTR_MAX))
		return -EBADMSG;
	a = tb[CTRL_ATTR_FAMILY_ID];
	if (!a || mnl_attr_get_payload_len(a) < sizeof(uint16_t))
		return -EBADMSG;
	f->id = mnl_attr_get_u16(a);
	a = tb[CTRL_ATTR_FAMILY_NAME];
	if (!a || mnl_attr_validate(a, MNL_TYPE_NUL_STRING))
		return -EBADMSG;
	snprintf(f->name, sizeof(f->name), "%s", mnl_attr_get_str(a));
	if (tb[CTRL_ATTR_MCAST_GROUPS])
		mnl_attr_for_each_nested(a, tb[CTRL_ATTR_MCAST_GROUPS])
			parse_group(a, f);
	return 0;
}

static struct nlmsghdr *build(uint16_t id, uint8_t cmd, uint8_t version,
			      uint16_t flags)
{
	struct nlmsghdr *h = nl_build(genl.request, id, flags);
	struct genlmsghdr *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	g->cmd = cmd;
	g->version = version;
	return h;
}

static int ask_name(const char *name, struct family *f)
{
	struct nlmsghdr *h = build(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, 0);

	mnl_attr_put_strz(h, CTRL_ATTR_FAMILY_NAME, name);
	return nl_ask(&genl.ask, h, parse_family, f);
}

static int ask_id(uint16_t id, struct family *f)
{
	struct nlmsghdr *h = build(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, 0);

	mnl_attr_put_u16(h, CTRL_ATTR_FAMILY_ID, id);
	return nl_ask(&genl.ask, h, parse_family, f);
}

/* ---------------------------------------------------------------- events */

static int adopt(const struct family *f)
{
	int err = 0;

	if (genl.listen) {
		err = f->group_id ? nl_join(genl.listen, f->group_id) : -ENOENT;
		if (err)
			return err;
	}
	genl.id = f->id;
	genl.group_id = f->group_id;
	return 0;
}

static int on_controller(const struct nlmsghdr *h)
{
	const struct genlmsghdr *g = mnl_nlmsg_get_payload(h);
	struct family f = { .group = genl.group };

	if (g->cmd != CTRL_CMD_NEWFAMILY && g->cmd != CTRL_CMD_DELFAMILY)
		return 0;
	if (parse_family(h, &f) || strcmp(f.name, genl.name))
		return 0;
	if (g->cmd == CTRL_CMD_DELFAMILY) {
		genl.id = 0;
		genl.ev->gone();
	} else if (!adopt(&f)) {
		genl.ev->resync();
	}
	return 0;
}

static int on_message(const struct nlmsghdr *h, void *arg)
{
	if (mnl_nlmsg_get_payload_len(h) < GENL_HDRLEN)
		return 0;
	if (h->nlmsg_type == GENL_ID_CTRL)
		return on_controller(h);
	if (genl.id && h->nlmsg_type == genl.id)
		return genl.ev->message(h, arg);
	return 0;
}

/*
 * Events were lost, perhaps also that the family came or went. Its name must
 * not be asked for (see the top): all families are listed instead.
 */
static int match_family(const struct nlmsghdr *h, void *arg)
{
	struct family *want = arg;
	struct family f = { .group = genl.group };

	if (!parse_family(h, &f) && !strcmp(f.name, genl.name))
		*want = f;
	return 0;
}

static int list_families(struct family *f)
{
	struct nlmsghdr *h = build(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, 0);
	unsigned int i;
	int err = -EINTR;

	for (i = 0; i < DUMP_TRIES && err == -EINTR; i++)
		err = nl_dump(&genl.ask, h, match_family, f);
	return err;
}

static void look_again(void)
{
	struct family f = { .group = genl.group };

	if (list_families(&f) || !f.id || adopt(&f)) {
		genl.id = 0;
		genl.ev->gone();
		return;
	}
	genl.ev->resync();
}

static void on_readable(void *arg, int fd)
{
	unsigned int i;
	int n = 0;

	for (i = 0; i < EVENT_READS && n != -EAGAIN && genl.listen; i++) {
		n = nl_read(genl.listen, genl.event, sizeof(genl.event),
			    on_message, NULL);
		if (n < 0 && n != -EAGAIN)
			genl.lost = true;
	}
	/* what is left in the queue is older than a new look: it comes first */
	if (n != -EAGAIN || !genl.lost)
		return;
	genl.lost = false;
	look_again();
}

static int start_events(void)
{
	struct family ctrl = { .group = "notify" };
	int err;

	err = ask_name("nlctrl", &ctrl);
	if (err)
		return err;
	genl.listen = nl_listen(NETLINK_GENERIC, 0);
	if (!genl.listen)
		return -errno;
	err = nl_join(genl.listen, ctrl.group_id);
	if (err)
		return err;
	return loop_fd_add(mnl_socket_get_fd(genl.listen), on_readable, NULL);
}

int genl_init(const char *family, uint8_t version, const char *group,
	      const struct genl_events *ev)
{
	struct family f = { .group = genl.group };
	int err;

	snprintf(genl.name, sizeof(genl.name), "%s", family);
	snprintf(genl.group, sizeof(genl.group), "%s", group);
	genl.version = version;
	genl.ev = ev;
	err = nl_open(&genl.ask, NETLINK_GENERIC);
	if (!err && ev)
		err = start_events();
	if (err)
		goto err_exit;
	err = ask_name(family, &f);
	if (err == -ENOENT)
		return -ESRCH;
	if (!err)
		err = adopt(&f);
	if (!err)
		return 0;
err_exit:
	genl_exit();
	return err;
}

void genl_exit(void)
{
	if (genl.listen) {
		loop_fd_del(mnl_socket_get_fd(genl.listen));
		mnl_socket_close(genl.listen);
	}
	genl.listen = NULL;
	genl.id = 0;
	nl_close(&genl.ask);
}

/* -------------------------------------------------------------- requests */

struct nlmsghdr *genl_build(uint8_t cmd, uint16_t flags)
{
	return build(genl.id, cmd, genl.version, flags);
}

static int no_family(void)
{
	snprintf(genl.ask.error, sizeof(genl.ask.error),
		 "The kernel module %s is not loaded", genl.name);
	return -ESRCH;
}

/* -ENOENT is said of an object, and by the kernel of a family that is gone. */
static int explain(int err)
{
	struct family f = { .group = genl.group };
	char sentence[NL_SENTENCE];

	if (err != -ENOENT)
		return err;
	memcpy(sentence, genl.ask.error, sizeof(sentence));
	if (ask_id(genl.id, &f) || strcmp(f.name, genl.name)) {
		genl.id = 0;
		return no_family();
	}
	memcpy(genl.ask.error, sentence, sizeof(sentence));
	return err;
}

int genl_ask(struct nlmsghdr *req, nl_cb cb, void *arg)
{
	if (!genl.id)
		return no_family();
	return explain(nl_ask(&genl.ask, req, cb, arg));
}

int genl_dump(struct nlmsghdr *req, nl_cb cb, void *arg)
{
	if (!genl.id)
		return no_family();
	return explain(nl_dump(&genl.ask, req, cb, arg));
}
