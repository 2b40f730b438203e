# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034 # variables for scenarios
#
# The networks that the scenarios play in. Every box is a network namespace
# with a random suffix; a scenario names it without ("on mob ping ...").
#
#	                     access routers          backbone
#	 +-----+wa======pm+-----------------+        +--------+
#	 |     |          | ara 10.1.0.1/24 |ub----ra|        |10.9.1.0/24
#	 |     |   wa--po-| (bridge br0)    |10.0.1.0|        |ca----eth0 ca .2
#	 |     |          +-----------------+        |        |
#	 | mob |wb======pm+-----------------+        |        |10.9.2.0/24
#	 |     |          | arb 10.2.0.1/24 |ub----rb|   bb   |cb----eth0 cb .2
#	 |     |   wb--po-|                 |10.0.2.0|        |
#	 |     |          +-----------------+        |        |10.9.3.0/24
#	 |     |wc======pm+-----------------+        |        |cc----eth0 cc .2
#	 +-----+          | arc 10.3.0.1/24 |ub----rc|        |
#	           wc--po-|                 |10.0.3.0|        |
#	                  +-----------------+        +--------+
#
#	 oth: a third host; its wa, wb and wc go to the ports "po". It has no
#	 address until it asks for one by DHCP (oth_dhcp).
#
# At any time one of mob's three links (=) is up, unless a scenario says
# otherwise. Delay is on both ends of each "ub"--bb link: RTT/2 each way.
# Each router has a Kea DHCPv4 server, mob a dhcpcd that is told nothing but
# the names of its interfaces. Strict reverse-path filtering and the firewalls
# of Documentation/examples/nftables are on everywhere.
#
# Parameters, set before topo_up:
#
#	RTT	ms between mob and the servers (20)
#	RATE	of the backbone links, as tc writes it (none)
#	LEASE	seconds a lease is valid (600)
#	POOL	host numbers of each network's pool ("100 - 199")

RTT=${RTT:-20}
RATE=${RATE:-}
LEASE=${LEASE:-600}
POOL=${POOL:-100 - 199}
CA=10.9.1.2
CB=10.9.2.2
CC=10.9.3.2

conf=$PWD/conf
rules=$PWD/../examples/nftables
declare -rA NET=([a]=1 [b]=2 [c]=3)
built=		# the parameters that the networks were built with
HERE=		# a, b or c: the network that mob's last move led to
hosts="mob oth ca cb cc"
routers="ara arb arc bb"

# --- building ---

# All veth pairs in one batch: starting a process is what costs time. The two
# ends of a cable have different numbers: a veth whose peer has its own number
# looks to the kernel like a device without one, and may be called running a
# second late.
topo_links()
{
	local n

	for n in a b c; do
		echo "link add w$n index 1${NET[$n]} netns mob-$ID type veth" \
			"peer name pm netns ar$n-$ID"
		echo "link add w$n index 1${NET[$n]} netns oth-$ID type veth" \
			"peer name po netns ar$n-$ID"
		echo "link add ub netns ar$n-$ID type veth" \
			"peer name r$n netns bb-$ID"
		echo "link add c$n netns bb-$ID type veth" \
			"peer name eth0 netns c$n-$ID"
	done >"$RUN/links"
	ip -batch "$RUN/links"
}

topo_router()
{
	local n=$1 i=${NET[$1]}

	ip -n "ar$n-$ID" -batch - <<-BATCH
		link add br0 type bridge
		link set pm master br0
		link set po master br0
		addr add 10.$i.0.1/24 dev br0
		addr add 10.0.$i.1/30 dev ub
		link set lo up
		link set br0 up
		link set po up
		link set ub up
		route add default via 10.0.$i.2
	BATCH
}

topo_backbone()
{
	local n i

	echo "link set lo up"
	for n in a b c; do
		i=${NET[$n]}
		echo "addr add 10.0.$i.2/30 dev r$n"
		echo "addr add 10.9.$i.1/24 dev c$n"
		echo "link set r$n up"
		echo "link set c$n up"
		echo "route add 10.$i.0.0/24 via 10.0.$i.1"
	done
}

topo_server()
{
	local i=${NET[$1]}

	ip -n "c$1-$ID" -batch - <<-BATCH
		addr add 10.9.$i.2/24 dev eth0
		link set lo up
		link set eth0 up
		route add default via 10.9.$i.1
	BATCH
}

# delay NAME DEVICE...: half of the round trip, on the way out
delay()
{
	local name=$1 dev

	shift
	for dev; do
		echo "qdisc replace dev $dev root netem delay $((RTT * 500))us" \
			"limit 20000 ${RATE:+rate $RATE}"
	done | tc -n "$name-$ID" -batch -
}

