#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: how far a binding of flows is trusted, and which way it is sent
# timeout: 240
# needs: kmod agent programs
#
# Networks: see path.sh. mob has moved from a to b and knows that it may send
# to cor; what cor's binding is worth, where its packets go and what it takes
# is looked at there and on its link. One connection, on which either end asks
# the other a question of 512 bytes.
#
# shellcheck disable=SC2119 # what may have arguments

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

A3=10.2.0.99	# nobody

# --- what cor knows ---

# bind CURRENT [BIND-WORD...]: for cor, mob's A1 is there
bind()
{
	hm cor bind "$A1" "$1" owner="$OWNER" "${@:2}"
}

unbind()
{
	hm cor unbind "$A1" owner="$OWNER"
}

# field NAME: of cor's binding, "gone" if there is none
field()
{
	on cor hmmpctl -j bindings | jq -r "[.[] | .$1][0] // \"gone\""
}

is()
{
	[ "$(field "$1")" = "$2" ]
}

# leads STATUS CURRENT
leads()
{
	is status "$1" && is current "$2"
}

more_than()
{
	[ "$(field "$1")" -gt "$2" ]
}

# counted COUNTER BEFORE: it has grown
counted()
{
	[ "$(stat_of cor "$1")" -gt "$2" ]
}

# said JQ-CONDITION: in an event, since "listen"
said()
{
	jq -se "any(.[]; .type == \"binding\" and $1)" "$OUT/events.log"
}

listen()
{
	: >"$OUT/events.log"
}

# the credit is what has been received, three times, less what was sent
credit_adds_up()
{
	on cor hmmpctl -j bindings | jq -e '.[0] | .rx_bytes > 0 and
		.tx_bytes > 0 and .credit == 3 * .rx_bytes - .tx_bytes'
}

# --- what is on its link ---

plain="tcp and src host $CA and dst host $A1"
to_a2="src host $CA and dst host $A2"
to_a3="src host $CA and dst host $A3"

wire()
{
	packets wire "$@"
}

# wire_more BEFORE FILTER
wire_more()
{
	[ "$(wire "$2")" -gt "$1" ]
}

# --- what the two say ---

# asks NAME: a question, which may wait for its answer; see answered
asks()
{
	start "ask-$1" "$1" conns -t "$RUN/conns-$1" ask 300
}

answered()
{
	local pid=${DAEMON[ask-$1]}

	wait_for 40 gone "$pid" || return
	unset "DAEMON[ask-$1]"
	wait "$pid"
}

mob_moves()
{
	anchor "$A1" && path_detach a && path_attach b &&
		hm mob at "$A1" "$A1" dev="$DUMMY" &&
		hm mob handoff "$A1" "$A2" &&
		hm mob peer "$CA" owner="$OWNER" current="$A2" accepted
}

# --- provisional ---

unverified()
{
	before=$(wire "$plain")
	listen
	check "provisional" bind "$A2" status=provisional lifetime=600000
	check "cor asks" asks cor
	check "natively, that is all it may" \
		wait_for 20 wire_more "$before" "$plain"
	equal "nothing went to the new address" "$(wire "$to_a2")" 0
	check "it is said that there is no credit" \
		wait_for 10 said '.event == "credit"'
	check "there is none" is credit 0
	check "what comes from there gives some" tell mob ask 40
	check "cor's question is answered, too" answered cor
	check "three times what came" credit_adds_up
	check "it is still provisional" leads provisional "$A2"
}

sequence()
{
	check "a credit is given" bind "$A2" status=provisional credit=50000 \
		lifetime=600000
	check "there it is" more_than credit 40000
	before=$(wire "$plain")
	check "cor asks" tell cor ask 40
	equal "nothing goes natively" "$(wire "$plain")" "$before"
	n=$(field seq)
	before=$(stat_of cor binding_stale)
	refute "a lower number is late" bind "$A2" seq=$((n - 1))
	refute "the same, and not verified" \
		bind "$A2" status=provisional seq="$n"
	refute "the same for another address" \
		bind "$A3" status=verified seq="$n"
	equal "counted" "$(stat_of cor binding_stale)" $((before + 3))
	check "provisional as it was" leads provisional "$A2"
	check "the same verifies" bind "$A2" status=verified seq="$n" \
		lifetime=600000
	check "verified" leads verified "$A2"
	check "once more, unverified" bind "$A2" status=provisional \
		lifetime=1000
	check "changes nothing" leads verified "$A2"
	check "not its life" more_than lifetime_ms 60000
	check "nor its number" is seq "$n"
	check "both ask" tell cor ask 40
	check "both ask" tell mob ask 40
}

