// SPDX-License-Identifier: GPL-2.0
/* Netlink handlers of bindings. */
#include "hmmp.h"
#include "hmmp_compat.h"

#define FLAGS	(HMMP_BINDING_FLAGS_BUFFER | HMMP_BINDING_FLAGS_SECURED | \
		 HMMP_BINDING_FLAGS_GRANTED | HMMP_BINDING_FLAGS_LOST)

static int refuse(struct genl_info *info, int attr, const char *sentence)
{
	info->extack->_msg = sentence;
	info->extack->bad_attr = info->attrs[attr];
	return -EINVAL;
}

/* Scope flow is of an owner, scope host of nobody. */
static int read_owner(struct genl_info *info, struct hmmp_terms *b)
{
	u32 scope = nla_get_u32(info->attrs[HMMP_A_BINDING_SCOPE]);

	if (info->attrs[HMMP_A_BINDING_OWNER])
		b->owner = nla_get_u64(info->attrs[HMMP_A_BINDING_OWNER]);
	else if (scope == HMMP_SCOPE_FLOW &&
		 !hmmp_netlink_has(info, HMMP_A_BINDING_OWNER))
		return -EINVAL;
	if (scope == HMMP_SCOPE_FLOW && !b->owner)
		return refuse(info, HMMP_A_BINDING_OWNER,
			      "scope flow needs an owner, 0 is nobody");
	if (scope == HMMP_SCOPE_HOST && b->owner)
		return refuse(info, HMMP_A_BINDING_OWNER,
			      "scope host has no owner");
	return 0;
}

static int read_key(struct genl_info *info, struct hmmp_terms *b)
{
	int err;

	if (!hmmp_netlink_has(info, HMMP_A_BINDING_SCOPE) ||
	    !hmmp_netlink_has(info, HMMP_A_BINDING_ORIGINAL))
		return -EINVAL;
	err = read_owner(info, b);
	if (err)
		return err;
	return hmmp_netlink_addr(info, HMMP_A_BINDING_ORIGINAL, &b->family,
				 &b->original);
}

/* Address 2, and what else is of its family. */
static int read_outer(struct genl_info *info, struct hmmp_terms *b)
{
	int err;

	err = hmmp_netlink_any(info, HMMP_A_BINDING_CURRENT, &b->current_addr);
	if (!err)
		err = hmmp_netlink_any(info, HMMP_A_BINDING_LOCAL_OUTER,
				       &b->local_outer);
	if (!err)
		err = hmmp_netlink_any(info, HMMP_A_BINDING_VIA, &b->via);
	if (err)
		return err;
	if (b->local_outer.family &&
	    b->local_outer.family != b->current_addr.family)
		return refuse(info, HMMP_A_BINDING_LOCAL_OUTER,
			      "the outer addresses are of different families");
	if (b->via.family && b->via.family != b->current_addr.family)
		return refuse(info, HMMP_A_BINDING_VIA,
			      "the outer addresses are of different families");
	return hmmp_netlink_encap(info, HMMP_A_BINDING_ENCAP, b->family,
				  b->current_addr.family, &b->encap);
}

static int read_status(struct genl_info *info, struct hmmp_terms *b)
{
	struct nlattr **a = info->attrs;
	u64 credit;

	b->status = HMMP_STATUS_VERIFIED;
	if (a[HMMP_A_BINDING_STATUS])
		b->status = nla_get_u32(a[HMMP_A_BINDING_STATUS]);
	if (b->status == HMMP_STATUS_SUSPENDED)
		return refuse(info, HMMP_A_BINDING_STATUS,
			      "only a frame on the served link suspends");
	if (b->status == HMMP_STATUS_HELD && !b->owner)
		return refuse(info, HMMP_A_BINDING_STATUS,
			      "only a binding of flows is held");
	if (a[HMMP_A_BINDING_CREDIT] && b->status != HMMP_STATUS_PROVISIONAL)
		return refuse(info, HMMP_A_BINDING_CREDIT,
			      "only a provisional binding has a credit");
	if (!a[HMMP_A_BINDING_CREDIT])
		return 0;
	credit = nla_get_u64(a[HMMP_A_BINDING_CREDIT]);
	b->credit = min_t(u64, credit, S64_MAX / 2);
	return 0;
}

