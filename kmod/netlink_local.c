// SPDX-License-Identifier: GPL-2.0
/* Netlink handlers of the local map, of hand-offs and of peers. */
#include "hmmp.h"

/* *via: the request speaks of a tunnel; a lifetime of 0 takes it away. */
static int read_via(struct genl_info *info, struct hmmp_local *l, bool *via)
{
	struct nlattr **a = info->attrs;
	struct hmmp_via *v = &l->via;
	u32 life;
	int err;

	*via = a[HMMP_A_LOCAL_VIA_LIFETIME];
	if (!*via) {
		if (!a[HMMP_A_LOCAL_VIA_LOCAL] && !a[HMMP_A_LOCAL_VIA_REMOTE])
			return 0;
		hmmp_netlink_has(info, HMMP_A_LOCAL_VIA_LIFETIME);
		return -EINVAL;
	}
	life = nla_get_u32(a[HMMP_A_LOCAL_VIA_LIFETIME]);
	if (!life)
		return 0;
	if (!hmmp_netlink_has(info, HMMP_A_LOCAL_VIA_LOCAL) ||
	    !hmmp_netlink_has(info, HMMP_A_LOCAL_VIA_REMOTE))
		return -EINVAL;
	err = hmmp_netlink_any(info, HMMP_A_LOCAL_VIA_LOCAL, &v->local);
	if (!err)
		err = hmmp_netlink_any(info, HMMP_A_LOCAL_VIA_REMOTE,
				       &v->remote);
	if (!err)
		err = hmmp_netlink_encap(info, HMMP_A_LOCAL_VIA_ENCAP,
					 l->family, v->remote.family,
					 &v->encap);
	if (err)
		return err;
	if (v->local.family != v->remote.family) {
		NL_SET_ERR_MSG_ATTR(info->extack, a[HMMP_A_LOCAL_VIA_LOCAL],
				    "the outer addresses are of different families");
		return -EINVAL;
	}
	if (hmmp_is(&v->local, l->family, &l->original)) {
		NL_SET_ERR_MSG_ATTR(info->extack, a[HMMP_A_LOCAL_VIA_LOCAL],
				    "a tunnel cannot begin at the address that it is for");
		return -EINVAL;
	}
	if (a[HMMP_A_LOCAL_VIA_FLAGS])
		v->flags = nla_get_u32(a[HMMP_A_LOCAL_VIA_FLAGS]);
	if (v->flags & ~HMMP_BINDING_FLAGS_SECURED) {
		NL_SET_ERR_MSG_ATTR(info->extack, a[HMMP_A_LOCAL_VIA_FLAGS],
				    "a tunnel can be secured only");
		return -EINVAL;
	}
	v->expires = hmmp_now() + (u64)life * NSEC_PER_MSEC;
	return 0;
}

int hmmp_nl_local_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hmmp_local l = {};
	struct hmmp_net *hn;
	bool via;
	int err;

	if (!hmmp_netlink_has(info, HMMP_A_LOCAL_ORIGINAL) ||
	    !hmmp_netlink_has(info, HMMP_A_LOCAL_CURRENT))
		return -EINVAL;
	err = hmmp_netlink_addr(info, HMMP_A_LOCAL_ORIGINAL, &l.family,
				&l.original);
	if (!err)
		err = hmmp_netlink_any(info, HMMP_A_LOCAL_CURRENT,
				       &l.current_addr);
	if (!err)
		err = read_via(info, &l, &via);
	if (err)
		return err;
	if (info->attrs[HMMP_A_LOCAL_IFINDEX])
		l.ifindex = nla_get_u32(info->attrs[HMMP_A_LOCAL_IFINDEX]);
	hn = hmmp_netlink_begin(info);
	if (IS_ERR(hn))
		return PTR_ERR(hn);
	err = hmmp_local_set(hn, &l, via);
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

static int put_via(struct sk_buff *msg, const struct hmmp_via *v)
{
	u64 now = hmmp_now();

	if (!hmmp_via_alive(v, now))
		return 0;
	if (hmmp_netlink_put_any(msg, HMMP_A_LOCAL_VIA_LOCAL, &v->local) ||
	    hmmp_netlink_put_any(msg, HMMP_A_LOCAL_VIA_REMOTE, &v->remote) ||
	    nla_put_u32(msg, HMMP_A_LOCAL_VIA_ENCAP, v->encap) ||
	    nla_put_u32(msg, HMMP_A_LOCAL_VIA_LIFETIME,
			div_u64(v->expires - now, NSEC_PER_MSEC)) ||
	    nla_put_u32(msg, HMMP_A_LOCAL_VIA_FLAGS, v->flags))
		return -EMSGSIZE;
	return 0;
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
	    hmmp_netlink_put_any(msg, HMMP_A_LOCAL_CURRENT,
				 &l->current_addr) ||
	    hmmp_netlink_put_any(msg, HMMP_A_LOCAL_PREVIOUS, &l->previous) ||
	    put_via(msg, &l->via) ||
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
	struct hmmp_addr old, now;
	struct hmmp_net *hn;
	int err;

	if (!hmmp_netlink_has(info, HMMP_A_HANDOFF_OLD) ||
	    !hmmp_netlink_has(info, HMMP_A_HANDOFF_NEW))
		return -EINVAL;
	err = hmmp_netlink_any(info, HMMP_A_HANDOFF_OLD, &old);
	if (!err)
		err = hmmp_netlink_any(info, HMMP_A_HANDOFF_NEW, &now);
	if (err)
		return err;
	if (hmmp_same(&old, &now)) {
		NL_SET_ERR_MSG(info->extack,
			       "the old and the new address are the same");
		return -EINVAL;
	}
	hn = hmmp_netlink_begin(info);
	if (IS_ERR(hn))
		return PTR_ERR(hn);
	err = hmmp_local_handoff(hn, &old, &now);
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
		err = hmmp_netlink_any(info, HMMP_A_PEER_CURRENT,
				       &p.current_addr);
	if (!err)
		err = hmmp_netlink_encap(info, HMMP_A_PEER_ENCAP, p.family,
					 p.current_addr.family, &p.encap);
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
	    hmmp_netlink_put_any(d->skb, HMMP_A_PEER_CURRENT,
				 &p->current_addr) ||
	    (p->encap && nla_put_u32(d->skb, HMMP_A_PEER_ENCAP, p->encap)) ||
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