# what is beyond the credit goes where the last verified one led
excess()
{
	before=$(wire "$to_a2")
	check "another one, provisional" bind "$A3" status=provisional \
		lifetime=600000
	check "the last verified one is known" is verified "$A2"
	check "cor asks" tell cor ask 40
	check "where that led" wire_more "$before" "$to_a2"
	equal "nothing to the new one" "$(wire "$to_a3")" 0

	listen
	check "a short one" bind "$A3" status=provisional lifetime=1000
	check "is not verified" wait_for 20 leads verified "$A2"
	check "said" wait_for 10 said ".event == \"expired\" and
		.status == \"verified\" and .current == \"$A2\""
	check "cor asks" tell cor ask 40

	check "another one, provisional" bind "$A3" status=provisional \
		lifetime=600000
	check "the last one cannot be reached" \
		ip -n "arb-$ID" route add unreachable "$A2/32"
	before=$(stat_of cor drop_credit)
	check "cor asks" asks cor
	check "dropped" wait_for 40 counted drop_credit "$before"
	equal "nothing to the new one" "$(wire "$to_a3")" 0
	check "it can" ip -n "arb-$ID" route del unreachable "$A2/32"
	check "verified" bind "$A2" status=verified lifetime=600000
	check "answered" answered cor
}

# --- held ---

lapsed()
{
	listen
	check "a short one, verified" bind "$A2" status=verified lifetime=1000
	check "is held" wait_for 20 is status held
	check "said" wait_for 10 said '.event == "expired" and
		.status == "held"'
	native=$(wire "$plain")
	tunnel=$(wire "$to_a2")
	before=$(stat_of cor drop_held)
	check "cor asks" asks cor
	check "dropped" wait_for 20 counted drop_held "$before"
	check "here, too" more_than drops 0
	before=$(field rx_packets)
	check "mob asks" asks mob
	check "what comes is taken" wait_for 20 more_than rx_packets "$before"
	equal "nothing went natively" "$(wire "$plain")" "$native"
	equal "nothing went there" "$(wire "$to_a2")" "$tunnel"

	listen
	check "provisional" bind "$A3" status=provisional lifetime=1000
	check "held again" wait_for 20 is status held
	check "said" wait_for 10 said '.event == "expired" and
		.status == "held"'
	equal "nothing to the new one" "$(wire "$to_a3")" 0
	equal "nothing went natively" "$(wire "$plain")" "$native"

	check "verified" bind "$A2" status=verified lifetime=600000
	check "cor's is answered" answered cor
	check "mob's is answered" answered mob
}

# with nothing before it, it was at home
lapsed_home()
{
	check "not bound" unbind
	listen
	check "a short one" bind "$A2" status=provisional lifetime=1000
	check "is not verified" wait_for 20 is status gone
	check "said" wait_for 10 said '.event == "expired"'
	before=$(wire "$plain")
	check "cor asks" asks cor
	check "natively" wait_for 20 wire_more "$before" "$plain"
	check "verified" bind "$A2" status=verified lifetime=600000
	check "answered" answered cor
}

# --- firewall and IPsec ---

count_at_cor()
{
	on cor nft -f - <<-NFT
		table ip seen {
			counter inner_out { }
			counter outer_out { }
			counter inner_post { }
			counter outer_post { }
			counter inner_in { }
			counter outer_in { }
			chain out {
				type filter hook output priority 0;
				meta l4proto tcp ip daddr $A1 counter name inner_out
				ip protocol 4 ip daddr $A2 counter name outer_out
			}
			chain post {
				type filter hook postrouting priority 0;
				meta l4proto tcp ip daddr $A1 counter name inner_post
				ip protocol 4 ip daddr $A2 counter name outer_post
			}
			chain in {
				type filter hook input priority 0;
				meta l4proto tcp ip saddr $A1 counter name inner_in
				ip protocol 4 ip saddr $A2 counter name outer_in
			}
		}
	NFT
}

seen()
{
	on cor nft list counter ip seen "$1" |
		awk '$1 == "packets" { print $2 }'
}

# esp NAME LOCAL REMOTE SPI-OUT SPI-IN: IP in IP between the two, protected
esp()
{
	local key=0x0102030405060708090a0b0c0d0e0f1011121314

	ip -n "$1-$ID" -batch - <<-BATCH
		xfrm state add src $2 dst $3 proto esp spi $4 mode transport \
			aead rfc4106(gcm(aes)) $key 128
		xfrm state add src $3 dst $2 proto esp spi $5 mode transport \
			aead rfc4106(gcm(aes)) $key 128
		xfrm policy add src $2 dst $3 proto 4 dir out \
			tmpl src $2 dst $3 proto esp mode transport
		xfrm policy add src $3 dst $2 proto 4 dir in \
			tmpl src $3 dst $2 proto esp mode transport
	BATCH
}

