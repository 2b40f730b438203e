// SPDX-License-Identifier: GPL-2.0
/* Netlink handlers of bindings. */
#include "hmmp.h"
#include "hmmp_compat.h"

/* In the interface from the start, in the module later. */
static int check_supported(struct genl_info *info)
{
	struct nlattr **a = info->attrs;

	if (a[HMMP_A_BINDING_SCOPE] &&
	    nla_get_u32(a[HMMP_A_BINDING_SCOPE]) != HMMP_SCOPE_FLOW)
		NL_SET_ERR_MSG_ATTR(info->extack, a[HMMP_A_BINDING_SCOPE],
				    "scope host is not supported yet");
	else if (a[HMMP_A_BINDING_ENCAP] &&
		 nla_get_u32(a[HMMP_A_BINDING_ENCAP]) != HMMP_ENCAP_IPIP)
		NL_SET_ERR_MSG_ATTR(info->extack, a[HMMP_A_BINDING_ENCAP],
				    "only ipip is supported yet");
	else if (a[HMMP_A_BINDING_STATUS] &&
		 nla_get_u32(a[HMMP_A_BINDING_STATUS]) ==
		 HMMP_STATUS_PROVISIONAL)
		NL_SET_ERR_MSG_ATTR(info->extack, a[HMMP_A_BINDING_STATUS],
				    "provisional bindings are not supported yet");
	else if (a[HMMP_A_BINDING_CREDIT])
		NL_SET_ERR_MSG_ATTR(info->extack, a[HMMP_A_BINDING_CREDIT],
				    "credit is not supported yet");
	else if (a[HMMP_A_BINDING_VIA])
		NL_SET_ERR_MSG_ATTR(info->extack, a[HMMP_A_BINDING_VIA],
				    "via is not supported yet");
	else if (a[HMMP_A_BINDING_FLAGS] &&
		 nla_get_u32(a[HMMP_A_BINDING_FLAGS]) &
		 ~HMMP_BINDING_FLAGS_LOST)
		NL_SET_ERR_MSG_ATTR(info->extack, a[HMMP_A_BINDING_FLAGS],
				    "buffer and secured are not supported yet");
	else if (a[HMMP_A_BINDING_IFINDEX])
		NL_SET_ERR_MSG_ATTR(info->extack, a[HMMP_A_BINDING_IFINDEX],
				    "ifindex is not supported yet");
	else
		return 0;
	return -EOPNOTSUPP;
}

static int read_key(struct genl_info *info, struct hmmp_binding *b)
{
	int err;

	if (!hmmp_netlink_has(info, HMMP_A_BINDING_SCOPE) ||
	    !hmmp_netlink_has(info, HMMP_A_BINDING_ORIGINAL))
		return -EINVAL;
	err = check_supported(info);
	if (err)
		return err;
	if (!hmmp_netlink_has(info, HMMP_A_BINDING_OWNER))
		return -EINVAL;
	b->owner = nla_get_u64(info->attrs[HMMP_A_BINDING_OWNER]);
	if (!b->owner) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[HMMP_A_BINDING_OWNER],
				    "scope flow needs an owner, 0 is nobody");
		return -EINVAL;
	}
	return hmmp_netlink_addr(info, HMMP_A_BINDING_ORIGINAL, &b->family,
				 &b->original);
}

