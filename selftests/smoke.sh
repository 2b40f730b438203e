#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: the test bed by itself, without HMMP: what moves, breaks
# timeout: 120
# needs: nothing
#
# Networks: see topology.sh. A lease, a download, a move, a new lease; then a
# plain TCP download across a move, which must not survive. It shows that the
# networks work, and that the scenarios about HMMP can fail.

. ./lib.sh
. ./topology.sh

# fetch FILE SECONDS: download from ca and compare with the known sum
fetch()
{
	local sum

	sum=$(on mob curl -sS --max-time "$2" "http://$CA/$1" | sha256sum)
	grep -q "^${sum%% *}  $1\$" /srv/data/SHA256SUMS
}

received()
{
	stat -c %s "$RUN/part" 2>/dev/null
}

received_more_than()
{
	[ "$(received)" -gt "$1" ]
}

topo_up
a1=$(current_addr)
check "a lease of network a" grep -q '^10\.1\.0\.' <<<"$a1"
check "round trip" on mob ping -c 2 -W 2 "$CA"
check "nginx serves" start_nginx ca
check "1 MB arrives whole" fetch 1m.bin 20
state_save first oth ara arb arc bb

start curl mob curl -sS --limit-rate 2M --max-time 90 -o "$RUN/part" \
	"http://$CA/100m.bin"
check "a download begins" wait_for 10 received_more_than 500000

t0=$(now_ms)
check "move to b: a lease there" move_to b silent
note "move to b took $(($(now_ms) - t0)) ms"
b1=$(current_addr)
check "the new address is one of network b" grep -q '^10\.2\.0\.' <<<"$b1"
refute "the old address is gone" current_addr a
check "1 MB arrives from the new address" fetch 1m.bin 20

# what came before the move may wait for its reader still
drained()
{
	[ "$(on mob ss -Htn state established "dport = :80" |
		awk '{ n += $1 } END { print n + 0 }')" = 0 ]
}

check "what had arrived is read" wait_for 10 drained
at=$(received)
refute "the plain download does not go on" \
	wait_for 5 received_more_than $((at + 1000000))
stop curl

check "move to c" move_to c unreachable
refute "b's address is gone" current_addr b
check "move home to a" move_to a
equal "the same address again" "$(current_addr)" "$a1"
check "1 MB arrives at home" fetch 1m.bin 20

forget_lost b
forget_lost c
check "routers are as before" state_same first oth ara arb arc bb
check "a third host gets an address" oth_dhcp a
check "it reaches the server" on oth ping -c 1 -W 2 "$CA"
check "the kernel is quiet" kernel_quiet
finish
