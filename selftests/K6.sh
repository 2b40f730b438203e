#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: K6, a previous router tunnels all packets of a host, until it is seen
# timeout: 240
# needs: kmod agent programs
#
# Networks: see path.sh, and host.sh. mob has gone from a to b; ara is its
# previous router, cor knows nothing of it, oth is on the link that mob has
# left. Strict reverse-path filtering everywhere.
#
# shellcheck disable=SC2119 # what may have arguments

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh
. ./host.sh

# --- frames on the link that mob has left ---

# count_claims: at ara, of frames that claim an address there; where the
# firewall sees a frame the module has seen it
count_claims()
{
	local target=0xfd000001000000000000000000000010	# A1_6

	on ara nft -f - <<-NFT
		table arp claims {
			counter n { }
			chain in {
				type filter hook input priority 0;
				arp saddr ip $A1 counter name n
			}
		}
		table ip6 claims {
			counter n { }
			chain in {
				type filter hook prerouting priority 0;
				iifname $SERVED icmpv6 type nd-neighbor-advert \
					@th,64,128 $target counter name n
			}
		}
	NFT
}

claims()
{
	on ara nft list counters | awk '$1 == "packets" { n += $2 }
		END { print n + 0 }'
}

more_claims()
{
	[ "$(claims)" -gt "$1" ]
}

# claim NAME: says once, unasked, that A1 is there, and ara has heard it
claim_link()
{
	local before

	before=$(claims)
	if [ "$family" = 4 ]; then
		on "$1" busybox arping -q -U -c 1 -I wa "$a1"
	else
		on "$1" sysctl -q -w net.ipv6.conf.wa.ndisc_notify=1
		ip -n "$1-$ID" link set wa address "$(mac_of "$1" wa)"
	fi
	wait_for 10 more_claims "$before"
}

# has_a1 NAME: the address is on its link a
has_a1()
{
	ip -n "$1-$ID" link set wa up &&
		ip -n "$1-$ID" addr replace "$a1/$prefix" dev wa \
			${nodad:+nodad}
}

no_a1()
{
	ip -n "$1-$ID" addr del "$a1/$prefix" dev wa
}

# too_early_is_nothing: a claim within 2 s of the Bind changes nothing. Only
# what was quick enough tells something; 10 tries.
too_early_is_nothing()
{
	local i start

	for i in 1 2 3 4 5 6 7 8 9 10; do
		hm ara unbind "$a1" host
		start=$(now_ms)
		host_bind && claim_link mob || return
		[ $(($(now_ms) - start)) -ge 1800 ] || break
	done
	[ "$i" -lt 10 ] && has_status ara "$a1" verified &&
		[ "$(events "ev$family" '.event == "seen"')" = 0 ]
}

claimed_and_suspended()
{
	claim_link "$1"
	has_status ara "$a1" suspended
}

# --- parts ---

through_ara()
{
	local server=$ca

	[ "$family" = 4 ] || server="[$ca]"
	check "$f: a download begins" download mob "$server" 10m.bin
	check "$f: capture" capture bb rb "rb$family"
	check "$f: capture" capture bb x0 "x$family" "$tunnel"
	check "$f: mob leaves" host_leaves
	check "$f: ara has a host route" host_route ara
	check "$f: and is told" host_bind
	check "$f: the download goes on" goes_on mob
	check "$f: the file is whole" downloaded mob 10m.bin
	check "$f: datagrams to A1" listens_at "$a1"
	for who in cor oth; do
		check "$f: an echo for $who" pings $who "$a1"
		check "$f: a datagram for $who" answers $who "$a1"
	done
	check "$f: an echo from mob's A1" pings mob "$ca" -I "$a1"
	check "$f: and on the link it left" pings mob "$o1" -I "$a1"
	stop "tcpdump-rb$family" INT
	stop "tcpdump-x$family" INT
	stop "dgram-$a1"
	check "$f: tunnelled to mob" \
		[ "$(packets "rb$family" "$tunnel and dst host $a2")" -gt 50 ]
	check "$f: tunnelled from mob" \
		[ "$(packets "rb$family" "$tunnel and src host $a2")" -gt 50 ]
	equal "$f: never plain in network b" \
		"$(packets "rb$family" "$plain")" 0
	equal "$f: cor sees no tunnel" "$(packets "x$family")" 0
	check "$f: counted at the binding" \
		[ "$(status_of ara "$a1" tx_packets)" -gt 50 -a \
		  "$(status_of ara "$a1" rx_packets)" -gt 50 ]
}