# harden NAME RULES [SYSCTL...]: before the first interface is there
harden()
{
	local name=$1 file=$2

	shift 2
	on "$name" sysctl -q -w net.ipv4.conf.all.rp_filter=1 \
		net.ipv4.conf.default.rp_filter=1 \
		net.ipv6.conf.all.disable_ipv6=1 \
		net.ipv6.conf.default.disable_ipv6=1 "$@"
	on "$name" nft -f "$rules/$file.nft"
}

# all at once: loading rules is slow, and there are two processors
topo_harden()
{
	local name job jobs=

	for name in $hosts; do
		harden "$name" host &
		jobs="$jobs $!"
	done
	for name in $routers; do
		# liberal: see Documentation/firewall.rst
		harden "$name" router net.ipv4.ip_forward=1 \
			net.netfilter.nf_conntrack_tcp_be_liberal=1 &
		jobs="$jobs $!"
	done
	for job in $jobs; do
		wait "$job" || return
	done
}

# clients_up mob|oth: their ends; there is no carrier unless the router's is up
clients_up()
{
	ip -n "$1-$ID" -batch - <<-BATCH
		link set lo up
		link set wa up
		link set wb up
		link set wc up
	BATCH
}

topo_build()
{
	local n

	topo_links || return
	for n in a b c; do
		topo_router "$n" && topo_server "$n" && delay "ar$n" ub ||
			return
	done
	topo_backbone | ip -n "bb-$ID" -batch - && delay bb ra rb rc &&
		clients_up oth && clients_up mob
}

# topo_build_all: everything, from nothing
topo_build_all()
{
	local n

	# shellcheck disable=SC2086 # names are words
	netns_add $hosts $routers || bail "cannot make namespaces"
	topo_harden || bail "cannot set up the firewalls"
	topo_build || bail "cannot build the networks"
	for n in a b c; do
		start_kea "$n"
	done
	start_dhcpcd
	for n in a b c; do
		wait_for 30 listens_dhcp "$n" || bail "Kea of $n is not there"
	done
	link_up a
	HERE=a
	wait_addr a 30 || bail "mob got no address in network a"
	built=$(topo_parameters)
}

topo_parameters()
{
	echo "RTT=$RTT RATE=$RATE LEASE=$LEASE POOL=$POOL"
}

# topo_save FILE: for topo_adopt
topo_save()
{
	declare -p ID RUN NAMESPACES DAEMON HERE built | sed 's/^declare -[-aA]* //' \
		>"$1"
}

# topo_adopt FILE: goes on with networks that another shell has built
topo_adopt()
{
	local wanted

	wanted=$(topo_parameters)
	rm -rf "$RUN"
	# shellcheck source=/dev/null
	. "$1"
	rm "$1"		# they are ours now
	[ "$built" != "$wanted" ] || return 0
	topo_change
	built=$wanted
}

# topo_change: other parameters for the networks that are there
topo_change()
{
	local n

	stop dhcpcd
	for n in a b c; do
		delay "ar$n" ub
		dhcp_forget "$n" || bail "Kea of $n did not come again"
	done
	delay bb ra rb rc
	start_dhcpcd
	wait_addr a || bail "mob got no address in network a"
}

# topo_up: the networks, and mob with an address in network a
topo_up()
{
	if [ -e /run/topology ]; then
		topo_adopt /run/topology
	else
		topo_build_all
	fi
}

# topo_down: what mob and the routers run; the namespaces go at the end
topo_down()
{
	local name

	for name in "${!DAEMON[@]}"; do
		stop "$name"
	done
}

# --- DHCP ---

start_kea()
{
	local n=$1 dir=$RUN/kea-$1

	mkdir -p "$dir"
	sed -e "s/@NET@/10.${NET[$n]}.0/g" -e "s/@LEASE@/$LEASE/" \
		-e "s/@FIRST@/${POOL% - *}/" -e "s/@LAST@/${POOL#* - }/" \
		"$conf/kea.json" >"$dir/kea.json"
	KEA_PIDFILE_DIR=$dir KEA_LOCKFILE_DIR=$dir \
		start "kea-$n" "ar$n" kea-dhcp4 -c "$dir/kea.json"
}

# It reads from a packet socket, the only one on a router.
listens_dhcp()
{
	on "ar$1" awk 'END { exit NR < 2 }' /proc/net/packet
}

# dhcp_forget NETWORK: its server loses its leases, as after a power failure
dhcp_forget()
{
	stop "kea-$1"
	start_kea "$1"
	wait_for 20 listens_dhcp "$1"
}

start_dhcpcd()
{
	start dhcpcd mob dhcpcd --nobackground -f "$conf/dhcpcd.conf" wa wb wc
}

# oth_dhcp NETWORK: the third host asks for an address there
oth_dhcp()
{
	start "dhclient-$1" oth dhclient -d -4 -pf "$RUN/dhclient-$1.pid" \
		-lf "$RUN/dhclient-$1.leases" -cf "$conf/dhclient.conf" "w$1"
	wait_for 20 address_of oth "w$1"
}

