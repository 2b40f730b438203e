#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: a server behind address translation, on its own host or on a router
# timeout: 300
# needs: kmod agent programs
#
# Networks: see path.sh. A port of cor's is redirected to another
# one; then bb hands a port of its own address on to cor. Connections through
# either are not carried. What counts is that they stand still while mob is
# away, that nothing of them is where it should not be, and that they go on when
# it is home.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh
. ./talk.sh

INNER=8080	# where cor's server really is
VIP=10.9.0.1	# bb's, as a server's address

redirected()
{
	on cor nft -f - <<-NFT
		table ip redirected {
			chain pre {
				type nat hook prerouting priority dstnat;
				tcp dport $HTTP redirect to :$INNER
			}
		}
		insert rule inet filter input ct status dnat accept
	NFT
}

handed_on()
{
	on bb nft -f - <<-NFT
		table ip handed {
			chain pre {
				type nat hook prerouting priority dstnat;
				ip daddr $VIP tcp dport $HTTP dnat to $CA
			}
		}
	NFT
}

# flow_is NAME JQ-CONDITION: the one flow there that is like this
flow_is()
{
	[ "$(flows_of "$1" "$2")" = 1 ]
}

# leaves: mob goes to b, and knows it
leaves()
{
	anchor "$A1" && path_detach a && path_attach b &&
		hm mob at "$A1" "$A1" dev="$DUMMY" &&
		hm mob handoff "$A1" "$A2"
}

# both_told FAR: what agents would, if they did not notice
both_told()
{
	hm cor bind "$A1" "$A2" owner="$OWNER" lifetime=600000 &&
		hm mob peer "$1" owner="$OWNER" current="$A2" accepted
}

comes_home()
{
	hm cor unbind "$A1" owner="$OWNER"
	hm mob forget "$A1"
	ip -n "mob-$ID" link del "$DUMMY"
	ip -n "mob-$ID" rule del pref 7000
	path_detach b
	path_attach a
}

# is_away LABEL: what is typed while mob is away waits
is_away()
{
	local before

	before=$(stat_of mob drop_former)
	types "$1" "gone"
	check "$1: mob's packets are dropped, and counted" \
		wait_for 20 grew mob drop_former "$before"
	refute "$1: nothing came back" heard "$1" "gone"
}

# home_again LABEL TEXT
home_again()
{
	comes_home >"$OUT/home-$1" 2>&1
	check "$1: home again, what was typed is answered" \
		wait_for 60 heard "$1" "$2"
	check "$1: it goes on" talks "$1" "home after $2"
	equal "$1: cor never put it into a tunnel" \
		"$(stat_of cor tx_encap)" "$tunnelled"
	equal "$1: nothing was taken out of one" \
		"$(($(stat_of cor rx_decap) + $(stat_of mob rx_decap)))" "$taken"
}

begins()
{
	tunnelled=$(stat_of cor tx_encap)
	taken=$(($(stat_of cor rx_decap) + $(stat_of mob rx_decap)))
}

leak="tcp and src host $A1"

# --- a port of cor's is another one ---

redirect()
{
	begins
	check "cor redirects a port" redirected
	check "the server is behind it" talk_serve cor "$INNER"
	check "redirect: a connection" talk_open redirect mob "$CA" "$HTTP"
	check "redirect: mob sees the outer port" flow_is mob \
		".remote_port == $HTTP and .can_move"
	check "redirect: cor the inner one, and says why it cannot move" \
		flow_is cor ".local_port == $INNER and .flags == [\"nat\"] and
			(.can_move | not)"
	check "redirect: both ends claim it" claim_both
	check "redirect: mob moves" leaves
	check "redirect: both are told" both_told "$CA"
	before=$(stat_of cor rx_no_match)
	types redirect "away"
	check "redirect: mob sends it, cor takes nothing" \
		wait_for 20 grew cor rx_no_match "$before"
	refute "redirect: nothing came back" heard redirect "away"
	home_again redirect "away"
	talk_close redirect
}

# --- bb hands it on ---

dnat()
{
	begins
	check "bb hands a port on" handed_on
	check "cor answers there" talk_serve cor "$HTTP"
	check "dnat: a connection" talk_open dnat mob "$VIP" "$HTTP"
	check "dnat: mob thinks that it ends at bb" flow_is mob \
		".remote == \"$VIP\" and .can_move"
	check "dnat: cor sees mob itself" flow_is cor \
		".remote == \"$A1\" and .can_move"
	check "dnat: nobody claimed it; mob moves" leaves
	is_away dnat
	home_again dnat "gone"

	check "dnat: both ends are made to claim it" claim_both
	check "dnat: mob moves" leaves
	check "dnat: both are told" both_told "$VIP"
	before=$(stat_of mob tx_encap)
	types dnat "away"
	check "dnat: mob sends it to bb" \
		wait_for 20 grew mob tx_encap "$before"
	refute "dnat: nothing came back" heard dnat "away"
	home_again dnat "away"
	talk_close dnat
}

path_up
check "look for what leaks" capture arb br0 leak "$leak"
redirect
on cor nft delete table ip redirected
dnat
stop tcpdump-leak INT
equal "never was the former address seen in network b" "$(packets leak)" 0
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
