#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: downloads are whole in every encapsulation, whatever devices can do
# timeout: 400
# needs: kmod agent programs
#
# Networks: see path.sh; a tunnel between cor and mob in each encapsulation.
# Offloads of all devices on the way are turned off, each alone, then all of
# them; each time mob fetches a file through each tunnel. FILE=100m.bin (or
# HMMP_FILE) takes a larger one.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

FILE=${HMMP_FILE:-1m.bin}

# features WORD...: of every device on the way
features()
{
	local where

	for where in mob:wb arb:pm arb:ub bb:rb bb:x0 cor:eth0; do
		on "${where%:*}" ethtool -K "${where#*:}" "$@" || return
	done
}

# fetch: mob gets the file from its former address
fetch()
{
	local server=$CA

	[[ $a1 != *:* ]] || server="[$CA6]"
	on mob curl -sS -m 60 --interface "$a1" -o "$RUN/got" \
		"http://$server/$FILE" &&
		sha256sum "$RUN/got" | sed "s|$RUN/got|$FILE|" |
		grep -qxFf - /srv/data/SHA256SUMS
}

# whole ENCAP: and through the tunnel, both ways
whole()
{
	local before after

	tunnel_of "$1"
	tunnel_up "$1" || return
	before=$(stat_of cor tx_encap)
	fetch || return
	after=$(stat_of cor tx_encap)
	tunnel_down
	[ "$after" -gt "$before" ]
}

path_up
check "web server" start_nginx cor
tunnel_hosts
for feature in none rx tx sg tso gso gro all; do
	case $feature in
	none) : ;;
	all) features rx off tx off sg off tso off gso off gro off ;;
	*) features "$feature" off ;;
	esac >"$OUT/features-$feature" 2>&1
	check "without $feature: devices obey" [ $? = 0 ]
	for encap in ipip ip6ip6 4in6 6in4 minenc; do
		check "without $feature: $encap" whole "$encap"
	done
	features rx on tx on sg on tso on gso on gro on \
		>>"$OUT/features-$feature" 2>&1
done
equal "cor dropped nothing" "$(on cor hmmpctl -j stats -a |
	jq '[to_entries[] | select(.key | startswith("drop_")) |
	select(.key != "drop_too_big") | .value] | add')" 0
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
