#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: K8, a bound download goes on when its path gets narrower
# timeout: 400
# needs: kmod agent programs
#
# Networks: see path.sh. A download of mob's has moved from a to b; then the
# link between the backbone and arb carries 1300 bytes only. First the
# backbone's ICMP reaches cor, which relays it to the inner sender; then it is
# swallowed by cor's firewall, and TCP has to find out by itself
# (tcp_mtu_probing, as Documentation/mtu.rst says).

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

# width MTU: of the link to arb
width()
{
	ip -n "bb-$ID" link set rb mtu "$1" &&
		ip -n "arb-$ID" link set ub mtu "$1"
}

# swallow: cor hears of no MTU any more
swallow()
{
	on cor nft -f - <<-RULES
		table inet swallow {
			chain input {
				type filter hook input priority -300;
				icmp type destination-unreachable icmp code 4 drop
				icmpv6 type packet-too-big drop
			}
		}
	RULES
}

# begin ENCAP: a download of mob's that has moved to b
begin()
{
	download mob "$(server_of "$1")" 10m.bin && claim_both && flow_move "$1"
}

# end: and what routes have learnt is forgotten
end()
{
	flow_home
	width 1500
	forget_routes
}

# goes_through LABEL ENCAP
goes_through()
{
	check "$2, $1: a download moves" begin "$2"
	check "$2, $1: more comes" goes_on mob
	check "$2, $1: its path gets narrower" width 1300
	check "$2, $1: more comes again" goes_on mob 40
	check "$2, $1: the file is whole" downloaded mob 10m.bin
	end >"$OUT/end-$2" 2>&1
}

path_up
check "web server" start_nginx cor
for encap in ipip ip6ip6 4in6 6in4 minenc; do
	relayed=$(stat_of cor icmp_relayed)
	goes_through "told" "$encap"
	[ "$encap" = minenc ] ||
		check "$encap: cor has relayed an ICMP error" \
			[ "$(stat_of cor icmp_relayed)" -gt "$relayed" ]
done
check "cor's firewall swallows ICMP" swallow
on cor sysctl -q -w net.ipv4.tcp_mtu_probing=1
for encap in ipip ip6ip6; do
	goes_through "not told" "$encap"
done
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
