# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The kernel's fault injection, for scenarios of "make sanitize": which
# allocations fail. Sourced after lib.sh.

injection=/sys/kernel/debug

# inject FILE VALUE: for every kind of allocation, as far as it has that
inject()
{
	local kind

	for kind in failslab fail_page_alloc; do
		[ ! -e "$injection/$kind/$1" ] ||
			echo "$2" >"$injection/$kind/$1" || return
	done
}

# one_by_one: whatever memory a task asks for counts, and nothing is printed
one_by_one()
{
	inject verbose 0 && inject probability 0 && inject task-filter N &&
		inject ignore-gfp-wait N && inject ignore-gfp-highmem N &&
		inject min-order 0
}

# storm PERCENT [module]: of the allocations that cannot wait fail, or of those
# only that are made below a function of the module, where the kernel can tell
storm()
{
	local text size

	inject probability 0
	inject ignore-gfp-wait Y
	inject times -1
	if [ "${2:-}" = module ] && tells_callers; then
		text=$(cat /sys/module/hmmp/sections/.text)
		size=$(awk '$1 == "hmmp" { print $2 }' /proc/modules)
		inject ignore-gfp-wait N
		inject require-start "$text"
		inject require-end "$(printf '0x%x' $((text + size)))"
		inject probability 50
	else
		inject probability "$1"
	fi
}

tells_callers()
{
	[ -e $injection/failslab/require-start ]
}

calm()
{
	inject probability 0
	inject require-start 0
	inject require-end 0xffffffffffffffff
}
