# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034 # variables for scenarios
#
# Networks for the data path alone: no agent, "hmmpctl" says what an agent
# would. Both families everywhere; a scenario takes away what it does not want.
#
#	                   10.1.0.1/24                10.0.1.0/30
#	                   fd00:1::1/64               fd00:a1::/64
#	 +-----+wa------pm+-----+ub----------------ra+----+
#	 |     |.10    +po|ara  |.1                .2|    |10.9.0.1   .2+-----+
#	 | mob |       |  +-----+                    | bb |x0-------eth0| cor |
#	 |     |.10    |  +-----+                    |    |fd00:9::1 ::2+-----+
#	 |     |wb-----+pm|arb  |ub----------------rb|    |
#	 +-----+       |  +-----+.1                .2+----+
#	               |   10.2.0.1/24                10.0.2.0/30
#	 oth wa .20 ---+   fd00:2::1/64               fd00:a2::/64
#
# Strict reverse-path filtering everywhere, forwarding on routers, and the
# firewalls of Documentation/examples/nftables. hmmp.ko is loaded, and each
# namespace has said a word to it.

CA=10.9.0.2
CA6=fd00:9::2
A1=10.1.0.10
A2=10.2.0.10
A1_6=fd00:1::10
A2_6=fd00:2::10
OWNER=77
DUMMY=hmmp0

rules=$PWD/../examples/nftables
path_hosts="mob oth cor"
path_routers="ara arb bb"

path_links()
{
	local n

	for n in a b; do
		echo "link add w$n netns mob-$ID type veth" \
			"peer name pm netns ar$n-$ID"
		echo "link add ub netns ar$n-$ID type veth" \
			"peer name r$n netns bb-$ID"
	done
	echo "link add wa netns oth-$ID type veth peer name po netns ara-$ID"
	echo "link add eth0 netns cor-$ID type veth peer name x0 netns bb-$ID"
}

# path_router NETWORK NUMBER
path_router()
{
	ip -n "ar$1-$ID" -batch - <<-BATCH
		link set lo up
		link add br0 type bridge
		link set pm master br0
		link set pm up
		link set br0 up
		link set ub up
		addr add 10.$2.0.1/24 dev br0
		addr add fd00:$2::1/64 dev br0 nodad
		addr add 10.0.$2.1/30 dev ub
		addr add fd00:a$2::1/64 dev ub nodad
		route add default via 10.0.$2.2
		route add default via fd00:a$2::2
	BATCH
}

path_build()
{
	path_links | ip -batch - && path_router a 1 && path_router b 2 || return
	ip -n "ara-$ID" -batch - <<-BATCH
		link set po master br0
		link set po up
	BATCH
	ip -n "bb-$ID" -batch - <<-BATCH
		link set lo up
		link set ra up
		link set rb up
		link set x0 up
		addr add 10.0.1.2/30 dev ra
		addr add 10.0.2.2/30 dev rb
		addr add fd00:a1::2/64 dev ra nodad
		addr add fd00:a2::2/64 dev rb nodad
		addr add 10.9.0.1/24 dev x0
		addr add fd00:9::1/64 dev x0 nodad
		route add 10.1.0.0/24 via 10.0.1.1
		route add 10.2.0.0/24 via 10.0.2.1
		route add fd00:1::/64 via fd00:a1::1
		route add fd00:2::/64 via fd00:a2::1
	BATCH
	ip -n "cor-$ID" -batch - <<-BATCH
		link set lo up
		link set eth0 up
		addr add $CA/24 dev eth0
		addr add $CA6/64 dev eth0 nodad
		route add default via 10.9.0.1
		route add default via fd00:9::1
	BATCH
	ip -n "mob-$ID" link set lo up
	ip -n "oth-$ID" link set lo up
	path_attach a
}

# path_attach NETWORK [4|6]: mob's link there, with the addresses of both
# families or of one, and its default routes
path_attach()
{
	local n=1

	[ "$1" = a ] || n=2
	{
		echo "link set w$1 up"
		[ "${2:-4}" = 6 ] || {
			echo "addr add 10.$n.0.10/24 dev w$1"
			echo "route replace default via 10.$n.0.1"
		}
		[ "${2:-6}" = 4 ] || {
			echo "addr add fd00:$n::10/64 dev w$1 nodad"
			echo "route replace default via fd00:$n::1"
		}
	} | ip -n "mob-$ID" -batch -
}