/* What belongs to a router only. */
static int read_host(struct genl_info *info, struct hmmp_terms *b)
{
	struct nlattr **a = info->attrs;

	if (a[HMMP_A_BINDING_LINK])
		b->link = nla_get_u32(a[HMMP_A_BINDING_LINK]);
	if (a[HMMP_A_BINDING_LLADDR]) {
		b->lladdr_len = nla_len(a[HMMP_A_BINDING_LLADDR]);
		nla_memcpy(b->lladdr, a[HMMP_A_BINDING_LLADDR],
			   sizeof(b->lladdr));
	}
	if (b->owner) {
		if (b->link)
			return refuse(info, HMMP_A_BINDING_LINK,
				      "only scope host has a served link");
		if (b->flags & ~(HMMP_BINDING_FLAGS_SECURED |
				 HMMP_BINDING_FLAGS_LOST))
			return refuse(info, HMMP_A_BINDING_FLAGS,
				      "only scope host can be buffered or granted");
		return 0;
	}
	if (!hmmp_netlink_has(info, HMMP_A_BINDING_IFINDEX) ||
	    !hmmp_netlink_has(info, HMMP_A_BINDING_LOCAL_OUTER))
		return -EINVAL;
	if (b->link && !b->lladdr_len)
		return refuse(info, HMMP_A_BINDING_LINK,
			      "a served link needs the host's link-layer address");
	return 0;
}

static int read_new(struct genl_info *info, struct hmmp_terms *b)
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
	err = read_outer(info, b);
	if (!err)
		err = read_status(info, b);
	if (err)
		return err;
	b->seq = nla_get_u32(a[HMMP_A_BINDING_SEQ]);
	if (a[HMMP_A_BINDING_MARK])
		b->mark = nla_get_u32(a[HMMP_A_BINDING_MARK]);
	if (a[HMMP_A_BINDING_IFINDEX])
		b->ifindex = nla_get_u32(a[HMMP_A_BINDING_IFINDEX]);
	if (a[HMMP_A_BINDING_FLAGS])
		b->flags = nla_get_u32(a[HMMP_A_BINDING_FLAGS]);
	if (b->flags & ~FLAGS)
		return refuse(info, HMMP_A_BINDING_FLAGS, "unknown flag");
	return read_host(info, b);
}

int hmmp_nl_binding_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hmmp_terms b = {};
	struct hmmp_net *hn;
	int err = read_new(info, &b);

	if (err)
		return err;
	hn = hmmp_netlink_begin(info);
	if (IS_ERR(hn))
		return PTR_ERR(hn);
	if (!b.owner ||
	    hmmp_flow_owner_alive(hn->net, &b.original, b.owner)) {
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
	struct hmmp_terms b = {};
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
	union nf_inet_addr original = hmmp_binding_original(b);
	u64 now = hmmp_now();
	struct hmmp_where at;
	u64 left = 0;

	if (b->expires > now && b->expires != U64_MAX)
		left = div_u64(b->expires - now, NSEC_PER_MSEC);
	hmmp_binding_where(b, now, &at);
	if (nla_put_u32(msg, HMMP_A_BINDING_SCOPE, b->owner ?
			HMMP_SCOPE_FLOW : HMMP_SCOPE_HOST) ||
	    hmmp_netlink_put_addr(msg, HMMP_A_BINDING_ORIGINAL,
				  hmmp_binding_family(b), &original) ||
	    (b->owner && nla_put_u64_64bit(msg, HMMP_A_BINDING_OWNER, b->owner,
					   HMMP_A_BINDING_PAD)) ||
	    hmmp_netlink_put_any(msg, HMMP_A_BINDING_CURRENT, &at.to) ||
	    nla_put_u32(msg, HMMP_A_BINDING_STATUS, at.status) ||
	    nla_put_u32(msg, HMMP_A_BINDING_LIFETIME, left) ||
	    nla_put_u32(msg, HMMP_A_BINDING_SEQ, b->seq))
		return -EMSGSIZE;
	return 0;
}

