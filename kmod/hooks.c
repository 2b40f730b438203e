// SPDX-License-Identifier: GPL-2.0
/*
 * The netfilter hooks: thin, they decide nothing. They are registered in a
 * namespace when an agent first speaks there; others pay nothing.
 */
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <net/protocol.h>
#include "hmmp.h"
#include "hmmp_compat.h"

static bool is_tcp(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	return iph->protocol == IPPROTO_TCP && !ip_is_fragment(iph);
}

/* Before anybody may queue, change or drop it. */
static unsigned int pre_routing4(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	struct hmmp_net *hn = hmmp_net(state->net);

	if (!atomic_read(&hn->n_chained) || !is_tcp(skb))
		return NF_ACCEPT;
	return hmmp_decap_plain4(hn, skb);
}

/*
 * A plain segment that came in fragments has its ports only here. What was
 * decapsulated was never a fragment.
 */
static unsigned int local_in4(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	struct hmmp_net *hn = hmmp_net(state->net);

	if (!atomic_read(&hn->n_chained) || !IPCB(skb)->frag_max_size ||
	    !is_tcp(skb))
		return NF_ACCEPT;
	return hmmp_decap_fragmented4(hn, skb);
}

/* The last but one: NAT and filters are done, conntrack's confirm is not. */
static unsigned int post_routing4(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	struct hmmp_net *hn = hmmp_net(state->net);

	if (state->out->flags & IFF_LOOPBACK || nf_bridge_info_exists(skb))
		return NF_ACCEPT;
	if (is_tcp(skb))
		hmmp_sip_eye_out(hn, skb);
	return hmmp_encap4(hn, skb);
}

static const struct nf_hook_ops hmmp_hook_ops[] = {
	{
		.hook = pre_routing4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_FIRST,
	},
	{
		.hook = local_in4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP_PRI_FIRST,
	},
	{
		.hook = post_routing4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_POST_ROUTING,
		.priority = NF_IP_PRI_CONNTRACK_CONFIRM - 2,
	},
};

/**
 * hmmp_hooks_add - begin to see packets
 * @hn: namespace; its lock is held
 *
 * Return: 0 or a negative error.
 */
int hmmp_hooks_add(struct hmmp_net *hn)
{
	return nf_register_net_hooks(hn->net, hmmp_hook_ops,
				     ARRAY_SIZE(hmmp_hook_ops));
}

/**
 * hmmp_hooks_del - see none any more
 * @hn: namespace
 */
void hmmp_hooks_del(struct hmmp_net *hn)
{
	nf_unregister_net_hooks(hn->net, hmmp_hook_ops,
				ARRAY_SIZE(hmmp_hook_ops));
}
