#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: K1, a bound flow is sent in every encapsulation, and whole
# timeout: 300
# needs: kmod agent programs
#
# Networks: see path.sh. For each pair of families and minimal encapsulation, a
# download from cor goes on after mob has moved from a to b: SHA-256 equal, and
# the capture on the backbone has the right outer protocol, both ways, and not
# one plain segment. HMMP_FILE=100m.bin takes a larger file.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

# what tcpdump calls them
filter_of()
{
	case $1 in
	ipip) echo "ip proto 4" ;;
	ip6ip6) echo "ip6 proto 41" ;;
	4in6) echo "ip6 proto 4" ;;
	6in4) echo "ip proto 41" ;;
	minenc) echo "ip proto 55" ;;
	esac
}

FILE=${HMMP_FILE:-10m.bin}
path_up
check "web server" start_nginx cor
for encap in ipip ip6ip6 4in6 6in4 minenc; do
	check "$encap: a download begins" download mob "$(server_of "$encap")" \
		"$FILE"
	check "$encap: both ends own it" claim_both
	check "$encap: capture" capture bb x0 "$encap" \
		"$(filter_of "$encap") or tcp port 80"
	check "$encap: mob moves" flow_move "$encap"
	[ "$failures" = 0 ] || bail "no sense in going on"
	check "$encap: more comes" goes_on mob
	check "$encap: the file is whole" downloaded mob "$FILE"
	stop "tcpdump-$encap" INT
	there=$(packets "$encap" "$(filter_of "$encap") and src host $ca")
	back=$(packets "$encap" "$(filter_of "$encap") and dst host $ca")
	note "$encap: $there packets to mob, $back from it"
	check "$encap: both ways" [ "$there" -gt 50 -a "$back" -gt 20 ]
	flow_home >"$OUT/home-$encap" 2>&1
done
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
