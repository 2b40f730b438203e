#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: what the agent sets on a host, on this kernel
# timeout: 300
# needs: agent
#
# Runs the agent's own test programs that need a kernel with dummy interfaces.
# They make their own network namespaces; each of their test points is one of
# this scenario's.

. ./lib.sh

# run_program NAME: its TAP as ours
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
		esac
	done < <(CMOCKA_MESSAGE_OUTPUT=TAP "$1" 2>"$log" | tee -a "$log")
	check "$1 ran to its end" grep -q '^# ok' "$log"
}

run_program anchor_test
run_program link_test
finish
