#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: idle SSH sessions move, at either end, and keys typed in a gap arrive
# timeout: 120
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob and ca. Two sessions, both with mob
# at its address of network a: "out" from mob to ca, "in" from ca to mob. At
# the far end of each a shell says what it heard, and its process id.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh

start_sshds()
{
	start_sshd mob && start_sshd ca
}

# ports: of both connections, as mob sees them
ports()
{
	on mob ss -Htn "( sport = :22 or dport = :22 )" |
		awk '{ print $4, $5 }' | sort
}

# waits_for_network NAMESPACE: TCP there repeats, and repeats slower
waits_for_network()
{
	on "$1" ss -Htin "( sport = :22 or dport = :22 )" | grep 'backoff:'
}

topo_up
hmmp_up ca
check "SSH servers" start_sshds
home=$(current_addr)
session_open out mob "$CA"
session_open in ca "$home"
check "a session from mob to ca" says out begins
check "a session from ca to mob" says in begins
before=$(ports)
check "both belong to an association" wait_for 10 owned mob 2

check "mob moves to b while nobody types" move_to b silent
check "the session at ca carries on" says out moved
check "the session at mob carries on" says in moved
check "ca knows where mob is" bound ca "$home" "$(current_addr)"

lose_addr b silent
link_down b
HERE=
type_key out gap
type_key in gap
check "mob's key waits for a network" wait_for 20 waits_for_network mob
check "ca's key waits for mob" wait_for 20 waits_for_network ca
check "mob gets to network c" move_to c
check "the key typed at mob arrives" answers out gap
check "the key typed at ca arrives" answers in gap
check "ca's session carries on" says out again
check "mob's session carries on" says in again

check "the same clients" running ssh-out
check "at both ends" running ssh-in
equal "the same connections" "$(ports)" "$before"
stop ssh-out
stop ssh-in
check "the module can go" hmmp_down
check "the kernel is quiet" kernel_quiet
finish
