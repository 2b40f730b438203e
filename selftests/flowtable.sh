#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: routers with flow tables, and bridges that call the firewall
# timeout: 240
# needs: kmod agent programs
#
# Networks: see path.sh, and host.sh. bb sends packets of known connections
# past its firewall: plain before the move, not the tunnel, and plain again at
# home. Then ara does, which becomes mob's previous router. Its bridge shows all
# frames to the firewall, also those that it does not route.
#
# shellcheck disable=SC2119 # what may have arguments

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh
. ./host.sh
. ./talk.sh

# flowtable NAME DEVICES [MATCH...]: connections like that go past its firewall
flowtable()
{
	on "$1" nft -f - <<-NFT
		table inet past {
			flowtable f {
				hook ingress priority 0; devices = { $2 }
			}
			counter slow { }
			chain through {
				type filter hook forward priority 10;
				meta l4proto tcp counter name slow
				meta l4proto tcp ${*:3} flow add @f
			}
		}
	NFT
}

slow()
{
	on "$1" nft list counter inet past slow |
		awk '$1 == "packets" { print $2 }'
}

# goes_past NAME LABEL: a line comes back, and the firewall has not seen it
goes_past()
{
	local before

	before=$(slow "$1")
	[ -n "$before" ] && talks "$2" "past $1 at $before" &&
		[ "$(slow "$1")" = "$before" ]
}

# --- a router in between ---

between()
{
	check "$1: a connection" talk_open "$1" mob \
		"$(server_of "$1" | tr -d '[]')" "$HTTP"
	check "$1: it goes past bb's firewall" \
		wait_for 20 goes_past bb "$1"
	check "$1: both ends own it" claim_both
	check "$1: mob moves" flow_move "$1"
	check "$1: a line" talks "$1" "moved"
	check "$1: long ones" talks_long "$1"
	check "$1: home again" eval 'flow_home >"$OUT/home" 2>&1;
		hm cor bindings'
	check "$1: a line" talks "$1" "home"
	check "$1: a long one" talks_long "$1"
	talk_close "$1"
	check "$1: it ends" wait_for 20 ended cor
}

# --- the previous router ---

previous()
{
	check "$f: a connection" talk_open "$f" mob "$ca" "$HTTP"
	check "$f: it goes past ara's firewall" \
		wait_for 20 goes_past ara "$f"
	check "$f: mob leaves" host_leaves
	check "$f: ara has a host route" host_route ara
	check "$f: and is told" host_bind lifetime=600000
	check "$f: a line" talks "$f" "moved"
	check "$f: long ones" talks_long "$f"
	check "$f: a line still" talks "$f" "still"
	check "$f: by the tunnel" [ "$(status_of ara "$a1" tx_packets)" -gt 5 ]
	host_returns
	host_unroute ara
	check "$f: home again" hm ara unbind "$a1" host
	check "$f: a line" talks "$f" "home"
	talk_close "$f"
}

# without the exception, what is for the dummy goes past the module
no_exception()
{
	check "ara has one for all" flowtable ara "br0, ub"
	check "$f, all: a connection" talk_open all mob "$ca" "$HTTP"
	check "$f, all: mob leaves" host_leaves
	check "$f, all: ara has a host route" host_route ara
	check "$f, all: and is told" host_bind lifetime=600000
	check "$f, all: sooner or later the dummy gets packets" \
		wait_for 30 dummy_gets
	types all "lost"
	refute "$f, all: it stands still" wait_for 1 heard all "lost"
	on ara nft delete table inet past
	check "ara has one, but for the dummy" flowtable ara "br0, ub" \
		iifname != "$DUMMY" oifname != "$DUMMY"
	check "$f, all: now it goes on" wait_for 60 heard all "lost"
	host_returns
	host_unroute ara
	check "$f, all: home again" hm ara unbind "$a1" host
	talk_close all
}

dummy_gets()
{
	types all "more"
	[ "$(ip -n "ara-$ID" -j -s link show "$DUMMY" |
		jq '.[].stats64.tx.packets')" -gt 0 ]
}

# --- a bridge that shows frames to the firewall ---

show_frames()
{
	modprobe br_netfilter && on ara sysctl -q -w \
		net.bridge.bridge-nf-call-iptables=1 \
		net.bridge.bridge-nf-call-ip6tables=1 &&
		on ara nft insert rule inet filter forward icmpv6 type \
			'{ nd-neighbor-solicit, nd-neighbor-advert }' accept
}

# count_bridged: in the hook that routed packets pass, of what is for A1
count_bridged()
{
	on ara nft -f - <<-NFT
		table inet bridged {
			counter n { }
			chain post {
				type filter hook postrouting priority 0;
				${plain%% *} saddr $o1 ${plain%% *} daddr $a1 \
					counter name n
			}
		}
	NFT
}

bridged()
{
	local before

	check "$f: frames to A1 are counted" count_bridged
	check "$f: ara has a binding, mob is at home" \
		hm ara bind "$a1" "$a2" host local-outer="$ar" dev="$DUMMY"
	before=$(stat_of ara tx_encap)
	check "$f: oth reaches mob over the bridge" pings oth "$a1"
	check "$f: ara's firewall has seen that" [ "$(on ara nft list counter \
		inet bridged n | awk '$1 == "packets" { print $2 }')" -gt 0 ]
	equal "$f: it went into no tunnel" "$(stat_of ara tx_encap)" "$before"
	check "$f: ara watches the bridge" host_bind granted lifetime=600000
	check "$f: oth reaches mob" pings oth "$a1"
	check "$f: ara has seen mob" \
		wait_for 10 has_status ara "$a1" suspended
	equal "$f: nobody else" "$(stat_of ara seen_foreign)" 0
	check "$f: end of it" hm ara unbind "$a1" host
	on ara nft delete table inet bridged
}

path_up
check "dummies, and a third host" host_up
check "cor answers" talk_serve cor "$HTTP"
check "bb has a flow table" flowtable bb "ra, rb, x0"
for encap in ipip ip6ip6 minenc; do
	between "$encap"
done
on bb nft delete table inet past
host_family 4
f=IPv4
no_exception
for n in 4 6; do
	host_family "$n"
	f=IPv$n
	previous
done
check "ara's bridge shows frames to the firewall" show_frames
for n in 4 6; do
	host_family "$n"
	f="IPv$n, bridge"
	bridged
	previous
done
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
