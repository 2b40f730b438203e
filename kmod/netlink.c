// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: table of operations, what their handlers share,
 * information and limits. Policies are generated from the specification; the
 * table and the group are written by hand, because the two kernels differ and
 * a group needs a permission. Handlers run in process context, in parallel;
 * changes take the lock of the namespace.
 */
#include <linux/module.h>
#include <net/ipv6.h>
#include "hmmp.h"
#include "netlink_gen.h"

/* Not of a network, of everybody, of a group, or of this machine only. */
static bool of_host4(__be32 a)
{
	return !ipv4_is_zeronet(a) && !ipv4_is_loopback(a) &&
	       !ipv4_is_multicast(a) && !ipv4_is_lbcast(a);
}

/* An address of a link means nothing elsewhere; a mapped one is IPv4. */
static bool of_host6(const struct in6_addr *a)
{
	return !ipv6_addr_any(a) && !ipv6_addr_loopback(a) &&
	       !ipv6_addr_is_multicast(a) && !ipv6_addr_v4mapped(a) &&
	       !(ipv6_addr_type(a) & IPV6_ADDR_LINKLOCAL);
}

/**
 * hmmp_netlink_addr - read an address
 * @info: request
 * @attr: number of a binary attribute
 * @family: AF_UNSPEC before the first address of a request, then its family,
 *	which the others must share
 * @addr: filled; zero behind an IPv4 address
 *
 * Return: 0, or -EINVAL or -EAFNOSUPPORT with a sentence.
 */
int hmmp_netlink_addr(struct genl_info *info, int attr, u8 *family,
		      union nf_inet_addr *addr)
{
	const struct nlattr *nla = info->attrs[attr];
	u8 is = nla_len(nla) == 4 ? AF_INET : AF_INET6;

	if (nla_len(nla) != 4 && nla_len(nla) != 16) {
		NL_SET_ERR_MSG_ATTR(info->extack, nla,
				    "an address has 4 or 16 bytes");
		return -EINVAL;
	}
	if (*family != AF_UNSPEC && *family != is) {
		NL_SET_ERR_MSG_ATTR(info->extack, nla,
				    "the addresses are of different families");
		return -EAFNOSUPPORT;
	}
	*family = is;
	memset(addr, 0, sizeof(*addr));
	nla_memcpy(addr, nla, sizeof(*addr));
	if (is == AF_INET ? !of_host4(addr->ip) : !of_host6(&addr->in6)) {
		NL_SET_ERR_MSG_ATTR(info->extack, nla,
				    "not the address of a host on a network");
		return -EINVAL;
	}
	return 0;
}

/**
 * hmmp_netlink_any - read an address of either family
 * @info: request
 * @attr: number of a binary attribute; absent: no address
 * @addr: filled
 *
 * Return: 0, or -EINVAL with a sentence.
 */
int hmmp_netlink_any(struct genl_info *info, int attr, struct hmmp_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (!info->attrs[attr])
		return 0;
	return hmmp_netlink_addr(info, attr, &addr->family, &addr->ip);
}

/**
 * hmmp_netlink_encap - read an encapsulation and compare it with addresses
 * @info: request
 * @attr: its number; absent: none
 * @inner: family of the inner packets
 * @outer: family of the outer packets
 * @encap: filled with HMMP_ENCAP_*
 *
 * Return: 0, or -EOPNOTSUPP or -EAFNOSUPPORT with a sentence.
 */
int hmmp_netlink_encap(struct genl_info *info, int attr, u8 inner, u8 outer,
		       u8 *encap)
{
	static const struct {
		u8 inner;
		u8 outer;
	} of[] = {
		[HMMP_ENCAP_IPIP] = { AF_INET, AF_INET },
		[HMMP_ENCAP_IP6IP6] = { AF_INET6, AF_INET6 },
		[HMMP_ENCAP_4IN6] = { AF_INET, AF_INET6 },
		[HMMP_ENCAP_6IN4] = { AF_INET6, AF_INET },
		[HMMP_ENCAP_MINENC] = { AF_INET, AF_INET },
	};
	u32 is;

	*encap = HMMP_ENCAP_NONE;
	if (!info->attrs[attr])
		return 0;
	is = nla_get_u32(info->attrs[attr]);
	if (is >= ARRAY_SIZE(of) || is == HMMP_ENCAP_NONE) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[attr],
				    "this encapsulation is not supported");
		return -EOPNOTSUPP;
	}
	if (of[is].inner != inner || of[is].outer != outer) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[attr],
				    "the encapsulation is not for addresses of these families");
		return -EAFNOSUPPORT;
	}
	*encap = is;
	return 0;
}

/**
 * hmmp_netlink_filter - is the address of a dump's filter one?
 * @nla: attribute or NULL
 * @extack: for the sentence of a refusal
 *
 * Return: 0 or -EINVAL.
 */
