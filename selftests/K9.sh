#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: K9, each packet passes each hook once as itself
# timeout: 300
# needs: kmod agent programs
#
# Networks: see path.sh. Lines go to cor and back, in each encapsulation. Every
# hook of mob, cor and of a router in between counts the inner packets, the
# outer ones, and what conntrack calls invalid.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh
. ./talk.sh

# match SOURCE DESTINATION: as nft says it
match()
{
	local f=ip

	[[ $1 != *:* ]] || f=ip6
	echo "$f saddr $1 $f daddr $2"
}

# count_out HOOK: in two counters each, inner and outer packets that leave; in
# its caller: i and o, this end's addresses, fi and fo, the far end's
count_out()
{
	cat <<-NFT
		chain $1 {
			type filter hook $1 priority 290;
			meta l4proto tcp $(match "$i" "$fi") counter
			meta l4proto { 4, 41, 55 } $(match "$o" "$fo") counter
		}
	NFT
}

count_in()
{
	cat <<-NFT
		chain $1 {
			type filter hook $1 priority -310;
			meta l4proto tcp $(match "$fi" "$i") counter
			meta l4proto { 4, 41, 55 } $(match "$fo" "$o") counter
		}
	NFT
}

# count_at NAME INNER FAR-INNER OUTER FAR-OUTER
count_at()
{
	local i=$2 fi=$3 o=$4 fo=$5

	on "$1" nft -f - <<-NFT
		table inet seen {
			$(count_out output)
			$(count_out postrouting)
			$(count_in prerouting)
			$(count_in input)
		}
	NFT
}

# count_through: what bb forwards, each way; the same names
count_through()
{
	local i=$1 fi=$2 o=$3 fo=$4

	on bb nft -f - <<-NFT
		table inet seen {
			$(count_in prerouting)
			$(count_in forward)
			$(count_in postrouting)
			$(count_out forward | sed 's/chain forward/chain back/')
		}
	NFT
}

# seen NAME: all of its counters, in one line
seen()
{
	on "$1" nft list table inet seen |
		sed -n 's/.* counter packets \([0-9]*\) .*/\1/p' | xargs
}

# adds_up: each hook of the ends has seen the same, inner as outer, and what
# one sends the other receives; the router has seen the outer ones only. Three
# lines are three packets at least: an echo may bring the acknowledgment along.
adds_up()
{
	local there back

	read -r there _ _ _ back _ < <(seen mob)
	[ "$there" -ge 3 ] && [ "$back" -ge 3 ] &&
		[ "$(seen mob)" = "$(four "$there") $(four "$back")" ] &&
		[ "$(seen cor)" = "$(four "$back") $(four "$there")" ] &&
		[ "$(seen bb)" = "0 $back 0 $back 0 $back 0 $there" ]
}

four()
{
	echo "$1 $1 $1 $1"
}

# long_ones_too ENCAP: a super-packet is one outside as it is inside, unless
# minimal encapsulation has to cut it; others may cut it on its way
long_ones_too()
{
	local name all

	for name in mob cor; do
		read -r -a all < <(seen "$name")
		[ "${all[*]:4:4}" = "$(four "${all[4]}")" ] || return
		if [ "$1" = minenc ]; then
			[ "${all[1]}" -gt "${all[0]}" ] || return
		else
			[ "${all[*]:0:4}" = "$(four "${all[0]}")" ] || return
		fi
	done
}

# count_all: what passes from the beginning of the tunnel, see flow_move
count_all()
{
	count_at mob "$a1" "$far" "$a2" "$ca" &&
		count_at cor "$far" "$a1" "$ca" "$a2" &&
		count_through "$a1" "$far" "$a2" "$ca"
}

no_counters()
{
	local name

	for name in mob cor bb; do
		on "$name" nft delete table inet seen
	done
}

counted()
{
	local name server

	server=$(server_of "$1" | tr -d '[]')
	invalid_anew mob cor bb >"$OUT/anew"
	check "$1: a connection" talk_open "$1" mob "$server" "$HTTP"
	check "$1: both ends own it" claim_both
	check "$1: nothing is under way" wait_for 20 idle "$HTTP" mob cor
	check "$1: mob moves" flow_move "$1" count_all
	for line in 1 2 3; do
		check "$1: a line" talks "$1" "line $line"
	done
	check "$1: each hook has seen each packet once" wait_for 20 adds_up
	check "$1: a long line" talks_long "$1"
	check "$1: long ones, too" wait_for 20 long_ones_too "$1"
	note "$1: mob $(seen mob), cor $(seen cor), bb $(seen bb)"
	for name in mob cor bb; do
		equal "$1: nothing is invalid at $name" "$(invalid $name)" 0
	done
	no_counters
}

path_up
invalid_at mob input
invalid_at cor input
invalid_at bb forward
check "cor answers" talk_serve cor "$HTTP"
for encap in ipip minenc ip6ip6 4in6 6in4; do
	counted "$encap"
	[ "$failures" = 0 ] || bail "no sense in going on"
	talk_close "$encap"
	check "$encap: it ends" wait_for 20 ended cor
	flow_home >"$OUT/home-$encap" 2>&1
done
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
