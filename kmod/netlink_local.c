// SPDX-License-Identifier: GPL-2.0
/* Netlink handlers of the local map, of hand-offs and of peers. */
#include "hmmp.h"

static int check_via(struct genl_info *info)
{
	int attr;

	for (attr = HMMP_A_LOCAL_VIA_LOCAL; attr <= HMMP_A_LOCAL_VIA_FLAGS;
	     attr++) {
		if (!info->attrs[attr])
			continue;
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[attr],
				    "via is not supported yet");
		return -EOPNOTSUPP;
	}
	return 0;
}

int hmmp_nl_local_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hmmp_local l = {};
	struct hmmp_net *hn;
	int err;

	if (!hmmp_netlink_has(info, HMMP_A_LOCAL_ORIGINAL) ||
	    !hmmp_netlink_has(info, HMMP_A_LOCAL_CURRENT))
		return -EINVAL;
	err = check_via(info);
	if (!err)
		err = hmmp_netlink_addr(info, HMMP_A_LOCAL_ORIGINAL,
					&l.family, &l.original);
	if (!err)
		err = hmmp_netlink_addr(info, HMMP_A_LOCAL_CURRENT,
					&l.family, &l.current_addr);
	if (err)
		return err;
	if (info->attrs[HMMP_A_LOCAL_IFINDEX])
		l.ifindex = nla_get_u32(info->attrs[HMMP_A_LOCAL_IFINDEX]);
	hn = hmmp_netlink_begin(info);
	if (IS_ERR(hn))
		return PTR_ERR(hn);
	err = hmmp_local_set(hn, &l);
	hmmp_netlink_end(hn);
	if (err == -ENOSPC)
		NL_SET_ERR_MSG(info->extack,
			       "the limit of local addresses is reached");
	return err;
}

int hmmp_nl_local_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	union nf_inet_addr original;
	struct hmmp_net *hn;
	u8 family = AF_UNSPEC;
	int err;

	if (!hmmp_netlink_has(info, HMMP_A_LOCAL_ORIGINAL))
		return -EINVAL;
	err = hmmp_netlink_addr(info, HMMP_A_LOCAL_ORIGINAL, &family,
				&original);
	if (err)
		return err;
	hn = hmmp_netlink_begin(info);
	if (IS_ERR(hn))
		return PTR_ERR(hn);
	err = hmmp_local_del(hn, family, &original);
	hmmp_netlink_end(hn);
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "no such local address");
	return err;
}

static u32 grace_left(const struct hmmp_local *l)
{
	u64 end = l->changed + HMMP_GRACE_NS, now = hmmp_now();

	return end > now ? div_u64(end - now, NSEC_PER_MSEC) : 0;
}

