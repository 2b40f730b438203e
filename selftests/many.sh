#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: 500 connections to three correspondents move together
# timeout: 150
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob, ca, cb and cc. mob has opened 125
# connections to each correspondent, and they 125 to mob.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh

# all_ask: every end of every connection asks, and hears the answer
all_ask()
{
	local name

	for name in mob ca cb cc; do
		tell "$name" ask $((20 * ${SLOW:-1})) || return
	done
}

open_all()
{
	local addr

	for addr in "$CA" "$CB" "$CC"; do
		tell mob open "$addr" "$HTTP" 125 || return
	done
	tell ca open "$home" "$HTTP" 42 &&
		tell cb open "$home" "$HTTP" 42 &&
		tell cc open "$home" "$HTTP" 41
}

sockets()
{
	on mob ss -Htn state established "( sport = :$HTTP or dport = :$HTTP )"
}

topo_up
hmmp_up ca cb cc
home=$(current_addr)
check "holders of connections" conns_up mob ca cb cc
check "connections are opened" open_all
sockets | sort >"$OUT/before"
equal "there are 500" "$(wc -l <"$OUT/before")" 500
check "all carry data" all_ask
check "all belong to associations" wait_for 60 owned mob 500
equal "three associations" "$(ctl mob -j status |
	jq '.associations | length')" 3
equal "no hand-off up to now" "$(stat_of mob handoffs)" 0

check "mob moves to b" move_to b silent
for name in ca cb cc; do
	check "$name knows where mob is" wait_for 20 bound "$name" "$home" \
		"$(current_addr)"
done
check "all carry data again, whoever asks" all_ask
sockets | sort >"$OUT/after"
check "they are the same" cmp "$OUT/before" "$OUT/after"
equal "one hand-off" "$(stat_of mob handoffs)" 1
check "one line of the agent says so" \
	grep -c 'hand-off .* -> ' "$OUT/hmmpd-mob.log"
for name in mob ca cb cc; do
	check "$name lost none" tell "$name" count
	stop "conns-$name"
done
check "the module can go" hmmp_down
check "the kernel is quiet" kernel_quiet
finish
