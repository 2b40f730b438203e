#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: noise in the network during a transfer means nothing
# timeout: 150
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob and ca. mob stays in network a.
# Bridges, secondary addresses and a VPN come and go, the cable is pulled and
# put back, and mob's own address is taken away. A capture on all of mob's
# interfaces but lo counts messages, ca's capture what is encapsulated.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh

bridges()
{
	on mob ip -batch - <<-BATCH
		link add bro0 type bridge
		addr add 172.16.1.1/24 dev bro0
		link set bro0 up
		link add bro1 type dummy
		link set bro1 master bro0
		link set bro1 up
	BATCH
}

no_bridges()
{
	on mob ip -batch - <<-BATCH
		link del bro1
		link del bro0
	BATCH
}

# secondary add|del: on the interface that is used, and on one that is not
secondary()
{
	on mob ip -batch - <<-BATCH
		addr $1 10.1.0.77/24 dev wa
		addr $1 192.168.7.1/24 dev wa
		addr $1 10.2.0.77/24 dev wb
	BATCH
}

# vpn: a WireGuard device with its own address and routes of its own
vpn()
{
	modprobe wireguard && on mob ip -batch - <<-BATCH
		link add wg0 type wireguard
		addr add 10.77.0.2/24 dev wg0
		link set wg0 up
		route add 10.78.0.0/16 dev wg0
	BATCH
}

no_vpn()
{
	on mob ip link del wg0
}

carrier()
{
	[ "$(on_sys mob cat /sys/class/net/wa/carrier)" = "$1" ]
}

# flicker: the cable is out until mob's kernel has seen it, no longer
flicker()
{
	link_down a
	wait_for 5 carrier 0
	link_up a
	wait_for 5 carrier 1
}

# flicker_long: until the address has gone, too
flicker_long()
{
	link_down a
	wait_for 20 address_gone
	link_up a
}

address_gone()
{
	! current_addr a
}

# answered: each copy of each message that left has its answer
answered()
{
	[ "$(packets messages)" -ge 2 ] &&
		[ "$(packets messages "dst $CA")" = \
			"$(packets messages "src $CA")" ]
}

# undisturbed NAME: the transfer goes on, with the same address
undisturbed()
{
	check "$1: mob has its address" wait_addr a
	check "$1: the transfer goes on" goes_on mob 30
	equal "$1: at the same address" "$(current_addr)" "$home"
}

topo_up
hmmp_up ca
check "a web server" start_nginx ca
home=$(current_addr)
check "capture of messages" capture mob any messages \
	udp port 5060 and not ifindex 1
check "mob downloads" download mob "$CA" 10m.bin
check "the connection can move" wait_for 20 owned mob 1
check "its claim is answered" wait_for 10 answered
before=$(packets messages)
check "capture of tunnels" capture ca eth0 tunnels ip proto 4

check "bridges come" bridges
check "secondary addresses come" secondary add
check "a VPN comes" vpn
undisturbed "more of everything"
check "bridges go" no_bridges
check "secondary addresses go" secondary del
check "the VPN goes" no_vpn
undisturbed "less of everything"
check "a short carrier loss" flicker
undisturbed "carrier"
check "the cable is out until the address has gone" flicker_long
undisturbed "cable"
check "the address is taken away" on mob ip addr del "$home/24" dev wa
check "and given back" on mob ip addr replace "$home/24" dev wa
on mob ip route replace default via 10.1.0.1 dev wa
undisturbed "address"
check "the file is whole" downloaded mob 10m.bin

stop tcpdump-messages INT
stop tcpdump-tunnels INT
equal "no message since then" "$(packets messages)" "$before"
equal "no tunnel" "$(packets tunnels)" 0
equal "no hand-off" "$(stat_of mob handoffs)" 0
check "the module can go" hmmp_down
check "the kernel is quiet" kernel_quiet
finish
