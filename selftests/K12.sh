#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: K12, floods leave nothing, tables have ends, dumps are whole
# timeout: 400
# needs: kmod agent programs
#
# Networks: see path.sh. A flood of SYNs reaches cor, from addresses that nobody
# has; then each table is full, of its namespace or of the machine; then dumps
# run while what they show comes and goes (src/churn.c).
#
# HMMP_SYNS: how many there are in the flood (100000).

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

SYNS=${HMMP_SYNS:-100000}
FORGED=10.1.0.192
PARAM=/sys/module/hmmp/parameters

# refused SENTENCE NAME WORD...: hmmpctl there fails, and says so
refused()
{
	! hm "${@:2}" 2>"$RUN/sentence" && cat "$RUN/sentence" &&
		grep -F "$1" "$RUN/sentence"
}

# used WHAT NAME: how many there are, as the module counts
used()
{
	on "$2" hmmpctl -j limits | jq ".${1}_used"
}

# --- a flood ---

# slab: kB that the kernel holds and cannot give back
slab()
{
	awk '$1 == "SUnreclaim:" { print $2 }' /proc/meminfo
}

# forget_conntrack: the firewalls' memory of the flood
forget_conntrack()
{
	local name

	for name in cor bb; do
		on "$name" conntrack -F >"$RUN/conntrack" 2>&1
	done
}

slab_below()
{
	[ "$(slab)" -lt "$1" ]
}

# seen: SYNs that cor's TCP has answered, or thrown away
seen()
{
	on cor nstat -asz TcpExtSyncookiesSent TcpExtListenDrops \
		TcpExtTCPReqQFullDrop |
		awk '/^Tcp/ { n += $2 } END { print n + 0 }'
}

flood()
{
	local lladdr start

	lladdr=$(ip -n "cor-$ID" -j link show eth0 | jq -r '.[].address')
	start=$(now_ms)
	on bb synflood "$FORGED" "$CA" "$HTTP" "$SYNS" x0 "$lladdr" || return
	took=$(($(now_ms) - start))
}

flooded()
{
	local before new

	# the firewall of cor has to know all of them
	sysctl -q -w net.netfilter.nf_conntrack_max=200000
	check "a connection" tell mob open "$CA" "$HTTP" 1
	check "it carries data" tell mob ask 20
	equal "cor tracks it" "$(flows_of cor)" 1
	forget_conntrack
	check "it still carries data" tell mob ask 20
	before=$(slab)
	new="$(stat_of cor flow_new) $(stat_of cor flow_picked)"
	check "$SYNS SYNs" flood
	note "$took ms, $((SYNS * 1000 / took)) in a second;" \
		"slab $before kB before, $(slab) kB after"
	check "cor's TCP saw nine of ten" [ "$(seen)" -ge $((SYNS * 9 / 10)) ]
	equal "one flow, as before" "$(flows_of cor) $(used flows cor)" "1 1"
	equal "none was made" \
		"$(stat_of cor flow_new) $(stat_of cor flow_picked)" "$new"
	equal "none was refused" \
		"$(stat_of cor flow_limit) $(stat_of cor flow_memory)" "0 0"
	check "the connection carries data" tell mob ask 20
	forget_conntrack
	check "memory is what it was, to 4 MB" \
		wait_for 20 slab_below $((before + 4096))
	note "slab $(slab) kB when the firewalls have forgotten it"
}

# --- ends of tables ---

# untracked: mob's connection that has no entry, "LOCAL REMOTE"
untracked()
{
	local port

	on mob ss -Htn state established "dport = :$HTTP" |
		awk '{ sub(".*:", "", $3); print $3 }' | while read -r port; do
		[ "$(flows_of mob ".local_port == $port")" != 0 ] ||
			echo "$A1:$port $CA:$HTTP"
	done
}

# full LABEL COMMAND-TO-FILL COMMAND-TO-MAKE-ROOM
full_of_flows()
{
	local before ends

	before=$(stat_of mob flow_limit)
	check "$1: no room for a second flow" eval "$2"
	check "$1: a second connection works" tell mob open "$CA" "$HTTP" 1
	check "$1: so do both" tell mob ask 20
	equal "$1: it has no entry" "$(flows_of mob) $(used flows mob)" "1 1"
	check "$1: that is counted" [ "$(stat_of mob flow_limit)" -gt "$before" ]
	read -r -a ends < <(untracked)
	check "$1: and said to who asks for it" \
		refused "the limit of flows is reached" mob track "${ends[@]}"
	check "$1: there is room" eval "$3"
	check "$1: now it can have one" hm mob track "${ends[@]}"
	equal "$1: two" "$(flows_of mob)" 2
	tell mob close >"$RUN/close"
	wait_for 20 no_flows
	check "$1: another connection" tell mob open "$CA" "$HTTP" 1
	check "$1: it is tracked" wait_for 10 one_flow
}

