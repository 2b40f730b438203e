#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: connection tracking looks away at both ends, or there is none
# timeout: 300
# needs: kmod agent programs
#
# Networks: see path.sh. A connection goes on when mob and cor are told not to
# track it, when they have no rule at all, and when they track it again; first
# in a binding of flows, then in one of a host.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh
. ./talk.sh

untrack()
{
	local name

	for name in mob cor; do
		on "$name" nft -f - <<-NFT || return
			table inet away {
				chain pre {
					type filter hook prerouting priority -300;
					notrack
				}
				chain out {
					type filter hook output priority -300;
					notrack
				}
			}
			insert rule inet filter input ct state untracked accept
		NFT
	done
}

no_rules()
{
	on mob nft flush ruleset && on cor nft flush ruleset
}

rules_again()
{
	local name

	for name in mob cor; do
		on "$name" nft flush ruleset
		on "$name" nft -f "$rules/host.nft" &&
			invalid_at "$name" input || return
	done
}

# none_tracked: but for what bb and others see, mob and cor know no connection
none_tracked()
{
	on mob conntrack -F && on cor conntrack -F && talks "$1" "after $1" &&
		[ -z "$(on mob conntrack -L; on cor conntrack -L)" ]
}

# looking_away LABEL: the same connection; what it is carried in goes on
looking_away()
{
	local before

	before=$(stat_of cor tx_encap)
	check "$1: conntrack is told to look away" untrack
	check "$1: a line" talks "$1" "untracked"
	check "$1: it knows nothing of it" none_tracked "$1"
	check "$1: no rules at all" no_rules
	check "$1: a line" talks_long "$1"
	check "$1: in the tunnel" [ "$(stat_of cor tx_encap)" -gt "$before" ]
	check "$1: rules again" rules_again
	check "$1: a line" talks "$1" "tracked again"
}

for_a_host()
{
	tunnel_of "$1"
	invalid_anew mob cor >"$OUT/anew"
	check "$1: host: bound" tunnel_up "$1"
	check "$1: host: a connection" talk_open "host-$1" cor "$a1" "$HTTP"
	check "$1: host: a long line" talks_long "host-$1"
	equal "$1: host: nothing is invalid at mob" "$(invalid mob)" 0
	equal "$1: host: nothing is invalid at cor" "$(invalid cor)" 0
	looking_away "host-$1"
	talk_close "host-$1"
	check "$1: host: it ends" wait_for 20 ended mob
	check "$1: host: end of it" tunnel_down
}

for_a_flow()
{
	invalid_anew mob cor >"$OUT/anew"
	check "$1: a connection" talk_open "$1" mob \
		"$(server_of "$1" | tr -d '[]')" "$HTTP"
	check "$1: both ends own it" claim_both
	check "$1: mob moves" flow_move "$1"
	check "$1: a long line" talks_long "$1"
	looking_away "$1"
	[ "$failures" = 0 ] || bail "no sense in going on"
	talk_close "$1"
	check "$1: it ends" wait_for 20 ended cor
	flow_home >"$OUT/home-$1" 2>&1
}

path_up
invalid_at mob input
invalid_at cor input
check "cor answers" talk_serve cor "$HTTP"
check "mob answers" talk_serve mob "$HTTP"
for encap in ipip minenc ip6ip6; do
	for_a_flow "$encap"
done
tunnel_hosts
for encap in ipip minenc ip6ip6; do
	for_a_host "$encap"
done
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
