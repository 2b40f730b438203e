// SPDX-License-Identifier: GPL-2.0
/* Netlink handlers of flows. */
#include "hmmp.h"
#include "hmmp_compat.h"

static int read_key(struct genl_info *info, struct hmmp_tuple *key)
{
	int err;

	memset(key, 0, sizeof(*key));
	if (!hmmp_netlink_has(info, HMMP_A_FLOW_LOCAL_ADDR) ||
	    !hmmp_netlink_has(info, HMMP_A_FLOW_REMOTE_ADDR) ||
	    !hmmp_netlink_has(info, HMMP_A_FLOW_LOCAL_PORT) ||
	    !hmmp_netlink_has(info, HMMP_A_FLOW_REMOTE_PORT))
		return -EINVAL;
	err = hmmp_netlink_addr(info, HMMP_A_FLOW_LOCAL_ADDR, &key->family,
				&key->local);
	if (!err)
		err = hmmp_netlink_addr(info, HMMP_A_FLOW_REMOTE_ADDR,
					&key->family, &key->remote);
	key->lport = nla_get_be16(info->attrs[HMMP_A_FLOW_LOCAL_PORT]);
	key->rport = nla_get_be16(info->attrs[HMMP_A_FLOW_REMOTE_PORT]);
	return err;
}

static int put_key(struct sk_buff *msg, const struct hmmp_tuple *key)
{
	return hmmp_netlink_put_addr(msg, HMMP_A_FLOW_LOCAL_ADDR, key->family,
				     &key->local) ||
	       hmmp_netlink_put_addr(msg, HMMP_A_FLOW_REMOTE_ADDR, key->family,
				     &key->remote) ||
	       nla_put_be16(msg, HMMP_A_FLOW_LOCAL_PORT, key->lport) ||
	       nla_put_be16(msg, HMMP_A_FLOW_REMOTE_PORT, key->rport) ?
	       -EMSGSIZE : 0;
}

/**
 * hmmp_netlink_put_flow - what a flow itself knows
 * @msg: message
 * @f: flow
 *
 * Return: 0 or -EMSGSIZE.
 */
int hmmp_netlink_put_flow(struct sk_buff *msg, const struct hmmp_flow *f)
{
	u64 age = div_u64(hmmp_now() - f->birth, NSEC_PER_MSEC);

	if (put_key(msg, &f->key) ||
	    nla_put_u32(msg, HMMP_A_FLOW_STATE, READ_ONCE(f->tcp.state)) ||
	    nla_put_u64_64bit(msg, HMMP_A_FLOW_OWNER, READ_ONCE(f->owner),
			      HMMP_A_FLOW_PAD) ||
	    nla_put_u32(msg, HMMP_A_FLOW_FLAGS, READ_ONCE(f->flags)) ||
	    nla_put_u32(msg, HMMP_A_FLOW_ISN_LOCAL,
			READ_ONCE(f->tcp.half[HMMP_DIR_OUT].isn)) ||
	    nla_put_u32(msg, HMMP_A_FLOW_ISN_REMOTE,
			READ_ONCE(f->tcp.half[HMMP_DIR_IN].isn)) ||
	    nla_put_u64_64bit(msg, HMMP_A_FLOW_AGE, age, HMMP_A_FLOW_PAD) ||
	    nla_put_u64_64bit(msg, HMMP_A_FLOW_ID, f->id, HMMP_A_FLOW_PAD) ||
	    (f->bound_if &&
	     nla_put_u32(msg, HMMP_A_FLOW_BOUND_IFINDEX, f->bound_if)))
		return -EMSGSIZE;
	return 0;
}

/*
 * The draft's addresses of a connection (Draft 4.2.2): the originals are in
 * its key, the others follow from the local map and the binding.
 */
static int put_whereabouts(struct hmmp_net *hn, struct sk_buff *msg,
			   const struct hmmp_flow *f)
{
	const struct hmmp_local *l;
	struct hmmp_binding *b;
	struct hmmp_addr to;

	l = hmmp_local_find(rcu_dereference(hn->local), f->key.family,
			    &f->key.local);
	if (l && (hmmp_netlink_put_any(msg, HMMP_A_FLOW_CURRENT,
				       &l->current_addr) ||
		  hmmp_netlink_put_any(msg, HMMP_A_FLOW_PREVIOUS,
				       &l->previous)))
		return -EMSGSIZE;
	b = f->owner ? hmmp_binding_find(hn, f->key.family, &f->key.remote,
					 f->owner) : NULL;
	if (!b || b->leaving)
		return 0;
	to = hmmp_binding_to(b);
	return hmmp_netlink_put_any(msg, HMMP_A_FLOW_REMOTE_CURRENT, &to);
}

