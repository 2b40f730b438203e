#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: connections to a host without an agent, and what they cost it
# timeout: 120
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob and ca, none on cb, which counts
# what comes to the agents' port.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh

# fixed: the connections to cb that cannot move, and why
fixed()
{
	ctl mob -j status | jq -r ".cannot_move[] |
		select(.remote == \"$CB\") | \"\(.flows) \(.reason)\""
}

fixed_is()
{
	[ "$(fixed)" = "$1" ]
}

# as_old_as MS: all of mob's connections
as_old_as()
{
	[ "$(flows_of mob ".age_ms < $1")" = 0 ]
}

messages()
{
	packets agents "dst $CB and udp port 5060"
}

few_messages()
{
	[ "$(messages)" -ge 1 ] && [ "$(messages)" -le 2 ]
}

topo_up
hmmp_up ca
home=$(current_addr)
check "holders of connections" conns_up mob ca cb
check "capture" capture cb eth0 agents udp or icmp
check "mob has connections to ca" tell mob open "$CA" "$HTTP" 2
check "and to cb" tell mob open "$CB" "$HTTP" 2
check "those to ca can move" wait_for 20 owned mob 2
check "those to cb cannot, and it is said why" \
	wait_for 20 fixed_is "2 no agent there"
check "people are told, too" grep -E '2 connections can move.*2 cannot' \
	<(ctl mob status)
check "they carry data" tell mob ask 10
check "10 s later" wait_for 20 as_old_as 10000

check "mob moves to b" move_to b unreachable
check "the connections to ca moved" wait_for 20 bound ca "$home" \
	"$(current_addr)"
check "and carry data" tell ca ask 20
refute "those to cb do not" tell cb ask 5
check "a new connection to cb" tell mob open "$CB" "$HTTP" 1
check "2 s later" wait_for 10 as_old_as 2000
check "at most two messages to cb" few_messages
note "$(messages) messages to cb"
stop tcpdump-agents INT
check "the module can go" hmmp_down
check "the kernel is quiet" kernel_quiet
finish
