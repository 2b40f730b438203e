#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: a tunnel of UDP, and new connections, to the address of a bound host
# timeout: 240
# needs: kmod agent programs
#
# Networks: see path.sh. cor and mob have a VXLAN between CA and A1, which was
# there before mob moved. cor has a binding of all packets for A1; and one of
# flows, with another encapsulation, for one connection that is older.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh
. ./talk.sh

IN_MOB=10.88.0.1
IN_COR=10.88.0.2
UDP=5060	# a port that every firewall of the test bed lets in

# vxlan_of NAME [WORD...]: its end of the overlay
vxlan_of()
{
	local from=$A1 to=$CA addr=$IN_MOB

	[ "$1" = mob ] || from=$CA to=$A1 addr=$IN_COR
	ip -n "$1-$ID" link del vx 2>/dev/null
	ip -n "$1-$ID" link add vx type vxlan id 7 local "$from" \
		remote "$to" dstport "$UDP" "${@:2}" &&
		ip -n "$1-$ID" addr add "$addr/24" dev vx &&
		ip -n "$1-$ID" link set vx up
}

vxlan_up()
{
	vxlan_of mob "$@" && vxlan_of cor "$@"
}

# open_inside: the hosts' firewalls, for what comes out of the overlay
open_inside()
{
	on mob nft insert rule inet filter input iifname vx accept &&
		on cor nft insert rule inet filter input iifname vx accept
}

pings()
{
	on cor ping -n -c 1 -W 5 "$@" "$IN_MOB"
}

# mob_moves: and all that is sent to A1 goes there
mob_moves()
{
	tunnel_hosts && hm cor bind "$A1" "$A2" host encap=ipip \
		local-outer="$CA" dev="$DUMMY" lifetime=600000 &&
		hm mob at "$A1" "$A2" dev="$DUMMY" via="$A2,$CA" \
			via-encap=ipip via-lifetime=600000
}

# flow_bound: the older connection has a way of its own
flow_bound()
{
	hm cor bind "$A1" "$A2" owner="$OWNER" encap=minenc lifetime=600000 &&
		hm mob peer "$CA" owner="$OWNER" current="$A2" accepted \
			encap=minenc
}

# told_mtu: what a sender inside is told if it sends too much
told_mtu()
{
	on cor ping -n -c 1 -W 2 -M 'do' -s 1422 "$IN_MOB" 2>&1 |
		sed -nE 's/.*mtu ?= ?([0-9]+).*/\1/p' | head -1
}

# inside ENCAP PORT: how many packets in that have the port
inside()
{
	case $1 in
	ipip) packets wire "ip proto 4 and (ip[40:2] = $2 or ip[42:2] = $2)" ;;
	# no source inside from cor, one from mob: ports at 28 or 32
	minenc) packets wire "ip proto 55 and (ip[28:2] = $2 or ip[30:2] = $2
		or ip[32:2] = $2 or ip[34:2] = $2)" ;;
	esac
}

overlay()
{
	check "a VXLAN, mob at home" vxlan_up
	check "firewalls let in what comes by it" open_inside
	check "it works" wait_for 10 pings
	check "a connection inside" talk_open inner mob "$IN_COR" "$HTTP"
	check "an older one outside" talk_open older mob "$CA" "$HTTP" -p 40001
	check "both ends own it" eval 'hm mob own "$A1:40001" "$CA:$HTTP" \
		$OWNER && hm cor own "$CA:$HTTP" "$A1:40001" $OWNER'
	check "look at the backbone" capture bb x0 wire
	check "mob moves" mob_moves
	check "it works" wait_for 20 pings
	check "what is too long for the tunnel arrives, cut outside" \
		pings -s 1422
	check "a long line inside" talks_long inner
	check "a download inside" download mob "$IN_COR" 1m.bin
	check "the file is whole" downloaded mob 1m.bin
	check "VXLAN packets may not be cut" vxlan_up df set
	check "it works" wait_for 20 pings
	check "what is too long is told" wait_for 20 told
	equal "and what fits" "$size" 1430
	check "that arrives" pings -M 'do' -s 1402
	refute "one more does not" pings -M 'do' -s 1403
	check "a long line inside" talks_long inner
	check "a download inside" download mob "$IN_COR" 1m.bin
	check "the file is whole" downloaded mob 1m.bin
}

told()
{
	size=$(told_mtu)
	[ -n "$size" ]
}

# --- connections beside it ---

connections()
{
	check "the older one, by the tunnel of the host" talks older "by host"
	before=$(inside minenc 40001)
	check "it gets a binding of its own" flow_bound
	check "it goes on" talks older "by flow"
	check "cor opens one to mob's former address" \
		talk_open newer cor "$A1" "$HTTP" -p 40002
	check "mob opens one from there" \
		talk_open newest mob "$CA" "$HTTP" -s "$A1" -p 40003
	check "long lines" eval 'talks_long newer && talks_long newest'
	check "the older one, too" talks_long older
	equal "mob says that they were born there" "$(flows_of mob \
		'.flags | index("former")')" 2
	stop tcpdump-wire INT
	equal "the older one had no tunnel of its own at first" "$before" 0
	check "then it had" [ "$(inside minenc 40001)" -gt 5 ]
	for port in 40002 40003; do
		check "$port is in that of the host" \
			[ "$(inside ipip $port)" -gt 5 ]
		equal "$port not in that of flows" \
			"$(inside minenc $port)" 0
	done
	equal "none was plain" "$(packets wire "tcp and host $A1 and
		(port 40002 or port 40003)")" 0
}

path_up
check "cor answers" talk_serve cor "$HTTP"
check "mob answers" talk_serve mob "$HTTP"
check "web server" start_nginx cor
overlay
connections
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
