#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: somebody else gets mob's old address, and neither disturbs the other
# timeout: 150
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob and ca, none on oth. When mob has
# gone to network b the DHCP server of network a loses its leases, and gives
# mob's address to oth.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh

# disturbed: what oth's TCP lost. A busy emulator makes TCP send again what was
# not lost; then the other end says that it had it (DSACK).
disturbed()
{
	on oth nstat -asz TcpRetransSegs TcpExtTCPDSACKRecvSegs \
		TcpEstabResets TcpAttemptFails |
		awk '/DSACK/ { n -= $2; next } /^Tcp/ { n += $2 }
			END { print n + 0 }'
}

# lost: the same of ca's TCP for oth's connection
lost()
{
	on ca ss -Hti state established "dport = :$port" | awk '{
		if (match($0, /retrans:[0-9]+\/[0-9]+/)) {
			split(substr($0, RSTART, RLENGTH), r, "/")
			n += r[2]
		}
		if (match($0, /dsack_dups:[0-9]+/))
			n -= substr($0, RSTART + 11, RLENGTH - 11)
		} END { print n + 0 }'
}

ask_often()
{
	local i

	for i in 1 2 3 4 5; do
		tell oth ask 10 || return
	done
}

topo_up
hmmp_up ca
check "a web server" start_nginx ca
home=$(current_addr)
check "holders of connections" conns_up mob ca oth
check "mob has connections to ca" tell mob open "$CA" "$HTTP" 3
check "and downloads" download mob "$CA" 10m.bin
check "all can move" wait_for 20 owned mob 4
check "mob moves to b" move_to b silent
check "the download goes on" goes_on mob

forget_lost a
check "network a's server loses its leases" dhcp_forget a
check "oth asks for an address there" oth_dhcp a
equal "it gets mob's old one" "$(address_of oth wa)" "$home"
before=$(disturbed)
check "oth opens a connection to ca" tell oth open "$CA" "$HTTP" 1
port=$(on oth ss -Htn state established "dport = :$HTTP" |
	awk '{ sub(".*:", "", $3); print $3 }')
check "it carries data" ask_often
check "oth downloads" download oth "$CA" 1m.bin
check "while mob's connections carry data" tell mob ask 20
check "and its download goes on" goes_on mob
check "oth's file is whole" downloaded oth 1m.bin
check "oth's connection still carries data" ask_often
equal "oth lost nothing" "$(disturbed)" "$before"
equal "nor did ca on the way to it" "$(lost)" 0
equal "ca took none of its segments for mob's" \
	"$(stat_of ca drop_plain)" 0
check "mob's connections carry data" tell mob ask 20
check "mob's file is whole" downloaded mob 10m.bin
check "the module can go" hmmp_down
check "the kernel is quiet" kernel_quiet
finish
