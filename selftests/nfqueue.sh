#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: all packets of a bound connection wait for a program at both ends
# timeout: 240
# needs: kmod agent programs
#
# Networks: see path.sh. In each hook of mob and cor inner and outer packets go
# into a queue of the firewall. With a program that reads it the connection goes
# on, in each kind of encapsulation; without one it waits. At the end the module
# goes while the programs hold packets, which are let go of afterwards.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh
. ./talk.sh

readers()
{
	start nfq-mob mob nfq 0 "$@" && start nfq-cor cor nfq 0 "$@" &&
		wait_for 10 reads mob && wait_for 10 reads cor
}

# reads NAME: a program reads the queue there
reads()
{
	on "$1" grep -q '^ *0 ' /proc/net/netfilter/nfnetlink_queue
}

# chain HOOK PRIORITY
chain()
{
	cat <<-NFT
		chain $1 {
			type filter hook $1 priority $2;
			meta l4proto tcp counter queue num 0
			meta l4proto { 4, 41, 55 } counter queue num 0
		}
	NFT
}

queues()
{
	local name

	for name in mob cor; do
		on "$name" nft -f - <<-NFT || return
			table inet wait {
				$(chain prerouting -400)
				$(chain input -5)
				$(chain output -5)
				$(chain postrouting 500)
			}
		NFT
	done
}

# all_seen NAME: each rule has met packets, 4 hooks, inner and outer
all_seen()
{
	[ "$(on "$1" nft list table inet wait |
		grep -c 'counter packets [1-9]')" = 8 ]
}

# holding NAME: packets wait there
holding()
{
	on "$1" awk '$1 == 0 { exit !$3 }' /proc/net/netfilter/nfnetlink_queue
}

queued()
{
	check "$1: a connection" talk_open "$1" mob \
		"$(server_of "$1" | tr -d '[]')" "$HTTP"
	check "$1: both ends own it" claim_both
	check "$1: programs read" readers
	check "$1: all packets wait for them" queues
	check "$1: mob moves" flow_move "$1"
	check "$1: a line" talks "$1" "line"
	check "$1: a long one" talks_long "$1"
	for name in mob cor; do
		check "$1: inner and outer, in each hook of $name" \
			all_seen "$name"
	done
}

unqueued()
{
	stop nfq-mob
	stop nfq-cor
	on mob nft delete table inet wait
	on cor nft delete table inet wait
}

path_up
check "cor answers" talk_serve cor "$HTTP"
for encap in ip6ip6 minenc ipip; do
	queued "$encap"
	[ "$encap" != ipip ] || break
	unqueued
	talk_close "$encap"
	flow_home >"$OUT/home-$encap" 2>&1
done
check "its answers last" hm cor bind "$A1" "$A2" owner="$OWNER" lifetime=600000
stop nfq-mob
stop nfq-cor
types ipip "nobody reads"
before=$(stat_of mob tx_encap)
refute "without a program nothing comes back" \
	eval 'pause 0.5; heard ipip "nobody reads"'
equal "and nothing is sent" "$(stat_of mob tx_encap)" "$before"
check "programs read again" readers
check "what was typed is answered" wait_for 60 heard ipip "nobody reads"

stop nfq-mob
stop nfq-cor
check "programs that hold" readers hold
types ipip "held"
check "packets are held" wait_for 20 holding mob
check "the module goes" rmmod hmmp
kill -USR1 "${DAEMON[nfq-mob]}" "${DAEMON[nfq-cor]}"
check "and comes back" path_module
check "mob's program lives" running nfq-mob
check "cor's, too" running nfq-cor
unqueued
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