static int read_new(struct genl_info *info, struct hmmp_binding *b)
{
	struct nlattr **a = info->attrs;
	int err = read_key(info, b);

	if (err)
		return err;
	if (!hmmp_netlink_has(info, HMMP_A_BINDING_CURRENT) ||
	    !hmmp_netlink_has(info, HMMP_A_BINDING_ENCAP) ||
	    !hmmp_netlink_has(info, HMMP_A_BINDING_LIFETIME) ||
	    !hmmp_netlink_has(info, HMMP_A_BINDING_SEQ))
		return -EINVAL;
	err = hmmp_netlink_addr(info, HMMP_A_BINDING_CURRENT, &b->family,
				&b->current_addr);
	if (!err && a[HMMP_A_BINDING_LOCAL_OUTER])
		err = hmmp_netlink_addr(info, HMMP_A_BINDING_LOCAL_OUTER,
					&b->family, &b->local_outer);
	b->encap = nla_get_u32(a[HMMP_A_BINDING_ENCAP]);
	b->seq = nla_get_u32(a[HMMP_A_BINDING_SEQ]);
	b->status = HMMP_STATUS_VERIFIED;
	if (a[HMMP_A_BINDING_STATUS])
		b->status = nla_get_u32(a[HMMP_A_BINDING_STATUS]);
	if (a[HMMP_A_BINDING_FLAGS])
		b->lost = nla_get_u32(a[HMMP_A_BINDING_FLAGS]) &
			  HMMP_BINDING_FLAGS_LOST;
	if (a[HMMP_A_BINDING_MARK])
		b->mark = nla_get_u32(a[HMMP_A_BINDING_MARK]);
	return err;
}

int hmmp_nl_binding_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hmmp_binding b = { .net = genl_info_net(info) };
	struct hmmp_net *hn;
	int err = read_new(info, &b);

	if (err)
		return err;
	hn = hmmp_netlink_begin(info);
	if (IS_ERR(hn))
		return PTR_ERR(hn);
	if (hmmp_flow_owner_alive(hn->net, &b.original, b.owner)) {
		u32 life = nla_get_u32(info->attrs[HMMP_A_BINDING_LIFETIME]);

		err = hmmp_binding_set(hn, &b, life, info->extack);
	} else {
		err = -ENOENT;
		NL_SET_ERR_MSG(info->extack, "the owner has no flow to that address");
	}
	hmmp_netlink_end(hn);
	return err;
}

int hmmp_nl_binding_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hmmp_binding b = {};
	struct hmmp_net *hn;
	u32 seq, *limit = NULL;
	int err = read_key(info, &b);

	if (err)
		return err;
	if (info->attrs[HMMP_A_BINDING_SEQ]) {
		seq = nla_get_u32(info->attrs[HMMP_A_BINDING_SEQ]);
		limit = &seq;
	}
	hn = hmmp_netlink_begin(info);
	if (IS_ERR(hn))
		return PTR_ERR(hn);
	err = hmmp_binding_del(hn, b.family, &b.original, b.owner, limit,
			       info->extack);
	hmmp_netlink_end(hn);
	return err;
}

/**
 * hmmp_netlink_put_binding - what identifies a binding and where it leads
 * @msg: message
 * @b: binding
 *
 * Return: 0 or -EMSGSIZE.
 */
int hmmp_netlink_put_binding(struct sk_buff *msg, const struct hmmp_binding *b)
{
	u64 now = hmmp_now();
	u64 left = 0;

	if (b->expires > now && b->expires != U64_MAX)
		left = div_u64(b->expires - now, NSEC_PER_MSEC);
	if (nla_put_u32(msg, HMMP_A_BINDING_SCOPE, HMMP_SCOPE_FLOW) ||
	    hmmp_netlink_put_addr(msg, HMMP_A_BINDING_ORIGINAL, b->family,
				  &b->original) ||
	    nla_put_u64_64bit(msg, HMMP_A_BINDING_OWNER, b->owner,
			      HMMP_A_BINDING_PAD) ||
	    hmmp_netlink_put_addr(msg, HMMP_A_BINDING_CURRENT, b->family,
				  &b->current_addr) ||
	    nla_put_u32(msg, HMMP_A_BINDING_STATUS,
			hmmp_binding_status(b, now)) ||
	    nla_put_u32(msg, HMMP_A_BINDING_LIFETIME, left) ||
	    nla_put_u32(msg, HMMP_A_BINDING_SEQ, b->seq))
		return -EMSGSIZE;
	return 0;
}