# path_detach NETWORK: link and addresses go
path_detach()
{
	ip -n "mob-$ID" -batch - <<-BATCH
		addr flush dev w$1
		link set w$1 down
	BATCH
}

# path_oth ADDRESS GATEWAY: the third host is in network a
path_oth()
{
	ip -n "oth-$ID" -batch - <<-BATCH
		link set wa up
		addr add $1/24 dev wa
		route add default via $2
	BATCH
}

# path_harden NAME RULES [SYSCTL...]
path_harden()
{
	on "$1" sysctl -q -w net.ipv4.conf.all.rp_filter=1 \
		net.ipv4.conf.default.rp_filter=1 \
		net.ipv6.conf.all.accept_ra=0 \
		net.ipv6.conf.default.accept_ra=0 "${@:3}" &&
		on "$1" nft -f "$rules/$2.nft"
}

# path_up: networks and module
path_up()
{
	path_networks
	path_module
}

path_networks()
{
	local name

	# shellcheck disable=SC2086 # names are words
	netns_add $path_hosts $path_routers || bail "cannot make namespaces"
	for name in $path_hosts; do
		path_harden "$name" host || bail "no firewall on $name"
	done
	for name in $path_routers; do
		path_harden "$name" router net.ipv4.ip_forward=1 \
			net.ipv6.conf.all.forwarding=1 \
			net.netfilter.nf_conntrack_tcp_be_liberal=1 ||
			bail "no firewall on $name"
	done
	path_build || bail "cannot build the networks"
}

# path_module [PARAMETER...]: loads it, and wakes it in each namespace
path_module()
{
	modprobe -a tunnel4 tunnel6 || bail "no tunnel4, tunnel6"
	insmod /t/hmmp.ko "$@" || bail "the module cannot be loaded"
	path_awake
}

path_awake()
{
	local name

	for name in $path_hosts $path_routers; do
		on "$name" hmmpctl limits flows=65536 >"$RUN/limits" ||
			bail "the module does not hear $name"
	done
}

# hm NAME WORD...: hmmpctl there
hm()
{
	on "$1" hmmpctl "${@:2}"
}

# esp_passes: firewalls let IPsec pass
esp_passes()
{
	local n

	for n in cor mob; do
		on "$n" nft insert rule inet filter input \
			meta l4proto esp accept || return
	done
	for n in ara arb bb; do
		on "$n" nft insert rule inet filter new \
			meta l4proto esp accept || return
	done
}

# --- what an agent would do ---

# anchor ADDRESS [MTU]: mob holds a former address on its dummy
anchor()
{
	local bits=32 family=-4

	[[ $1 != *:* ]] || { bits=128; family=-6; }
	ip -n "mob-$ID" link add "$DUMMY" type dummy 2>/dev/null
	ip -n "mob-$ID" link set "$DUMMY" up
	if [ $bits = 32 ]; then
		ip -n "mob-$ID" addr replace "$1/32" dev "$DUMMY" scope link
		on mob sysctl -q -w net.ipv4.conf.all.arp_ignore=1
	else
		ip -n "mob-$ID" addr replace "$1/128" dev "$DUMMY" nodad \
			preferred_lft 0
	fi
	ip -n "mob-$ID" "$family" rule add from "$1" lookup 7000 pref 7000
	ip -n "mob-$ID" "$family" route replace default dev "$DUMMY" table 7000 \
		mtu "${2:-1460}"
}

