#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: sockets with options move, or are shown as not able to
# timeout: 300
# needs: kmod agent programs
#
# Networks: see path.sh. mob has a connection to cor for each option, opened in
# network a (src/talk.c); all move to b in one step. Then each sends a few
# segments there and back.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

MD5=22		# ports that the firewalls let in
ERRORS=80
declare -A SAYS=()

# opened LABEL PORT [OPTION...]: a connection of mob's; see says
opened()
{
	local fd

	mkfifo "$RUN/talk-$1" && exec {fd}<>"$RUN/talk-$1" || return
	SAYS[$1]=$fd
	"${WITHIN[@]}" "mob-$ID" talk connect "$CA" "${@:2}" <&"$fd" \
		>"$OUT/talk-$1.log" 2>&1 &
	DAEMON[talk-$1]=$!
	wait_for 20 grep open "$OUT/talk-$1.log"
}

lines()
{
	wc -l <"$OUT/talk-$1.log"
}

# says LABEL WORD [EXPECTED]: an answer that is that one
says()
{
	local n

	n=$(lines "$1")
	echo "$2" >&"${SAYS[$1]}"
	wait_for 60 more_lines "$1" "$n"
	tail -n 1 "$OUT/talk-$1.log"
	[ "$(tail -n 1 "$OUT/talk-$1.log")" = "${3:-answered}" ]
}

more_lines()
{
	[ "$(lines "$1")" -gt "$2" ]
}

port()
{
	on mob ss -Htnp | grep "pid=${DAEMON[talk-$1]}," |
		awk '{ sub(".*:", "", $4); print $4 }'
}

# of NAME LABEL JQ-EXPRESSION: of the connection's flow there
of()
{
	local n

	n=$(port "$2")
	on "$1" hmmpctl -j flows | jq -r ".[] | select(.local_port == $n or
		.remote_port == $n) | $3"
}

# agrees LABEL: both ends know the same initial sequence numbers
agrees()
{
	local mine

	mine=$(of mob "$1" '"\(.isn_local) \(.isn_remote)"')
	echo "$mine"
	[ -n "$mine" ] &&
		[ "$mine" = "$(of cor "$1" '"\(.isn_remote) \(.isn_local)"')" ]
}

# sysctl_of NAME KEY=VALUE...
sysctl_of()
{
	on "$1" sysctl -q -w "${@:2}"
}

# --- opening ---

# marks: what has mark 7 has a way of its own, through network b after the move
marks()
{
	on mob nft -f - <<-NFT && ip -n "mob-$ID" -batch - <<-BATCH
		table ip seen {
			counter inner { }
			counter outer { }
			chain post {
				type filter hook postrouting priority 0;
				meta mark 7 meta l4proto tcp counter name inner
				meta mark 7 ip protocol 4 counter name outer
			}
		}
	NFT
		rule add fwmark 7 lookup 77 pref 77
		route add default via 10.1.0.1 dev wa table 77
	BATCH
}

seen()
{
	on mob nft list counter ip seen "$1" | awk '$1 == "packets" { print $2 }'
}

fast_open()
{
	sysctl_of mob net.ipv4.tcp_fastopen=3
	sysctl_of cor net.ipv4.tcp_fastopen=3
	check "fast open: the first one gets a cookie" \
		opened cookie "$HTTP" fastopen
	check "fast open: it carries data" says cookie ask
	check "fast open: the second one" opened fast "$HTTP" fastopen
	check "fast open: sends data at once" says fast ask
	equal "fast open: with its SYN" "$(on mob nstat -asz \
		TcpExtTCPFastOpenActive | awk '/^Tcp/ { print $2 }')" 1
	equal "fast open: cor took it" "$(on cor nstat -asz \
		TcpExtTCPFastOpenPassive | awk '/^Tcp/ { print $2 }')" 1
}

cookies()
{
	sysctl_of cor net.ipv4.tcp_syncookies=2
	check "SYN cookies: a connection" opened cookies "$HTTP"
	sysctl_of cor net.ipv4.tcp_syncookies=1
	check "SYN cookies: one was used" [ "$(on cor nstat -asz \
		TcpExtSyncookiesRecv | awk '/^Tcp/ { print $2 }')" -ge 1 ]
}

# whether a connection can move, and what is against it
fixed='"\(.can_move) \(.flags | map(select(startswith("opener") | not)) |
	join(" "))"'
movable="plain cookie fast cookies errors md5 keepalive mark"

open_all()
{
	local label

	check "servers" servers
	check "plain" opened plain "$HTTP"
	cookies
	fast_open
	check "error queue" opened errors $ERRORS recverr
	check "MD5" opened md5 $MD5 "md5=$CA"
	check "keepalive" opened keepalive "$HTTP" keepalive
	check "what is marked has a way of its own" marks
	check "mark" opened mark "$HTTP" mark=7
	check "bound to a device" opened device "$HTTP" device=wa
	for label in $movable device; do
		check "$label: carries data" says "$label" ask
	done
	for label in $movable; do
		check "$label: both ends agree about it" agrees "$label"
		equal "$label: it can move" \
			"$(of mob "$label" .can_move) $(of cor "$label" \
			.can_move)" "true true"
	done
	equal "device: it cannot" "$(of mob device "$fixed")" \
		"false device-bound"
}

