#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: K11, packets of a bound host are held, and released in their order
# timeout: 240
# needs: kmod agent programs
#
# Networks: see path.sh, and host.sh. cor sends numbered datagrams to A1 of
# mob, which is in network b or comes back to a; ara holds them.
#
# shellcheck disable=SC2119 # what may have arguments

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh
. ./host.sh

MANY=2000

# in_line: a veth queues what it gets at the processor that sends it, and a
# process or a timer may change that. RPS gives all of them one queue, so that
# nothing but ara can put packets out of order.
in_line()
{
	local name

	# shellcheck disable=SC2086 # names are words
	for name in $path_hosts $path_routers; do
		on_sys "$name" sh -c 'for f in /sys/class/net/*/queues/rx-0/rps_cpus
			do echo 1 >$f || exit; done' || return
	done
}

# sends FIRST LAST [SIZE]: from cor to A1
sends()
{
	on cor dgram send "$a1" "$PORT" "$@"
}

# holds N: packets of A1, ara does
holds()
{
	has_status ara "$a1" "$1" held_packets
}

holds_at_least()
{
	local n

	n=$(status_of ara "$a1" held_packets)
	[ "$n" != gone ] && [ "$n" -ge "$1" ]
}

# held FIRST LAST: cor sends these, and ara has them all
held()
{
	local before

	before=$(stat_of ara buffered)
	sends "$1" "$2" "${@:3}" &&
		wait_for 20 came_to ara buffered $((before + $2 - $1 + 1))
}

# came_to NAME COUNTER VALUE
came_to()
{
	[ "$(stat_of "$1" "$2")" = "$3" ]
}

# fresh: nothing has arrived, no event has come, ara's counters are known
fresh()
{
	: >"$OUT/dgram-$a1.log"
	: >"$OUT/ev.log"
	read -r buffered released dropped < <(on ara hmmpctl -j stats -a |
		jq -r '"\(.buffered) \(.released) \(.drop_buffer)"')
}

# more COUNTER: since then
more()
{
	case $1 in
	buffered) echo $(($(stat_of ara "$1") - buffered)) ;;
	released) echo $(($(stat_of ara "$1") - released)) ;;
	drop_buffer) echo $(($(stat_of ara "$1") - dropped)) ;;
	esac
}

# arrived: how many, but for 0, which asks whether there is a way
arrived()
{
	grep -cvx 0 "$OUT/dgram-$a1.log"
}

# arrived_to NUMBER: it has
arrived_to()
{
	grep -qx "$1" "$OUT/dgram-$a1.log"
}

# in_order FIRST LAST: these, each once, and no other
in_order()
{
	diff <(seq "$1" "$2") <(grep -vx 0 "$OUT/dgram-$a1.log")
}

release()
{
	hm ara release "$a1" host
}

# --- parts ---

order()
{
	check "$f: bound" host_bind
	check "$f: all routers find their neighbours" answers cor "$a1"
	fresh
	check "$f: a buffer" host_bind buffer
	start "sender" cor dgram send "$a1" "$PORT" 1 "$MANY"
	check "$f: it fills" wait_for 20 holds_at_least 200
	equal "$f: none arrives" "$(arrived)" 0
	check "$f: released" release
	check "$f: while others come" running sender
	check "$f: the last one arrives" wait_for 40 arrived_to "$MANY"
	check "$f: all, in order, none twice" in_order 1 "$MANY"
	stop sender
	check "$f: nothing is held" holds 0
	equal "$f: what was held was released" "$(more released)" \
		"$(more buffered)"
	equal "$f: nothing was dropped" "$(more drop_buffer)" 0
	refute "$f: nothing to release" release
}

# again: held and released many times while it drains
again()
{
	fresh
	check "slowly" hm ara limits buffer-rate=1
	check "hold again" host_bind buffer
	check "500 are sent" held 1 500
	check "released" release
	for n in 1 2 3 4 5; do
		host_bind buffer && release
	done >"$OUT/again" 2>&1
	check "the last arrives" wait_for 40 arrived_to 500
	check "all, in order" in_order 1 500
	equal "nothing was dropped" "$(more drop_buffer)" 0
	check "fast" hm ara limits buffer-rate=8
}

limits()
{
	fresh
	check "at most 50 packets" hm ara limits buffer-packets=50
	check "hold again" host_bind buffer
	check "200 are sent" held 1 200
	check "50 are held" holds 50
	equal "150 are dropped" "$(more drop_buffer)" 150
	equal "it is said once" "$(events ev '.event == "overflow"')" 1
	check "released" release
	check "the last arrives" wait_for 20 arrived_to 200
	check "the oldest had to go" in_order 151 200

	fresh
	check "at most 20000 bytes" hm ara limits buffer-packets=65536 \
		buffer-bytes=20000
	check "hold again" host_bind buffer
	check "100 are sent" held 1 100 1000
	n=$(status_of ara "$a1" held_packets)
	check "some are held" [ "$n" -gt 0 -a "$n" -le 19 ]
	equal "the rest is dropped" "$(more drop_buffer)" $((100 - n))
	check "released" release
	check "the last arrives" wait_for 20 arrived_to 100
	check "the oldest had to go" in_order $((101 - n)) 100

	fresh
	check "for at most 1 s" hm ara limits buffer-bytes=4194304 \
		buffer-time=1000
	check "hold again" host_bind buffer
	check "20 are sent" held 1 20
	check "they get too old" wait_for 20 holds 0
	equal "they are dropped" "$(more drop_buffer)" 20
	check "released" release
	equal "there was nothing" "$(more released)" 0
	check "for a minute" hm ara limits buffer-time=60000
}

