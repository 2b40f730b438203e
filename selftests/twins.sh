#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: the same networks twice; nothing crosses, and one of them goes
# timeout: 300
# needs: kmod agent programs
#
# Networks: those of path.sh, two times: the same addresses, ports, owners and
# connections, but not the same bindings. What is told to one is not seen in the
# other. Then namespaces of the first are deleted one by one while packets are
# in their buffers and tunnels, and the second goes on.
#
# shellcheck disable=SC2119 # what may have arguments

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh
. ./host.sh
. ./talk.sh

BOTH=("$ID-1" "$ID-2")
A3=10.2.0.99	# where mob of the second is

# twin 1|2: names mean its namespaces from here on
twin()
{
	ID=${BOTH[$1 - 1]}
}

cleanup_both()
{
	local name

	twin 1
	for name in $path_hosts $path_routers; do
		ip netns del "$name-$ID" 2>/dev/null
	done
	twin 2
	NAMESPACES=(mob oth cor ara arb bb)
	cleanup
}
trap cleanup_both EXIT

# twin_up 1|2: and a server at its cor
twin_up()
{
	twin "$1"
	path_networks
	start "echo-$1" cor ncat -l -k -n -e /bin/cat "$HTTP"
	wait_for 10 listens cor "$HTTP"
}

# a_talk 1|2: the same ends as that of the other
a_talk()
{
	twin "$1"
	talk_open "talk-$1" mob "$CA" "$HTTP" -s "$A1" -p 40000
}

# moves 1|2: to another address, in another encapsulation
moves()
{
	twin "$1"
	wait_for 20 idle "$HTTP" mob cor && anchor "$A1" &&
		path_detach a && path_attach b || return
	[ "$1" = 1 ] || ip -n "mob-$ID" addr add "$A3/24" dev wb || return
	capture bb x0 "wire-$1" || return
	if [ "$1" = 1 ]; then
		hand_over "$A1" "$A2" "$CA" ipip
	else
		hand_over "$A1" "$A3" "$CA" minenc
	fi
}

# knows 1|2 JSON: what there is about bindings and this host's addresses
knows()
{
	twin "$1"
	hm cor -j bindings | jq -c 'map([.current, .encap, .status])'
	hm mob -j local | jq -c 'map(.current)'
}

sends()
{
	twin "$1"
	stat_of cor tx_encap
}

# held TWIN OTHER DROPPED-BY-THAT ADDRESS ENCAP: the twin is held, the other one
# goes on
held()
{
	local before

	twin "$1"
	before=$(stat_of cor drop_held)
	check "twin $1 is held" hm cor bind "$A1" "$A2" owner="$OWNER" \
		status=held
	types "talk-$1" "held $1"
	check "its answers are dropped" wait_for 20 grew cor drop_held "$before"
	check "twin $2 goes on" talks "talk-$2" "while $1 is held"
	twin "$2"
	equal "nothing was dropped there" "$(stat_of cor drop_held)" "$3"
	refute "twin $1 is silent" heard "talk-$1" "held $1"
	twin "$1"
	check "twin $1 is bound again" hm cor bind "$A1" "$4" \
		owner="$OWNER" status=verified encap="$5" lifetime=600000
	check "and goes on" wait_for 60 heard "talk-$1" "held $1"
}

