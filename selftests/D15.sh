#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: connections that never begin leave no entry (defect D15 of the draft)
# timeout: 120
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob and ca. Router ara drops without a
# word what goes to 10.9.9.0/24, where mob looks for a host, and to
# 10.1.0.192/26, where a flood of SYNs that ara itself sends claims to come
# from.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh

SILENT=10.9.9.9
FORGED=10.1.0.192

silence()
{
	ip -n "ara-$ID" route add blackhole 10.9.9.0/24 &&
		ip -n "ara-$ID" route add blackhole "$FORGED/26"
}

# entries NAME REMOTE N: connections with that host that are tracked there
entries()
{
	[ "$(flows_of "$1" ".remote == \"$2\"")" = "$3" ]
}

# deaf add|delete: ca's answers to SYNs get lost
deaf()
{
	if [ "$1" = add ]; then
		on ca nft "add rule inet filter output tcp sport $HTTP \
			tcp flags & (syn | ack) == syn | ack drop"
	else
		on ca nft flush chain inet filter output
	fi
}

# half_open N: ca's connections that wait for the end of the handshake
half_open()
{
	[ "$(on ca ss -Htn state syn-recv | wc -l)" -ge "$1" ]
}

flood()
{
	on ara synflood "$FORGED" "$CA" "$HTTP" 2000
}

topo_up
hmmp_up ca
check "holders of connections" conns_up mob ca
check "router a drops silently" silence
check "capture of messages" capture mob any messages udp port 5060

start curl-silent mob curl -sS --connect-timeout 60 "http://$SILENT/"
check "a SYN to a silent host is tracked" wait_for 10 entries mob "$SILENT" 1
check "it is sent again" wait_for 10 on mob sh -c \
	"ss -Hton dst $SILENT | grep -E 'timer:.on,.*,[1-9]'"
check "it is one entry" entries mob "$SILENT" 1
stop curl-silent
check "the entry goes with the socket" wait_for 10 entries mob "$SILENT" 0

check "ca's SYN+ACKs get lost" deaf add
tell mob open "$CA" "$HTTP" 1 >"$OUT/open" &
opening=$!
check "mob has an entry" wait_for 10 entries mob "$CA" 1
check "ca a request" wait_for 10 half_open 1
equal "but no entry" "$(flows_of ca)" 0
check "they get through again" deaf delete
check "the connection begins" wait "$opening"
check "it belongs to an association" wait_for 20 owned mob 1
check "at ca, too" owned ca 1

new=$(stat_of ca flow_new)
picked=$(stat_of ca flow_picked)
check "2000 SYNs reach ca" flood
check "its backlog is filled" half_open 500
equal "there is no entry for them" "$(flows_of ca)" 1
equal "none was made" "$(stat_of ca flow_new) $(stat_of ca flow_picked)" \
	"$new $picked"
equal "none was refused" "$(stat_of ca flow_limit)" 0
check "an honest connection begins" tell mob open "$CA" "$HTTP" 1
check "it belongs to the association" wait_for 20 owned mob 2
check "mob moves to b" move_to b silent
check "both carry data" tell mob ask 20
stop tcpdump-messages INT
equal "no message went to the silent host" \
	"$(packets messages host "$SILENT")" 0
check "the module can go" hmmp_down
check "the kernel is quiet" kernel_quiet
finish