static int put_local(struct sk_buff *msg, struct netlink_callback *cb,
		     const struct hmmp_local *l)
{
	void *hdr = genlmsg_put(msg, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &hmmp_genl_family,
				NLM_F_MULTI, HMMP_CMD_LOCAL_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (hmmp_netlink_put_addr(msg, HMMP_A_LOCAL_ORIGINAL, l->family,
				  &l->original) ||
	    hmmp_netlink_put_addr(msg, HMMP_A_LOCAL_CURRENT, l->family,
				  &l->current_addr) ||
	    hmmp_netlink_put_addr(msg, HMMP_A_LOCAL_PREVIOUS, l->family,
				  &l->previous) ||
	    nla_put_u32(msg, HMMP_A_LOCAL_IFINDEX, l->ifindex) ||
	    nla_put_u32(msg, HMMP_A_LOCAL_GRACE, grace_left(l))) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

/* At most HMMP_LOCALS_MAX small objects, which fit into one message buffer. */
int hmmp_nl_local_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct hmmp_net *hn = hmmp_net(sock_net(skb->sk));
	const struct hmmp_local_map *map;
	u32 i;

	rcu_read_lock();
	map = rcu_dereference(hn->local);
	for (i = cb->args[0]; map && i < map->n; i++)
		if (put_local(skb, cb, &map->entry[i]))
			break;
	rcu_read_unlock();
	cb->args[0] = i;
	return skb->len;
}

static int reply_handoff(struct genl_info *info, int changed)
{
	struct sk_buff *msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	void *hdr;

	if (!msg)
		return 0;	/* it is done; the answer is only a number */
	hdr = genlmsg_put_reply(msg, info, &hmmp_genl_family, 0,
				HMMP_CMD_HANDOFF);
	if (!hdr || nla_put_u32(msg, HMMP_A_HANDOFF_CHANGED, changed)) {
		nlmsg_free(msg);
		return 0;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

int hmmp_nl_handoff_doit(struct sk_buff *skb, struct genl_info *info)
{
	union nf_inet_addr old, now;
	u8 family = AF_UNSPEC;
	struct hmmp_net *hn;
	int err;

	if (!hmmp_netlink_has(info, HMMP_A_HANDOFF_OLD) ||
	    !hmmp_netlink_has(info, HMMP_A_HANDOFF_NEW))
		return -EINVAL;
	err = hmmp_netlink_addr(info, HMMP_A_HANDOFF_OLD, &family, &old);
	if (!err)
		err = hmmp_netlink_addr(info, HMMP_A_HANDOFF_NEW, &family,
					&now);
	if (err)
		return err;
	if (hmmp_addr_equal(&old, &now)) {
		NL_SET_ERR_MSG(info->extack,
			       "the old and the new address are the same");
		return -EINVAL;
	}
	hn = hmmp_netlink_begin(info);
	if (IS_ERR(hn))
		return PTR_ERR(hn);
	err = hmmp_local_handoff(hn, family, &old, &now);
	hmmp_netlink_end(hn);
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack,
			       "no local address has that current address");
	return err < 0 ? err : reply_handoff(info, err);
}

int hmmp_nl_peer_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hmmp_peer p = { .net = genl_info_net(info) };
	struct hmmp_net *hn;
	int err;

	if (!hmmp_netlink_has(info, HMMP_A_PEER_REMOTE) ||
	    !hmmp_netlink_has(info, HMMP_A_PEER_OWNER) ||
	    !hmmp_netlink_has(info, HMMP_A_PEER_CURRENT) ||
	    !hmmp_netlink_has(info, HMMP_A_PEER_STATE))
		return -EINVAL;
	err = hmmp_netlink_addr(info, HMMP_A_PEER_REMOTE, &p.family,
				&p.remote);
	if (!err)
		err = hmmp_netlink_addr(info, HMMP_A_PEER_CURRENT, &p.family,
					&p.current_addr);
	if (err)
		return err;
	p.owner = nla_get_u64(info->attrs[HMMP_A_PEER_OWNER]);
	p.state = nla_get_u32(info->attrs[HMMP_A_PEER_STATE]);
	hn = hmmp_netlink_begin(info);
	if (IS_ERR(hn))
		return PTR_ERR(hn);
	err = -ENOENT;
	if (hmmp_flow_owner_alive(hn->net, &p.remote, p.owner))
		err = hmmp_peer_set(hn, &p);
	hmmp_netlink_end(hn);
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack,
			       "the owner has no flow to that address");
	else if (err == -ENOSPC)
		NL_SET_ERR_MSG(info->extack, "the limit of peers is reached");
	return err;
}

struct peer_dump {
	struct sk_buff *skb;
	struct netlink_callback *cb;
};

static int dump_peer(struct hmmp_peer *p, void *arg)
{
	struct peer_dump *d = arg;
	void *hdr = genlmsg_put(d->skb, NETLINK_CB(d->cb->skb).portid,
				d->cb->nlh->nlmsg_seq, &hmmp_genl_family,
				NLM_F_MULTI, HMMP_CMD_PEER_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (hmmp_netlink_put_addr(d->skb, HMMP_A_PEER_REMOTE, p->family,
				  &p->remote) ||
	    nla_put_u64_64bit(d->skb, HMMP_A_PEER_OWNER, p->owner,
			      HMMP_A_PEER_PAD) ||
	    hmmp_netlink_put_addr(d->skb, HMMP_A_PEER_CURRENT, p->family,
				  &p->current_addr) ||
	    nla_put_u32(d->skb, HMMP_A_PEER_STATE, p->state)) {
		genlmsg_cancel(d->skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(d->skb, hdr);
	return 0;
}

int hmmp_nl_peer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct hmmp_cursor *at = (struct hmmp_cursor *)cb->ctx;
	struct peer_dump d = { .skb = skb, .cb = cb };

	if (hmmp_peer_walk(sock_net(skb->sk), at, dump_peer, &d) && !skb->len)
		return -EMSGSIZE;
	return skb->len;
}