int hmmp_netlink_filter(const struct nlattr *nla,
			struct netlink_ext_ack *extack)
{
	if (!nla || nla_len(nla) == 4 || nla_len(nla) == 16)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, nla, "an address has 4 or 16 bytes");
	return -EINVAL;
}

/**
 * hmmp_netlink_put_any - write an address of either family, if there is one
 * @msg: message
 * @attr: number
 * @addr: address
 *
 * Return: 0 or -EMSGSIZE.
 */
int hmmp_netlink_put_any(struct sk_buff *msg, int attr,
			 const struct hmmp_addr *addr)
{
	if (!addr->family)
		return 0;
	return nla_put(msg, attr, addr->family == AF_INET ? 4 : 16, &addr->ip);
}

/**
 * hmmp_netlink_put_addr - write an address, unless it is zero
 * @msg: message
 * @attr: number
 * @family: AF_INET or AF_INET6
 * @addr: address
 *
 * Return: 0 or -EMSGSIZE.
 */
int hmmp_netlink_put_addr(struct sk_buff *msg, int attr, u8 family,
			  const union nf_inet_addr *addr)
{
	static const union nf_inet_addr none;

	if (hmmp_addr_equal(addr, &none))
		return 0;
	return nla_put(msg, attr, family == AF_INET ? 4 : 16, addr);
}

/**
 * hmmp_netlink_begin - start a change in a namespace
 * @info: request
 *
 * Return: the namespace with its lock held, or an error pointer.
 */
struct hmmp_net *hmmp_netlink_begin(struct genl_info *info)
{
	struct hmmp_net *hn = hmmp_net(genl_info_net(info));
	int err;

	mutex_lock(&hn->lock);
	err = hmmp_net_start(hn);
	if (!err)
		return hn;
	mutex_unlock(&hn->lock);
	NL_SET_ERR_MSG(info->extack, "the hooks could not be registered");
	return ERR_PTR(err);
}

/**
 * hmmp_netlink_end - end of a change
 * @hn: namespace
 */
void hmmp_netlink_end(struct hmmp_net *hn)
{
	mutex_unlock(&hn->lock);
}

