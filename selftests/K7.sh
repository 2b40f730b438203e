#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: K7, K10, K12, K13: one step for many, limits, removal under traffic
# timeout: 300
# needs: kmod agent programs
#
# Networks: see path.sh. Many connections of both families move by one netlink
# operation; limits hold and are explained; the module goes while packets are
# in it and in queues of the firewall, and while namespaces are deleted.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./path.sh

N=100

# tracked N [NAME]: so many connections there
tracked()
{
	[ "$(flows_of "${2:-mob}")" = "$1" ]
}

# refused WORD... -- SENTENCE: hmmpctl at cor fails, and says so
refused()
{
	local words=()

	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	! hm cor "${words[@]}" 2>"$RUN/sentence" &&
		grep -F "$2" "$RUN/sentence"
}

# queue_all NAME: every packet there waits for somebody who never comes
queue_all()
{
	on "$1" nft -f - <<-RULES
		table inet hold {
			chain post {
				type filter hook postrouting priority 500;
				meta l4proto tcp counter queue num 0 bypass
			}
			chain pre {
				type filter hook prerouting priority -400;
				meta l4proto { 4, 41, 55 } counter queue num 0 bypass
			}
		}
	RULES
}

path_up
check "web server" start_nginx cor
check "holders of connections" conns_up cor mob
check "$N connections of IPv4" tell mob open "$CA" "$HTTP" $N
check "they are tracked" wait_for 20 tracked $N
check "all of them carry data" tell mob ask 30
check "cor tracks them, too" wait_for 10 tracked $N cor
check "both ends own them" claim_both
check "mob moves" eval 'anchor "$A1" && path_detach a && path_attach b'
check "mob has an entry for its address" hm mob at "$A1" "$A1" dev="$DUMMY"
changed=$(on mob hmmpctl -j handoff "$A1" "$A2" | jq .changed)
equal "one hand-off changes one entry for all of them" "$changed" 1
check "one binding at cor" hm cor bind "$A1" "$A2" owner="$OWNER"
check "one word at mob" hm mob peer "$CA" owner="$OWNER" current="$A2" accepted
check "all of them carry data in the tunnel" tell mob ask 30
check "in the tunnel" [ "$(stat_of cor tx_encap)" -ge $N ]
equal "none of cor's packets was dropped" "$(stat_of cor drop_held)" 0

check "a limit of bindings" hm cor limits bindings=2
check "the second one fits" hm cor bind 10.1.0.99 "$A2" host \
	local-outer="$CA" dev=eth0
check "the third one is refused with a sentence" refused \
	bind 10.1.0.98 "$A2" host local-outer="$CA" dev=eth0 -- \
	"the limit of bindings is reached"
equal "and counted" "$(stat_of cor binding_limit)" 1
check "a limit of flows" hm mob limits flows=$N
check "one more connection works all the same" \
	tell mob open "$CA" "$HTTP" 1
check "and is not tracked" tracked $N
check "which is counted" [ "$(stat_of mob flow_limit)" -ge 1 ]

check "they end" tell mob reset
check "a download that is not bound" download mob "$CA" 10m.bin
check "firewalls hold packets for nobody" eval 'queue_all mob; queue_all cor'
check "the module goes under traffic" rmmod hmmp
check "and comes back" path_module
for name in mob cor; do
	on "$name" nft delete table inet hold
done
check "the download goes on" downloaded mob 10m.bin

check "bindings once more" eval 'hm cor bind 10.1.0.99 "$A2" host \
	local-outer="$CA" dev=eth0 && hm mob at "$A1" "$A2" dev="$DUMMY" \
	via="$A2,$CA"'
kill "${DAEMON[conns-cor]}" "${DAEMON[nginx-cor]}" 2>/dev/null
check "a namespace goes with all that is in it" ip netns del "$(ns cor)"
NAMESPACES=(mob oth ara arb bb)
check "the module can go" rmmod hmmp
check "the kernel is quiet" kernel_quiet
finish
