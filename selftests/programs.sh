# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For scenarios that run the agent's own test programs. Sourced after lib.sh.

# run_program NAME: each of its test points becomes one of ours. Nothing may
# be skipped: the test VM has everything.
run_program()
{
	local line name log=$OUT/$1.log

	while read -r line; do
		name=${line#*ok }
		name="$1 ${name#* - }"
		case $line in
		*"# SKIP"*) not_ok "$name (skipped)" ;;
		"ok "*) ok "$name" ;;
		"not ok "*) not_ok "$name" ;;
		"# 0x"* | "# tests/"*) note "${line#\# }" ;;
		esac
	done < <(CMOCKA_MESSAGE_OUTPUT=TAP "$1" 2>"$log.err" | tee "$log")
	check "$1 ran to its end" grep -q '^# ok' "$log"
}
