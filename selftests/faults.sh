#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: without memory requests are refused, packets lost, and nothing else
# timeout: 900
# unproven: has not come to its end
# needs: kmod agent programs
# kernel: debug
#
# Networks: see path.sh. The kernel's fault injection makes allocations fail:
# each one in turn while the module is asked for something (nlfail); some, at
# random, of those that packets need, in softirq as well. Transfers have to
# survive that. What is left over is seen afterwards by kmemleak, and by the
# module that can go.
#
# shellcheck disable=SC2119 # what may have arguments

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh
. ./host.sh
. ./inject.sh

OLDER=90		# connections that are older than the module

# lost NAME COUNTER...: what it has counted there
lost()
{
	local counter=

	printf -v counter ' + .%s' "${@:2}"
	on "$1" hmmpctl -j stats -a | jq "0$counter"
}

lost_more()
{
	[ "$(lost "${@:2}")" -gt "$1" ]
}

# tap NAME DEVICE: a reader of whole packets there, so that those who change
# one have to copy it first
tap()
{
	start "tap-$1-$2" "$1" python3 -c '
import socket, sys
tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
tap.bind((sys.argv[1], 0))
while True:
    tap.recv(65536)' "$2"
}

# --- one by one ---

older_connections()
{
	check "holders of connections" conns_up cor mob
	check "connections" tell mob open "$CA" "$HTTP" "$OLDER"
}

requests()
{
	local -a ports

	mapfile -t ports < <(on mob ss -Htn state established dst "$CA" |
		awk '{ sub(".*:", "", $3); print $3 }')
	hm mob track "$A1:${ports[0]}" "$CA:$HTTP" ||
		bail "the first connection is not tracked"
	on mob nlfail "$A1" "$CA" "$HTTP" "${ports[@]}" >"$OUT/nlfail" 2>&1
	points_of "$OUT/nlfail"
	check "the kernel is quiet" kernel_quiet
}

# sentence: what an operator is told
sentence()
{
	local text

	storm 0 module
	inject probability 100
	text=$(hm mob at "$A1" "$A1" 2>&1)
	calm
	echo "$text"
	grep -i memory <<<"$text"
}

# --- at random ---

# survives ENCAP PERCENT [module]: a download that has moved
survives()
{
	local before

	check "$1: a download moves" begin "$1"
	before=$(lost mob drop_memory)
	storm "${@:2}"
	check "$1: packets are lost for want of memory" \
		wait_for 60 lost_more "$before" mob drop_memory
	check "$1: more comes all the same" goes_on mob 60
	calm
	check "$1: more comes after it" goes_on mob 60
	check "$1: the file is whole" downloaded mob 10m.bin
	flow_home >"$OUT/home" 2>&1
	forget_routes
}

# begin ENCAP
begin()
{
	download mob "$(server_of "$1")" 10m.bin && claim_both &&
		flow_move "$1" && tap mob wb
}

# pinged: cor tries to reach A1, whether or not it does
pinged()
{
	on cor ping -c 3 -i 0.2 -W 1 "$a1"
	[ "$(lost cor drop_memory)" -gt "$1" ]
}

# whole packets, put into others by cor
tunnels()
{
	local encap before

	tunnel_hosts
	for encap in ip6ip6 4in6 6in4 ipip minenc; do
		tunnel_of "$encap"
		tunnel_up "$encap" >"$OUT/up" 2>&1
		check "$encap: mob answers" wait_for 10 pings cor "$a1"
		before=$(lost cor drop_memory)
		storm 50 module
		check "$encap: no memory for a header" \
			wait_for 30 pinged "$before"
		calm
		check "$encap: mob answers again" wait_for 10 pings cor "$a1"
		tunnel_down
	done
}

# new connections that nobody can remember are ordinary ones
connections()
{
	local before

	before=$(lost mob flow_memory)
	storm 30 module
	check "connections nobody can remember" \
		wait_for 60 opened_more "$before"
	calm
	before=$(on mob hmmpctl -j flows | jq length)
	check "a connection" tell mob open "$CA" "$HTTP" 1
	equal "is remembered" "$(on mob hmmpctl -j flows | jq length)" \
		$((before + 1))
}

opened_more()
{
	tell mob open "$CA" "$HTTP" 1
	[ "$(lost mob flow_memory)" -gt "$1" ]
}

path_up
rmmod hmmp || bail "the module cannot go"
check "fault injection" one_by_one
older_connections
path_module
requests
! tells_callers || check "a sentence for people" sentence
connections
stop conns-mob
stop conns-cor
check "web server" start_nginx cor
for encap in ipip minenc ip6ip6 4in6 6in4; do
	survives "$encap" 10 module
done
survives ipip 5
tunnels
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
