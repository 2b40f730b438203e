#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: an IPv6 address without a network serves its connections, no new ones
# timeout: 200
# needs: kmod agent programs
#
# Networks: see path.sh. mob's IPv6 address of network a is on a dummy device:
# deprecated, without duplicate detection, with a rule for it and a default route
# with an MTU. Once the old network goes before the new one is there, once after
# that; both times a download goes on, and nothing else ever uses the address.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

# route ADDRESS [WORD...]: how mob would send there
route()
{
	on mob ip -6 -o route get "$@"
}

# source_for ADDRESS: which of its addresses mob would use
source_for()
{
	route "$1" | sed -n 's/.* src \([^ ]*\).*/\1/p'
}

# flags: of the address on the dummy, sorted
flags()
{
	ip -n "mob-$ID" -j -6 addr show dev "$DUMMY" scope global |
		jq -r '[.[].addr_info[] | select(.local == "'"$A1_6"'")][0] |
			[if .deprecated then "deprecated" else empty end,
			 if .nodad then "nodad" else empty end,
			 if .tentative or .dadfailed then "dad" else empty end,
			 "/\(.prefixlen)"] | join(" ")'
}

# elsewhere LABEL: what is not of the old connection leaves from the new address
elsewhere()
{
	local to

	for to in "$CA6" fd00:2::1 fd00:1::20 fd00:1::1; do
		equal "$1: source for $to" "$(source_for "$to")" "$A2_6"
	done
	check "$1: a new connection" on mob curl -sS -o /dev/null \
		"http://[$CA6]/1m.bin"
	equal "$1: has the new address, too" "$(tail -n 1 \
		"$RUN/nginx-cor/access.log" | cut -d' ' -f1)" "$A2_6"
	check "$1: the old address leaves by the dummy, with its MTU" eval \
		'route "$CA6" from "$A1_6" | grep "dev $DUMMY .*mtu 1460"'
}

# on_dummy: as soon as there is a connection, before anything moves
on_dummy()
{
	ip -n "mob-$ID" -batch - <<-BATCH
		link add $DUMMY type dummy
		link set $DUMMY up
		addr add $A1_6/128 dev $DUMMY nodad preferred_lft 0
	BATCH
}

# begin LABEL
begin()
{
	check "$1: a download" download mob "[$CA6]" 10m.bin
	check "$1: both ends own it" claim_both
	check "$1: the dummy has its address, too" on_dummy
	equal "$1: as it must" "$(flags)" "deprecated nodad /128"
	check "$1: it goes on" goes_on mob
}

end()
{
	check "$1: the file is whole" downloaded mob 10m.bin
	tunnel_of ip6ip6
	flow_home >"$OUT/home" 2>&1
}

path_up
check "web server" start_nginx cor

f="break before make"
begin "$f"
equal "$f: at home that is what is used" "$(source_for "$CA6")" "$A1_6"
check "$f: network a goes" path_detach a
equal "$f: the address stays" "$(flags)" "deprecated nodad /128"
refute "$f: with no network nothing else can leave" route "$CA6"
check "$f: network b comes" path_attach b
check "$f: a rule for the old address" anchor "$A1_6"
elsewhere "$f"
check "$f: both ends know" hand_over "$A1_6" "$A2_6" "$CA6"
check "$f: the download goes on" goes_on mob 40
end "$f"

f="make before break"
begin "$f"
check "$f: network b comes" path_attach b
check "$f: a rule for the old address" anchor "$A1_6"
check "$f: both ends know" hand_over "$A1_6" "$A2_6" "$CA6"
check "$f: the download goes on" goes_on mob 40
check "$f: network a goes" path_detach a
check "$f: the download goes on" goes_on mob 40
elsewhere "$f"
end "$f"
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
