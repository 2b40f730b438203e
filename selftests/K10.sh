#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: K10, when a path is whole again TCP sends at once, not at its time-out
# timeout: 300
# needs: kmod agent programs
#
# Networks: see path.sh, with a round trip of RTT ms. A stream of 4 Mbit/s runs,
# up (mob writes) or down; src/wakes.c takes its path away and gives it another
# one, and tells what is measured.
#
# HMMP_GRID=1: outages of 0.3 to 10 s at round trips of 5, 20 and 100 ms; that
# takes some minutes. The table is left in wakes.json.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

TRIES=3		# the machine itself may stand still for longer than a time-out
ROWS=()		# the table, a JSON object each

rtt()
{
	RTT=$1
	delay ara ub && delay arb ub && delay bb ra rb
}

# both_links: mob is in both networks, and answers from where it is asked
both_links()
{
	path_attach b 4 && ip -n "mob-$ID" -batch - <<-BATCH
		route replace default via 10.1.0.1
		rule add from $A2 lookup 100
		route add default via 10.2.0.1 table 100
	BATCH
}

# wakes DIRECTION WHAT...: into RUN/result
wakes()
{
	on mob wakes "$ID" "$@" >"$RUN/result" && cat "$RUN/result"
}

# in_time: nothing else but being woken makes TCP send before half its time-out
in_time()
{
	jq -e '.error == 0 and (.wrong | not) and .stall_ms >= 0 and
		.sent_ms >= 0 and .sent_ms < .rto_ms / 2' "$RUN/result"
}

# prompt DIRECTION MS: one of TRIES
prompt()
{
	local i ret=1

	for ((i = 0; i < TRIES && ret; i++)); do
		wakes "$1" outage "$2" && in_time && ret=0
	done
	[ -s "$RUN/result" ] || return
	ROWS+=("$(jq -c --arg direction "$1" --argjson rtt "$RTT" \
		--argjson wanted "$2" --argjson tries "$i" '{ $direction,
		rtt_ms: $rtt, wanted_ms: $wanted, tries: $tries } + . +
		{ over_rtt_ms: ((.stall_ms - $rtt) * 10 | round / 10) }' \
		"$RUN/result")")
	return "$ret"
}

cell()
{
	check "$1, RTT $RTT ms, $2 ms without a path: at once" prompt "$1" "$2"
}

table()
{
	note "$(printf '%s\n' "${ROWS[@]}" | jq -r '"\(.direction), RTT " +
		"\(.rtt_ms) ms, outage \(.outage_ms) ms: timer \(.rto_ms) ms, " +
		"\(.left_ms) left; data left after \(.sent_ms) ms, the first " +
		"byte came after \(.stall_ms), RTT + \(.over_rtt_ms)" +
		(if .tries > 1 then ", try \(.tries)" else "" end)')"
	printf '%s\n' "${ROWS[@]}" | jq -s '{ kernel: $kernel, cases: . }' \
		--arg kernel "$(uname -r)" >"$OUT/wakes.json"
}

grid()
{
	local r ms way

	for r in 5 20 100; do
		rtt "$r"
		for ms in 300 1000 5000 10000; do
			for way in down up; do
				cell "$way" "$ms"
			done
		done
	done
}

subset()
{
	local ms way

	for ms in 300 1000 5000; do
		for way in down up; do
			cell "$way" "$ms"
		done
	done
	cell down 10000
}

# --- what a socket's user has set keeps its meaning ---

# that_result JQ-CONDITION
that_result()
{
	jq -e "$1" "$RUN/result"
}

# woken BEFORE: cor's socket was, for nearly every way; of two that come very
# soon after each other one may be left out
woken()
{
	[ $((2 * ($(stat_of cor woken) - $1))) -ge \
		"$(jq .ways "$RUN/result")" ]
}

# ends LABEL MS LEAST MOST: a connection with that TCP_USER_TIMEOUT (0: none)
# ends, between these two times after the last acknowledgment
ends()
{
	local before

	before=$(stat_of cor woken)
	check "$1: a connection ends" wakes down deadline "$2"
	note "$1: $(cat "$RUN/result")"
	check "$1: it was woken again and again" woken "$before"
	check "$1: it ended when it had to" that_result \
		".error == \"ETIMEDOUT\" and .ways >= 10 and
		.after_ms >= $3 and .after_ms <= $4"
}

# The window is closed, and nobody answers probes: more wake-ups than TCP may
# send probes.
not_counted()
{
	local before

	before=$(stat_of cor woken)
	on cor sysctl -q -w net.ipv4.tcp_retries2=8
	check "closed window: a connection" wakes down closed
	check "closed window: it was woken again and again" woken "$before"
	check "closed window: it goes on" \
		that_result '.error == "none" and .more'
	on cor sysctl -q -w net.ipv4.tcp_retries2=15
}

path_up
check "mob has two links" both_links
rtt 20
if [ -n "${HMMP_GRID:-}" ]; then
	grid
else
	subset
	ends "TCP_USER_TIMEOUT of 3 s" 3000 2900 4500
	on cor sysctl -q -w net.ipv4.tcp_retries2=4
	# 0.2 + 0.4 + ... + 3.2 s
	ends "tcp_retries2 of 4" 0 6100 9000
	not_counted
fi
table
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
