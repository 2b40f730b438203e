// SPDX-License-Identifier: GPL-2.0
/*
 * The netfilter hooks: thin, they decide nothing. They are registered in a
 * namespace when an agent first speaks there; others pay nothing.
 */
#include <linux/netfilter_arp.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ipv6.h>
#include <net/protocol.h>
#include "hmmp.h"
#include "hmmp_compat.h"

/*
 * Before anybody may queue, change or drop it. Frames on a served link are
 * looked at here, too: before conntrack, and before the reverse-path filter.
 */
static unsigned int pre_routing4(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	struct hmmp_net *hn = hmmp_net(state->net);
	union nf_inet_addr from = {};

	if (!atomic_read(&hn->n_chained) ||
	    hmmp_decap_is_ours(hn, skb, AF_INET))
		return NF_ACCEPT;
	if (atomic_read(&hn->n_hosts)) {
		from.ip = ip_hdr(skb)->saddr;
		hmmp_host_frame(hn, skb, AF_INET, &from, state->in);
	}
	return hmmp_decap_plain(hn, skb, AF_INET);
}

static unsigned int pre_routing6(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	struct hmmp_net *hn = hmmp_net(state->net);

	if (!atomic_read(&hn->n_chained) ||
	    hmmp_decap_is_ours(hn, skb, AF_INET6))
		return NF_ACCEPT;
	if (atomic_read(&hn->n_hosts))
		hmmp_host_nd(hn, skb, state->in);
	return hmmp_decap_plain(hn, skb, AF_INET6);
}

/* Debian's kernels have it; without, only IP tells who is on a served link. */
static unsigned int __maybe_unused
arp_in(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct hmmp_net *hn = hmmp_net(state->net);

	if (atomic_read(&hn->n_hosts))
		hmmp_host_arp(hn, skb, state->in);
	return NF_ACCEPT;
}

/*
 * Loopback, bridged frames, and the first of the two times that a VRF's
 * packets pass: none of these leaves this host here.
 */
static bool stays(const struct sk_buff *skb, const struct nf_hook_state *state)
{
	return state->out->flags & IFF_LOOPBACK || nf_bridge_info_exists(skb) ||
	       netif_is_l3_master(state->out);
}

/* The last but one: NAT and filters are done, conntrack's confirm is not. */
static unsigned int post_routing4(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	struct hmmp_net *hn = hmmp_net(state->net);

	if (stays(skb, state))
		return NF_ACCEPT;
	hmmp_sip_eye_out(hn, skb, AF_INET);
	return hmmp_encap(hn, skb, AF_INET);
}

static unsigned int post_routing6(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	struct hmmp_net *hn = hmmp_net(state->net);

	if (stays(skb, state))
		return NF_ACCEPT;
	hmmp_sip_eye_out(hn, skb, AF_INET6);
	return hmmp_encap(hn, skb, AF_INET6);
}

static const struct nf_hook_ops hmmp_hook_ops[] = {
	{
		.hook = pre_routing4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_FIRST,
	},
	{
		.hook = post_routing4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_POST_ROUTING,
		.priority = NF_IP_PRI_CONNTRACK_CONFIRM - 2,
	},
	{
		.hook = pre_routing6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP6_PRI_FIRST,
	},
	{
		.hook = post_routing6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_POST_ROUTING,
		.priority = NF_IP6_PRI_LAST - 2,
	},
#ifdef CONFIG_NETFILTER_FAMILY_ARP
	{
		.hook = arp_in,
		.pf = NFPROTO_ARP,
		.hooknum = NF_ARP_IN,
		.priority = INT_MIN,
	},
#endif
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
