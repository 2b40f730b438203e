# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Connections on which one line at a time goes there and comes back, of either
# family, with any ports and from any address. Sourced after hmmp.sh.

declare -A TALK=()	# label -> descriptor that its words go into
long=0

# talk_serve NAME PORT [NCAT-WORD...]: what comes in goes back
talk_serve()
{
	start "echo-$1-$2" "$1" ncat -l -k -n -e /bin/cat "${@:3}" "$2"
	wait_for 10 listens "$1" "$2"
}

# talk_open LABEL NAME ADDRESS PORT [NCAT-WORD...]
talk_open()
{
	local fd

	rm -f "$RUN/$1.in"
	mkfifo "$RUN/$1.in"
	exec {fd}<>"$RUN/$1.in"
	TALK[$1]=$fd
	"${WITHIN[@]}" "$2-$ID" ncat -n "${@:5}" "$3" "$4" <"$RUN/$1.in" \
		>"$OUT/$1.heard" 2>>"$OUT/$1.log" &
	DAEMON[$1]=$!
	talks "$1" "hello $1"
}

# types LABEL TEXT
types()
{
	echo "$2" >&"${TALK[$1]}"
}

# heard LABEL TEXT: it came back
heard()
{
	grep -qxF "$2" "$OUT/$1.heard"
}

# talks LABEL TEXT: typed, and it comes back
talks()
{
	types "$1" "$2" && wait_for 30 heard "$1" "$2"
}

# talks_long LABEL: more than one segment
talks_long()
{
	talks "$1" "$(printf '%030000d' $((++long)))"
}

# talk_close LABEL
talk_close()
{
	local fd=${TALK[$1]}

	stop "$1"
	exec {fd}>&-
}

# idle PORT NAME...: there is a connection, and nothing is under way on any
idle()
{
	local port=$1 name

	shift
	for name; do
		on "$name" ss -Htin state established \
			"( sport = :$port or dport = :$port )" >"$RUN/idle"
		[ -s "$RUN/idle" ] && ! grep -q 'unacked:' "$RUN/idle" || return
	done
}

# ended NAME: whoever began them, it has let go of the connections to its
# server, so that nothing of them comes later
ended()
{
	[ -z "$(on "$1" ss -Htn state connected "sport = :$HTTP")" ]
}

# --- what conntrack calls invalid ---

# invalid_at NAME HOOK: counts them there
invalid_at()
{
	on "$1" nft -f - <<-NFT
		table inet strict {
			counter invalid { }
			chain $2 {
				type filter hook $2 priority -1;
				ct state invalid counter name invalid
			}
		}
	NFT
}

# invalid NAME: how many
invalid()
{
	on "$1" nft list counter inet strict invalid |
		awk '$1 == "packets" { print $2 }'
}

# invalid_anew NAME...
invalid_anew()
{
	local name

	for name; do
		on "$name" nft reset counter inet strict invalid
	done
}
