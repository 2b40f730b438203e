#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: K8, every "too big" names the right size, and no path is a black hole
# timeout: 400
# needs: kmod agent programs
#
# Networks: see path.sh. First cor has a binding of scope host for A1, and mob a
# tunnel chosen by source back: pings of chosen sizes from cor to A1 meet an
# outer path of 1500, 1400, 1280 and (IPv4) 576 bytes. A path that gets narrower
# during a download is in narrow.sh.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

# width MTU: of the link between cor and the backbone
width()
{
	ip -n "cor-$ID" link set eth0 mtu "$1" &&
		ip -n "bb-$ID" link set x0 mtu "$1"
}

# ping_of SIZE: one whole packet of SIZE bytes from cor to A1, DF set
ping_of()
{
	local head=28

	[[ $a1 != *:* ]] || head=48
	on cor ping -n -c 1 -W 2 -M 'do' -s $(($1 - head)) "$a1"
}

# too_big: the size that cor is told when it sends too much. The ICMP comes
# back by the loopback device; a later one is told by the route.
too_big()
{
	ping_of 1500 2>&1 | sed -nE 's/.*mtu ?= ?([0-9]+).*/\1/p' | head -1
}

told()
{
	size=$(too_big)
	[ -n "$size" ]
}

# formula MTU: what has to be told
formula()
{
	local n=$(($1 - over))

	[[ $a1 != *:* ]] || [ "$n" -ge 1280 ] || n=1280
	echo "$n"
}

sizes()
{
	local encap=$1 mtu=$2

	width "$mtu"
	tunnel_up "$encap" >"$OUT/up" 2>&1
	check "$encap, $mtu: mob answers" wait_for 5 ping_of 200
	check "$encap, $mtu: what is too big is told" wait_for 5 told
	equal "$encap, $mtu: the size is the formula's" "$size" \
		"$(formula "$mtu")"
	check "$encap, $mtu: that size passes" wait_for 5 ping_of "$size"
	refute "$encap, $mtu: one byte more does not" ping_of $((size + 1))
	# the first one may be what tells the sender of fragments
	check "$encap, $mtu: without DF anything passes" wait_for 10 \
		on cor ping -n -c 1 -W 2 -M dont -s 3000 "$a1"
	tunnel_down >"$OUT/down" 2>&1
	forget_routes
}

path_up
tunnel_hosts
for encap in ip6ip6 4in6 6in4 ipip minenc; do
	tunnel_of "$encap"
	for mtu in 1500 1400 1280; do
		sizes "$encap" "$mtu"
	done
done
# a link as narrow as that has no IPv6 any more
for encap in ipip minenc; do
	tunnel_of "$encap"
	sizes "$encap" 576
done
width 1500
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
