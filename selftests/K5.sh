#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: K5, where current and original address are the same nothing is carried
# timeout: 200
# needs: kmod agent programs
#
# Networks: see path.sh. A download of each family; mob has been in b and is home
# again. Then it is said that mob, cor, or both of them are where they always
# were, at one end or at both, and nothing may be in a tunnel; and as a control
# that one of them is not.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

# family 4|6
family()
{
	f=IPv$1
	if [ "$1" = 4 ]; then
		a1=$A1 a2=$A2 ca=$CA server=$CA
	else
		a1=$A1_6 a2=$A2_6 ca=$CA6 server="[$CA6]"
	fi
}

# carried: what both ends have put into tunnels or taken out of them
carried()
{
	local name

	for name in mob cor; do
		hm "$name" -j stats -a
	done | jq -s 'map(.tx_encap + .rx_decap) | add'
}

carried_more()
{
	[ "$(carried)" -gt "$1" ]
}

# tunnels: on cor's link, of any kind
tunnels()
{
	packets "link$f" "ip proto 4 or ip6 proto 41 or ip proto 41 or
		ip6 proto 4 or ip proto 55"
}

# native LABEL COMMAND: after it the download goes on, and nothing is carried
native()
{
	local before wire

	check "$f: $1" eval "$2"
	before=$(carried)
	wire=$(tunnels)
	check "$f: $1: the download goes on" goes_on mob
	equal "$f: $1: nothing was put into a tunnel" "$(carried)" "$before"
	equal "$f: $1: nothing was in one" "$(tunnels)" "$wire"
}

away()
{
	anchor "$a1" && path_detach a && path_attach b &&
		hand_over "$a1" "$a2" "$ca"
}

# home: mob is in network a, and nobody has been told
home()
{
	ip -n "mob-$ID" link del "$DUMMY"
	ip -n "mob-$ID" -4 rule del pref 7000
	ip -n "mob-$ID" -6 rule del pref 7000
	path_detach b
	path_attach a
}

# what each end may be told
mob_at_home='hm mob handoff "$a2" "$a1"'
mob_is_home='hm mob at "$a1" "$a1" dev=lo'
cor_is_home='hm cor at "$ca" "$ca" dev=lo'
cor_mob_home='hm cor bind "$a1" "$a1" owner="$OWNER" lifetime=600000'
mob_cor_home='hm mob bind "$ca" "$ca" owner="$OWNER" lifetime=600000'
mob_forgets='hm mob forget "$a1"'
cor_forgets='hm cor forget "$ca"'
cor_forgets_mob='hm cor unbind "$a1" owner="$OWNER"'
mob_forgets_cor='hm mob unbind "$ca" owner="$OWNER"'

moves()
{
	local before

	check "$f: a download" download mob "$server" 10m.bin
	check "$f: both ends own it" claim_both
	check "$f: capture" capture cor eth0 "link$f"
	before=$(carried)
	check "$f: mob moves to b" away
	check "$f: it goes on" goes_on mob
	check "$f: in a tunnel" carried_more "$before"
	check "$f: that is seen" [ "$(tunnels)" -gt 0 ]
	home
	check "$f: mob is home, and says so to cor" \
		eval "$mob_at_home && $cor_mob_home"
	check "$f: it goes on" goes_on mob
	check "$f: what was under way has come" wait_for 10 quiet
}

# quiet: nothing more has been carried for the time of a look
quiet()
{
	local n

	n=$(carried)
	goes_on mob && [ "$(carried)" = "$n" ]
}

sides()
{
	native "mob and cor know that mob is home" true
	native "only mob knows" "$cor_forgets_mob"
	native "only cor knows" "$cor_mob_home && $mob_forgets"
	native "mob knows that cor is home, too" "$mob_cor_home"
	native "all is known of both, at both" \
		"$mob_is_home && $cor_is_home"
	check "$f: nobody knows" eval "$cor_forgets_mob && $mob_forgets &&
		$mob_forgets_cor && $cor_forgets"
}

path_up
check "web server" start_nginx cor
for n in 4 6; do
	family $n
	moves
	sides
	check "$f: the file is whole" downloaded mob 10m.bin
	stop "tcpdump-link$f" INT
done
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
