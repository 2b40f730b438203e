#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: a cgroup's addresses are those of its connections, not of tunnels
# timeout: 240
# needs: kmod agent programs
#
# Networks: see path.sh. The connection at cor belongs to a cgroup to which an
# address is forbidden, as by IPAddressDeny of systemd: mob's original one stops
# it, also when it is carried, each way; the current one does not.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh
. ./talk.sh

CGROUP=$(mktemp -d)	# not below $RUN, which is removed

# inside COMMAND...: its processes belong to the cgroup
inside()
{
	echo $$ >"$CGROUP/cor/cgroup.procs" && "$@" &&
		echo $$ >"$CGROUP/cgroup.procs"
}

cgroup_up()
{
	mkdir -p "$CGROUP" && mount -t cgroup2 none "$CGROUP" &&
		mkdir "$CGROUP/cor"
}

# deny out|in ADDRESS
deny()
{
	: >"$OUT/cgdeny.log"
	start cgdeny cor cgdeny "$CGROUP/cor" "$@"
	wait_for 10 grep -q ready "$OUT/cgdeny.log"
}

# answered_late TEXT: now it may
answered_late()
{
	stop cgdeny && wait_for 60 heard "$encap" "$1"
}

carried()
{
	check "$encap: a connection" talk_open "$encap" mob \
		"$(server_of "$encap" | tr -d '[]')" "$HTTP"
	check "$encap: both ends own it" claim_both
	check "$encap: mob moves" flow_move "$encap"
	check "$encap: it goes on" talks "$encap" "moved"

	check "$encap: cor must not send to where mob is" deny out "$a2"
	check "$encap: that is nothing to it" talks "$encap" "outer"
	stop cgdeny
	check "$encap: nor get anything from there" deny in "$a2"
	check "$encap: nor is this" talks "$encap" "outer, in"
	stop cgdeny

	check "$encap: cor must not send to mob" deny out "$a1"
	before=$(stat_of cor drop_cgroup)
	sent=$(stat_of cor tx_encap)
	types "$encap" "out"
	check "$encap: its packets are dropped, and counted" \
		wait_for 20 grew cor drop_cgroup "$before"
	equal "$encap: none is sent" "$(stat_of cor tx_encap)" "$sent"
	refute "$encap: nothing came back" heard "$encap" "out"
	check "$encap: allowed, it goes on" answered_late "out"

	check "$encap: cor must not get anything from mob" deny in "$a1"
	before=$(stat_of cor rx_decap)
	types "$encap" "in"
	check "$encap: it comes out of the tunnel" \
		wait_for 20 grew cor rx_decap "$before"
	refute "$encap: and no further" heard "$encap" "in"
	check "$encap: allowed, it goes on" answered_late "in"
	talk_close "$encap"
	flow_home >"$OUT/home-$encap" 2>&1
}

# a_ping: by cor, into a binding of a host
a_ping()
{
	inside on cor ping -c 1 -W 5 "$a1"
}

# not_permitted: who sends is told so
not_permitted()
{
	inside on cor bash -c "echo x >/dev/udp/$a1/5060" 2>"$RUN/refused"
	echo $$ >"$CGROUP/cgroup.procs"
	cat "$RUN/refused"
	grep -q 'Operation not permitted' "$RUN/refused"
}

for_a_host()
{
	tunnel_of ipip
	tunnel_hosts
	check "host: bound" tunnel_up ipip
	check "host: cor pings" a_ping
	check "host: cor must not send to where mob is" deny out "$a2"
	check "host: cor pings" a_ping
	stop cgdeny
	check "host: cor must not send to mob" deny out "$a1"
	before=$(stat_of cor drop_cgroup)
	check "host: it is told so" not_permitted
	equal "host: counted" "$(stat_of cor drop_cgroup)" $((before + 1))
	stop cgdeny
	check "host: cor pings" a_ping
}

path_up
check "a cgroup" cgroup_up
check "cor answers, in it" inside talk_serve cor "$HTTP"
for encap in ipip ip6ip6 minenc; do
	carried
done
for_a_host
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
umount -l "$CGROUP"
finish
