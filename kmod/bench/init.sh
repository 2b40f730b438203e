#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# First process of the benchmark's user-mode Linux; its root is the host's, of
# which nothing is changed. BENCH=table measures each case beside a plain one
# made just before it, ROUNDS times; BENCH=growth with more and more bindings.
# Prints
#
#	pair CASE SYSTEM SIZE PLAIN WITH	nanoseconds, each of one packet
#	value CASE SYSTEM SIZE VALUE
#
#	  in0 +------+ out0		10.0.0.1/24, 10.1.0.1/24: dummies, which
#	------|router|------		eat what is sent; frames "come in" by
#	      +------+			/proc/hmmp_bench
#
#	  +------+ eth0      eth0 +------+
#	  |c-host|----------------|s-host|	10.0.0.1, 10.0.0.2
#	  +------+                +------+
#
# A router for each system; for TCP, two hosts for each.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ROUNDS=${ROUNDS:-21}
COUNT=${COUNT:-50000}
BOUND=10.128.0.0	# first bound address
CARE=10.64.0.1		# where they all are
HERE=10.1.0.1
IPIP=1			# HMMP_ENCAP_*
MINENC=5
PORT=1000
declare -A FD		# namespace -> descriptor

die()
{
	echo "bench: $*"
	exit 1
}

# ask WORD...: one measurement; sets n, ns and count
ask()
{
	local err

	echo "$*" >&9
	read -r err n ns count <&9
	[ "$err" = 0 ] || die "error $err: $*"
}

# each: nanoseconds of one, in $REPLY; a subshell would cost too much
each()
{
	local t=$((ns * 100 / n))

	printf -v REPLY '%d.%02d' $((t / 100)) $((t % 100))
}

space()
{
	local fd

	ip netns add "$1" || die "no namespace"
	exec {fd}<"/run/netns/$1"
	FD[$1]=$fd
	# nothing is sent but what is measured
	set_in "$1" net.ipv6.conf.default.disable_ipv6=1
}

set_in()
{
	ip netns exec "$1" sysctl -q -w "${@:2}" || die "no sysctl in $1"
}

# --- routers ---

router()
{
	space "$1"
	ip -n "$1" -batch - <<-BATCH || die "no router $1"
		link set lo up
		link add in0 type dummy
		link add out0 type dummy
		link add hmmp0 type dummy
		link set in0 up
		link set out0 up
		link set hmmp0 up
		addr add 10.0.0.1/24 dev in0
		addr add $HERE/24 dev out0
		route add $CARE/32 via 10.1.0.2
		route add 10.128.0.0/9 via 10.1.0.2
	BATCH
	set_in "$1" net.ipv4.ip_forward=1
}

# tunnel TYPE: a device of this kind leads to what is bound
tunnel()
{
	ip -n "$1" -batch - <<-BATCH || die "no $1"
		link add tun1 type $1 local $HERE remote $CARE ttl 64
		link set tun1 up
		route replace 10.128.0.0/9 dev tun1
	BATCH
}

# routes SYSTEM N: one for each address. A metric of its own and a locked MTU
# are what keeps routes with tunnels fast. iproute2 takes 5000 lines at a time.
routes()
{
	local i part file address

	file=$(mktemp)
	for ((i = 0; i < $2; i++)); do
		address=10.$((128 + (i >> 16))).$((i >> 8 & 255)).$((i & 255))
		if [ "$1" = routes ]; then
			echo "route add $address via 10.1.0.2"
		else
			echo "route add $address metric $((i + 1)) mtu lock" \
				"1480 encap ip id 0 dst $CARE src $HERE ttl" \
				"64 dev tun1"
		fi
	done >"$file"
	split -a 4 -l 5000 "$file" "$file."
	for part in "$file".*; do
		ip -n "$1" -batch "$part" || die "no routes"
	done
	rm -f "$file" "$file".*
}

# bound SYSTEM N: its router sends what is for N addresses through a tunnel
bound()
{
	case $1 in
	ipip | gre) tunnel "$1" ;;
	lwtunnel)
		ip -n "$1" link add tun1 type ipip external
		ip -n "$1" link set tun1 up
		routes "$1" "$2"
		;;
	routes) routes "$1" "$2" ;;
	conntrack) ask conntrack "ns=${FD[$1]}" ;;
	hmmp*)
		ask bind "ns=${FD[$1]}" dev=hmmp0 "dst=$BOUND" "spread=$2" \
			"odst=$CARE" "osrc=$HERE" "encap=$3"
		;;
	esac
}

