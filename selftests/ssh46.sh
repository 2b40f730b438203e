#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: an SSH session of IPv4 lives on in a network that has IPv6 only
# timeout: 200
# needs: kmod agent programs
#
# Networks: see path.sh. mob has IPv4 only in network a and IPv6 only in b. A
# session that was begun over IPv4 goes a, b, a; a key is typed where there is
# no network. And one of IPv6 that goes where there is IPv4 only, and back.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

# come: and in a again
come()
{
	path_detach b
	path_attach a
	ip -n "mob-$ID" -4 rule del pref 7000 2>/dev/null
	ip -n "mob-$ID" -6 rule del pref 7000 2>/dev/null
	hm mob handoff "$a2" "$a1" && hm cor unbind "$a1" owner="$OWNER" &&
		hm mob unbind "$1" owner="$OWNER"
}

# only_plain SERVER: nothing is bound any more, and mob goes there by wa
only_plain()
{
	[ "$(on cor hmmpctl -j bindings)" = "[]" ] &&
		ip -n "mob-$ID" -o route get "$1" | grep -w wa
}

# travels LABEL SERVER ENCAP FAMILY
travels()
{
	tunnel_of "$3"
	session_open "$1" mob "$2"
	check "$1: a session" says "$1" begins
	check "$1: both ends own it" claim_both
	type_key "$1" "gap"
	check "$1: mob is where only IPv$4 is" flow_move "$3"
	check "$1: what was typed arrives" answers "$1" gap
	check "$1: the session carries on" says "$1" "there"
	check "$1: mob comes home" come "$2"
	check "$1: the session carries on there" says "$1" "home"
	check "$1: as plain packets" wait_for 10 only_plain "$2"
	check "$1: the same client" running "ssh-$1"
	stop "ssh-$1"
	hm mob forget "$a1" >"$OUT/forget"
	ip -n "mob-$ID" link del "$DUMMY"
}

path_up
check "SSH server" start_sshd cor
travels "4-in-6" "$CA" 4in6 6
travels "6-in-4" "$CA6" 6in4 4
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