ends()
{
	fresh
	check "hold again" host_bind buffer
	check "10 are sent" held 1 10
	check "the binding goes" hm ara unbind "$a1" host
	equal "they are dropped" "$(more drop_buffer)" 10
	equal "none arrived" "$(arrived)" 0

	fresh
	check "provisional, it holds" host_bind status=provisional \
		lifetime=600000
	check "10 are sent" held 1 10
	equal "none arrives" "$(arrived)" 0
	check "verified, it lets go" host_bind
	check "the last arrives" wait_for 20 arrived_to 10
	check "all, in order" in_order 1 10

	fresh
	check "end of it" hm ara unbind "$a1" host
	check "not to be verified" host_bind \
		status=provisional lifetime=3000
	check "10 are sent" held 1 10
	check "it ends" wait_for 20 has_status ara "$a1" gone
	equal "they are dropped" "$(more drop_buffer)" 10
	equal "none arrived" "$(arrived)" 0
}

# finds_router: mob has its link-layer address
finds_router()
{
	on mob dgram send "$gw" 9 1 1
	ip -n "mob-$ID" neigh show "$gw" dev wa | grep -w lladdr
}

# natively: mob comes back before the buffer is released
natively()
{
	fresh
	check "$f: a buffer for whom is granted A1" host_bind buffer granted
	tunnelled=$(status_of ara "$a1" tx_packets)
	check "$f: 20 are sent" held 1 20
	host_returns
	[ "$family" = 6 ] || on mob busybox arping -q -U -c 1 -I wa "$a1"
	on mob dgram send "$gw" 9 1 1
	check "$f: mob is seen" wait_for 20 has_status ara "$a1" suspended
	check "$f: 20 more" held 21 40
	host_unroute ara
	check "$f: and 20 that would go natively" held 41 60
	check "$f: all are held" holds_at_least 60
	check "$f: mob finds its router" wait_for 20 finds_router
	equal "$f: none arrives" "$(arrived)" 0
	check "$f: released" release
	check "$f: the last arrives" wait_for 20 arrived_to 60
	check "$f: all, in order" in_order 1 60
	check "$f: one more" sends 61 61
	check "$f: arrives" wait_for 20 arrived_to 61
	equal "$f: nothing was dropped" "$(more drop_buffer)" 0
	check "$f: nothing went through the tunnel" \
		has_status ara "$a1" "$tunnelled" tx_packets
	hm ara unbind "$a1" host
}

# --- namespaces and the module go ---

# lone NAME: a namespace that holds a thousand packets of its own
lone()
{
	netns_add "$1" && ip -n "$1-$ID" -batch - <<-BATCH || return
		link set lo up
		link add eth0 type veth peer name to-$1 netns mob-$ID
		link add $DUMMY type dummy
		link set eth0 up
		link set $DUMMY up
		addr add 10.50.0.1/24 dev eth0
		route add 10.51.0.1/32 dev $DUMMY
		neigh add 10.50.0.2 lladdr 02:00:00:00:00:02 dev eth0
	BATCH
	ip -n "mob-$ID" link set "to-$1" up &&
		hm "$1" limits buffer-time=60000 buffer-rate=1 &&
		hm "$1" bind 10.51.0.1 10.50.0.2 host encap=ipip \
			local-outer=10.50.0.1 dev="$DUMMY" buffer &&
		on "$1" dgram send 10.51.0.1 "$PORT" 1 1000 &&
		[ "$(status_of "$1" 10.51.0.1 held_packets)" = 1000 ]
}

# drains NAME: it has begun to, and is not through
drains()
{
	hm "$1" release 10.51.0.1 host &&
		wait_for 10 grew "$1" released 0
}

# netns_del NAME: nothing is left of it
netns_del()
{
	local name rest=()

	ip netns del "$1-$ID" || return
	for name in "${NAMESPACES[@]}"; do
		[ "$name" = "$1" ] || rest+=("$name")
	done
	NAMESPACES=("${rest[@]}")
	wait_for 30 no_link mob "to-$1"
}

going()
{
	check "a namespace that holds" lone one
	check "goes" netns_del one
	check "a namespace that holds" lone two
	check "drains" drains two
	check "and goes" netns_del two
	check "a namespace that holds" lone three
	check "one that drains" lone four
	check "drains" drains four
	check "the module can go" rmmod hmmp
	check "the kernel is quiet" kernel_quiet
}

path_up
check "dummies" host_up
check "packets stay in line" in_line
check "ara holds many for a minute" hm ara limits buffer-time=60000 \
	buffer-packets=65536
check "somebody listens" monitor ara ev
for n in 6 4; do
	host_family "$n"
	f=IPv$n
	check "$f: mob leaves" host_leaves
	check "$f: ara has a host route" host_route ara
	check "$f: mob listens" listens_at "$a1"
	order
	if [ "$n" = 4 ]; then
		again
		limits
		ends
	else
		check "end of it" hm ara unbind "$a1" host
	fi
	natively
	stop "dgram-$a1"
done
stop ev
going
finish