# through SYSTEM out SIZE SPREAD: datagrams from in0 to bound addresses
# through SYSTEM in SIZE KIND: those of a bound address, tunnelled or (udp) not
through()
{
	if [ "$2" = out ]; then
		ask replay "ns=${FD[$1]}" dev=in0 sink=out0 kind=udp \
			src=10.0.0.9 "dst=$BOUND" "n=$COUNT" "len=$3" \
			"spread=$4"
	else
		ask replay "ns=${FD[$1]}" dev=out0 sink=in0 "kind=$4" \
			"src=$BOUND" dst=10.0.0.9 "osrc=$CARE" "odst=$HERE" \
			"n=$COUNT" "len=$3"
	fi
	[ "$count" = "$n" ] || die "$*: $count of $n came through"
	each
}

encap()
{
	local plain

	through plain out "$2" "$3"
	plain=$REPLY
	through "$1" out "$2" "$3"
	echo "pair ${4:-encap} $1 $2 $plain $REPLY"
}

decap()
{
	local plain

	through plain in "$2" udp
	plain=$REPLY
	through "$1" in "$2" "${1#hmmp-}"
	echo "pair decap $1 $2 $plain $REPLY"
}

# --- hosts ---

hosts()
{
	space "c-$1"
	space "s-$1"
	ip -n "c-$1" -batch - <<-BATCH || die "no hosts $1"
		link set lo up
		link add eth0 type veth peer name eth0 netns s-$1
		link set eth0 up
		link add sink0 type dummy
		link set sink0 up
		addr add 10.0.0.1/24 dev eth0
		addr add 172.16.0.1/32 dev lo
	BATCH
	ip -n "s-$1" -batch - <<-BATCH || die "no hosts $1"
		link set lo up
		link set eth0 up
		addr add 10.0.0.2/24 dev eth0
		route add 172.16.0.1/32 via 10.0.0.1
	BATCH
	set_in "c-$1" net.ipv4.tcp_timestamps=0 net.ipv4.tcp_max_tw_buckets=0
	set_in "s-$1" net.ipv4.tcp_timestamps=0 net.ipv4.tcp_max_tw_buckets=0
}

# know_mtu SYSTEM BYTES: what an agent tells TCP, so that nothing is too big
know_mtu()
{
	ip -n "c-$1" rule add from 172.16.0.1 lookup 100
	ip -n "c-$1" route add 10.0.0.0/24 dev eth0 mtu "$2" table 100
	ip -n "s-$1" route replace 172.16.0.1/32 via 10.0.0.1 mtu "$2"
}

# furnish SYSTEM: with what its hosts have and plain ones have not
furnish()
{
	case $1 in
	ipip)
		ip -n c-ipip link add tun1 type ipip local 10.0.0.1 \
			remote 10.0.0.2
		ip -n s-ipip link add tun1 type ipip local 10.0.0.2 \
			remote 10.0.0.1
		ip -n c-ipip link set tun1 up
		ip -n s-ipip link set tun1 up
		ip -n c-ipip addr add 10.5.0.1/24 dev tun1
		ip -n s-ipip addr add 10.5.0.2/24 dev tun1
		;;
	conntrack) ask conntrack "ns=${FD[c-$1]}" ;;
	bindings)
		ask flows "ns=${FD[c-$1]}" src=10.0.0.1 dst=10.9.0.1 \
			spread=1000 port=7 owner=1000
		ask bind "ns=${FD[c-$1]}" dst=10.9.0.1 spread=1000 \
			odst=10.0.0.77 osrc=10.0.0.1 "encap=$IPIP" owner=1000
		;;
	hmmp*)	# a word of an agent at both ends
		ask handoff "ns=${FD[c-$1]}" src=172.16.0.9
		ask handoff "ns=${FD[s-$1]}" src=172.16.0.9
		[ "$1" != hmmp-ipip ] || know_mtu "$1" 1480
		[ "$1" != hmmp-minenc ] || know_mtu "$1" 1488
		;;
	esac
}

# tcp SYSTEM COMMAND WORD...: between its two hosts
tcp()
{
	local ends="src=10.0.0.1 dst=10.0.0.2"

	PORT=$((PORT + 1))
	case $1 in
	ipip) ends="src=10.5.0.1 dst=10.5.0.2" ;;
	hmmp-ipip) ends="src=172.16.0.1 dst=10.0.0.2 osrc=10.0.0.1
		owner=$PORT encap=$IPIP" ;;
	hmmp-minenc) ends="src=172.16.0.1 dst=10.0.0.2 osrc=10.0.0.1
		owner=$PORT encap=$MINENC" ;;
	esac
	# shellcheck disable=SC2086 # words
	ask "$2" "ns=${FD[c-$1]}" "peer=${FD[s-$1]}" dev=eth0 sink=sink0 \
		$ends "port=$PORT" "${@:3}"
	each
}

