# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What scenarios with agents on both ends share: loading the module, asking
# the agents and the module, looking into captures, connections to look at.
# Sourced after topology.sh.

HTTP=5201	# a port that every firewall of the test bed lets in

# hmmp_up CORRESPONDENT...: the module, an agent on each and on mob
hmmp_up()
{
	local name

	modprobe -a tunnel4 tunnel6 || bail "no tunnel4, tunnel6"
	insmod /t/hmmp.ko || bail "the module cannot be loaded"
	for name; do
		start_agent "$name" correspondent ||
			bail "no agent on $name: $(tail -n 3 \
				"$OUT/hmmpd-$name.log")"
	done
	start_agent mob "${MOBILE_CONF:-mobile}" ||
		bail "no agent on mob: $(tail -n 3 "$OUT/hmmpd-mob.log")"
}

# hmmp_down: agents end by themselves, and the module can go at once
hmmp_down()
{
	local name

	for name in "${!DAEMON[@]}"; do
		[[ $name != hmmpd-* ]] || stop "$name" || return
	done
	rmmod hmmp
}

# ctl NAME WORD...: hmmpctl there
ctl()
{
	on "$1" hmmpctl -s "$RUN/hmmpd-$1/control" "${@:2}"
}

# stat_of NAME COUNTER: the module's
stat_of()
{
	local name value

	while read -r name value; do
		[ "$name" != "$2" ] || echo "$value"
	done < <(on "$1" hmmpctl stats -a)
}

# grew NAME COUNTER BEFORE: it is more than that now
grew()
{
	[ "$(stat_of "$1" "$2")" -gt "$3" ]
}

# flows_of NAME [JQ-CONDITION]: how many connections are tracked there
flows_of()
{
	on "$1" hmmpctl -j flows | jq "[.[] | select(${2:-true})] | length"
}

# owned NAME N: N connections there belong to an association
owned()
{
	[ "$(flows_of "$1" '.owner != null')" = "$2" ]
}

# bound NAME ADDRESS CURRENT: the module there knows where ADDRESS is now
bound()
{
	on "$1" hmmpctl -j bindings | jq -e "any(.[]; .original == \"$2\" and
		.current == \"$3\" and .status == \"verified\")"
}

# --- captures ---

# packets LABEL FILTER...: how many of them are in a capture
packets()
{
	tcpdump -r "$OUT/$1.pcap" -n "${@:2}" 2>/dev/null | wc -l
}

# inner PORT: a filter for encapsulated segments of a connection; the headers
# of this test bed have no options
inner()
{
	echo "(ip proto 4 and (ip[40:2] = $1 or ip[42:2] = $1))"
}

# points_of FILE: the test points in a program's output, renumbered, become ours
points_of()
{
	local line

	while read -r line; do
		case $line in
		"ok "*) ok "${line#*- }" ;;
		"not ok "*) not_ok "${line#*- }" ;;
		"Bail out"*) bail "${line#Bail out! }" ;;
		esac
	done <"$1"
}

# --- connections ---

# conns_up NAME...: a holder of connections there, see conns.c
conns_up()
{
	local name

	for name; do
		start "conns-$name" "$name" conns "$RUN/conns-$name" "$HTTP"
		wait_for 10 listens "$name" "$HTTP" || return
	done
}

# tell NAME WORD...: what the holder of connections there shall do
tell()
{
	conns -t "$RUN/conns-$1" "${@:2}"
}

# --- a transfer over HTTP ---

# download NAME SERVER FILE: begins, slowly; finish it with downloaded
download()
{
	rm -f "$RUN/part-$1" "$RUN/fast-$1"
	start "curl-$1" "$1" bash -c "set -o pipefail
		curl -sS 'http://$2/$3' | trickle 60000 '$RUN/fast-$1' \
			>'$RUN/part-$1'"
	wait_for 20 received_more "$1" 50000
}

# received NAME: bytes that its TCP has got from the web server
received()
{
	on "$1" ss -Htin state connected "dport = :80" | awk '{
		while (match($0, /bytes_received:[0-9]+/)) {
			n += substr($0, RSTART + 15, RLENGTH - 15)
			$0 = substr($0, RSTART + RLENGTH)
		} } END { print n + 0 }'
}

received_more()
{
	[ "$(received "$1")" -gt "$2" ]
}

# goes_on NAME [SECONDS]: more bytes come
goes_on()
{
	wait_for "${2:-20}" received_more "$1" $(($(received "$1") + 20000))
}

# downloaded NAME FILE: now as fast as it goes; it ends by itself, and is what
# it must be
downloaded()
{
	local pid=${DAEMON[curl-$1]} sum

	: >"$RUN/fast-$1"
	wait_for 120 gone "$pid" || return
	unset "DAEMON[curl-$1]"
	wait "$pid" || return
	sum=$(sha256sum <"$RUN/part-$1")
	grep "^${sum%% *}  $2\$" /srv/data/SHA256SUMS
}

# --- an SSH session with somebody at the keyboard ---

declare -A IN=() FROM=() PID=()

# session_open LABEL NAMESPACE ADDRESS
session_open()
{
	local fd

	mkfifo "$RUN/$1.in" "$RUN/$1.out"
	exec {fd}<>"$RUN/$1.in"
	IN[$1]=$fd
	exec {fd}<>"$RUN/$1.out"
	FROM[$1]=$fd
	# shellcheck disable=SC2016 # for the shell at the far end
	"${WITHIN[@]}" "$2-$ID" ssh -F "$RUN/ssh/ssh.conf" "$3" \
		'while read -r l; do echo "$$ heard $l"; done' \
		<"$RUN/$1.in" >"$RUN/$1.out" 2>>"$OUT/ssh-$1.log" &
	DAEMON[ssh-$1]=$!
}

# type_key LABEL TEXT: and Return
type_key()
{
	echo "$2" >&"${IN[$1]}"
}

# answers LABEL TEXT [SECONDS]: the far end heard it, and is the one it was
answers()
{
	local line

	read -r -t $((${3:-20} * ${SLOW:-1})) line <&"${FROM[$1]}" || return
	: "${PID[$1]:=${line%% *}}"
	echo "$line"
	[ "$line" = "${PID[$1]} heard $2" ]
}

# says LABEL TEXT: typed, and answered
says()
{
	type_key "$1" "$2"
	answers "$1" "$2"
}
