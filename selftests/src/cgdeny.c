// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cgdeny: what systemd's IPAddressDeny does, for one address.
 *
 *	cgdeny CGROUP out|in ADDRESS
 *
 * As long as it runs, sockets of the cgroup send no packet to the address, or
 * get none from it. Says "ready". Started by selftests/cgroup.sh, in the guest.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSN(c, d, s, o, i) ((struct bpf_insn){ \
	.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define STACK 16		/* bytes, an address */

struct rule {
	uint16_t protocol;
	int offset;		/* of the address in the header */
	int words;		/* of 32 bits */
	uint32_t addr[4];
};

static bool read_rule(const char *address, bool out, struct rule *r)
{
	memset(r, 0, sizeof(*r));
	if (inet_pton(AF_INET, address, r->addr) == 1) {
		r->protocol = ETH_P_IP;
		r->offset = out ? offsetof(struct iphdr, daddr) :
				  offsetof(struct iphdr, saddr);
		r->words = 1;
		return true;
	}
	r->protocol = ETH_P_IPV6;
	r->offset = out ? offsetof(struct ip6_hdr, ip6_dst) :
			  offsetof(struct ip6_hdr, ip6_src);
	r->words = 4;
	return inet_pton(AF_INET6, address, r->addr) == 1;
}

/* Return: how many instructions. */
static int assemble(const struct rule *r, struct bpf_insn *p)
{
	int n = 0, i, end = 10 + 2 * r->words;

	/* another protocol: allowed */
	p[n++] = INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 1,
		      offsetof(struct __sk_buff, protocol), 0);
	p[n] = INSN(BPF_JMP | BPF_JNE | BPF_K, 2, 0, end - n - 1,
		    htons(r->protocol));
	n++;
	p[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, r->offset);
	p[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_X, 3, 10, 0, 0);
	p[n++] = INSN(BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, -STACK);
	p[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, 4 * r->words);
	p[n++] = INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_skb_load_bytes);
	p[n] = INSN(BPF_JMP | BPF_JNE | BPF_K, 0, 0, end - n - 1, 0);
	n++;
	for (i = 0; i < r->words; i++) {
		p[n++] = INSN(BPF_LDX | BPF_MEM | BPF_W, 1, 10,
			      4 * i - STACK, 0);
		p[n] = INSN(BPF_JMP32 | BPF_JNE | BPF_K, 1, 0, end - n - 1,
			    (int32_t)r->addr[i]);
		n++;
	}
	p[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	p[n++] = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	/* end */
	p[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1);
	p[n++] = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return n;
}

static int load(const struct rule *r, uint32_t where)
{
	static char log[16384];
	struct bpf_insn insns[32];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_SKB,
		.expected_attach_type = where,
		.insns = (uintptr_t)insns,
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	int fd;

	attr.insn_cnt = assemble(r, insns);
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		fputs(log, stderr);
	return fd;
}

int main(int argc, char **argv)
{
	union bpf_attr attr = {};
	struct rule r;
	bool out;
	int fd;

	out = argc == 4 && !strcmp(argv[2], "out");
	if (argc != 4 || !read_rule(argv[3], out, &r)) {
		fputs("usage: cgdeny CGROUP out|in ADDRESS\n", stderr);
		return 2;
	}
	attr.link_create.attach_type = out ? BPF_CGROUP_INET_EGRESS :
					     BPF_CGROUP_INET_INGRESS;
	attr.link_create.target_fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	fd = load(&r, attr.link_create.attach_type);
	attr.link_create.prog_fd = fd;
	if (fd < 0 ||
	    syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr)) < 0) {
		perror(argv[1]);
		return 1;
	}
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
