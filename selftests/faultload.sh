#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: without memory the module is not loaded, and can be the next time
# timeout: 600
# needs: kmod programs
# kernel: debug
#
# Each allocation of loading it fails once (modfail), beside namespaces that it
# has to begin in.

. ./lib.sh
. ./inject.sh

# loads: where the module's own allocations cannot be told from the loader's, the
# kernel itself warns that it has no memory for jump labels
loads()
{
	local last=100

	sysctl -q -w kernel.panic_on_warn=0
	if tells_callers; then
		# where x86 has modules
		inject require-start 0xffffffffa0000000
		inject require-end 0xffffffffff000000
		last=
	fi
	# shellcheck disable=SC2086 # no word if empty
	check "the module, while each allocation fails" \
		modfail /t/hmmp.ko $last
	note "$(tail -n 1 "$RUN/check")"
	calm
	sysctl -q -w kernel.panic_on_warn=1
	dmesg -c >"$OUT/loads.log"
	refute "the kernel complains of nothing else" complains
}

complains()
{
	grep -vE 'WARNING: .* at kernel/jump_label.c:' "$OUT/loads.log" |
		grep -E 'WARNING:|BUG:|Oops|KASAN|UBSAN|ODEBUG|refcount_t|rcu:' \
			>"$OUT/complaints"
}

netns_add one two || bail "cannot make namespaces"
modprobe -a tunnel4 tunnel6 || bail "no tunnel4, tunnel6"
check "fault injection" one_by_one
loads
check "the module" insmod /t/hmmp.ko
check "it can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
