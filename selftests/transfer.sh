# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A large file over HTTP that three moves interrupt: what download.sh and
# upload.sh share. Sourced after hmmp.sh.
#
# mob's addresses come from dhcpcd, and nobody tells the agent anything. Times
# are taken by programs that do nothing else: netwatch sees when the new
# address is usable, arrivals when bytes reach the receiver of the file. All of
# them are milliseconds of CLOCK_MONOTONIC, relative to the transfer's start
# where people read them.

FILE=100m.bin
SIZE=104857600
SPEED=80mbit	# of the sender, or three moves would not fall into it
SEED=${HMMP_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$((SEED % 32768))
HOW=(unreachable silent unreachable)	# what old networks answer
TO=(b c b)	# home again is the matter of home.sh
T0=		# the transfer's start
MOVES=()	# one JSON object a move
IDEAL=null	# the stalls of as many ideal switches, a JSON array

# say_at MS SENTENCE, say SENTENCE: what happens, for people
say_at()
{
	local ms=${1%.*}

	shift
	ms=$((ms - T0))
	printf '# %3d.%d s  %s\n' $((ms / 1000)) $((ms % 1000 / 100)) "$*"
}

say()
{
	say_at "$(now_ms)" "$@"
}

# pace NAME DEVICE...: its connections send no faster than SPEED. The queue is
# the sender's own, so the round trip stays what it is.
pace()
{
	local name=$1 dev

	shift
	for dev; do
		echo "qdisc replace dev $dev root fq maxrate $SPEED"
	done | tc -n "$name-$ID" -batch -
}

# transfer_up SENDER DEVICE...: module, agents, watchers, a capture of every
# segment that opens or resets a connection
transfer_up()
{
	local flags='tcp[tcpflags] & (tcp-syn|tcp-rst) != 0'

	check "nginx serves" start_nginx ca
	check "module and agents" hmmp_up ca
	check "the sender is paced" pace "$@"
	capture ca eth0 flags "tcp port 80 and $flags or
		(ip proto 4 and ip[29] = 6 and ip[53] & 6 != 0)"
	start netwatch mob stdbuf -oL netwatch "$CA"
	check "mob has a way to the server" wait_for 10 usable_lines 1
	log_lines=$(wc -l <"$RUN/nginx-ca/access.log")
}

# transfer_start COMMAND: a pipeline, in mob
transfer_start()
{
	T0=$(now_ms)
	start transfer mob bash -o pipefail -c "$1"
	check "the transfer begins" wait_for 20 arrived $((SIZE / 100))
	PORT=$(connections)
	say "the transfer runs: ${PORT% *} -> ${PORT#* }"
}

# connections: local and remote end of every connection of mob to the server
connections()
{
	on mob ss -Htn "dport = :80" | awk '{ print $4, $5 }'
}

# received_bytes: what the receiver has by now
received_bytes()
{
	tail -n 1 "$OUT/arrivals.log" | cut -d' ' -f2
}

arrived()
{
	[ "$(received_bytes)" -ge "$1" ]
}

usable_lines()
{
	[ "$(grep -c usable "$OUT/netwatch.log")" -ge "$1" ]
}

# first_after MS: the first bytes that came later; false if none has
first_after()
{
	awk -v after="$1" '$1 > after { print $1; found = 1; exit }
		END { exit !found }' "$OUT/arrivals.log"
}

# stall USABLE FIRST: in ms, to one tenth
stall()
{
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", b - a }'
}

# cable_pulled NETWORK silent|unreachable: at once, and then the router learns
# how to answer for the address
cable_pulled()
{
	local addr kind=blackhole

	addr=$(current_addr "$1")
	[ "$2" = silent ] || kind=unreachable
	moved=$(now_ms)
	link_down "$1"
	ip -n "ar$1-$ID" route replace "$kind" "$addr/32" metric 9000
}

# transfer_move NETWORK silent|unreachable: the cable changes, all the rest
# happens by itself
transfer_move()
{
	local old=$HERE n=$((${#MOVES[@]} + 2)) moved usable addr dev first
	local answer="answers unreachable for the old address"

	[ "$2" = unreachable ] || answer="is silent about the old address"
	forget_lost "$1"
	cable_pulled "$old" "$2"
	say_at "$moved" "mob's cable to network $old is pulled," \
		"its router $answer"
	say "mob is plugged into network $1"
	link_up "$1"
	HERE=$1
	check "move to $1: a new address" wait_for 20 usable_lines "$n"
	read -r usable _ addr dev < <(grep usable "$OUT/netwatch.log" |
		sed -n "${n}p")
	say_at "$usable" "dhcpcd got $addr on $dev, the address is usable"
	check "move to $1: the transfer goes on" wait_for 20 \
		first_after "$usable"
	first=$(first_after "$usable") || first=$usable
	say_at "$first" "bytes arrive again:" \
		"$(stall "$usable" "$first") ms after the address was usable"
	check "move to $1: it does not stop again" wait_for 20 arrived \
		$(($(received_bytes) + SIZE / 100))
	equal "move to $1: still the same connection" "$(connections)" "$PORT"
	move_note "$2"
}

# move_note OLD: variables of transfer_move -> MOVES, ms since the start
move_note()
{
	MOVES+=("$(jq -nc --arg from "$old" --arg to "$HERE" \
		--arg address "$addr" --argjson moved "$((moved - T0))" \
		--argjson usable "$usable" --argjson first "$first" \
		--argjson t0 "$T0" --arg old_network "$1" '
		def ms: . * 10 | round / 10;
		{ $from, $to, $old_network, $address, moved_ms: $moved,
		  usable_ms: ($usable - $t0 | ms),
		  first_byte_ms: ($first - $t0 | ms),
		  stall_ms: ($first - $usable | ms) }')")
}

# transfer_moves: three of them, each at a random place of a fifth of its own
transfer_moves()
{
	local i at

	for i in 0 1 2; do
		at=$((SIZE * (12 + 24 * i + RANDOM % 12) / 100))
		check "$((at / 1000000)) MB arrived" wait_for 120 arrived "$at"
		say "$((at / 1000000)) MB have arrived"
		transfer_move "${TO[i]}" "${HOW[i]}"
	done
}

transfer_end()
{
	local pid=${DAEMON[transfer]}

	check "the transfer ends" wait_for 120 gone "$pid"
	unset "DAEMON[transfer]"
	check "curl is content" wait "$pid"
}

flags()
{
	tcpdump -n -r "$OUT/flags.pcap" "$@" 2>/dev/null | wc -l
}

# transfer_judge FILE: what arrived is what was sent, by one connection
transfer_judge()
{
	local sum log=$RUN/nginx-ca/access.log

	stop tcpdump-flags INT
	sum=$(sha256sum <"$1")
	sum=${sum%% *}
	intact=false
	! grep -q "^$sum  $FILE\$" /srv/data/SHA256SUMS || intact=true
	equal "SHA-256 is that of the original" "$intact" true
	say "all $(stat -c %s "$1") bytes are there, SHA-256 ${sum:0:16}..."
	resets=$(flags "(tcp[tcpflags] & tcp-rst != 0) or
		(ip proto 4 and ip[53] & 4 != 0)")
	equal "no reset" "$resets" 0
	equal "one connection was opened" "$(flags 'src net 10.1.0.0/16 and
		tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn')" 1
	equal "no SYN inside a tunnel" "$(flags 'ip proto 4 and
		ip[53] & 2 != 0')" 0
	wait_for 5 test "$(wc -l <"$log")" -gt "$log_lines"
	equal "the server saw one request" \
		$(($(wc -l <"$log") - log_lines)) 1
}

# transfer_reference: what an ideal switch takes in this run, after as many
# moves with static addresses; agents and module have gone
transfer_reference()
{
	static_addresses && ideal_up &&
		wait_for 10 on mob ping -c 1 -W 1 "$CA" || return
	on mob handoffs "$ID" "${#MOVES[@]}" "$SEED" ideal \
		>"$OUT/reference" || return
	IDEAL=$(jq -sc 'map(.stall_ms * 10 | round / 10)' "$OUT/reference")
}

# curve: bytes against time, a point each 20 ms
curve()
{
	awk -v t0="$T0" '$1 - last >= 20 { last = $1
		printf "[%.0f,%d]\n", $1 - t0, $2 }' "$OUT/arrivals.log" |
		jq -sc .
}

# transfer_result DIRECTION FILE JSON: the fields of Documentation/testing.rst
transfer_result()
{
	printf '%s\n' "${MOVES[@]}" | jq -s --arg direction "$1" \
		--arg kernel "$(uname -r)" --arg seed "$SEED" \
		--arg commit "${HMMP_COMMIT:-unknown}" \
		--arg date "$(date -u -d "@$HOST_TIME" +%FT%TZ)" \
		--argjson bytes "$(stat -c %s "$2")" \
		--argjson sha256_ok "$intact" --argjson resets "$resets" \
		--argjson rtt "$RTT" --arg rate "$SPEED" \
		--argjson curve "$(curve)" --argjson ideal "$IDEAL" '{ $kernel, $date, $commit,
		seed: ($seed | tonumber), $direction, rtt_ms: $rtt, $rate,
		moves: (if $ideal then [., $ideal] | transpose |
			map(.[0] + { reference_ms: .[1] }) else . end), $bytes, $sha256_ok, connections_reset: $resets,
		$curve }' >"$OUT/$3"
	note "$(jq -r '.moves[] | "move \(.from)->\(.to): stall " +
		"\(.stall_ms) ms" + (if .reference_ms then
		", an ideal switch \(.reference_ms) ms" else "" end)' \
		"$OUT/$3")"
}