servers()
{
	start server cor talk listen "$HTTP" fastopen
	start server-md5 cor talk listen "$MD5" "md5=$A1"
	start server-errors cor talk listen "$ERRORS" recverr
	wait_for 10 listens cor "$HTTP" && wait_for 10 listens cor "$MD5" &&
		wait_for 10 listens cor "$ERRORS"
}

# --- moving ---

moves()
{
	anchor "$A1" && path_detach a && path_attach b 4 &&
		ip -n "mob-$ID" route replace default via 10.2.0.1 table 77 &&
		hand_over "$A1" "$A2" "$CA"
}

# restored: what a checkpoint makes of a socket is not tracked as if it could move
restored()
{
	local fd

	mkfifo "$RUN/repair" && exec {fd}<>"$RUN/repair" || return
	"${WITHIN[@]}" "mob-$ID" repair "$A2" 7777 "$CA" "$HTTP" <&"$fd" \
		>"$OUT/repair.log" 2>&1 &
	DAEMON[repair]=$!
	wait_for 10 grep open "$OUT/repair.log" && echo on >&"$fd" &&
		wait_for 10 grep on "$OUT/repair.log"
	exec {fd}>&-
}

# idle: a connection that nobody uses sends probes through the tunnel, which
# are answered
idle()
{
	local n

	n=$(of_ss keepalive)
	wait_for 20 probed "$n"
}

# of_ss LABEL: segments that its socket has received
of_ss()
{
	on mob ss -Htin "sport = :$(port "$1")" | grep -o 'segs_in:[0-9]*' |
		cut -d: -f2
}

probed()
{
	[ "$(of_ss keepalive)" -gt $(($1 + 2)) ]
}

# --- errors ---

server_said()
{
	grep -c "error $1" "$OUT/server-errors.log"
}

heard_unreachable()
{
	[ "$(server_said EHOSTUNREACH)" -gt "${1:-0}" ]
}

# cut_off NAME ADDRESS: that router says that it cannot be reached, until mended.
# (With a route that says so its reverse-path filter would drop mob's packets.)
cut_off()
{
	on "$1" nft -f - <<-NFT
		table inet cut {
			chain forward {
				type filter hook forward priority -10;
				ip daddr $2 reject with icmp type host-unreachable
			}
		}
	NFT
}

mended()
{
	on "$1" nft delete table inet cut
}

icmp_to_cor()
{
	on cor nstat -asz IcmpInDestUnreachs | awk '/^Icmp/ { print $2 }'
}

more_icmp()
{
	[ "$(icmp_to_cor)" -gt "$1" ]
}

# mss: of cor's socket
mss()
{
	on cor ss -Htin "sport = :$ERRORS" | grep -o ' mss:[0-9]*' | cut -d: -f2
}

narrower()
{
	[ "$(mss)" -lt "$1" ]
}

errors()
{
	local l m n

	m=$(mss)
	ip -n "bb-$ID" link set rb mtu 1300
	ip -n "arb-$ID" link set ub mtu 1300
	check "errors: a narrower path" says errors ask
	check "errors: cor was told" wait_for 20 narrower "$m"
	check "errors: mob's queue has nothing" says errors errors none
	equal "errors: nor was cor's user told" "$(grep -c error \
		"$OUT/server-errors.log")" 0

	n=$(icmp_to_cor)
	check "errors: arb says that mob cannot be reached" cut_off arb "$A2"
	l=$(lines errors)
	echo ask >&"${SAYS[errors]}"
	check "errors: to cor" wait_for 20 more_icmp "$n"
	equal "errors: whose user is not told" "$(server_said .)" 0
	check "errors: it can be reached" mended arb
	check "errors: the answer comes" wait_for 60 more_lines errors "$l"
	check "errors: and another one" says errors ask
}

# as a control: of a connection that is not bound
native_errors()
{
	local l

	check "errors: mob goes home" eval 'tunnel_of ipip; flow_home || :'
	check "errors: it works there" says errors ask
	check "errors: ara says that mob cannot be reached" cut_off ara "$A1"
	l=$(lines errors)
	echo ask >&"${SAYS[errors]}"
	check "errors: cor's user is told" wait_for 20 heard_unreachable
	check "errors: it can be reached" mended ara
	check "errors: the answer comes" wait_for 60 more_lines errors "$l"
	check "errors: and another one" says errors ask
}

path_up
open_all
check "both ends own what can move" claim_both
n=$(stat_of mob drop_former)
check "mob moves" moves
for label in $movable; do
	check "$label: goes on" says "$label" ask
done
check "keepalive: idle" idle
check "mark: its own packets had it" [ "$(seen inner)" -gt 0 ]
equal "mark: the tunnel's did not" "$(seen outer)" 0
check "no early demultiplexing" eval '
	sysctl_of mob net.ipv4.ip_early_demux=0 net.ipv4.tcp_early_demux=0 &&
	sysctl_of cor net.ipv4.ip_early_demux=0 net.ipv4.tcp_early_demux=0'
check "plain: goes on" says plain ask
check "fast: goes on" says fast ask
check "a socket is in repair" restored
check "it can be asked for" hm mob track "$A2:7777" "$CA:$HTTP" opener
equal "and is said to be fixed" "$(on mob hmmpctl -j flows |
	jq -r ".[] | select(.local_port == 7777) | $fixed")" "false repair"
stop repair
errors
native_errors
check "device: goes on at home" says device ask
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
