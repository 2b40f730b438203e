#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: K2, a binding of flows covers its owner's flows, and nothing else
# timeout: 240
# needs: kmod agent programs
#
# Networks: see path.sh. mob has three connections to cor: one and two belong to
# the same association, three to another. cor has a binding for the first
# association, and what leaves cor is looked at on its link; mob is in both
# networks, so that whatever goes the native way arrives.
#
# shellcheck disable=SC2119,SC2120 # what may have arguments

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

OTHER=88	# another owner
declare -A PORT=()

# --- connections, one to a holder ---

# opened NAME NUMBER [PORT]: a holder of its own, with a connection to cor
opened()
{
	start "conns-$2" "$1" conns "$RUN/conns-$2"
	wait_for 10 test -S "$RUN/conns-$2" &&
		tell "$2" open "$CA" "$HTTP" 1 ${3:+"$3"} && tell "$2" ask 40 &&
		PORT[$2]=$(on "$1" ss -Htnp state established \
			"dport = :$HTTP" | grep "pid=${DAEMON[conns-$2]}," |
			awk '{ sub(".*:", "", $3); print $3 }') &&
		[ -n "${PORT[$2]}" ]
}

# owned_by NUMBER OWNER: at both ends, once they track it
owned_by()
{
	wait_for 10 owns mob "$A1:${PORT[$1]}" "$CA:$HTTP" "$2" &&
		wait_for 10 owns cor "$CA:$HTTP" "$A1:${PORT[$1]}" "$2"
}

owns()
{
	hm "$1" own "${@:2}"
}

# bind [MS]: cor's binding, and how long it lives
bind()
{
	hm cor bind "$A1" "$A2" owner="$OWNER" lifetime="${1:-600000}"
}

# --- what cor's link carries ---

# plain NUMBER, carried NUMBER: filters for what cor sends on a connection
plain()
{
	echo "src host $CA and tcp and dst port ${PORT[$1]}"
}

carried()
{
	echo "src host $CA and ip proto 4 and ip[42:2] = ${PORT[$1]}"
}

# more BEFORE FILTER
more()
{
	[ "$(packets wire "$2")" -gt "$1" ]
}

# a new connection of cor's to the address
opening()
{
	echo "src host $CA and dst host $A1 and tcp dst port $HTTP and
		tcp[tcpflags] = tcp-syn"
}

syn_inside="ip proto 4 and ip[53] & 2 != 0"

# --- whose flows ---

owners_only()
{
	local i n

	check "cor learns of the first owner's move" bind
	n=$(packets wire "$(plain one) or $(plain two)")
	check "connection three works natively" tell three ask 40
	forwarded_never
	check "mob knows, too" eval 'hm mob at "$A1" "$A1" &&
		hm mob handoff "$A1" "$A2" && hm mob peer "$CA" \
		owner="$OWNER" current="$A2" accepted'
	for i in one two; do
		check "connection $i works" tell $i ask 40
		check "it goes by the tunnel" more 0 "$(carried $i)"
	done
	equal "neither went natively" \
		"$(packets wire "$(plain one) or $(plain two)")" "$n"
	equal "connection three never went by the tunnel" \
		"$(packets wire "$(carried three)")" 0
}

# --- who opens a connection ---