static int put_rest(struct sk_buff *msg, const struct hmmp_binding *b)
{
	if (hmmp_netlink_put_addr(msg, HMMP_A_BINDING_LOCAL_OUTER, b->family,
				  &b->local_outer) ||
	    hmmp_netlink_put_addr(msg, HMMP_A_BINDING_PREVIOUS, b->family,
				  &b->previous) ||
	    nla_put_u32(msg, HMMP_A_BINDING_ENCAP, b->encap) ||
	    nla_put_u32(msg, HMMP_A_BINDING_MARK, b->mark) ||
	    nla_put_u64_64bit(msg, HMMP_A_BINDING_TX_PACKETS,
			      atomic64_read(&b->tx_packets),
			      HMMP_A_BINDING_PAD) ||
	    nla_put_u64_64bit(msg, HMMP_A_BINDING_TX_BYTES,
			      atomic64_read(&b->tx_bytes),
			      HMMP_A_BINDING_PAD) ||
	    nla_put_u64_64bit(msg, HMMP_A_BINDING_RX_PACKETS,
			      atomic64_read(&b->rx_packets),
			      HMMP_A_BINDING_PAD) ||
	    nla_put_u64_64bit(msg, HMMP_A_BINDING_RX_BYTES,
			      atomic64_read(&b->rx_bytes),
			      HMMP_A_BINDING_PAD) ||
	    nla_put_u64_64bit(msg, HMMP_A_BINDING_DROPS,
			      atomic64_read(&b->drops), HMMP_A_BINDING_PAD))
		return -EMSGSIZE;
	return 0;
}

static int put_one(struct sk_buff *msg, u32 portid, u32 seq, int flags,
		   const struct hmmp_binding *b)
{
	void *hdr = genlmsg_put(msg, portid, seq, &hmmp_genl_family, flags,
				HMMP_CMD_BINDING_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (hmmp_netlink_put_binding(msg, b) || put_rest(msg, b)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

int hmmp_nl_binding_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct net *net = genl_info_net(info);
	struct hmmp_binding key = {}, *b;
	struct sk_buff *msg;
	int err = read_key(info, &key);

	if (err)
		return err;
	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	rcu_read_lock();
	b = hmmp_binding_find(net, key.family, &key.original, key.owner);
	if (b && b->leaving)
		b = NULL;
	if (b)
		err = put_one(msg, info->snd_portid, info->snd_seq, 0, b);
	rcu_read_unlock();
	if (b && !err)
		return genlmsg_reply(msg, info);
	nlmsg_free(msg);
	if (b)
		return err;
	NL_SET_ERR_MSG(info->extack, "no such binding");
	return -ENOENT;
}

struct binding_dump {
	struct sk_buff *skb;
	struct netlink_callback *cb;
	const struct nlattr *original;
	u64 owner;
};

static int dump_one(struct hmmp_binding *b, void *arg)
{
	struct binding_dump *d = arg;

	if (b->leaving || (d->owner && d->owner != b->owner) ||
	    (d->original && memcmp(nla_data(d->original), &b->original,
				   nla_len(d->original))))
		return 0;
	return put_one(d->skb, NETLINK_CB(d->cb->skb).portid,
		       d->cb->nlh->nlmsg_seq, NLM_F_MULTI, b);
}

int hmmp_nl_binding_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb)
{
	struct nlattr **attrs = hmmp_compat_dump_attrs(cb);
	struct hmmp_cursor *at = (struct hmmp_cursor *)cb->ctx;
	struct binding_dump d = {
		.skb = skb,
		.cb = cb,
		.original = attrs[HMMP_A_BINDING_ORIGINAL],
	};

	if (attrs[HMMP_A_BINDING_OWNER])
		d.owner = nla_get_u64(attrs[HMMP_A_BINDING_OWNER]);
	if (hmmp_binding_walk(sock_net(skb->sk), at, dump_one, &d) &&
	    !skb->len)
		return -EMSGSIZE;
	return skb->len;
}

int hmmp_nl_release_doit(struct sk_buff *skb, struct genl_info *info)
{
	NL_SET_ERR_MSG(info->extack, "buffers are not supported yet");
	return -EOPNOTSUPP;
}