# no_flows: nowhere, because each counts for the machine
no_flows()
{
	[ "$(used flows mob) $(used flows cor)" = "0 0" ]
}

one_flow()
{
	[ "$(flows_of mob)" = 1 ]
}

bind_host()
{
	hm "$1" bind "$2" "$A2" host local-outer="$CA" dev="$3"
}

full_of_bindings()
{
	local before

	before=$(stat_of cor binding_limit)
	check "$1: two bindings" eval \
		'bind_host cor 10.1.0.90 eth0 && bind_host cor 10.1.0.91 eth0'
	check "$1: no room for a third" eval "$2"
	check "$1: it is refused with a sentence" \
		refused "the limit of bindings is reached" cor \
		bind 10.1.0.92 "$A2" host local-outer="$CA" dev=eth0
	equal "$1: and counted" "$(stat_of cor binding_limit)" $((before + 1))
	check "$1: one that there is can be changed" bind_host cor 10.1.0.91 eth0
	check "$1: one goes" hm cor unbind 10.1.0.90 host
	check "$1: so there is room" bind_host cor 10.1.0.92 eth0
	check "$1: all go" eval 'hm cor unbind 10.1.0.91 host &&
		hm cor unbind 10.1.0.92 host'
	check "$1: the limit is what it was" eval "$3"
	equal "$1: none is left" "$(used bindings cor)" 0
}

set_param()
{
	echo "$2" >"$PARAM/$1"
}

# two_hosts: cor is one, bb the other, where SSH is let in
two_hosts()
{
	start conns-bb bb conns "$RUN/conns-bb" 22
	wait_for 10 listens bb 22 && tell mob open 10.0.1.2 22 1 &&
		tell mob ask 20 && claim mob
}

peer()
{
	hm mob peer "$1" owner="$OWNER" current="$A2" unknown
}

others_full()
{
	check "a connection to each of two hosts" two_hosts
	check "a limit of peers" hm mob limits peers=1
	check "one" peer "$CA"
	check "a second one is refused with a sentence" \
		refused "the limit of peers is reached" mob peer 10.0.1.2 \
		owner="$OWNER" current="$A2" unknown
	check "a limit of addresses" hm mob limits locals=1
	check "one" hm mob at 10.1.0.81 10.1.0.81
	check "a second one is refused with a sentence" \
		refused "the limit of local addresses is reached" mob at 10.1.0.82 10.1.0.82
	check "it goes" hm mob forget 10.1.0.81
	check "a user namespace may lower its limits" \
		unshare -Urn hmmpctl limits flows=10
	refute "but not raise them" unshare -Urn sh -c \
		'hmmpctl limits flows=10 && hmmpctl limits flows=11'
}

# --- dumps ---

# churned JQ-CONDITION WORD...: what churn says of itself
churned()
{
	on "$2" churn "${@:3}" >"$RUN/churn" && cat "$RUN/churn" &&
		jq -e "$1" "$RUN/churn"
}

dumps()
{
	local whole='.missing == 0 and .twice == 0 and .errors == 0 and
		.changes > 20'

	hm cor limits bindings=20000 >"$RUN/limits"
	hm mob limits flows=65536 >"$RUN/limits"
	ulimit -n 8192
	check "dumps of 2000 bindings, while six clients change others" \
		churned "$whole and .fixed == 2000 and .most > .least" cor \
		bindings 2000 10 "$CA" eth0
	note "$(cat "$RUN/churn")"
	equal "none is left" "$(on cor hmmpctl -j bindings | jq length)" 0
	check "dumps of 1000 flows, while others come and go" \
		churned "$whole and .fixed >= 1000 and .most > .least" mob \
		flows 1000 20 "cor-$ID" "$CA" 22
	note "$(cat "$RUN/churn")"
	# times are no test on a machine that is shared: only shown
	check "dumps of 1000 and of 4000 bindings" churned true cor \
		linear 1000 8 "$CA" eth0
	note "$(cat "$RUN/churn")"
}

path_up
check "holders of connections" conns_up cor mob
flooded
full_of_flows "namespace" 'hm mob limits flows=1' 'hm mob limits flows=65536'
tell mob reset >"$RUN/reset"
wait_for 20 no_flows
tell mob open "$CA" "$HTTP" 1 >"$RUN/open"
tell mob ask 20 >"$RUN/open"	# so that cor tracks it, too
export max
max=$(cat $PARAM/flow_max)
# cor's are counted, too
full_of_flows "machine" 'set_param flow_max 2' 'set_param flow_max "$max"'
full_of_bindings "namespace" 'hm cor limits bindings=2' \
	'hm cor limits bindings=4096'
max=$(cat $PARAM/binding_max)
full_of_bindings "machine" 'set_param binding_max 2' \
	'set_param binding_max "$max"'
others_full
dumps
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