static int put_provisional(struct sk_buff *msg, const struct hmmp_terms *b)
{
	if (b->status != HMMP_STATUS_PROVISIONAL || !b->owner)
		return 0;
	if (nla_put_u64_64bit(msg, HMMP_A_BINDING_CREDIT,
			      max_t(s64, b->credit, 0),
			      HMMP_A_BINDING_PAD) ||
	    (!b->before.home &&
	     hmmp_netlink_put_any(msg, HMMP_A_BINDING_VERIFIED,
				  &b->before.to)))
		return -EMSGSIZE;
	return 0;
}

static int put_host(struct sk_buff *msg, const struct hmmp_terms *b)
{
	if ((b->ifindex &&
	     nla_put_u32(msg, HMMP_A_BINDING_IFINDEX, b->ifindex)) ||
	    (b->link && nla_put_u32(msg, HMMP_A_BINDING_LINK, b->link)) ||
	    (b->lladdr_len && nla_put(msg, HMMP_A_BINDING_LLADDR,
				      b->lladdr_len, b->lladdr)) ||
	    (b->buffer && nla_put_u32(msg, HMMP_A_BINDING_HELD_PACKETS,
				      hmmp_buffer_len(b->buffer))))
		return -EMSGSIZE;
	return 0;
}

static int put_rest(struct sk_buff *msg, const struct hmmp_binding *b)
{
	struct hmmp_terms t;
	u32 flags = b->flags & (HMMP_BINDING_FLAGS_SECURED |
				HMMP_BINDING_FLAGS_GRANTED);

	hmmp_binding_read(b, &t);
	if (hmmp_buffer_open(t.buffer))
		flags |= HMMP_BINDING_FLAGS_BUFFER;
	if (put_provisional(msg, &t) || put_host(msg, &t) ||
	    hmmp_netlink_put_any(msg, HMMP_A_BINDING_LOCAL_OUTER,
				 &t.local_outer) ||
	    hmmp_netlink_put_any(msg, HMMP_A_BINDING_PREVIOUS, &t.previous) ||
	    hmmp_netlink_put_any(msg, HMMP_A_BINDING_VIA, &t.via) ||
	    nla_put_u32(msg, HMMP_A_BINDING_ENCAP, b->encap) ||
	    nla_put_u32(msg, HMMP_A_BINDING_FLAGS, flags) ||
	    nla_put_u32(msg, HMMP_A_BINDING_MARK, t.mark) ||
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
			      (u32)atomic_read(&b->drops), HMMP_A_BINDING_PAD))
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
	struct hmmp_net *hn = hmmp_net(genl_info_net(info));
	struct hmmp_terms key = {};
	struct hmmp_binding *b;
	struct sk_buff *msg;
	int err = read_key(info, &key);

	if (err)
		return err;
	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	rcu_read_lock();
	b = hmmp_binding_find(hn, key.family, &key.original, key.owner);
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
	union nf_inet_addr original = hmmp_binding_original(b);
	struct binding_dump *d = arg;

	if (b->leaving || (d->owner && d->owner != b->owner) ||
	    (d->original && memcmp(nla_data(d->original), &original,
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

	if (hmmp_netlink_filter(d.original, cb->extack))
		return -EINVAL;
	if (attrs[HMMP_A_BINDING_OWNER])
		d.owner = nla_get_u64(attrs[HMMP_A_BINDING_OWNER]);
	if (hmmp_binding_walk(hmmp_net(sock_net(skb->sk)), at, dump_one, &d) &&
	    !skb->len)
		return -EMSGSIZE;
	return skb->len;
}

int hmmp_nl_release_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hmmp_terms b = {};
	struct hmmp_net *hn;
	int err = read_key(info, &b);

	if (err)
		return err;
	hn = hmmp_netlink_begin(info);
	if (IS_ERR(hn))
		return PTR_ERR(hn);
	err = hmmp_binding_release(hn, b.family, &b.original, b.owner,
				   info->extack);
	hmmp_netlink_end(hn);
	return err;
}
