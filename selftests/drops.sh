#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: the kernel's drop monitor and the module's counters agree
# timeout: 300
# needs: kmod agent programs
#
# Networks: see path.sh. The drop monitor tells of every packet that came in by
# a device and was dropped, and where (src/netdm.c). While all is well none of a
# carried connection is. What the module drops on purpose, for a dozen reasons,
# is seen by a tracepoint, which knows less but sees packets on their way out,
# too: as often as the counters say, and nothing else is dropped.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh
. ./talk.sh

PINGS=3

# watch, looked: what is dropped from here to there; the kernel tells up to a
# second later, and a packet that is dropped last is told last
watch()
{
	: >"$OUT/netdm.log"
	netdm >>"$OUT/netdm.log" 2>&1 &
	DAEMON[netdm]=$!
	wait_for 10 grep -q ready "$OUT/netdm.log"
}

# sentinel: a packet that bb's firewall drops, and the end of the list
sentinel()
{
	on cor dgram send 10.9.0.1 7 1 1
	wait_for 10 grep -q ' 10.9.0.2 10.9.0.1 17$' "$OUT/netdm.log"
}

looked()
{
	sentinel && stop netdm && ! grep 'lost some' "$OUT/netdm.log"
}

# told: dropped packets between hosts, but for the sentinel and multicast, and
# for what has come to its end: segments that TCP has already or that nobody
# reads, answers to a ping
told()
{
	grep -E ' (10\.|fd00:)[^ ]* (10\.|fd00:)[^ ]* [0-9]+$' \
		"$OUT/netdm.log" | grep -v ' 10.9.0.2 10.9.0.1 17$' |
		grep -vE '^(tcp_|sk_stream_|inet_csk_|icmp_rcv|icmpv6_rcv)'
}

# --- all is well ---

well()
{
	check "$1: a connection" talk_open "$1" mob \
		"$(server_of "$1" | tr -d '[]')" "$HTTP"
	check "$1: both ends own it" claim_both
	check "$1: mob moves" flow_move "$1"
	check "$1: a line" talks "$1" "moved"
	check "$1: nothing is under way" wait_for 20 idle "$HTTP" mob cor
	check "$1: look" watch
	for _ in 1 2 3 4 5; do
		check "$1: long ones" talks_long "$1"
	done
	talk_close "$1"
	check "$1: seen" looked
	equal "$1: the kernel dropped none of its packets" "$(told)" ""
	flow_home >"$OUT/home-$1" 2>&1
}

# --- what is dropped on purpose ---

# all_counters: of all that the module dropped, in all namespaces
all_counters()
{
	local name

	for name in mob cor ara arb bb; do
		hm "$name" -j stats -a
	done | jq -cs 'map(to_entries[] | select(.key | startswith("drop_"))) |
		reduce .[] as $c ({}; .[$c.key] += $c.value)'
}