# tcp_pair CASE SYSTEM COMMAND WORD...
tcp_pair()
{
	local plain

	tcp plain "${@:3}"
	plain=$REPLY
	tcp "$2" "${@:3}"
	echo "pair $1 $2 0 $plain $REPLY"
	# the move of a stream is of one connection only
	[ "$3" != stream ] || [[ $2 != hmmp-* ]] || {
		ask unbind "ns=${FD[c-$2]}"
		ask unbind "ns=${FD[s-$2]}"
		ask handoff "ns=${FD[c-$2]}" src=172.16.0.1
	}
}

# --- what is measured ---

# profile: what CASE (encap, decap, born) does, and nothing else
profile()
{
	local round

	router hmmp-ipip
	bound hmmp-ipip 1000 "$IPIP"
	hosts hmmp
	furnish hmmp
	for ((round = 0; round < ROUNDS; round++)); do
		case ${CASE:-encap} in
		encap) through hmmp-ipip out 64 1 ;;
		decap) through hmmp-ipip in 64 ipip ;;
		born) tcp hmmp born n=2000 ;;
		esac
	done
	each
	echo "value profile $CASE 0 $REPLY"
}

table()
{
	local round system size

	for system in plain hmmp-ipip hmmp-minenc ipip gre lwtunnel conntrack
	do
		router "$system"
	done
	bound hmmp-ipip 1000 "$IPIP"
	bound hmmp-minenc 1000 "$MINENC"
	for system in ipip gre lwtunnel conntrack; do
		bound "$system" 1000
	done
	for system in plain hmmp hmmp-ipip hmmp-minenc bindings ipip conntrack
	do
		hosts "$system"
		furnish "$system"
	done
	for ((round = 0; round < ROUNDS; round++)); do
		for size in 64 1400; do
			for system in hmmp-ipip hmmp-minenc ipip gre lwtunnel \
				conntrack; do
				encap "$system" "$size" 1
			done
			for system in hmmp-ipip hmmp-minenc ipip gre; do
				decap "$system" "$size"
			done
		done
		for system in plain hmmp bindings conntrack; do
			tcp_pair tcp_out "$system" out "n=$COUNT" len=64
			tcp_pair tcp_in "$system" in "n=$COUNT" len=0
		done
		for system in plain hmmp conntrack; do
			tcp_pair born "$system" born n=2000
		done
		for system in plain ipip hmmp-ipip hmmp-minenc; do
			tcp_pair stream "$system" stream n=2000 len=65536
		done
	done
}

# grow SYSTEM N: sets it up and measures it, and what a packet costs
grow()
{
	local round before fd

	router "$1"
	ask memory
	before=$count
	case $1 in
	hmmp)
		bound "$1" "$2" "$IPIP"
		each
		echo "value install $1 $2 $REPLY"
		;;
	*) bound "$1" "$2" ;;
	esac
	if [ "$1" = conntrack ]; then
		through "$1" out 64 "$2"
		through "$1" out 64 "$2"
	fi
	ask memory
	echo "value memory $1 $2 $(((before - count) / $2))"
	for ((round = 0; round < ROUNDS; round++)); do
		encap "$1" 64 "$2" "grow_$2"
	done
	if [ "$1" = hmmp ]; then
		bound "$1" "$2" "$IPIP"
		each
		echo "value change $1 $2 $REPLY"
		# the first round sees to what has changed
		ask gc "ns=${FD[$1]}"
		echo "value gc_changed $1 $2 $ns"
		ask gc "ns=${FD[$1]}"
		echo "value gc $1 $2 $ns"
		ask unbind "ns=${FD[$1]}"
	fi
	fd=${FD[$1]}
	exec {fd}<&-
	ip netns del "$1"
}

growth()
{
	local size before

	router plain
	for size in 1 1000 10000 100000 1000000; do
		grow hmmp "$size"
		grow routes "$size"
		[ "$size" -gt 100000 ] || grow lwtunnel "$size"
		grow conntrack "$size"
	done
	space flows
	for size in 1000 100000 1000000; do
		ask memory
		before=$count
		ask flows "ns=${FD[flows]}" src=10.0.0.1 dst=10.128.0.0 \
			"spread=$size" port=7 owner=1000
		each
		echo "value flow_install hmmp $size $REPLY"
		ask memory
		echo "value flow_memory hmmp $size $(((before - count) / size))"
		ask handoff "ns=${FD[flows]}" src=10.0.0.1 n=1000
		each
		echo "value handoff hmmp $size $REPLY"
		ask unbind "ns=${FD[flows]}"
	done
}

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mkdir -p /run/netns
exec 9<>/proc/hmmp_bench || die "this kernel has no benchmark"
ask sizes
echo "value sizeof_flow hmmp 0 $ns"
echo "value sizeof_binding hmmp 0 $count"
("${BENCH:-table}")
echo "done $?"
busybox poweroff -f
