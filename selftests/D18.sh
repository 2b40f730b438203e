#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: fragments, super-packets, loopback and more (defect D18 of the draft)
# timeout: 180
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob, ca and cb, none on cc. Two of mob's
# links are up at first, a and b: what goes to cb goes by b. Two connections
# are older than the module and the agents. ca does not look for the path's
# MTU, and the backbone's link to network b carries 1200 bytes only.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh

# second_link: b is up, too, and leads to cb
second_link()
{
	link_up b && wait_for 20 address_of mob wb &&
		on mob ip route add 10.9.2.0/24 via 10.2.0.1 dev wb
}

# narrow: the way to network b, for packets without DF; a web server hands on
# what its listener was made with
narrow()
{
	stop nginx-ca
	on ca sysctl -q -w net.ipv4.ip_no_pmtu_disc=1 &&
		ip -n "bb-$ID" link set rb mtu 1200 &&
		ip -n "arb-$ID" link set ub mtu 1200 && start_nginx ca
}

# own_ends NAME: connections tracked there that do not leave the host
own_ends()
{
	flows_of "$1" '.local == .remote or (.local | startswith("127."))'
}

reassembled()
{
	on mob nstat -asz IpReasmOKs | awk '/IpReasmOKs/ { print $2 }'
}

topo_up
home=$(current_addr)
check "holders of connections" conns_up mob ca cb cc
check "two connections before everything" tell mob open "$CA" "$HTTP" 2
check "the way to b is narrow" narrow
hmmp_up ca cb
check "the two are taken over" wait_for 20 owned mob 2
check "at ca, too" owned ca 2

check "loopback connections" tell ca open 127.0.0.1 "$HTTP" 1
check "also to the own address" tell ca open "$CA" "$HTTP" 1
check "carry data" tell ca ask 10
equal "they are not tracked" "$(own_ends ca)" 0
equal "ca still has two" "$(flows_of ca)" 2

check "a connection to a namespace without agent" \
	tell mob open "$CC" "$HTTP" 1
equal "is tracked in one namespace" "$(flows_of mob ".remote == \"$CC\"")" 1
equal "not in the other" "$(flows_of cc)" 0

check "a second link, for cb" second_link
there=$(current_addr b)
check "a connection from there" tell mob open "$CB" "$HTTP" 1
equal "has that link's address" "$(flows_of mob ".local == \"$there\"")" 1
check "mob downloads by the first link" download mob "$CA" 10m.bin
check "four can move" wait_for 20 owned mob 4

before=$(reassembled)
check "capture" capture ca eth0 ca ip proto 4
check "the first link goes" move_to b silent
check "its connections move to the second" wait_for 20 bound ca "$home" \
	"$there"
check "they carry data" tell ca ask 20
check "that of the second, too" tell cb ask 20
equal "it was not moved" "$(on cb hmmpctl -j bindings)" "[]"
equal "one hand-off" "$(stat_of mob handoffs)" 1
check "the file is whole" downloaded mob 10m.bin
stop tcpdump-ca INT
check "in the tunnel went super-packets" \
	[ "$(packets ca "src $CA and greater 2800")" -gt 0 ]
check "and on the way fragments" [ "$(reassembled)" -gt "$before" ]
note "$(packets ca "src $CA and greater 2800") super-packets," \
	"$(($(reassembled) - before)) reassembled"
check "the module can go" hmmp_down
check "the kernel is quiet" kernel_quiet
finish