no_esp()
{
	local n

	for n in cor mob; do
		ip -n "$n-$ID" xfrm policy flush
		ip -n "$n-$ID" xfrm state flush
	done
}

secured()
{
	check "what passes is counted" count_at_cor
	check "mob asks" tell mob ask 40
	for n in inner_out outer_out inner_post outer_post inner_in outer_in; do
		check "$n was seen" [ "$(seen $n)" -gt 0 ]
	done
	equal "one outer packet for each inner one" "$(seen outer_out)" \
		"$(seen inner_out)"

	check "IPsec is wanted" bind "$A2" secured status=verified \
		lifetime=600000
	before=$(stat_of cor drop_secured)
	n=$(field rx_packets)
	check "mob asks" asks mob
	check "dropped" wait_for 20 counted drop_secured "$before"
	check "none was taken" is rx_packets "$n"
	check "firewalls let IPsec pass" esp_passes
	check "mob has it" esp mob "$A2" "$CA" 1 2
	check "cor has it" esp cor "$CA" "$A2" 2 1
	check "answered" answered mob
	before=$(wire "ip proto 4")
	check "cor asks" tell cor ask 40
	equal "not one in the clear" "$(wire "ip proto 4")" "$before"
	check "but in ESP" wire_more 0 "ip proto 50 and $to_a2"
	check "not wanted any more" unbind
	no_esp
	check "bound" bind "$A2" status=verified lifetime=600000
	check "cor asks" tell cor ask 40
}

# --- the way out ---

# another way out, which leads nowhere
way_out()
{
	ip -n "cor-$ID" -batch - <<-BATCH && capture cor other other
		link add other type dummy
		link set other up
		route add default dev other table 77
		rule add fwmark 7 lookup 77
	BATCH
}

by_other()
{
	[ "$(packets other "$1")" -gt 0 ]
}

routes()
{
	check "another way out" way_out
	before=$(wire "$to_a2")
	check "mark 7" bind "$A2" mark=7
	check "cor asks" asks cor
	check "that way" wait_for 20 by_other "ip proto 4 and $to_a2"
	equal "not this way" "$(wire "$to_a2")" "$before"
	check "no mark" bind "$A2" mark=0
	check "answered" answered cor

	stop tcpdump-other INT
	check "look again" capture cor other other
	before=$(wire "$to_a2")
	check "by that interface" bind "$A2" dev=other
	check "cor asks" asks cor
	check "that way" wait_for 20 by_other "ip proto 4 and $to_a2"
	equal "not this way" "$(wire "$to_a2")" "$before"
	check "by this one" bind "$A2" dev=eth0
	check "answered" answered cor

	before=$(wire "$to_a2")
	check "through arb" bind "$A2" via=10.0.2.1
	check "cor asks" asks cor
	check "there" wait_for 20 wire_more 0 \
		"ip proto 4 and dst host 10.0.2.1 and ip[36:4] = $A1_HEX"
	equal "not to mob itself" "$(wire "$to_a2")" "$before"
	check "end of that" unbind
	check "bound" bind "$A2"
	check "answered" answered cor
}

# the interface is not only a wish with IPv6 either, whose look-up takes it for
# one; mob's address in network b is the original one here
routes6()
{
	local to="ip6 dst host fd00:2::99"

	check "IPv6: web server" start_nginx cor
	check "IPv6: a download begins" download mob "[$CA6]" 10m.bin
	check "IPv6: cor owns it" claim cor
	stop tcpdump-other INT
	check "IPv6: look again" capture cor other other
	check "IPv6: a worse way" ip -n "cor-$ID" -6 route add default \
		dev other metric 4096
	check "IPv6: by that interface" hm cor bind "$A2_6" fd00:2::99 \
		owner="$OWNER" dev=other
	check "IPv6: that way" wait_for 20 by_other "$to"
	check "IPv6: no way" ip -n "cor-$ID" -6 route del default dev other
	before=$(stat_of cor drop_no_route)
	check "IPv6: dropped" wait_for 20 counted drop_no_route "$before"
	equal "IPv6: not this way" "$(wire "$to")" 0
	check "IPv6: end of that" hm cor unbind "$A2_6" owner="$OWNER"
	check "IPv6: the file is whole" downloaded mob 10m.bin
}

A1_HEX=0x0a01000a
path_up
check "holders of a connection" conns_up mob cor
check "mob has one" tell mob open "$CA" "$HTTP" 1
check "it works" tell cor ask 10
check "both ends own it" claim_both
check "somebody listens at cor" start events cor hmmpctl -j monitor
check "and on its link" capture bb x0 wire
check "mob moves" mob_moves
unverified
sequence
excess
lapsed
lapsed_home
secured
routes
routes6
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