# more BEFORE AFTER: what was counted, "name=n" in the order of names
more()
{
	jq -rn --argjson a "$1" --argjson b "$2" '[$b | to_entries[] |
		select(.value > ($a[.key] // 0)) |
		"\(.key)=\(.value - ($a[.key] // 0))"] | sort | join(" ")'
}

TRACE=/sys/kernel/tracing

trace_up()
{
	mountpoint -q "$TRACE" || mount -t tracefs none "$TRACE" || return
	echo 0 >"$TRACE/options/hash-ptr"
	ranges >"$OUT/ranges"
	echo 1 >"$TRACE/events/skb/kfree_skb/enable"
}

# ranges: of the code whose drops are the module's: its own, and where the
# verdict of a hook is carried out; 6.1 does not name functions here
ranges()
{
	local lo size

	read -r _ size _ _ _ lo _ < <(grep '^hmmp ' /proc/modules)
	printf '%s %016x\n' "${lo#0x}" $((lo + size))
	read -r lo _ < <(grep -m 1 ' nf_hook_slow$' /proc/kallsyms)
	printf '%s %016x\n' "$lo" $((0x$lo + 512))
}

# by_module: the drops since the last trace_anew
by_module()
{
	awk 'NR == FNR { lo[NR] = $1; hi[NR] = $2; next }
		# of IPv4 and IPv6, not of netlink
		/ protocol=(2048|34525) / && sub(/.* location=/, "") {
			sub(/ reason.*/, "")
			mine = /^nf_hook_slow\+/ || /\[hmmp\]/
			for (i in lo)
				mine = mine || ($0 >= lo[i] && $0 < hi[i])
			if (mine)
				print
		}' "$OUT/ranges" "$TRACE/trace"
}

trace_anew()
{
	echo >"$TRACE/trace"
}

# others: what the monitor saw elsewhere
others()
{
	told | grep -vE '^(hmmp:|nf_hook_slow )'
}

# reason NAME COMMAND...: it makes the module drop some packets, for that
# reason only
reason()
{
	local before what n trace traced

	before=$(all_counters)
	check "$1: look" watch
	trace_anew
	"${@:2}" >"$RUN/reason" 2>&1
	trace=$(by_module)
	traced=$(grep -c . <<<"$trace")
	check "$1: seen" looked
	what=$(more "$before" "$(all_counters)")
	n=${what#*=}
	equal "$1: counted" "${what%=*}" "drop_$1"
	[ -n "$what" ] || note "$(cat "$RUN/reason")"
	check "$1: more than one" [ "${n:-0}" -ge 2 ]
	equal "$1: traced as often" "$traced" "$n"
	[ "$traced" = "$n" ] || note "$what; $trace"
	equal "$1: none elsewhere" "$(others)" ""
}

# ping_a1: by cor
ping_a1()
{
	on cor ping -n -c "$PINGS" -i 0.05 -W 1 "$a1"
}

# ping_from_a1 ADDRESS: by mob
ping_from_a1()
{
	on mob ping -n -c "$PINGS" -i 0.05 -W 1 -I "$A1" "$1"
}

tunnel_up_again()
{
	hm cor unbind "$a1" host
	tunnel_up ipip
}

former()
{
	ping_from_a1 10.9.0.1
}

too_big()
{
	for _ in 1 2 3; do
		on cor ping -n -c 1 -W 1 -M 'do' -s 1472 "$a1"
		ip -n "cor-$ID" route flush cache
	done
}

no_route()
{
	ip -n "cor-$ID" route add unreachable "$A2"
	ping_a1
	ip -n "cor-$ID" route del unreachable "$A2"
}

buffer()
{
	hm cor limits buffer-packets=2
	hm cor bind "$a1" "$a2" host encap=ipip local-outer="$ca" \
		dev="$DUMMY" buffer lifetime=600000
	ping_a1; ping_a1
	tunnel_up_again
}

cgroup()
{
	local dir

	dir=$(mktemp -d)
	mount -t cgroup2 none "$dir"
	mkdir "$dir/cor"
	start cgdeny cor cgdeny "$dir/cor" out "$a1"
	wait_for 10 grep -q ready "$OUT/cgdeny.log"
	echo $$ >"$dir/cor/cgroup.procs"
	ping_a1
	echo $$ >"$dir/cgroup.procs"
	stop cgdeny
	umount -l "$dir"
}

# mob's packets come to cor, which wants IPsec
secured()
{
	hm cor bind "$a1" "$a2" host encap=ipip local-outer="$ca" \
		dev="$DUMMY" secured
	ping_from_a1 "$CA"
	tunnel_up_again
}

policy()
{
	ip -n "cor-$ID" xfrm policy add src "$a2" dst "$CA" proto 4 dir in \
		tmpl src "$a2" dst "$CA" proto esp mode transport
	ping_from_a1 "$CA"
	ip -n "cor-$ID" xfrm policy flush
}

# congestion on the way, of packets that cannot say so
ecn()
{
	on bb nft -f - <<-NFT
		table ip busy {
			chain through {
				type filter hook forward priority 0;
				ip protocol 4 ip ecn set ce
			}
		}
	NFT
	ping_from_a1 "$CA"
	on bb nft delete table ip busy
}

on_purpose()
{
	tunnel_of ipip
	tunnel_hosts
	check "cor has a binding" tunnel_up ipip
	check "mob answers" wait_for 10 ping_a1
	reason too_big too_big
	reason no_route no_route
	reason buffer buffer
	reason cgroup cgroup
	reason secured secured
	reason policy policy
	reason ecn ecn
	check "mob answers" wait_for 10 ping_a1
	check "no tunnel any more" tunnel_down
	check "mob is away" hm mob at "$A1" "$A2" dev="$DUMMY"
	reason former former
}

# --- of a connection ---

# typed COUNTER AT: what is typed makes that grow by two, at least
typed()
{
	local before

	before=$(stat_of "$2" "$1")
	types line "$1"
	wait_for 30 grew "$2" "$1" $((before + 1))
}

held()
{
	typed drop_held cor
	hm cor bind "$A1" "$A2" owner="$OWNER" status=verified lifetime=600000
}

refused()
{
	hm mob peer "$CA" owner="$OWNER" current="$A2" refused
	typed drop_peer_refused mob
	hm mob peer "$CA" owner="$OWNER" current="$A2" accepted
}

of_a_connection()
{
	check "a connection" talk_open line mob "$CA" "$HTTP"
	check "both ends own it" claim_both
	check "mob moves" flow_move ipip
	check "a line" talks line "moved"
	reason peer_refused refused
	check "it goes on" wait_for 60 heard line drop_peer_refused
	check "it is idle" wait_for 20 idle "$HTTP" mob cor
	check "it is held" hm cor bind "$A1" "$A2" owner="$OWNER" status=held
	reason held held
	check "it goes on" wait_for 60 heard line drop_held
}

# --- an error that is told on is no drop ---

relayed()
{
	local before

	before=$(stat_of cor icmp_relayed)
	hm mob forget "$A1"
	check "cor has a binding" tunnel_up ipip
	check "a narrow path" eval 'ip -n "bb-$ID" link set rb mtu 1400 &&
		ip -n "arb-$ID" link set ub mtu 1400'
	check "look" watch
	on cor ping -n -c 2 -i 0.2 -W 1 -M 'do' -s 1440 "$a1" >"$RUN/relayed"
	check "seen" looked
	check "cor was told" grew cor icmp_relayed "$before"
	equal "the module dropped nothing" "$(told | grep -c '^hmmp:')" 0
	note "$(told)"
}

modprobe drop_monitor
path_up
check "a trace of drops" trace_up
check "cor answers" talk_serve cor "$HTTP"
for encap in ipip ip6ip6 4in6 6in4 minenc; do
	well "$encap"
done
of_a_connection
talk_close line
flow_home >"$OUT/home" 2>&1
on_purpose
relayed
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