# endpoints NAME [JQ-CONDITION]: "LOCAL REMOTE" of each flow there
endpoints()
{
	on "$1" hmmpctl -j flows | jq -r "
		def endpoint(a; p): if a | contains(\":\") then \"[\(a)]:\(p)\"
			else \"\(a):\(p)\" end;
		.[] | select(${2:-true}) |
			endpoint(.local; .local_port) + \" \" +
			endpoint(.remote; .remote_port)"
}

# claim NAME: gives its flows an owner; those that are ending may be gone before
claim()
{
	local l r

	while read -r l r; do
		hm "$1" own "$l" "$r" "$OWNER" || return
	done < <(endpoints "$1" '.state == "established"')
}

# claim_both: of all flows between mob and cor
claim_both()
{
	claim mob && claim cor
}

# hand_over OLD NEW CORRESPONDENT [ENCAP [BIND-WORD...]]: mob's OLD is NEW now,
# and cor has accepted it. Wire encapsulation: that of the families, or ENCAP.
hand_over()
{
	hm mob at "$1" "$1" dev="$DUMMY" && hm mob handoff "$1" "$2" &&
		hm cor bind "$1" "$2" owner="$OWNER" lifetime=600000 \
			${4:+encap="$4"} "${@:5}" &&
		hm mob peer "$3" owner="$OWNER" current="$2" accepted \
			${4:+encap="$4"}
}

# --- a connection that moves from a to b, in any encapsulation ---

# server_of ENCAP: as a URL names it; the connection's family is the inner one
server_of()
{
	case $1 in
	ip6ip6 | 6in4) echo "[$CA6]" ;;
	*) echo "$CA" ;;
	esac
}

# flow_move ENCAP [COMMAND...]: mob moves from a to b, where only the outer
# family is if the two differ; then comes the command; then both ends know. See
# tunnel_of; far is cor's inner address
flow_move()
{
	local encap=$1 far=$CA family=

	shift
	tunnel_of "$encap"
	[[ $a1 != *:* ]] || far=$CA6
	case $encap in
	4in6) family=6 ;;
	6in4) family=4 ;;
	esac
	anchor "$a1" && path_detach a && path_attach b "$family" &&
		"${@:-true}" && hand_over "$a1" "$a2" "$far" "$encap" \
			local-outer="$ca" || return
	[ -z "$family" ] ||
		hm mob bind "$far" "$ca" owner="$OWNER" encap="$encap" \
			lifetime=600000
}

# flow_home: mob is in a, and nobody knows of anything
flow_home()
{
	hm mob unbind "$CA" owner="$OWNER"
	hm mob unbind "$CA6" owner="$OWNER"
	hm cor unbind "$a1" owner="$OWNER"
	hm mob forget "$a1"
	ip -n "mob-$ID" link del "$DUMMY"
	ip -n "mob-$ID" -4 rule del pref 7000
	ip -n "mob-$ID" -6 rule del pref 7000
	path_detach b
	path_attach a
}

# --- one host tunnel between cor and mob, for whole packets of any kind ---

# tunnel_of ENCAP: sets a1 a2 ca (inner address, current one, cor's outer
# address) and over (bytes of the outer header from cor)
tunnel_of()
{
	case $1 in
	ipip) a1=$A1 a2=$A2 ca=$CA over=20 ;;
	minenc) a1=$A1 a2=$A2 ca=$CA over=8 ;;
	ip6ip6) a1=$A1_6 a2=$A2_6 ca=$CA6 over=40 ;;
	4in6) a1=$A1 a2=$A2_6 ca=$CA6 over=40 ;;
	6in4) a1=$A1_6 a2=$A2 ca=$CA over=20 ;;
	esac
}

# tunnel_hosts: mob is in b only, and holds both its former addresses; as at a
# router, cor's host routes lead to a dummy, so that strict filters let them in
tunnel_hosts()
{
	path_detach a
	path_attach b
	anchor "$A1" 1500
	anchor "$A1_6" 1500
	ip -n "cor-$ID" -batch - <<-BATCH
		link add $DUMMY type dummy
		link set $DUMMY up
		route add $A1 dev $DUMMY src $CA
		route add $A1_6 dev $DUMMY src $CA6
	BATCH
}

# tunnel_up ENCAP, tunnel_down: what both know
tunnel_up()
{
	hm cor bind "$a1" "$a2" host encap="$1" local-outer="$ca" \
		dev="$DUMMY" &&
		hm mob at "$a1" "$a2" dev="$DUMMY" via="$a2,$ca" via-encap="$1"
}

tunnel_down()
{
	hm cor unbind "$a1" host
	hm mob forget "$a1"
}

# what routes have learnt must not help the next test
forget_routes()
{
	local name

	for name in cor mob; do
		ip -n "$name-$ID" route flush cache
		ip -n "$name-$ID" -6 route flush cache
	done
}
