#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: what the kernel refuses is never answered with 200
# timeout: 150
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob and ca. ca's module may hold one
# binding only. mob opens a connection at home, moves, and opens another one:
# two original addresses, which need two bindings at the next move, one too
# many. The answer in the capture has to be 503, and when ca may hold more, mob
# has to ask again by itself.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh

# answers STATUS: how many answers with it ca gave
answers()
{
	tcpdump -n -A -r "$OUT/sip.pcap" "src $CA and udp port 5060" \
		2>/dev/null | grep -c "SIP/2.0 $1"
}

gave()
{
	[ "$(answers "$1")" -ge 1 ]
}

bindings()
{
	on ca hmmpctl -j bindings | jq length
}

topo_up
hmmp_up ca
check "ca may hold one binding" on ca hmmpctl limits bindings=1
check "connections" conns_up ca mob
first=$(current_addr)
check "one from the first address" tell mob open "$CA" "$HTTP" 1
check "it can move" wait_for 20 owned mob 1
check "mob moves to b" move_to b silent
check "ca knows where mob is" wait_for 30 bound ca "$first" "$(current_addr)"
second=$(current_addr)
check "one from the second address" tell mob open "$CA" "$HTTP" 1
check "both can move" wait_for 20 owned mob 2

start tcpdump-sip ca tcpdump -n -U --immediate-mode -s 0 -i eth0 \
	-w "$OUT/sip.pcap" udp port 5060
check "capture" wait_for 10 grep -q 'listening on' "$OUT/tcpdump-sip.log"
check "mob moves to c" move_to c silent
check "the first connection follows" wait_for 30 \
	bound ca "$first" "$(current_addr)"
check "ca answers 503 for the second" wait_for 30 gave 503
equal "ca's kernel holds one binding" "$(bindings)" 1
equal "and was asked for more" \
	"$([ "$(stat_of ca binding_limit)" -ge 1 ] && echo yes)" yes
refute "nothing says that the second address was accepted" bound ca \
	"$second" "$(current_addr)"

check "ca may hold two" on ca hmmpctl limits bindings=2
check "mob asks again, the second follows" wait_for 90 \
	bound ca "$second" "$(current_addr)"
check "both carry data" tell mob ask 20
check "the connections close" tell mob reset
check "agents and module go" hmmp_down
check "the kernel is quiet" kernel_quiet
finish