# --- moving ---

# address_of NAME DEVICE: prints its global address; false if there is none
address_of()
{
	local line

	line=$(ip -n "$1-$ID" -4 -o addr show dev "$2" scope global)
	[[ $line =~ inet\ ([0-9.]+) ]] && echo "${BASH_REMATCH[1]}"
}

# current_addr [NETWORK]: mob's address in a network; default: where it is
current_addr()
{
	address_of mob "w${1:-$HERE}"
}

usable()
{
	address_of mob "w$1" &&
		[[ $(ip -n "mob-$ID" route get "$CA") == *" dev w$1 "* ]]
}

# wait_addr NETWORK [SECONDS]: mob has an address there and a way to ca
wait_addr()
{
	wait_for "${2:-20}" usable "$1"
}

# link_up NETWORK, link_down NETWORK: mob's cable or radio there
link_up()
{
	ip -n "ar$1-$ID" link set pm up
}

link_down()
{
	ip -n "ar$1-$ID" link set pm down
}

# lose_addr NETWORK silent|unreachable: how the router answers for the address
# that mob leaves behind
lose_addr()
{
	local addr kind=blackhole

	addr=$(current_addr "$1") || return 0
	[ "$2" = silent ] || kind=unreachable
	ip -n "ar$1-$ID" route replace "$kind" "$addr/32" metric 9000
}

# forget_lost NETWORK: the router serves all its addresses again
forget_lost()
{
	local kind

	for kind in blackhole unreachable; do
		ip -n "ar$1-$ID" route flush type "$kind" metric 9000 \
			2>/dev/null
	done
}

# move_start NETWORK [silent|unreachable]: the old link goes, the new one comes
move_start()
{
	forget_lost "$1"
	[ -z "$HERE" ] || {
		lose_addr "$HERE" "${2:-unreachable}"
		link_down "$HERE"
	}
	link_up "$1"
	HERE=$1
}

# move_to NETWORK [silent|unreachable]: and waits for the new address
move_to()
{
	move_start "$@"
	wait_addr "$1"
}

# --- servers ---

# start_nginx NAME: serves /srv/data, takes PUT below /upload
start_nginx()
{
	local dir=$RUN/nginx-$1

	running "nginx-$1" && return
	mkdir -p "$dir/upload"
	chmod 755 "$RUN" "$dir"
	chown www-data "$dir/upload"
	sed "s|@DIR@|$dir|g" "$conf/nginx.conf" >"$dir/nginx.conf"
	start "nginx-$1" "$1" nginx -c "$dir/nginx.conf" -g 'daemon off;' \
		-e "$dir/error.log"
	wait_for 10 listens "$1" 80
}

# uploaded NAME FILE: where a file that was PUT to a server is
uploaded()
{
	echo "$RUN/nginx-$1/upload/$2"
}

# start_sshd NAME: root may log in with the key that ssh_from uses
start_sshd()
{
	local dir=$RUN/ssh

	running "sshd-$1" && return
	if [ ! -e "$dir/user" ]; then
		mkdir -p "$dir"
		ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
		ssh-keygen -q -t ed25519 -N '' -f "$dir/user"
		sed "s|@DIR@|$dir|g" "$conf/sshd.conf" >"$dir/sshd.conf"
		sed "s|@DIR@|$dir|g" "$conf/ssh.conf" >"$dir/ssh.conf"
	fi
	start "sshd-$1" "$1" /usr/sbin/sshd -D -e -f "$dir/sshd.conf"
	wait_for 10 listens "$1" 22
}

# ssh_from NAME ADDRESS [COMMAND]
ssh_from()
{
	on "$1" ssh -F "$RUN/ssh/ssh.conf" "${@:2}"
}

start_iperf3()
{
	start "iperf3-$1" "$1" iperf3 -s
	wait_for 10 listens "$1" 5201
}

# capture NAME DEVICE LABEL [FILTER]: tcpdump into OUT/LABEL.pcap
capture()
{
	start "tcpdump-$3" "$1" tcpdump -i "$2" -n -U --immediate-mode \
		-s 128 -w "$OUT/$3.pcap" "${@:4}"
	wait_for 10 grep -q 'listening on' "$OUT/tcpdump-$3.log"
}

# --- agents ---

# start_agent NAME ROLE: hmmpd there, with conf/hmmpd-ROLE.conf
start_agent()
{
	local dir=$RUN/hmmpd-$1

	mkdir -p "$dir"
	sed -e "s|@DIR@|$dir|g" -e "s|@NAME@|$1|g" \
		"$conf/hmmpd-$2.conf" >"$dir/hmmpd.conf"
	start "hmmpd-$1" "$1" hmmpd -f -c "$dir/hmmpd.conf"
	wait_for 10 listens "$1" 5060 udp
}

stop_agent()
{
	stop "hmmpd-$1" "${2:-TERM}"
}
