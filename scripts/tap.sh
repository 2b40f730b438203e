# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# TAP for the checks of scripts/. Sourced; the sourcing script calls tap_exit
# last. What a check prints goes to a file and is shown if the check fails.

tap_n=0
tap_bad=0
tap_out=$(mktemp)
trap 'rm -f "$tap_out"' EXIT

# tap_check WHAT COMMAND...: one check; the command's status is the verdict
tap_check()
{
	local what=$1

	shift
	tap_n=$((tap_n + 1))
	if "$@" >"$tap_out" 2>&1; then
		echo "ok $tap_n - $what"
		return
	fi
	tap_bad=$((tap_bad + 1))
	echo "not ok $tap_n - $what"
	head -n "${TAP_LINES:-60}" "$tap_out" | sed 's/^/# /'
}

# tap_skip WHAT WHY: a check that cannot run here
tap_skip()
{
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

# tap_exit: print the plan; fail if a check failed or none was run
tap_exit()
{
	echo "1..$tap_n"
	[ "$tap_bad" -eq 0 ] && [ "$tap_n" -gt 0 ]
	exit
}
