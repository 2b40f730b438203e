// SPDX-License-Identifier: GPL-2.0
/*
 * Module and namespaces: the ladders up and down, and the work that looks
 * after lifetimes. Nothing is registered in a namespace before an agent speaks
 * there (hmmp_net_start()).
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "hmmp.h"

#define GC_PERIOD	HZ

unsigned int hmmp_net_id;

static const struct hmmp_limits default_limits = {
	.flows = 65536,
	.bindings = 16384,
	.locals = 16,
	.peers = 16384,
	.buffer_packets = 1024,
	.buffer_bytes = 4U << 20,
	.buffer_time = 5000,
	.buffer_rate = 8,
};

static atomic64_t last_id = ATOMIC64_INIT(0);
static atomic_t last_number = ATOMIC_INIT(0);

/**
 * hmmp_next_id - a number for an object
 *
 * Return: a number that no object has had, ascending.
 */
u64 hmmp_next_id(void)
{
	return atomic64_inc_return(&last_id);
}

/**
 * hmmp_table_size - how many buckets a table gets
 * @buckets: what was asked for, 0: by the machine's memory; filled in
 * @least: no fewer by memory
 * @name: of the parameter
 *
 * A bucket for 16 KB of memory is 0.05 % of it.
 *
 * Return: 0 or -EINVAL.
 */
int hmmp_table_size(unsigned int *buckets, unsigned int least,
		    const char *name)
{
	struct sysinfo si;

	if (!*buckets) {
		si_meminfo(&si);
		*buckets = clamp_t(unsigned long,
				   si.totalram >> (14 - PAGE_SHIFT), least,
				   1UL << 20);
		*buckets = rounddown_pow_of_two(*buckets);
	}
	if (*buckets >= 16 && *buckets <= 1U << 24 && is_power_of_2(*buckets))
		return 0;
	pr_err("%s has to be a power of two, 16 to 2^24\n", name);
	return -EINVAL;
}

/**
 * hmmp_net_gc_soon - look after lifetimes no later than this
 * @hn: namespace
 * @delay: jiffies from now
 */
void hmmp_net_gc_soon(struct hmmp_net *hn, unsigned long delay)
{
	unsigned long due = hn->gc.timer.expires;

	if (!delayed_work_pending(&hn->gc) ||
	    time_before(jiffies + delay, due))
		mod_delayed_work(system_wq, &hn->gc, delay);
}

static void gc_work(struct work_struct *work)
{
	struct hmmp_net *hn = container_of(to_delayed_work(work),
					   struct hmmp_net, gc);

	mutex_lock(&hn->lock);
	hmmp_flow_gc(hn);
	hmmp_peer_gc(hn);
	hmmp_net_gc_soon(hn, GC_PERIOD);
	hmmp_binding_gc(hn);
	mutex_unlock(&hn->lock);
}

/**
 * hmmp_net_start - begin to work in a namespace
 * @hn: namespace; its lock is held
 *
 * Return: 0 or a negative error; calling it again does nothing.
 */
int hmmp_net_start(struct hmmp_net *hn)
{
	int err;

	if (hn->active)
		return 0;
	if (hmmp_flow_net_init(hn) || hmmp_binding_net_init(hn))
		return -ENOMEM;
	if (!hn->input) {
		err = hmmp_decap_net_init(hn);
		if (err)
			return err;
	}
	err = hmmp_hooks_add(hn);
	if (err)
		return err;
	/* whoever sees it sees hn->input, too */
	smp_store_release(&hn->active, true);
	hmmp_net_gc_soon(hn, GC_PERIOD);
	return 0;
}

static int __net_init hmmp_net_init(struct net *net)
{
	struct hmmp_net *hn = hmmp_net(net);

	hn->net = net;
	hn->number = atomic_inc_return(&last_number);
	hn->limit = default_limits;
	hn->mib = alloc_percpu(struct hmmp_mib);
	if (!hn->mib)
		return -ENOMEM;
	mutex_init(&hn->lock);
	INIT_DELAYED_WORK(&hn->gc, gc_work);
	hmmp_wake_net_init(hn);
	return 0;
}

/* First no packet sees us, then all that packets could see goes. */
static void __net_exit hmmp_net_pre_exit(struct net *net)
{
	struct hmmp_net *hn = hmmp_net(net);

	if (hn->active)
		hmmp_hooks_del(hn);
	WRITE_ONCE(hn->active, false);
	hmmp_binding_net_pre_exit(hn);
	hmmp_decap_net_pre_exit(hn);
}

static void __net_exit hmmp_net_exit(struct net *net)
{
	struct hmmp_net *hn = hmmp_net(net);

	cancel_delayed_work_sync(&hn->gc);
	hmmp_wake_net_exit(hn);
	hmmp_binding_net_exit(hn);
	hmmp_peer_net_exit(hn);
	hmmp_local_net_exit(hn);
	hmmp_flow_net_exit(hn);
	hmmp_decap_net_exit(hn);
	hmmp_due_exit(&hn->flow_due);
	hmmp_due_exit(&hn->binding_due);
	free_percpu(hn->mib);
}

static struct pernet_operations hmmp_net_ops = {
	.init = hmmp_net_init,
	.pre_exit = hmmp_net_pre_exit,
	.exit = hmmp_net_exit,
	.id = &hmmp_net_id,
	.size = sizeof(struct hmmp_net),
};

static int __init hmmp_init(void)
{
	int err;

	err = hmmp_binding_init();
	if (err)
		return err;
	err = hmmp_flow_init();
	if (err)
		goto err_binding;
	err = register_pernet_subsys(&hmmp_net_ops);
	if (err)
		goto err_flow;
	err = hmmp_decap_init();
	if (err)
		goto err_pernet;
	err = genl_register_family(&hmmp_genl_family);
	if (err)
		goto err_decap;
	return 0;

err_decap:
	hmmp_decap_exit();
err_pernet:
	unregister_pernet_subsys(&hmmp_net_ops);
err_flow:
	hmmp_flow_exit();
err_binding:
	hmmp_binding_exit();
	return err;
}

/*
 * Netlink first, so that nothing new comes in; then the tunnel handler, whose
 * removal waits for packets in it; then the namespaces, whose removal waits
 * between pre_exit and exit; hmmp_flow_exit() waits for all RCU callbacks.
 */
static void __exit hmmp_exit(void)
{
	genl_unregister_family(&hmmp_genl_family);
	hmmp_decap_exit();
	unregister_pernet_subsys(&hmmp_net_ops);
	hmmp_flow_exit();
	hmmp_binding_exit();
}

module_init(hmmp_init);
module_exit(hmmp_exit);

MODULE_DESCRIPTION("Host mobility: tracks TCP connections and lets them move");
MODULE_AUTHOR("The hmmp developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(HMMP_VERSION);
MODULE_ALIAS_GENL_FAMILY(HMMP_FAMILY_NAME);
