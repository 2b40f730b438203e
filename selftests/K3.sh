#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: K3, what agrees with no binding is not touched: other tunnels work
# timeout: 200
# needs: kmod agent programs
#
# Networks: see path.sh. The host's own tunnel devices (ipip, ip6_tunnel of
# both kinds, sit) between cor and mob go on working while the module is loaded
# and has bindings, with the fallback devices up as well. Encapsulated packets
# for nobody are counted and passed on.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

# device TYPE INNER4 INNER6 LOCAL REMOTE NAME: one end
device()
{
	ip -n "$1-$ID" link add "$2" type "${@:5}" &&
		ip -n "$1-$ID" addr add "$3/24" dev "$2" &&
		ip -n "$1-$ID" addr add "$4/64" dev "$2" nodad &&
		ip -n "$1-$ID" link set "$2" up
}

# own_address: mob has one more in network a, which does not move, and answers
# from where it is asked
own_address()
{
	ip -n "mob-$ID" -batch - <<-BATCH
		addr add $OWN/24 dev wa
		rule add from $OWN lookup 100
		route add default via 10.1.0.1 table 100
	BATCH
}

# devices: three tunnels, the inner addresses of each in a net of its own
devices()
{
	device mob t4 10.70.4.1 fd00:70:4::1 ipip local "$OWN" remote "$CA" &&
		device cor t4 10.70.4.2 fd00:70:4::2 ipip local "$CA" \
			remote "$OWN" &&
		device mob t6 10.70.6.1 fd00:70:6::1 ip6tnl mode any \
			local "$A1_6" remote "$CA6" encaplimit none &&
		device cor t6 10.70.6.2 fd00:70:6::2 ip6tnl mode any \
			local "$CA6" remote "$A1_6" encaplimit none &&
		device mob ts 10.70.5.1 fd00:70:5::1 sit mode any \
			local "$OWN" remote "$CA" &&
		device cor ts 10.70.5.2 fd00:70:5::2 sit mode any \
			local "$CA" remote "$OWN"
}

fallbacks_up()
{
	local name dev

	for name in mob cor; do
		for dev in tunl0 ip6tnl0 sit0; do
			ip -n "$name-$ID" link set "$dev" up || return
		done
	done
}

pings()
{
	on mob ping -c 2 -i 0.2 -W 2 "$1"
}

tunnels_work()
{
	check "$1: ipip" pings 10.70.4.2
	check "$1: IPv4 in IPv6" pings 10.70.6.2
	check "$1: IPv6 in IPv6" pings fd00:70:6::2
	check "$1: sit" pings fd00:70:5::2
}

OWN=10.1.0.11
path_up
own_address
modprobe -a ipip ip6_tunnel sit
check "tunnels of the host" devices
tunnels_work "module loaded"
check "web server" start_nginx cor
check "a download begins" download mob "$CA" 10m.bin
check "both ends own it" claim_both
check "it moves" eval 'anchor "$A1" && path_attach b &&
	hand_over "$A1" "$A2" "$CA" ipip'
check "more comes" goes_on mob
tunnels_work "bound"
check "the fallback devices come up" fallbacks_up
tunnels_work "fallbacks up"
check "more comes still" goes_on mob
check "the file is whole" downloaded mob 10m.bin
check "other tunnels were counted as no match" \
	[ "$(stat_of cor rx_no_match)" -ge 16 ]
check "the module can go" rmmod hmmp
tunnels_work "module gone"
check "the kernel is quiet" kernel_quiet
finish
