# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The ideal switch that hand-offs are compared with, see src/handoffs.c. Both
# hosts have a tunnel for each network, and addresses inside that never change:
#
#	mob 10.8.0.1 =tun1= by network a =tun1= 10.8.0.2 ca
#	             =tun2= by network b =tun2=
#	             =tun3= by network c =tun3=
#
# Sourced after topology.sh.

# static_addresses: what "handoffs" expects, mob is in network a
static_addresses()
{
	local n

	stop dhcpcd
	for n in a b c; do
		link_up "$n"
	done
	ip -n "mob-$ID" -batch - <<-BATCH
		addr flush dev wa
		addr flush dev wb
		addr flush dev wc
		link set wb down
		link set wc down
		link set wa up
		addr add 10.1.0.50/24 dev wa
		route replace default via 10.1.0.1 dev wa
	BATCH
}

# tunnels NAME INNER OUTER FAR: OUTER and FAR are addresses, with @ for 1 to 3
tunnels()
{
	local i

	for i in 1 2 3; do
		echo "link add tun$i type ipip local ${3/@/$i}" \
			"remote ${4/@/$i} ttl 64"
		echo "link set tun$i up"
	done | ip -n "$1-$ID" -batch - &&
		ip -n "$1-$ID" addr add "$2/32" dev lo
}

ideal_up()
{
	modprobe ipip && tunnels mob 10.8.0.1 10.@.0.50 "$CA" &&
		tunnels ca 10.8.0.2 "$CA" 10.@.0.50
}
