#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: wrong netlink requests get a sentence and change nothing
# timeout: 90
# needs: kmod agent programs
#
# Networks: see topology.sh. No agent runs; nlbad asks the module for wrong
# things while one connection is tracked and bound. Each refusal is a test
# point of its own.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh

# module_state: all that a request could change
module_state()
{
	local what

	for what in flows bindings local peers limits; do
		on mob hmmpctl -j "$what" | jq \
			'walk(if type == "object" then del(.age_ms, .lifetime_ms,
			.grace_ms, .used, .flows_used) else . end)'
	done
}

topo_up
modprobe -a tunnel4 tunnel6
check "the module is loaded" insmod /t/hmmp.ko
check "the namespace is in use" on mob hmmpctl limits flows=65536
check "connections" conns_up ca mob
tell mob open "$CA" "$HTTP" 1 || bail "no connection"
check "one is tracked" wait_for 10 test "$(flows_of mob)" = 1
read -r lport < <(on mob hmmpctl -j flows | jq '.[0].local_port //
	(.[0].local | split(":")[1] | tonumber)')

on mob nlbad "$(current_addr)" "$lport" "$CA" "$HTTP" >"$OUT/nlbad.log" 2>&1
points_of "$OUT/nlbad.log"
module_state >"$RUN/after-first"
on mob nlbad "$(current_addr)" "$lport" "$CA" "$HTTP" >"$OUT/nlbad2.log" 2>&1
module_state >"$RUN/after-second"
check "nothing changed" diff "$RUN/after-first" "$RUN/after-second"
check "one flow, one binding" test "$(flows_of mob)" = 1
check "the module goes" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