static int put_one(struct hmmp_net *hn, struct sk_buff *msg, u32 portid,
		   u32 seq, int flags, const struct hmmp_flow *f)
{
	void *hdr = genlmsg_put(msg, portid, seq, &hmmp_genl_family, flags,
				HMMP_CMD_FLOW_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (hmmp_netlink_put_flow(msg, f) || put_whereabouts(hn, msg, f)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

int hmmp_nl_flow_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hmmp_net *hn = hmmp_net(genl_info_net(info));
	struct hmmp_tuple key;
	struct hmmp_flow *f;
	struct sk_buff *msg;
	int err = read_key(info, &key);

	if (err)
		return err;
	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	rcu_read_lock();
	f = hmmp_flow_find(hn->net, &key);
	if (f)
		err = put_one(hn, msg, info->snd_portid, info->snd_seq, 0, f);
	rcu_read_unlock();
	if (f && !err)
		return genlmsg_reply(msg, info);
	nlmsg_free(msg);
	if (f)
		return err;
	NL_SET_ERR_MSG(info->extack, "no such flow");
	return -ENOENT;
}

struct flow_dump {
	struct hmmp_net *hn;
	struct sk_buff *skb;
	struct netlink_callback *cb;
	const struct nlattr *local;
	const struct nlattr *remote;
	u64 owner;
};

static bool is_addr(const struct nlattr *nla, const union nf_inet_addr *addr)
{
	return !nla || !memcmp(nla_data(nla), addr, nla_len(nla));
}

static int dump_one(struct hmmp_flow *f, void *arg)
{
	struct flow_dump *d = arg;

	if (!is_addr(d->local, &f->key.local) ||
	    !is_addr(d->remote, &f->key.remote) ||
	    (d->owner && d->owner != READ_ONCE(f->owner)))
		return 0;
	return put_one(d->hn, d->skb, NETLINK_CB(d->cb->skb).portid,
		       d->cb->nlh->nlmsg_seq, NLM_F_MULTI, f);
}

int hmmp_nl_flow_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr **attrs = hmmp_compat_dump_attrs(cb);
	struct hmmp_cursor *at = (struct hmmp_cursor *)cb->ctx;
	struct flow_dump d = {
		.hn = hmmp_net(sock_net(skb->sk)),
		.skb = skb,
		.cb = cb,
		.local = attrs[HMMP_A_FLOW_LOCAL_ADDR],
		.remote = attrs[HMMP_A_FLOW_REMOTE_ADDR],
	};

	if (hmmp_netlink_filter(d.local, cb->extack) ||
	    hmmp_netlink_filter(d.remote, cb->extack))
		return -EINVAL;
	if (attrs[HMMP_A_FLOW_OWNER])
		d.owner = nla_get_u64(attrs[HMMP_A_FLOW_OWNER]);
	if (hmmp_flow_walk(d.hn->net, at, dump_one, &d) && !skb->len)
		return -EMSGSIZE;
	return skb->len;
}

int hmmp_nl_flow_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hmmp_tuple key;
	struct hmmp_net *hn;
	u32 flags = 0;
	int err;

	err = read_key(info, &key);
	if (err)
		return err;
	if (info->attrs[HMMP_A_FLOW_FLAGS])
		flags = nla_get_u32(info->attrs[HMMP_A_FLOW_FLAGS]);
	if (flags & ~HMMP_FLOW_OPENERS || flags == HMMP_FLOW_OPENERS) {
		NL_SET_ERR_MSG(info->extack,
			       "flags may be opener or opener-unknown");
		return -EINVAL;
	}
	hn = hmmp_netlink_begin(info);
	if (IS_ERR(hn))
		return PTR_ERR(hn);
	err = hmmp_sip_eye_take(hn, &key, flags);
	hmmp_netlink_end(hn);
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "no such connection");
	else if (err == -EAGAIN)
		NL_SET_ERR_MSG(info->extack, "the socket is in use, try again");
	else if (err == -ENOSPC)
		NL_SET_ERR_MSG(info->extack, "the limit of flows is reached");
	return err;
}

int hmmp_nl_flow_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hmmp_tuple key;
	struct hmmp_flow *f;
	struct hmmp_net *hn;
	u64 owner;
	int err;

	err = read_key(info, &key);
	if (err)
		return err;
	if (!hmmp_netlink_has(info, HMMP_A_FLOW_OWNER))
		return -EINVAL;
	owner = nla_get_u64(info->attrs[HMMP_A_FLOW_OWNER]);
	hn = hmmp_netlink_begin(info);
	if (IS_ERR(hn))
		return PTR_ERR(hn);
	rcu_read_lock();
	f = hmmp_flow_find(hn->net, &key);
	err = f ? hmmp_flow_set_owner(f, owner) : -ENOENT;
	if (err == -EBUSY)
		hmmp_event_flow(hn, f, HMMP_FLOW_EVENT_CONTESTED);
	rcu_read_unlock();
	hmmp_netlink_end(hn);
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "no such flow");
	else if (err)
		NL_SET_ERR_MSG(info->extack, "the flow has another owner");
	return err;
}
