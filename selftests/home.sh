#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: going home, and two moves within one round trip
# timeout: 200
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob and ca. First mob goes to network b
# and home again by DHCP. Then dhcpcd ends, all three links are up, the round
# trip is 600 ms or more, and static addresses change hands from a to b to c
# before the answer to the first message can be there. The captures are on the
# backbone's link to ca.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh

# clock: the time that captures show
clock()
{
	date +%s.%N
}

# times_of LABEL FILTER...: when these packets were seen
times_of()
{
	tcpdump -r "$OUT/$1.pcap" -n -tt "${@:2}" 2>/dev/null | cut -d' ' -f1
}

later()
{
	awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > b) }'
}

# seconds_over TIME SECONDS
seconds_over()
{
	later "$(clock)" "$(awk -v t="$1" -v s="$2" 'BEGIN {
		printf "%.6f", t + s }')"
}

# plain_only TIME: nothing encapsulated from 3 s after it, but plain packets
plain_only()
{
	local from

	from=$(awk -v t="$1" 'BEGIN { printf "%.6f", t + 3 }')
	[ -z "$(times_of home ip proto 4 | awk -v f="$from" '$1 > f')" ] &&
		[ -n "$(times_of home tcp and host "$home" |
			awk -v f="$from" '$1 > f')" ]
}

slow_down()
{
	local n

	RTT=$((400 + 200 * ${SLOW:-1}))
	for n in a b c; do
		delay "ar$n" ub || return
	done
	delay bb ra rb rc
}

# address NETWORK: where mob's address .50 shall be, and nowhere else
address()
{
	local n=$1 i=${NET[$1]} old

	for old in a b c; do
		[ "$old" = "$n" ] ||
			echo "addr flush dev w$old"
	done
	echo "addr replace 10.$i.0.50/24 dev w$n"
	echo "route replace default via 10.$i.0.1 dev w$n src 10.$i.0.50"
}

# set_address NETWORK: at once
set_address()
{
	address "$1" | on mob ip -batch -
}

# agent_moved TO: the agent has carried out a hand-off to there
agent_moved()
{
	grep "hand-off .* -> $1 " "$OUT/hmmpd-mob.log"
}

all_links()
{
	link_up a && link_up b && link_up c && wait_for 10 carriers
}

carriers()
{
	[ "$(on_sys mob cat /sys/class/net/w{a,b,c}/carrier | tr -d '\n')" = 111 ]
}

topo_up
hmmp_up ca
check "a web server" start_nginx ca
home=$(current_addr)
check "holders of connections" conns_up mob ca
state_save before mob ca ara arb
check "mob has connections to ca" tell mob open "$CA" "$HTTP" 3
check "they can move" wait_for 20 owned mob 3
check "mob moves to b" move_to b unreachable
check "they carry data" tell mob ask 20
check "capture" capture bb ca home tcp or ip proto 4
check "mob moves home" move_to a
forget_lost b
back=$(clock)
check "they carry data at home" tell mob ask 20
check "4 s later" wait_for 10 seconds_over "$back" 4
check "they still carry data" tell mob ask 10
check "in plain packets" plain_only "$back"
stop tcpdump-home INT
tell mob reset >/dev/null
check "nothing is left behind" wait_for 60 state_same before mob ca ara arb

stop dhcpcd
check "all links are up" all_links
check "the round trip is longer" slow_down
check "a static address" set_address a
check "mob downloads" download mob "$CA" 10m.bin
check "the connection can move" wait_for 30 owned mob 1
n=$(stat_of mob handoffs)
t0=$(now_ms)
set_address b
check "a hand-off to b" wait_for 10 agent_moved 10.2.0.50
set_address c
t1=$(now_ms)
check "a hand-off to c" wait_for 10 agent_moved 10.3.0.50
check "both within one round trip: $((t1 - t0)) ms" [ $((t1 - t0)) -lt "$RTT" ]
check "the download goes on" goes_on mob 30
check "ca knows the last address" bound ca 10.1.0.50 10.3.0.50
equal "and no other" "$(on ca hmmpctl -j bindings | jq length)" 1
equal "mob as well" "$(on mob hmmpctl -j local | jq -r '.[] |
	select(.original == "10.1.0.50") | .current')" 10.3.0.50
equal "two hand-offs" $(($(stat_of mob handoffs) - n)) 2
check "the file is whole" downloaded mob 10m.bin
check "the module can go" hmmp_down
check "the kernel is quiet" kernel_quiet
finish
