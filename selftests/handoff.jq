# SPDX-License-Identifier: GPL-2.0-or-later
#
# Lines of src/handoffs.c -> build/bench/handoff.json. Used by handoff.sh.

def round1: . * 10 | round / 10;

# the value below which a share of them is; they are sorted
def quantile(share): .[((length - 1) * share) | ceil];

def middle:
	if length % 2 == 1 then .[length / 2 | floor]
	else (.[length / 2] + .[length / 2 - 1]) / 2 end;

def summary:
	map(select(. != null)) | sort | { n: length } + if length == 0 then {} else
		{ median: (middle | round1), p95: (quantile(0.95) | round1),
		  worst: (max | round1) } end;

# pairs of moves -> what ours took longer
def over:
	group_by(.pair) | map(select(map(.stall_ms) | length == 2 and all) |
		(map(select(.system == "hmmp"))[0].stall_ms) -
		(map(select(.system == "reference"))[0].stall_ms));

# of one system and outage
def case($all):
	. as $moves | {
		name: "\(.[0].system)_\(.[0].outage_ms)",
		unit: "ms",
		system: .[0].system,
		rtt_ms: ($rtt | tonumber? // $rtt),
		outage_ms: .[0].outage_ms,
		n: length,
		stall_ms: (map(.stall_ms) | summary | del(.n)),
		gap_ms: (map(.gap_ms) | summary | del(.n)),
		again_ms: (map(.again_ms) | summary | del(.n)),
		retransmitted: (map(.retransmitted) | add / length | round1),
		lost: map(select(.lost)) | length,
		resets: map(select(.error != 0)) | length
	} + if .[0].system == "hmmp" then {
		over_reference_ms: ($all | map(select(.outage_ms ==
			$moves[0].outage_ms)) | over | summary)
	} else {} end;

. as $all | {
	$kernel, $date, $commit, seed: ($seed | tonumber), load: $load,
	cases: (group_by([.outage_ms, .system]) | map(case($all))),
	over_reference_ms: ($all | over | summary),
	moves: $all
}
