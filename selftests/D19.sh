#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: address, hand-off and message in that order (defect D19 of the draft)
# timeout: 120
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob and ca. mob is without a network
# until ca's TCP waits a long time between two tries. What mob's agent tells
# the kernel and ca is seen by strace, the address by "ip monitor", what
# reaches and leaves ca by a capture.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh

HANDOFF='"(\\x0b\\x01|\\v\\1)'	# genetlink header of the command, as strace shows it

# rto: ms until ca's TCP tries again, as it stands
rto()
{
	on ca ss -Htin "sport = :80" | sed -n 's/.* rto:\([0-9.]*\).*/\1/p'
}

# pace: 500 kB a second, so that the file lasts, and something is always
# under way
pace()
{
	tc -n "ca-$ID" qdisc replace dev eth0 root fq maxrate 4mbit
}

patient()
{
	local now

	now=$(rto)
	[ "${now%.*}" -ge 1500 ]
}

# at PATTERN: when the agent called something like it first
at()
{
	grep -E "$1" "$OUT/calls" | head -1 | cut -d' ' -f1
}

# seen FILTER: when ca's capture saw the first of them
seen()
{
	tcpdump -r "$OUT/ca.pcap" -n -tt "$@" 2>/dev/null | head -1 |
		cut -d' ' -f1
}

# in_order TIME...: each is there, and not before the one before it
in_order()
{
	local t last=0

	echo "times: $*"
	for t; do
		awk -v a="$last" -v b="$t" 'BEGIN { exit !(b > a) }' || return
		last=$t
	done
}

# ms FROM TO
ms()
{
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.0f", (b - a) * 1000 }'
}

# address_came: when mob's new address was usable, by mob's kernel
address_came()
{
	local line

	line=$(grep -F -m 1 "inet $here/" "$OUT/monitor.log")
	date -d "$(grep -oE '[0-9]{4}-[0-9-]+T[0-9:.]+' <<<"$line")" +%s.%N
}

topo_up
hmmp_up ca
check "a web server" start_nginx ca
check "ca sends without a pause" pace
start curl mob curl -sS -o /dev/null "http://$CA/100m.bin"
check "mob downloads" wait_for 20 received_more mob 200000
check "the connection can move" wait_for 20 owned mob 1
check "capture" capture ca eth0 ca udp port 5060 or ip proto 4
start monitor mob stdbuf -oL ip -ts monitor address
start strace mob strace -ttt -s 256 -e trace=sendto,sendmsg \
	-p "${DAEMON[hmmpd-mob]}" -o "$OUT/calls"
check "strace watches mob's agent" wait_for 10 grep attached \
	"$OUT/strace.log"

lose_addr a silent
link_down a
HERE=
check "ca's TCP waits longer and longer" wait_for 30 patient
check "mob gets to network b" move_to b
here=$(current_addr)
check "the download goes on" goes_on mob 30
waits=$(rto)
stop strace
stop monitor
stop tcpdump-ca INT

usable=$(address_came)
handoff=$(at "$HANDOFF")
info=$(at 'INFO sip:')
check "address, then hand-off, then message" \
	in_order "$usable" "$handoff" "$info"
equal "one hand-off before the message" "$(stat_of mob handoffs)" 1
bind=$(seen "udp and src $here")
first=$(seen "ip proto 4 and src $CA")
check "ca hears it, then sends to the new address" in_order "$bind" "$first"
note "$(ms "$bind" "$first") ms after the message; ca's RTO: $waits ms now"
check "and does not wait for its timer" \
	[ "$(ms "$bind" "$first")" -lt 750 ]
check "the connection is the same" running curl
stop curl
check "the module can go" hmmp_down
check "the kernel is quiet" kernel_quiet
finish