syns()
{
	local isn n

	n=$(packets wire "$(carried one)")
	isn=$(on cor hmmpctl -j flows | jq ".[] |
		select(.remote_port == ${PORT[one]}) | .isn_local")
	check "cor sends a SYN with the name of connection one" \
		on cor segment "$CA" "$HTTP" "$A1" "${PORT[one]}" s "$isn" 0
	check "natively" wait_for 10 more 0 \
		"$(plain one) and tcp[tcpflags] = tcp-syn"
	equal "not by the tunnel" "$(packets wire "$(carried one)")" "$n"
	check "an ACK with that name does go by the tunnel" \
		on cor segment "$CA" "$HTTP" "$A1" "${PORT[one]}" a "$isn" 0
	check "it does" wait_for 10 more "$n" "$(carried one)"
	refute "cor opens a connection to that address, where nobody is" \
		on cor ncat -z -w 1 "$A1" "$HTTP"
	check "natively" more 0 "$(opening)"
	equal "no SYN was in a tunnel" "$(packets wire "$syn_inside")" 0
	check "connection one works" tell one ask 40
}

# --- who forwards ---

# bb has a socket with the name of connection three, as a transparent proxy
# would, and a binding for it; what cor sends is forwarded. (The kernel would not
# forward what early demultiplexing finds a socket for.)
twin()
{
	on bb sysctl -q -w net.ipv4.ip_early_demux=0
	mkfifo "$RUN/repair" && exec {lines}<>"$RUN/repair" || return
	"${WITHIN[@]}" "bb-$ID" repair "$CA" "$HTTP" "$A1" "${PORT[three]}" \
		<&"$lines" >"$OUT/repair.log" 2>&1 &
	DAEMON[repair]=$!
	wait_for 10 grep -q open "$OUT/repair.log" &&
		hm bb track "$CA:$HTTP" "$A1:${PORT[three]}" opener-unknown &&
		hm bb own "$CA:$HTTP" "$A1:${PORT[three]}" "$OWNER" &&
		hm bb bind "$A1" "$A2" owner="$OWNER" status=provisional \
			credit=1000000 lifetime=600000
}

forwarded_never()
{
	local i

	check "bb has a flow and a binding of that name" twin
	equal "the flow can move" "$(flows_of bb .can_move)" 1
	for i in 1 2 3; do
		check "connection three works through bb" tell three ask 40
	done
	equal "bb put nothing into a tunnel" "$(stat_of bb tx_encap)" 0
	hm bb unbind "$A1" owner="$OWNER" >"$RUN/unbind"
	exec {lines}>&-
	stop repair
}

# --- who sends from the address that mob has left ---

# next_of NUMBER: sets "next", the number of a connection's very next segment
next_of()
{
	local isn got

	isn=$(on cor hmmpctl -j flows | jq ".[] |
		select(.remote_port == ${PORT[$1]}) | .isn_remote")
	got=$(on cor ss -Htin "dport = :${PORT[$1]}" |
		grep -o 'bytes_received:[0-9]*')
	next=$((isn + 1 + ${got#*:}))
}

# forged FLAGS NUMBER: that segment, but from ara
forged()
{
	on ara segment "$A1" "${PORT[$2]}" "$CA" "$HTTP" "$1" "$next" 0
}

# arrives FLAGS [NUMBER]: and it has come to cor
arrives()
{
	local n from="src host $A1 and tcp src port ${PORT[${2:-one}]}"

	n=$(packets wire "$from")
	next_of "${2:-one}"
	forged "$1" "${2:-one}" && wait_for 10 more "$n" "$from"
}

# early: right after the move it may have been under way. Only what was quick
# enough tells something; 10 tries
early()
{
	local i start n=0 seen took

	next_of one
	for ((i = 0; i < 10; i++)); do
		seen=$(packets wire "src host $A1 and tcp")
		n=$(stat_of cor drop_plain)
		hm cor unbind "$A1" owner="$OWNER"
		start=$(now_ms)
		bind && forged a one || return
		took=$(($(now_ms) - start))
		wait_for 10 more "$seen" "src host $A1 and tcp" || return
		[ "$took" -ge 1800 ] || break
	done
	[ "$i" -lt 10 ] && [ "$(stat_of cor drop_plain)" = "$n" ]
}

refused()
{
	local n

	n=$(stat_of cor drop_plain)
	arrives a && wait_for 5 dropped_more "$n"
}

dropped_more()
{
	[ "$(stat_of cor drop_plain)" -gt "$1" ]
}

plain_segments()
{
	local n

	check "at first a plain segment is taken" early
	check "2 s later none is" wait_for 20 refused
	n=$(stat_of cor drop_plain)
	check "a reset, the very next segment" arrives r
	check "is dropped and counted" wait_for 10 dropped_more "$n"
	check "connection one works" tell one ask 40
	check "a short binding" bind 1000
	check "is held" wait_for 20 held
	n=$(stat_of cor drop_plain)
	check "a reset" arrives r
	check "is dropped and counted, now too" wait_for 10 dropped_more "$n"
	check "the binding lives again" bind
	check "connection one works" tell one ask 40
	n=$(stat_of cor drop_plain)
	check "a plain segment of connection three" arrives a three
	equal "which is not bound, is taken" "$(stat_of cor drop_plain)" "$n"
}

held()
{
	on cor hmmpctl -j bindings | jq -e 'any(.[]; .status == "held")'
}

# --- who has the address now ---

# mob is in b only, and cor has not heard of it, when somebody else uses the
# address, and the port of connection one by chance
new_owner()
{
	local n

	check "cor knows of nothing" hm cor unbind "$A1" owner="$OWNER"
	check "mob is in b only" eval 'anchor "$A1" && path_detach a &&
		ip -n "mob-$ID" route replace default via 10.2.0.1'
	check "oth has its address" path_oth "$A1" 10.1.0.1
	check "oth opens a connection from the same port" \
		opened oth four "${PORT[one]}"
	check "it works" tell four ask 40
	check "now cor learns where mob is" bind
	check "connection two goes on" tell two ask 40
	check "oth's works" tell four ask 40
	n=$(packets wire "$(carried one)")
	equal "and is never in the tunnel" "$(packets wire "$(carried one)")" \
		"$n"
	equal "cor's new connection is nobody's" \
		"$(flows_of cor ".remote_port == ${PORT[one]} and
			.owner == null")" 1
}

path_up
check "mob is in both networks" eval 'path_attach b 4 &&
	ip -n "mob-$ID" -batch - <<-BATCH
		route replace default via 10.1.0.1
		rule add from $A2 lookup 100
		route add default via 10.2.0.1 table 100
	BATCH'
check "a holder of connections" conns_up cor mob
for i in one two three; do
	check "connection $i" opened mob $i
done
check "one and two have an owner" eval 'owned_by one $OWNER &&
	owned_by two $OWNER'
check "three has another" owned_by three $OTHER
check "capture" capture cor eth0 wire ip
owners_only
syns
plain_segments
new_owner
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
