#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: an outage longer than the binding lives
# timeout: 150
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob and ca; mob asks for bindings of 4
# seconds only. mob moves to b, then is nowhere until ca's binding is HELD.
# The capture is on the backbone's link to ca.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh

# held ADDRESS: ca's binding for it has lapsed
held()
{
	on ca hmmpctl -j bindings | jq -e "any(.[]; .original == \"$1\" and
		.status == \"held\")"
}

# dropped N: ca's TCP has tried so often while the binding was held
dropped()
{
	[ "$(stat_of ca drop_held)" -ge "$1" ]
}

sed '/^\[mobile\]/a lifetime = 4' "$conf/hmmpd-mobile.conf" \
	>"$conf/hmmpd-short.conf"
topo_up
MOBILE_CONF=short hmmp_up ca
check "a web server" start_nginx ca
home=$(current_addr)
check "mob downloads" download mob "$CA" 10m.bin
check "the connection can move" wait_for 20 owned mob 1
check "mob moves to b" move_to b silent
here=$(current_addr)
check "the download goes on" goes_on mob
check "capture" capture bb ca backbone tcp or ip proto 4

lose_addr b silent
link_down b
HERE=
check "ca's binding is held" wait_for 20 held "$home"
check "capture of the time while it is" capture bb ca held tcp or ip proto 4
check "ca's TCP goes on trying" wait_for 40 dropped 2
equal "nothing is sent to the original address" \
	"$(packets held "src $CA and dst $home")" 0
equal "nor to the last one" "$(packets held "src $CA and dst $here")" 0
stop tcpdump-held INT
check "the connection is there" running curl-mob

check "mob gets to network c" move_to c
check "the download goes on" goes_on mob 30
check "the binding is no longer held" bound ca "$home" "$(current_addr)"
check "the file is whole" downloaded mob 10m.bin
stop tcpdump-backbone INT
equal "never anything to the original address" \
	"$(packets backbone "src $CA and dst $home")" 0
refute "but before the outage to the last one" \
	[ "$(packets backbone "src $CA and dst $here")" = 0 ]
check "the module can go" hmmp_down
check "the kernel is quiet" kernel_quiet
finish
