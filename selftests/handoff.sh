#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: hand-offs, each beside an ideal switch made just before it
# timeout: 400
# bench: make bench-handoff
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob and ca. For the ideal switch, both
# have a tunnel for each network, and addresses inside that never change:
#
#	mob 10.8.0.1 =tun1= by network a =tun1= 10.8.0.2 ca
#	             =tun2= by network b =tun2=
#	             =tun3= by network c =tun3=
#
# The program "handoffs" makes the moves, sets static addresses (there is no
# DHCP client here, the stall is counted from "usable") and measures; old
# networks are silent. "make bench-handoff" runs this with PAIRS=24.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh

PAIRS=${HMMP_PAIRS:-21}
SEED=${HMMP_SEED:-$((RANDOM * 32768 + RANDOM))}
TARGET=10	# ms

# static_addresses: what "handoffs" expects, mob is in network a
static_addresses()
{
	stop dhcpcd
	ip -n "mob-$ID" -batch - <<-BATCH
		addr flush dev wa
		link set wb down
		link set wc down
		addr add 10.1.0.50/24 dev wa
		route replace default via 10.1.0.1 dev wa
	BATCH
	link_up b && link_up c
}

# tunnels NAME INNER OUTER FAR: OUTER and FAR are addresses, with @ for 1 to 3
tunnels()
{
	local i

	for i in 1 2 3; do
		echo "link add tun$i type ipip local ${3/@/$i}" \
			"remote ${4/@/$i} ttl 64"
		echo "link set tun$i up"
	done | ip -n "$1-$ID" -batch - &&
		ip -n "$1-$ID" addr add "$2/32" dev lo
}

ideal_up()
{
	modprobe ipip && tunnels mob 10.8.0.1 10.@.0.50 "$CA" &&
		tunnels ca 10.8.0.2 "$CA" 10.@.0.50
}

# handoffs_run: says of each what it says
handoffs_run()
{
	on mob handoffs "$ID" "$PAIRS" "$SEED" | tee "$OUT/moves" |
		jq -r --unbuffered '"# \(.pair) \(.system) \(.from)->\(.to): " +
			"outage \(.outage_ms) ms, stall \(.stall_ms) ms, " +
			"then at most \(.again_ms) ms, kick \(.kick)"'
	[ "${PIPESTATUS[0]}" = 0 ]
}

load()
{
	cut -d' ' -f1-3 /proc/loadavg
}

# evaluate: result file from the lines of "handoffs"
evaluate()
{
	jq -s --arg kernel "$(uname -r)" --arg seed "$SEED" \
		--arg commit "${HMMP_COMMIT:-unknown}" --argjson rtt "$RTT" \
		--arg date "$(date -u -d "@$HOST_TIME" +%FT%TZ)" \
		--arg load "$(load)" -f handoff.jq "$OUT/moves" \
		>"$OUT/handoff.json"
}

# of JQ-EXPRESSION: from the result file
of()
{
	jq -er "$1" "$OUT/handoff.json"
}

topo_up
check "static addresses" static_addresses
check "tunnels for the ideal switch" ideal_up
check "mob reaches ca" wait_for 10 on mob ping -c 1 -W 1 "$CA"
hmmp_up ca
handoffs_run
check "$PAIRS pairs of hand-offs" [ $? = 0 ]
check "the result is evaluated" evaluate
note "$(of '.cases[] | "outage \(.outage_ms) ms, \(.system): n \(.n), " +
	"stall median \(.stall_ms.median), p95 \(.stall_ms.p95), " +
	"worst \(.stall_ms.worst) ms"')"
note "$(of '.over_reference_ms | "HMMP - reference: n \(.n), " +
	"median \(.median), p95 \(.p95), worst \(.worst) ms"')"
note "load of this machine: $(load)"
equal "nothing was lost" "$(of '[.cases[].lost] | add')" 0
equal "no connection broke" "$(of '[.cases[].resets] | add')" 0
check "the median is within the ideal + $TARGET ms" \
	of '.over_reference_ms.median <= '"$TARGET"' or error("no")'
check "agents and module go" hmmp_down
check "the kernel is quiet" kernel_quiet
finish
