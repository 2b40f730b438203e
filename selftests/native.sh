#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: new connections after a move are native, old ones leave nothing
# timeout: 200
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob and ca. A capture on the backbone's
# link to ca sees what is encapsulated. The old connections are closed by ca
# first, so that it is ca that has to wait for the end of TIME-WAIT.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh

# ports_of NAME ADDRESS: local ports there of connections that use it
ports_of()
{
	on "$1" ss -Htn state established "( src $2 or dst $2 )" |
		awk '{ sub(".*:", "", $3); print $3 }'
}

# address_free ADDRESS: mob holds nothing of it any more
address_free()
{
	local table

	! on mob ip -4 -o addr show | grep -F " $1/" &&
		! on mob ip rule show | grep -F "from $1 " &&
		table=$(on mob ip route show table 7000 2>&1) &&
		! grep default <<<"$table" &&
		! on mob hmmpctl -j local | grep -F "$1" &&
		! on mob hmmpctl -j flows | grep -F "\"$1\""
}

# peer_free ADDRESS: ca knows nothing of it any more
peer_free()
{
	[ "$(flows_of ca ".remote == \"$1\"")" = 0 ] &&
		[ "$(on ca hmmpctl -j bindings)" = "[]" ]
}

# seen_plain PORT, never_inside PORT: what the backbone saw
seen_plain()
{
	[ "$(packets backbone "tcp port $1 and host $here")" -ge 4 ]
}

never_inside()
{
	[ "$(packets backbone "$(inner "$1")")" = 0 ]
}

topo_up
hmmp_up ca
home=$(current_addr)
check "holders of connections" conns_up mob ca
state_save before mob ca
check "three connections from network a" tell mob open "$CA" "$HTTP" 3
check "they belong to an association" wait_for 20 owned mob 3
old=$(ports_of mob "$home")
check "mob moves to b" move_to b unreachable
here=$(current_addr)
check "capture" capture bb ca backbone "tcp port $HTTP or ip proto 4"
check "the old connections go on" tell mob ask 20
check "mob opens two from its new address" tell mob open "$CA" "$HTTP" 2
check "ca opens one to it" tell ca open "$here" "$HTTP" 1
check "all carry data" tell mob ask 20
check "whoever asks" tell ca ask 20
new="$(ports_of mob "$here") $(ports_of ca "$here")"
equal "there are three new ones" "$(ports_of mob "$here" | wc -l)" 3
stop tcpdump-backbone INT
for port in $old; do
	refute "old connection $port is in the tunnel" never_inside "$port"
done
for port in $new; do
	[ "$port" != "$HTTP" ] || continue
	check "new connection $port is plain" seen_plain "$port"
	check "and never in the tunnel" never_inside "$port"
done

check "ca closes the old ones" tell ca close "$home"
check "the old address leaves mob" wait_for 30 address_free "$home"
check "new connections go on" tell mob ask 20
check "ca forgets it after TIME-WAIT" wait_for 90 peer_free "$home"
check "new connections end" tell mob reset
check "mob goes home" move_to a
check "nothing is left on mob and ca" wait_for 40 state_same before mob ca
check "the module can go" hmmp_down
check "the kernel is quiet" kernel_quiet
finish
