#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: K13, the module goes while everything is under way in it
# timeout: 300
# needs: kmod agent programs
#
# Networks: see path.sh. A download of mob's has moved to b; firewalls of both
# hosts hold packets for programs that give few of them back (src/hold.c),
# before and after the module's hooks; cor's buffers are full and their time
# runs; sockets are about to be woken; lifetimes end; dumps run. Then the module
# is removed. Then it comes and goes 8 times.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

declare -A ASK=()

# queues NAME: inner packets before the send hook, outer ones before they are
# unwrapped, and what was unwrapped
queues()
{
	on "$1" nft -f - <<-RULES
		table inet hold {
			chain out {
				type filter hook output priority 200;
				meta l4proto tcp queue num 1 bypass
			}
			chain post {
				type filter hook postrouting priority 500;
				meta l4proto tcp queue num 1 bypass
				meta l4proto { 4, 41 } queue num 2 bypass
			}
			chain pre {
				type filter hook prerouting priority -400;
				meta l4proto { 4, 41 } queue num 2 bypass
				meta l4proto tcp queue num 1 bypass
			}
			chain in {
				type filter hook input priority -50;
				meta l4proto tcp queue num 1 bypass
			}
		}
	RULES
}

# holds NAME: programs there keep what is queued
holds()
{
	local q fd

	for q in 1 2; do
		mkfifo "$RUN/hold" && exec {fd}<>"$RUN/hold" &&
			rm "$RUN/hold" || return
		ASK[$1-$q]=$fd
		"${WITHIN[@]}" "$1-$ID" hold "$q" <&"$fd" >"$OUT/hold-$1-$q.log" \
			2>&1 &
		DAEMON[hold-$1-$q]=$!
	done
}

# knocks NAME ADDRESS: requests from there, so that there is more to hold than
# what is left of a download that is being held
knocks()
{
	local i

	for i in 1 2 3 4; do
		start "knock-$1-$i" "$1" curl -sS -m 120 -o /dev/null \
			"http://$2:$HTTP/" || return
	done
}

# held NAME: how many packets they have kept
held()
{
	local q n=0

	for q in 1 2; do
		echo >&"${ASK[$1-$q]}"
	done
	pause 0.1
	for q in 1 2; do
		n=$((n + $(tail -n 1 "$OUT/hold-$1-$q.log")))
	done
	echo "$n"
}

holds_some()
{
	[ "$(held "$1")" -gt 3 ]
}

# gives_back NAME: all of it, and end. Chains go when no packet waits in them:
# Linux 6.1 warns about each that does, whatever hook it is that goes.
gives_back()
{
	local q pid

	on "$1" nft flush table inet hold || return
	for q in 1 2; do
		pid=${DAEMON[hold-$1-$q]}
		unset "DAEMON[hold-$1-$q]"
		echo all >&"${ASK[$1-$q]}" && wait "$pid" || return
	done
	on "$1" nft delete table inet hold
}

# full: cor has buffers that hold packets for two hosts, one of each family
full()
{
	hm cor bind 10.1.0.77 "$A2" host local-outer="$CA" dev=eth0 buffer \
		lifetime=600000 &&
		hm cor bind fd00:1::77 "$A2_6" host local-outer="$CA6" \
			dev=eth0 buffer lifetime=600000 &&
		start fill cor dgram send 10.1.0.77 9 1 100000 &&
		start fill6 cor dgram send fd00:1::77 9 1 100000 &&
		wait_for 20 buffered 50
}

buffered()
{
	on cor hmmpctl -j bindings | jq -e "[.[] | select(.scope == \"host\" and
		.held_packets >= $1)] | length == 2"
}

# dumps: of everything, all the time
dumps()
{
	local name

	for name in mob cor; do
		# shellcheck disable=SC2016 # of that shell
		start "dumps-$name" "$name" bash -c 'while :; do
			for w in flows bindings local peers; do
				hmmpctl -j $w
			done
		done >/dev/null 2>&1'
	done
}

# timers: lifetimes that end soon, and sockets that wait for being woken
timers()
{
	local i

	for i in 1 2 3 4 5 6 7 8; do
		hm cor bind "10.1.0.8$i" "$A2" host local-outer="$CA" dev=eth0 \
			lifetime=$((i * 300)) || return
	done
	hm mob at 10.1.0.99 10.1.0.99 via="$A2,$CA" via-lifetime=1000 &&
		hm cor bind "$A1" "$A2" owner="$OWNER" &&
		hm mob peer "$CA" owner="$OWNER" current="$A2" accepted
}

loaded()
{
	grep -q '^hmmp ' /proc/modules
}

# again: it is there, has something to do, and goes
again()
{
	insmod /t/hmmp.ko && hm cor bind 10.1.0.77 "$A2" host \
		local-outer="$CA" dev=eth0 buffer &&
		hm mob at "$A1" "$A1" via="$A2,$CA" &&
		hm mob handoff "$A1" "$A2" && rmmod hmmp && ! loaded
}

eight_times()
{
	local i

	for ((i = 0; i < 8; i++)); do
		again || return
	done
}

path_up
check "web server" start_nginx cor
check "a download of IPv4" download mob "$CA" 10m.bin
check "both ends own it" claim_both
check "it moves" flow_move ipip
check "it goes on" goes_on mob
check "firewalls hold packets" eval 'queues mob; queues cor'
check "and somebody has them" eval 'holds mob && holds cor'
check "hosts send" eval 'knocks mob "$CA" && knocks cor "$A2"'
check "buffers are full" full
check "dumps run" dumps
for name in mob cor; do
	check "$name's firewall holds some" wait_for 30 holds_some "$name"
done
check "timers are due" timers
note "held: $(held mob) at mob, $(held cor) at cor"
check "the module goes" rmmod hmmp
refute "it has gone" loaded
for name in mob cor; do
	check "what $name's firewall held may go on" gives_back "$name"
	stop "dumps-$name"
done
check "mob goes home" eval 'ip -n "mob-$ID" link del "$DUMMY"
	ip -n "mob-$ID" rule del pref 7000; path_detach b; path_attach a'
check "the download goes on" goes_on mob 60
check "it comes and goes 8 times, under traffic" eight_times
check "the file is whole" downloaded mob 10m.bin
check "it comes once more" path_module
check "a download" download mob "[$CA6]" 10m.bin
check "both ends own it" claim_both
check "it moves" flow_move ip6ip6
check "the file is whole" downloaded mob 10m.bin
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
