#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: what the old router answers after a move does not disturb a connection
# timeout: 240
# needs: kmod agent programs
#
# Networks: see path.sh. mob has gone from a to b, and cor goes on sending to the
# old address for a while, because its binding is provisional and its credit is
# used up. Router ara says nothing to that, or "host unreachable", or
# "administratively prohibited". Then the binding is verified, and cor's last
# tunnel led to network a: the same answers come for outer packets. There is one
# connection that either end asks a question on, for each answer.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

ASK=40		# s, for an answer

# old ANSWER: how ara answers from now on for mob's address, and for another one
# of its network
old()
{
	local kind=blackhole

	case $1 in
	"host unreachable") kind=unreachable ;;
	prohibited) kind=prohibit ;;
	esac
	ip -n "ara-$ID" route replace "$kind" "$A1/32" &&
		ip -n "ara-$ID" route replace "$kind" "$A3/32" &&
		on ara sysctl -q -w net.ipv4.icmp_ratelimit=0
}

# answers CODE: ICMP errors with that code that cor has got from ara
answers()
{
	packets "icmp" "icmp[0] = 3 and icmp[1] = $1"
}

answered_more()
{
	[ "$(answers "$1")" -gt "$2" ]
}

# asks: cor asks, and waits for the answer; see heard
asks()
{
	start ask cor conns -t "$RUN/conns-cor" ask 300
}

heard()
{
	local pid=${DAEMON[ask]}

	wait_for "$ASK" gone "$pid" || return
	unset "DAEMON[ask]"
	wait "$pid"
}

# plain_more BEFORE: cor has sent to the old address
plain_more()
{
	[ "$(packets icmp "src host $CA and tcp and dst host $A1")" -gt "$1" ]
}

leaves()
{
	anchor "$A1" && path_detach a && path_attach b &&
		hm mob at "$A1" "$A1" dev="$DUMMY" &&
		hm mob handoff "$A1" "$A2" &&
		hm mob peer "$CA" owner="$OWNER" current="$A2" accepted
}

# disturbed: what connections of both ends have ended by
disturbed()
{
	local name

	for name in mob cor; do
		tell "$name" count || return
	done
}

# provisional: cor's packets go to the old address, as long as mob is silent
provisional()
{
	local n m

	check "$a: provisional, without credit" hm cor bind "$A1" "$A2" \
		owner="$OWNER" status=provisional lifetime=600000
	n=$(packets icmp "src host $CA and tcp and dst host $A1")
	m=$(answers "$code")
	check "$a: cor asks" asks
	check "$a: it sends to the old address" wait_for 20 plain_more "$n"
	[ "$code" = none ] ||
		check "$a: ara answers" wait_for 20 answered_more "$code" "$m"
	check "$a: mob asks, and is answered" tell mob ask "$ASK"
	check "$a: cor is answered" heard
}

# verified: cor's packets go by the tunnel, and ara answers for those that were
# sent before
verified()
{
	check "$a: verified" hm cor bind "$A1" "$A2" owner="$OWNER" \
		status=verified lifetime=600000
	check "$a: cor asks" tell cor ask "$ASK"
	check "$a: mob asks" tell mob ask "$ASK"
	[ "$code" = none ] ||
		check "$a: a late answer to a plain packet" late
	check "$a: cor asks" tell cor ask "$ASK"
	check "$a: mob asks" tell mob ask "$ASK"
}

# late: an answer that quotes the connection's very next segment; bb sends what
# it is an answer to, again and again, because routers answer so many only in a
# second
late()
{
	local m isn acked

	m=$(answers "$code")
	isn=$(on cor hmmpctl -j flows | jq ".[0].isn_local")
	acked=$(on cor ss -Htin state established "sport = :$HTTP" |
		grep -o 'bytes_acked:[0-9]*')
	wait_for 10 late_answered $((isn + 1 + ${acked#*:}))
}

# late_answered SEQ: to one segment that is sent; in its caller: m
late_answered()
{
	on bb segment "$CA" "$HTTP" "$A1" "$PORT" a "$1" 0 &&
		answered_more "$code" "$m"
}

# tunnelled: an outer address that cor used is answered for in the same way
tunnelled()
{
	local m

	m=$(answers "$code")
	check "$a: another address, where nobody is" hm cor bind "$A1" "$A3" \
		owner="$OWNER" lifetime=600000
	check "$a: cor asks" asks
	[ "$code" = none ] ||
		check "$a: ara answers" wait_for 20 answered_more "$code" "$m"
	check "$a: mob's address" hm cor bind "$A1" "$A2" owner="$OWNER" \
		lifetime=600000
	check "$a: cor is answered" heard
	check "$a: mob asks" tell mob ask "$ASK"
	check "$a: nothing was lost" disturbed
}

# one_case ANSWER CODE: of ICMP
one_case()
{
	a=$1 code=$2
	check "$a: a connection" tell mob open "$CA" "$HTTP" 1
	check "$a: it carries data" tell mob ask "$ASK"
	check "$a: both ends own it" claim_both
	PORT=$(on mob ss -Htn state established "dport = :$HTTP" |
		awk '{ sub(".*:", "", $3); print $3 }')
	check "$a: mob moves" leaves
	check "$a: the old router's way" old "$a"
	provisional
	verified
	tunnelled
	check "$a: the end of it" tell mob close
	ip -n "ara-$ID" route del "$A1/32"
	ip -n "ara-$ID" route del "$A3/32"
	tunnel_of ipip
	flow_home >"$OUT/home" 2>&1
	wait_for 20 test "$(flows_of cor)" = 0
}

A3=10.1.0.99
path_up
check "holders of connections" conns_up cor mob
check "capture" capture cor eth0 icmp
one_case silent none
one_case "host unreachable" 1
one_case prohibited 13
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
