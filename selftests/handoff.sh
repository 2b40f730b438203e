#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: hand-offs, each beside an ideal switch made just before it
# timeout: 400
# bench: make bench-handoff
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob and ca. The ideal switch: ideal.sh.
#
# The program "handoffs" makes the moves, sets static addresses (there is no
# DHCP client here, the stall is counted from "usable") and measures; old
# networks are silent. "make bench-handoff" runs this with PAIRS=24.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./ideal.sh

PAIRS=${HMMP_PAIRS:-21}
SEED=${HMMP_SEED:-$((RANDOM * 32768 + RANDOM))}
TARGET=10	# ms

# handoffs_run: says of each what it says
handoffs_run()
{
	on mob handoffs "$ID" "$PAIRS" "$SEED" | tee "$OUT/moves" |
		jq -r '"# \(.pair) \(.system) \(.from)->\(.to): " +
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