apart()
{
	for n in 1 2; do
		check "networks, time $n" twin_up $n
	done
	path_module
	twin 1
	path_awake
	for n in 1 2; do
		check "twin $n: a connection" a_talk $n
		check "twin $n: both ends own it" claim_both
	done
	check "the first moves" moves 1
	check "it goes on" talks talk-1 "moved"
	equal "the second knows nothing of it" "$(knows 2)" $'[]\n[]'
	check "it goes on" talks talk-2 "at home"
	equal "without a tunnel" "$(sends 2)" 0
	check "the second moves" moves 2
	before=$(sends 1)
	check "it goes on" eval 'talks talk-2 "moved" && talks_long talk-2'
	equal "the first has sent nothing" "$(sends 1)" "$before"
	check "the first goes on" talks_long talk-1
	equal "what the first knows" "$(knows 1)" \
		"[[\"$A2\",\"ipip\",\"verified\"]]"$'\n'"[\"$A2\"]"
	equal "what the second knows" "$(knows 2)" \
		"[[\"$A3\",\"minenc\",\"verified\"]]"$'\n'"[\"$A3\"]"
	held 1 2 0 "$A2" ipip
	held 2 1 "$(twin 1; stat_of cor drop_held)" "$A3" minenc
	for n in 1 2; do
		stop "tcpdump-wire-$n" INT
	done
	check "the first was in IP in IP" \
		[ "$(packets wire-1 "ip proto 4 and host $A2")" -gt 10 ]
	equal "nothing else" "$(packets wire-1 "tcp or ip proto 55 or
		host $A3")" 0
	check "the second in minimal encapsulation" \
		[ "$(packets wire-2 "ip proto 55 and host $A3")" -gt 10 ]
	equal "nothing else" "$(packets wire-2 "tcp or ip proto 4")" 0
	twin 1
	check "the first is not bound any more" hm cor unbind "$A1" \
		owner="$OWNER"
	check "the second is" talks talk-2 "still"
}

# --- the first goes ---

# netns_del NAME NEIGHBOUR DEVICE: it has gone when its link to that has
netns_del()
{
	ip netns del "$1-$ID" && wait_for 30 no_link "$2" "$3"
}

# none_runs NAME: what still runs there is ended. Nobody answers its FINs any
# more, and a network stays as long as TCP sends them again.
none_runs()
{
	local pid

	on "$1" sysctl -qw net.ipv4.tcp_orphan_retries=1
	for pid in $(ip netns pids "$1-$ID"); do
		kill "$pid" && wait_for 10 gone "$pid" || return
	done
}

fills()
{
	local n

	n=$(status_of ara "$a1" held_packets)
	[ "$n" != gone ] && [ "$n" -ge 5 ]
}

going()
{
	twin 1
	talk_close talk-1
	hm mob forget "$A1"
	host_family 4
	check "a router's dummy" ip -n "ara-$ID" link add "$DUMMY" type dummy
	ip -n "ara-$ID" link set "$DUMMY" up
	check "mob's tunnel to it" hm mob at "$A1" "$A2" dev="$DUMMY" \
		via="$A2,$ar" via-encap=ipip via-lifetime=600000
	host_mac=02:00:00:00:00:01
	check "ara has a host route" host_route ara
	check "and is told" host_bind lifetime=600000
	before=$(stat_of mob rx_decap)
	start flood cor ping -n -i 0.02 "$A1"
	check "packets go through both" wait_for 20 grew mob rx_decap \
		"$before"
	check "ara holds them for a minute" hm ara limits buffer-time=60000
	check "a buffer" host_bind buffer lifetime=600000
	check "it fills" wait_for 20 fills
	check "ara goes" netns_del ara bb ra

	ip -n "cor-$ID" -batch - <<-BATCH
		link add $DUMMY type dummy
		link set $DUMMY up
		route add $A1 dev $DUMMY src $CA
	BATCH
	before=$(stat_of mob rx_decap)
	check "cor and mob have a tunnel" eval '
		hm cor bind "$A1" "$A2" host encap=ipip local-outer="$CA" \
			dev="$DUMMY" lifetime=600000 &&
		hm mob at "$A1" "$A2" dev="$DUMMY" via="$A2,$CA" \
			via-encap=ipip via-lifetime=600000'
	check "packets go through it" wait_for 20 grew mob rx_decap \
		"$before"
	check "mob goes" netns_del mob arb pm
	check "cor's programs end" none_runs cor
	check "cor goes" netns_del cor bb x0
	check "the second goes on" talks_long talk-2
}

apart
going
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
