# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2120 # variables; words that may follow
#
# What scenarios about a previous router share: ara, where mob used to be, and
# what an agent there would do. Sourced after path.sh. The names of addresses
# are those of one family at a time:
#
#	a1, a2	mob's in network a and in network b
#	ar, or	ara's and arb's on the backbone
#	gw	ara's on the served link
#	ca	cor's
#	o1	oth's
#	bits	of an address

PORT=5060	# one that every firewall of the test bed lets in
SERVED=br0

# host_family 4|6
host_family()
{
	family=$1
	if [ "$1" = 4 ]; then
		a1=$A1 a2=$A2 ca=$CA bits=32 inip=ipip
		ar=10.0.1.1 or=10.0.2.1 gw=10.1.0.1 o1=10.1.0.20
		plain="ip host $A1"
		tunnel="ip proto 4"
	else
		a1=$A1_6 a2=$A2_6 ca=$CA6 bits=128 inip=ip6ip6
		ar=fd00:a1::1 or=fd00:a2::1 gw=fd00:1::1 o1=fd00:1::20
		plain="ip6 host $A1_6"
		tunnel="ip6 proto 41"
	fi
}

# host_up: the previous router's dummy; the third host is in network a
host_up()
{
	local n

	for n in ara arb; do
		ip -n "$n-$ID" link add "$DUMMY" type dummy &&
			ip -n "$n-$ID" link set "$DUMMY" up || return
	done
	on ara sysctl -q -w net.ipv6.conf.all.proxy_ndp=1 \
		"net.ipv6.conf.$SERVED.proxy_ndp=1" &&
		path_oth 10.1.0.20 10.1.0.1 && ip -n "oth-$ID" -batch - <<-BATCH
			addr add fd00:1::20/64 dev wa nodad
			route add default via fd00:1::1
		BATCH
	host_mac=$(mac_of mob wa)
}

# mac_of NAME DEVICE
mac_of()
{
	ip -n "$1-$ID" -j link show dev "$2" | jq -r '.[].address'
}

# host_route NAME, host_unroute NAME: its host route for A1, and its answers in
# mob's place
host_route()
{
	ip -n "$1-$ID" "-$family" route replace "$a1/$bits" dev "$DUMMY" &&
		ip -n "$1-$ID" neigh replace proxy "$a1" dev "$SERVED"
}

host_unroute()
{
	ip -n "$1-$ID" "-$family" route del "$a1/$bits" dev "$DUMMY"
	ip -n "$1-$ID" neigh del proxy "$a1" dev "$SERVED"
}

# host_bind [BIND-WORD...]: ara sends what is for A1 to A2
host_bind()
{
	hm ara bind "$a1" "$a2" host "encap=$inip" "local-outer=$ar" \
		"dev=$DUMMY" "link=$SERVED" "lladdr=$host_mac" "$@"
}

# host_leaves: mob goes to network b and keeps A1, through ara
host_leaves()
{
	anchor "$a1" && path_detach a && path_attach b &&
		hm mob at "$a1" "$a2" "dev=$DUMMY" "via=$a2,$ar" \
			"via-encap=$inip" via-lifetime=600000
}

# host_returns: mob is in network a again, and A1 is its only address
host_returns()
{
	hm mob forget "$a1"
	ip -n "mob-$ID" link del "$DUMMY"
	ip -n "mob-$ID" "-$family" rule del pref 7000
	path_detach b
	path_attach a
}

# status_of NAME ADDRESS [FIELD]: of its host binding; "gone" if there is none
status_of()
{
	on "$1" hmmpctl -j bindings | jq -r "[.[] | select(.scope == \"host\" and
		.original == \"$2\") | .${3:-status}][0] // \"gone\""
}

# has_status NAME ADDRESS VALUE [FIELD]
has_status()
{
	[ "$(status_of "$1" "$2" "${4:-}")" = "$3" ]
}

# monitor NAME LABEL: events of the module there, into OUT/LABEL.log
monitor()
{
	local before

	before=$(on "$1" awk "\$2 == 16" /proc/net/netlink | wc -l)
	start "$2" "$1" hmmpctl -j monitor
	wait_for 10 listens_more "$1" "$before"
}

listens_more()
{
	[ "$(on "$1" awk "\$2 == 16" /proc/net/netlink | wc -l)" -gt "$2" ]
}

# events LABEL JQ-CONDITION: how many of them
events()
{
	jq -s "[.[] | select($2)] | length" "$OUT/$1.log"
}

# event_came LABEL JQ-CONDITION
event_came()
{
	[ "$(events "$1" "$2")" -gt 0 ]
}

# answers NAME ADDRESS: mob or whoever has it answers a datagram from there
answers()
{
	on "$1" dgram ask "$2" "$PORT" $((10 * ${SLOW:-1}))
}

# pings NAME ADDRESS [PING-WORD...]
pings()
{
	on "$1" ping -c 1 -W 5 "${@:3}" "$2"
}

# listens_at ADDRESS: mob answers datagrams to it
listens_at()
{
	start "dgram-$1" mob dgram listen "$1" "$PORT"
	wait_for 10 listens mob "$PORT" udp
}
