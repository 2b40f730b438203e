#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: K4, what would go round for ever ends, and tunnels of others do not
# timeout: 180
# needs: kmod agent programs
#
# Networks: see path.sh, and host.sh. ara sends what is for A1 to A2, and arb
# what is for A2 to A1: a packet would get longer and longer between them. Then
# arb knows nothing any more, and packets come that are in tunnels already.
#
# shellcheck disable=SC2119 # what may have arguments

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh
. ./host.sh

PINGS=5

# crossed: each of the two routers sends it to the other
crossed()
{
	host_route ara && host_bind &&
		ip -n "arb-$ID" "-$family" route replace "$a2/$bits" \
			dev "$DUMMY" &&
		hm arb bind "$a2" "$a1" host "encap=$inip" \
			"local-outer=$or" "dev=$DUMMY"
}

uncrossed()
{
	hm arb unbind "$a2" host &&
		ip -n "arb-$ID" "-$family" route del "$a2/$bits" dev "$DUMMY"
}

# grown NAME COUNTER BEFORE BY
grown()
{
	[ "$(stat_of "$1" "$2")" -ge $(($3 + $4)) ]
}

going_round()
{
	local before n

	path_detach a
	check "$f: two routers, crossed" crossed
	before=$(stat_of ara drop_loop)
	check "$f: capture" capture bb ra "ra$family" "$tunnel"
	refute "$f: nobody answers" \
		on cor ping -c "$PINGS" -i 0.05 -W 1 "$a1"
	check "$f: each of them ends at ara" \
		wait_for 10 grown ara drop_loop "$before" "$PINGS"
	stop "tcpdump-ra$family" INT
	n=$(packets "ra$family")
	note "$f: $n packets on the backbone for $PINGS"
	equal "$f: each was there twice" "$n" $((2 * PINGS))
	equal "$f: nothing else was dropped" \
		"$(stat_of ara drop_loop)" $((before + PINGS))
	check "$f: not crossed any more" uncrossed
}

# --- tunnels of others ---

# onion DEPTH: cor's packets for 10.70.0.DEPTH come to A1 in that many tunnels
onion()
{
	local i

	ip -n "cor-$ID" link add t1 type ipip local "$ca" remote "$a1" &&
		ip -n "cor-$ID" link set t1 up || return
	for ((i = 2; i <= $1; i++)); do
		ip -n "cor-$ID" -batch - <<-BATCH || return
			addr add 10.71.0.$i/32 dev lo
			route add 10.72.0.$i/32 dev t$((i - 1))
			link add t$i type ipip local 10.71.0.$i remote 10.72.0.$i
			link set t$i up
		BATCH
	done
	for ((i = 1; i <= $1; i++)); do
		ip -n "cor-$ID" route add "10.70.0.$i/32" dev "t$i" || return
	done
}

# comes_to_mob DEPTH: an echo request in that many tunnels does, in one more
comes_to_mob()
{
	local before

	before=$(stat_of ara tx_encap)
	on cor ping -c 1 -W 1 "10.70.0.$1"
	wait_for 5 grown ara tx_encap "$before" 1
}

# does_not_come
does_not_come()
{
	local before sent

	before=$(stat_of ara drop_loop)
	sent=$(stat_of ara tx_encap)
	on cor ping -c 1 -W 1 "10.70.0.$1"
	wait_for 5 grown ara drop_loop "$before" 1 &&
		[ "$(stat_of ara tx_encap)" = "$sent" ]
}

# deeper: bb puts what is for A1 into one more; a host does not nest four
deeper()
{
	ip -n "bb-$ID" -batch - <<-BATCH
		link add deep type ipip local 10.0.1.2 remote $a1 dev ra
		link set deep up
		route add $a1/32 dev deep
	BATCH
}

# own_tunnels: between ara and mob's A1, and they are no loop
own_tunnels()
{
	ip -n "ara-$ID" link add tun type ipip local "$ar" remote "$a1" &&
		ip -n "mob-$ID" link add tun type ipip local "$a1" \
			remote "$ar" || return
	ip -n "ara-$ID" -batch - <<-BATCH && ip -n "mob-$ID" -batch - <<-BATCH
		link set tun up
		addr add 10.66.0.1/30 dev tun
	BATCH
		link set tun up
		addr add 10.66.0.2/30 dev tun
	BATCH
}

nested()
{
	check "mob leaves, ara knows" host_leaves
	check "modules of other tunnels" modprobe -a ipip
	check "cor has tunnels in tunnels" onion 3
	check "one" comes_to_mob 1
	check "two" comes_to_mob 2
	check "three" comes_to_mob 3
	check "bb adds another one" deeper
	check "one and another" comes_to_mob 1
	check "two and another" comes_to_mob 2
	check "three and another are too many" does_not_come 3
	check "bb does not any more" ip -n "bb-$ID" link del deep
	check "ara and mob have a tunnel of their own" own_tunnels
	check "it works, from ara" pings ara 10.66.0.2
	check "and from mob" pings mob 10.66.0.1
	check "in that of the bound host" \
		[ "$(status_of ara "$a1" rx_packets)" -ge 2 ]
}

path_up
check "dummies" host_up
for n in 6 4; do
	host_family "$n"
	f=IPv$n
	going_round
done
nested
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