static int put_limits(struct hmmp_net *hn, struct sk_buff *msg)
{
	const struct hmmp_local_map *map;
	struct nlattr *nest = nla_nest_start(msg, HMMP_A_INFO_LIMITS);
	u32 locals;

	if (!nest)
		return -EMSGSIZE;
	rcu_read_lock();
	map = rcu_dereference(hn->local);
	locals = map ? map->n : 0;
	rcu_read_unlock();
	if (nla_put_u32(msg, HMMP_A_LIMITS_FLOWS, hn->limit.flows) ||
	    nla_put_u32(msg, HMMP_A_LIMITS_BINDINGS, hn->limit.bindings) ||
	    nla_put_u32(msg, HMMP_A_LIMITS_LOCALS, hn->limit.locals) ||
	    nla_put_u32(msg, HMMP_A_LIMITS_PEERS, hn->limit.peers) ||
	    nla_put_u32(msg, HMMP_A_LIMITS_BUFFER_PACKETS,
			hn->limit.buffer_packets) ||
	    nla_put_u32(msg, HMMP_A_LIMITS_BUFFER_BYTES,
			hn->limit.buffer_bytes) ||
	    nla_put_u32(msg, HMMP_A_LIMITS_BUFFER_TIME,
			hn->limit.buffer_time) ||
	    nla_put_u32(msg, HMMP_A_LIMITS_BUFFER_RATE,
			hn->limit.buffer_rate) ||
	    nla_put_u32(msg, HMMP_A_LIMITS_FLOWS_USED,
			atomic_read(&hn->n_flows)) ||
	    nla_put_u32(msg, HMMP_A_LIMITS_BINDINGS_USED,
			atomic_read(&hn->n_bindings)) ||
	    nla_put_u32(msg, HMMP_A_LIMITS_LOCALS_USED, locals) ||
	    nla_put_u32(msg, HMMP_A_LIMITS_PEERS_USED,
			atomic_read(&hn->n_peers)))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int info_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hmmp_net *hn = hmmp_net(genl_info_net(info));
	struct sk_buff *msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	void *hdr;

	if (!msg)
		return -ENOMEM;
	hdr = genlmsg_put_reply(msg, info, &hmmp_genl_family, 0,
				HMMP_CMD_INFO_GET);
	if (!hdr ||
	    nla_put_string(msg, HMMP_A_INFO_VERSION, HMMP_VERSION) ||
	    put_limits(hn, msg) ||
	    hmmp_mib_put(hn, msg, HMMP_A_INFO_COUNTERS) ||
	    nla_put_u32(msg, HMMP_A_INFO_TABLE_SIZE, hmmp_flow_buckets()) ||
	    (hn->active && nla_put_flag(msg, HMMP_A_INFO_ACTIVE))) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

struct limit_row {
	int attr;
	size_t offset;
	u32 max;
};

static int set_limit(struct genl_info *info, const struct limit_row *row,
		     const struct hmmp_limits *now, struct hmmp_limits *new)
{
	struct nlattr *nla = info->attrs[row->attr];
	u32 had = *(const u32 *)((const char *)now + row->offset);
	u32 want;

	if (!nla)
		return 0;
	want = nla_get_u32(nla);
	if (!want || want > row->max) {
		NL_SET_ERR_MSG_ATTR(info->extack, nla,
				    "a limit is at least 1, and not above that of the machine");
		return -ERANGE;
	}
	if (want > had && !capable(CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG_ATTR(info->extack, nla,
				    "a user namespace cannot raise a limit");
		return -EPERM;
	}
	*(u32 *)((char *)new + row->offset) = want;
	return 0;
}

static int limits_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct limit_row rows[] = {
		{ HMMP_A_LIMITS_FLOWS, offsetof(struct hmmp_limits, flows),
		  hmmp_flow_machine_limit() },
		{ HMMP_A_LIMITS_BINDINGS,
		  offsetof(struct hmmp_limits, bindings),
		  hmmp_binding_machine_limit() },
		{ HMMP_A_LIMITS_LOCALS, offsetof(struct hmmp_limits, locals),
		  HMMP_LOCALS_MAX },
		{ HMMP_A_LIMITS_PEERS, offsetof(struct hmmp_limits, peers),
		  hmmp_peer_machine_limit() },
		{ HMMP_A_LIMITS_BUFFER_PACKETS,
		  offsetof(struct hmmp_limits, buffer_packets), 1 << 16 },
		{ HMMP_A_LIMITS_BUFFER_BYTES,
		  offsetof(struct hmmp_limits, buffer_bytes), 1 << 26 },
		{ HMMP_A_LIMITS_BUFFER_TIME,
		  offsetof(struct hmmp_limits, buffer_time), 60000 },
		{ HMMP_A_LIMITS_BUFFER_RATE,
		  offsetof(struct hmmp_limits, buffer_rate), 1 << 10 },
	};
	struct hmmp_limits new;
	struct hmmp_net *hn;
	int err = 0, i;

	hn = hmmp_netlink_begin(info);
	if (IS_ERR(hn))
		return PTR_ERR(hn);
	new = hn->limit;
	for (i = 0; !err && i < ARRAY_SIZE(rows); i++)
		err = set_limit(info, &rows[i], &hn->limit, &new);
	if (!err)
		hn->limit = new;
	hmmp_netlink_end(hn);
	return err;
}

#define OP(op, name, do, dump) {			\
	.cmd = HMMP_CMD_##op,				\
	.flags = GENL_UNS_ADMIN_PERM,			\
	.policy = hmmp_##name##_nl_policy,		\
	.maxattr = ARRAY_SIZE(hmmp_##name##_nl_policy) - 1, \
	.doit = do,					\
	.dumpit = dump,					\
}

static const struct genl_ops hmmp_ops[] = {
	OP(INFO_GET, info_get, info_get_doit, NULL),
	OP(FLOW_GET, flow_get, hmmp_nl_flow_get_doit,
	   hmmp_nl_flow_get_dumpit),
	OP(FLOW_NEW, flow_new, hmmp_nl_flow_new_doit, NULL),
	OP(FLOW_SET, flow_set, hmmp_nl_flow_set_doit, NULL),
	OP(BINDING_NEW, binding_new, hmmp_nl_binding_new_doit, NULL),
	OP(BINDING_DEL, binding_del, hmmp_nl_binding_del_doit, NULL),
	OP(BINDING_GET, binding_get, hmmp_nl_binding_get_doit,
	   hmmp_nl_binding_get_dumpit),
	OP(LOCAL_SET, local_set, hmmp_nl_local_set_doit, NULL),
	OP(LOCAL_DEL, local_del, hmmp_nl_local_del_doit, NULL),
	OP(LOCAL_GET, local_get, NULL, hmmp_nl_local_get_dumpit),
	OP(HANDOFF, handoff, hmmp_nl_handoff_doit, NULL),
	OP(PEER_SET, peer_set, hmmp_nl_peer_set_doit, NULL),
	OP(PEER_GET, peer_get, NULL, hmmp_nl_peer_get_dumpit),
	OP(RELEASE, release, hmmp_nl_release_doit, NULL),
	OP(LIMITS_SET, limits_set, limits_set_doit, NULL),
};

static const struct genl_multicast_group hmmp_groups[] = {
	{ .name = HMMP_MCGRP_EVENTS, .flags = GENL_MCAST_CAP_NET_ADMIN, },
};

struct genl_family hmmp_genl_family __ro_after_init = {
	.name = HMMP_FAMILY_NAME,
	.version = HMMP_FAMILY_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.ops = hmmp_ops,
	.n_ops = ARRAY_SIZE(hmmp_ops),
	.mcgrps = hmmp_groups,
	.n_mcgrps = ARRAY_SIZE(hmmp_groups),
};
