// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/hmmp_bench: words in, a measurement, a line out. For user-mode Linux
 * only: the clock is the host's processor time of this process, so that other
 * work on the machine is not counted.
 */
#include <linux/inet.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>
#include "bench.h"

#define HOST_CLOCK_GETTIME	228
#define HOST_PROCESS_CPUTIME	2

static DEFINE_MUTEX(bench_lock);	/* guards answer, and all measurements */
static char answer[160];
static u32 state = 2463534242U;

/**
 * bench_clock - processor time of this machine
 *
 * Return: nanoseconds.
 */
u64 bench_clock(void)
{
	struct { long sec; long nsec; } at;
	long ret;

	asm volatile("syscall" : "=a" (ret)
		     : "0" (HOST_CLOCK_GETTIME), "D" (HOST_PROCESS_CPUTIME),
		       "S" (&at) : "rcx", "r11", "memory");
	return ret ? 0 : at.sec * NSEC_PER_SEC + at.nsec;
}

/**
 * bench_random - a number that is as good as any other
 * @below: not reached
 *
 * Return: the number; the same ones after each start.
 */
u32 bench_random(u32 below)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return (u64)state * below >> 32;
}

static int memory(struct bench *b)
{
	b->count = global_zone_page_state(NR_FREE_PAGES) << PAGE_SHIFT;
	return 0;
}

static int sizes(struct bench *b)
{
	b->ns = sizeof(struct hmmp_flow);
	b->count = sizeof(struct hmmp_binding);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct bench *b);
} commands[] = {
	{ "replay", bench_replay },
	{ "stream", bench_tcp_stream },
	{ "born", bench_tcp_born },
	{ "out", bench_tcp_out },
	{ "in", bench_tcp_in },
	{ "bind", bench_bind },
	{ "unbind", bench_unbind },
	{ "flows", bench_flows },
	{ "handoff", bench_handoff },
	{ "gc", bench_gc },
	{ "conntrack", bench_conntrack },
	{ "memory", memory },
	{ "sizes", sizes },
};

static int number(const char *word, const char *key, u32 *to)
{
	size_t len = strlen(key);

	if (strncmp(word, key, len) || word[len] != '=')
		return -ENOENT;
	return kstrtou32(word + len + 1, 0, to);
}

static int address(const char *word, const char *key, __be32 *to)
{
	size_t len = strlen(key);

	if (strncmp(word, key, len) || word[len] != '=')
		return -ENOENT;
	return in4_pton(word + len + 1, -1, (u8 *)to, -1, NULL) ? 0 : -EINVAL;
}

static int namespace(const char *word, const char *key, struct net **to)
{
	struct net *net;
	u32 fd;
	int err = number(word, key, &fd);

	if (err)
		return err;
	net = get_net_ns_by_fd(fd);
	if (IS_ERR(net))
		return PTR_ERR(net);
	*to = net;
	return 0;
}

/* Devices are of the namespace that was named before. */
static int device(struct bench *b, const char *word, const char *key,
		  struct net_device **to)
{
	size_t len = strlen(key);

	if (strncmp(word, key, len) || word[len] != '=')
		return -ENOENT;
	*to = b->net ? dev_get_by_name(b->net, word + len + 1) : NULL;
	return *to ? 0 : -ENODEV;
}

static int understand(struct bench *b, const char *word)
{
	const struct { const char *key; u32 *to; } numbers[] = {
		{ "n", &b->n }, { "spread", &b->spread }, { "len", &b->len },
		{ "port", &b->port }, { "owner", &b->owner },
		{ "encap", &b->encap },
	};
	const struct { const char *key; __be32 *to; } addresses[] = {
		{ "src", &b->src }, { "dst", &b->dst }, { "osrc", &b->osrc },
		{ "odst", &b->odst },
	};
	int err = -ENOENT, i;

	for (i = 0; i < ARRAY_SIZE(numbers) && err == -ENOENT; i++)
		err = number(word, numbers[i].key, numbers[i].to);
	for (i = 0; i < ARRAY_SIZE(addresses) && err == -ENOENT; i++)
		err = address(word, addresses[i].key, addresses[i].to);
	if (err == -ENOENT)
		err = namespace(word, "ns", &b->net);
	if (err == -ENOENT)
		err = namespace(word, "peer", &b->peer);
	if (err == -ENOENT)
		err = device(b, word, "dev", &b->dev);
	if (err == -ENOENT)
		err = device(b, word, "sink", &b->sink);
	if (err == -ENOENT && !strncmp(word, "kind=", 5))
		err = strscpy(b->kind, word + 5, sizeof(b->kind)) < 0 ?
		      -EINVAL : 0;
	return err;
}

static int run(struct bench *b, char *line)
{
	char *name = strsep(&line, " "), *word;
	int i, err = 0;

	while (!err && (word = strsep(&line, " ")))
		err = *word ? understand(b, word) : 0;
	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i].name))
			return commands[i].run(b);
	return -ENOENT;
}

static void let_go(struct bench *b)
{
	dev_put(b->dev);
	dev_put(b->sink);
	if (b->net)
		put_net(b->net);
	if (b->peer)
		put_net(b->peer);
}

static ssize_t bench_write(struct file *file, const char __user *from,
			   size_t len, loff_t *pos)
{
	struct bench b = { .n = 1, .spread = 1, .len = 64 };
	char *line = memdup_user_nul(from, min_t(size_t, len, 512));
	int err;

	if (IS_ERR(line))
		return PTR_ERR(line);
	mutex_lock(&bench_lock);
	err = run(&b, strim(line));
	let_go(&b);
	snprintf(answer, sizeof(answer), "%d %u %llu %llu\n", err, b.n, b.ns,
		 b.count);
	mutex_unlock(&bench_lock);
	kfree(line);
	return len;
}

static ssize_t bench_read(struct file *file, char __user *to, size_t len,
			  loff_t *pos)
{
	loff_t at = 0;
	ssize_t ret;

	mutex_lock(&bench_lock);
	ret = simple_read_from_buffer(to, len, &at, answer, strlen(answer));
	mutex_unlock(&bench_lock);
	return ret;
}

static const struct proc_ops bench_ops = {
	.proc_write = bench_write,
	.proc_read = bench_read,
	.proc_lseek = noop_llseek,
};

static int __init bench_init(void)
{
	return proc_create("hmmp_bench", 0600, NULL, &bench_ops) ? 0 : -ENOMEM;
}
late_initcall(bench_init);