own_frames()
{
	local before

	check "$f: somebody listens" monitor ara "ev$family"
	check "$f: mob's link a is up" has_a1 mob
	before=$(stat_of ara seen_own)
	check "$f: mob's frame right after the Bind" too_early_is_nothing
	check "$f: a later one suspends" \
		wait_for 20 claimed_and_suspended mob
	check "$f: said" wait_for 10 event_came "ev$family" '.event == "seen"
		and .seen == "own" and .status == "suspended"'
	check "$f: it says so again" claim_link mob
	equal "$f: said once" "$(events "ev$family" '.event == "seen"')" 1
	equal "$f: counted" $(($(stat_of ara seen_own) - before)) 1
	no_a1 mob
	host_returns
	host_unroute ara
	before=$(status_of ara "$a1" tx_packets)
	check "$f: reached where it is" pings cor "$a1"
	equal "$f: not by the tunnel" "$(status_of ara "$a1" tx_packets)" \
		"$before"
	check "$f: end of it" hm ara unbind "$a1" host
}

# foreign_frame HOW COMMAND...: after it the binding has gone
foreign_frame()
{
	local before

	path_detach a
	host_route ara
	before=$(stat_of ara seen_foreign)
	: >"$OUT/ev$family.log"
	check "$f: bound, $1" host_bind
	"${@:2}" >"$RUN/foreign" 2>&1
	check "$f: $1: said" wait_for 10 event_came "ev$family" \
		'.event == "seen" and .seen == "foreign"'
	check "$f: $1: the binding has gone" \
		wait_for 10 has_status ara "$a1" gone
	equal "$f: $1: counted" $(($(stat_of ara seen_foreign) - before)) 1
	refute "$f: $1: the router is deaf" \
		on oth ping -c 1 -W 1 -I "$a1" "$gw"
	host_unroute ara
	check "$f: $1: now oth has it" pings cor "$a1"
	check "$f: $1: and reaches others" pings oth "$ca" -I "$a1"
}

# dad: the usual way to get an address, which somebody else seems to have
dad()
{
	nodad='' has_a1 oth
	wait_for 10 event_came "ev$family" '.event == "seen"'
	no_a1 oth
	has_a1 oth
}

announced()
{
	has_a1 oth
	claim_link oth
}

foreign_frames()
{
	foreign_frame "announced" announced
	foreign_frame "a packet" on oth ping -c 1 -W 1 -I "$a1" "$gw"
	no_a1 oth
	[ "$family" = 4 ] || foreign_frame "a probe" dad
	[ "$family" = 4 ] && foreign_frame "a probe" probe
	no_a1 oth
}

# probe: RFC 5227, then it takes the address
probe()
{
	on oth busybox arping -q -D -c 1 -I wa "$a1"
	wait_for 10 event_came "ev$family" '.event == "seen"'
	has_a1 oth
}

expiry()
{
	local before

	before=$(stat_of ara binding_expired)
	: >"$OUT/ev$family.log"
	check "$f: bound for a second" host_bind lifetime=1000
	check "$f: gone by itself" wait_for 20 has_status ara "$a1" gone
	check "$f: said" wait_for 10 event_came "ev$family" \
		'.event == "expired" and .scope == "host"'
	equal "$f: counted" $(($(stat_of ara binding_expired) - before)) 1
}

path_up
check "web server" start_nginx cor
check "dummies, and a third host" host_up
check "claims are counted" count_claims
for n in 4 6; do
	host_family "$n"
	f=IPv$n
	prefix=$((bits == 32 ? 24 : 64))
	nodad=1
	through_ara
	own_frames
	foreign_frames
	expiry
	stop "ev$family"
	path_attach a
done
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
