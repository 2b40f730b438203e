#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: root of a user namespace has its own network, within the limits
# timeout: 120
# needs: kmod agent programs
#
# Networks: see path.sh, and one of an unprivileged user, who is root of a user
# namespace. There that user may lower limits and not raise them, make bindings
# up to the machine's limit, and hear of them; elsewhere nothing.
#
# shellcheck disable=SC2119 # what may have arguments

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

MAX=50		# bindings of the machine

# user_up: a network of that user's; what is in it has the pid $user
user_up()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		unshare -Urn sleep 3600 &
	DAEMON[user]=$!
	user=$!
	wait_for 10 is_root
}

is_root()
{
	as_user [ "$(readlink "/proc/$user/ns/net")" != \
		"$(readlink /proc/self/ns/net)" ]
}

# as_user COMMAND...: as root of that namespace
as_user()
{
	nsenter -t "$user" -U -n "$@"
}

# refused SENTENCE COMMAND...
refused()
{
	! "${@:2}" >"$RUN/refused" 2>&1 && cat "$RUN/refused" &&
		grep -F "$1" "$RUN/refused"
}

limit()
{
	as_user hmmpctl -j limits | jq ".$1"
}

limits()
{
	local name now

	check "it has the module" as_user hmmpctl limits
	for name in flows bindings locals peers buffer-packets buffer-bytes \
		buffer-time buffer-rate; do
		now=$(limit "${name//-/_}")
		[ "$name" != buffer-time ] || now=$(limit buffer_time_ms)
		check "$name: not one more" \
			refused "a user namespace cannot raise a limit" \
			as_user hmmpctl limits "$name=$((now + 1))"
		check "$name: one less" \
			as_user hmmpctl limits "$name=$((now - 1))"
		check "$name: not as it was" \
			refused "a user namespace cannot raise a limit" \
			as_user hmmpctl limits "$name=$now"
	done
	check "the machine's root may" hm cor limits flows=65535
	check "and raise it" hm cor limits flows=65536
}

# bind_all N: bindings of scope host there, no more
bind_all()
{
	local i

	for ((i = 1; i <= $1; i++)); do
		as_user hmmpctl bind "10.44.0.$i" 10.45.0.1 host \
			local-outer=10.45.0.2 dev=lo || return
	done
}

bindings_there()
{
	as_user hmmpctl -j bindings | jq length
}

bindings()
{
	check "the machine has room for a few" sh -c \
		"echo $MAX >/sys/module/hmmp/parameters/binding_max"
	check "the user's network" as_user ip addr add 10.45.0.2/24 dev lo
	check "has a binding" hm cor bind 10.44.0.1 10.45.0.1 host \
		local-outer="$CA" dev=eth0
	check "the user makes as many as are left" bind_all $((MAX - 1))
	check "not one more" refused "the limit of bindings is reached" \
		as_user hmmpctl bind 10.44.1.1 10.45.0.1 host \
		local-outer=10.45.0.2 dev=lo
	equal "counted there" "$(as_user hmmpctl -j stats -a |
		jq .binding_limit)" 1
	equal "that was all" "$(bindings_there)" $((MAX - 1))
	equal "cor has its own, and sees no other" \
		"$(hm cor -j bindings | jq length)" 1
	refute "the user cannot move the machine's limit" as_user sh -c \
		'echo 1000 >/sys/module/hmmp/parameters/binding_max'
	check "the machine's root can" sh -c \
		'echo 1000 >/sys/module/hmmp/parameters/binding_max'
	check "one more" as_user hmmpctl bind 10.44.1.1 10.45.0.1 host \
		local-outer=10.45.0.2 dev=lo
}

# listeners NAME-OF-PID: sockets of generic netlink there
listeners()
{
	nsenter -t "$1" -n awk '$2 == 16' /proc/net/netlink | wc -l
}

listens_more()
{
	[ "$(listeners "$user")" -gt "$1" ]
}

said()
{
	jq -se "any(.[]; .original == \"$1\")" "$OUT/monitor.log"
}

events()
{
	local before

	before=$(listeners "$user")
	as_user hmmpctl -j monitor >"$OUT/monitor.log" 2>&1 &
	DAEMON[monitor]=$!
	check "the user listens" wait_for 10 listens_more "$before"
	check "cor's ends" hm cor bind 10.44.0.77 10.45.0.1 host \
		local-outer="$CA" dev=eth0 lifetime=100
	check "the user's ends" as_user hmmpctl bind 10.44.0.78 10.45.0.1 \
		host local-outer=10.45.0.2 dev=lo lifetime=100
	check "which is told" wait_for 20 said 10.44.0.78
	check "cor's has ended" wait_for 20 ended_at_cor
	refute "which is not" said 10.44.0.77
	stop monitor
}

ended_at_cor()
{
	[ "$(stat_of cor binding_expired)" = 1 ]
}

elsewhere()
{
	for word in limits bindings flows stats monitor "limits flows=10"; do
		# shellcheck disable=SC2086 # words
		check "nobody, in cor: $word" refused "CAP_NET_ADMIN" \
			on cor setpriv --reuid 65534 --regid 65534 \
			--clear-groups timeout 20 hmmpctl $word
	done
}

path_networks
path_module
check "an unprivileged user's network" user_up
limits
bindings
events
elsewhere
check "the user's processes end" stop user
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
