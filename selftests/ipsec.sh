#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: IPsec policies of connections, and of what carries them
# timeout: 300
# needs: kmod agent programs
#
# Networks: see path.sh. Two connections between mob and cor. One has an IPsec
# policy of its own: it is left alone while the other is carried, and goes on
# when mob is home. Then cor wants the outer packets protected; what comes
# without is dropped.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh
. ./talk.sh

OWN=22	# the port whose connections have a policy of their own
KEY=0x0102030405060708090a0b0c0d0e0f1011121314

# states NAME LOCAL REMOTE SPI-OUT SPI-IN
states()
{
	ip -n "$1-$ID" -batch - <<-BATCH
		xfrm state add src $2 dst $3 proto esp spi $4 mode transport \
			aead rfc4106(gcm(aes)) $KEY 128
		xfrm state add src $3 dst $2 proto esp spi $5 mode transport \
			aead rfc4106(gcm(aes)) $KEY 128
	BATCH
}

# policy NAME SOURCE DESTINATION in|out SELECTOR-WORD...
policy()
{
	ip -n "$1-$ID" xfrm policy add src "$2" dst "$3" "${@:5}" dir "$4" \
		tmpl src "$2" dst "$3" proto esp mode transport
}

own_policy()
{
	states mob "$A1" "$CA" 1 2 && states cor "$CA" "$A1" 2 1 &&
		policy mob "$A1" "$CA" out proto 6 dport "$OWN" &&
		policy mob "$CA" "$A1" in proto 6 sport "$OWN" &&
		policy cor "$CA" "$A1" out proto 6 sport "$OWN" &&
		policy cor "$A1" "$CA" in proto 6 dport "$OWN"
}

# flow_is NAME JQ-CONDITION: the one flow there that is like this
flow_is()
{
	[ "$(flows_of "$1" "$2")" = 1 ]
}

own_flow()
{
	check "a policy for port $OWN" own_policy
	check "cor answers there" talk_serve cor "$OWN"
	check "and at another port" talk_serve cor "$HTTP"
	check "look at what is sent" capture bb x0 wire
	check "a connection with it" talk_open own mob "$CA" "$OWN"
	check "a connection without" talk_open other mob "$CA" "$HTTP"
	stop tcpdump-wire INT
	check "the first is protected" \
		[ "$(packets wire "ip proto 50")" -gt 4 ]
	equal "all of it" "$(packets wire "tcp port $OWN")" 0
	for name in mob cor; do
		check "$name says so" flow_is $name '.flags - ["opener"] ==
			["ipsec"] and (.can_move | not)'
		check "$name can move the other" flow_is $name .can_move
	done
	check "both ends own both" claim_both
}

moved()
{
	check "look at where mob will be" capture arb br0 away
	check "mob moves" flow_move ipip
	check "its answers last" hm cor bind "$A1" "$A2" owner="$OWNER" \
		lifetime=600000
	before=$(stat_of mob drop_former)
	types own "away"
	check "what is protected is dropped, and counted" \
		wait_for 20 grew mob drop_former "$before"
	check "the other goes on" talks other "away"
	check "with many" talks_long other
	refute "nothing came back of the first" heard own "away"
	stop tcpdump-away INT
	check "the other is in the tunnel" \
		[ "$(packets away "ip proto 4")" -gt 4 ]
	equal "nothing with the former address" \
		"$(packets away "src host $A1 or ip[32:4] = 0x0a01000a and
			ip proto 4 and ip[29] != 6")" 0
	check "home again" eval 'flow_home >"$OUT/home" 2>&1;
		hm cor bindings'
	check "what was typed is answered" wait_for 60 heard own "away"
	check "both go on" eval 'talks own "home" && talks other "home"'
	check "it was protected all the time" flow_is cor '.flags ==
		["ipsec"]'
}

# --- policies of the outer packets ---

# wants NAME DIRECTION SOURCE DESTINATION: what is in a tunnel is protected
wants()
{
	policy "$1" "$3" "$4" "$2" proto 41
}

outer()
{
	check "$1: a connection" talk_open outer mob "$CA6" "$HTTP"
	check "$1: both ends own it" claim_both
	check "$1: mob moves" flow_move ip6ip6
	check "$1: it goes on" talks outer "plain"
	check "$1: cor wants what comes protected" \
		wants cor in "$a2" "$CA6"
	before=$(stat_of cor drop_policy)
	types outer "in the clear"
	check "$1: what comes in the clear is dropped, and counted" \
		wait_for 20 grew cor drop_policy "$before"
	refute "$1: nothing came back" heard outer "in the clear"
	check "$1: now it is protected" eval '
		states mob "$a2" "$CA6" 11 12 &&
		states cor "$CA6" "$a2" 12 11 &&
		wants mob out "$a2" "$CA6" && wants mob in "$CA6" "$a2" &&
		wants cor out "$CA6" "$a2"'
	check "$1: cor asks for SECURED, too" hm cor bind "$a1" "$a2" \
		owner="$OWNER" secured lifetime=600000
	check "$1: what was typed is answered" \
		wait_for 60 heard outer "in the clear"
	check "$1: look at it" capture bb x0 outer
	check "$1: long ones fit" talks_long outer
	stop tcpdump-outer INT
	equal "$1: none in the clear" "$(packets outer "ip6 proto 41")" 0
	check "$1: but protected" [ "$(packets outer "ip6 proto 50")" -gt 10 ]
}

path_up
check "firewalls let IPsec pass" esp_passes
own_flow
moved
talk_close own
talk_close other
outer "IPv6"
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
