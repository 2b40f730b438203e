#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: the module is removed and loaded again under traffic
# timeout: 200
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob and ca. A download from ca runs, and
# connections to cb are open, where no agent is. The module goes and comes
# three times, at home and after a move. What is not bound must not
# notice; what is bound goes on when the module is back, because the agents
# tell it again what they know.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh

loaded()
{
	grep -q '^hmmp ' /proc/modules
}

reload()
{
	rmmod hmmp && ! loaded && insmod /t/hmmp.ko
}

topo_up
hmmp_up ca
check "a web server with an agent" start_nginx ca
check "a host without one" conns_up cb mob
home=$(current_addr)
check "mob has connections to it" tell mob open "$CB" "$HTTP" 20
check "mob downloads from ca" download mob "$CA" 10m.bin 200K
check "the connection can move" wait_for 20 owned mob 1
check "the module goes and comes, twice" eval "reload && reload"
check "connections to the other host carry data" tell mob ask 20
check "the connection can move again" wait_for 30 owned mob 1
check "the download goes on" goes_on mob

check "they close" tell mob reset
check "mob moves to b" move_to b silent
check "ca knows where mob is" wait_for 30 bound ca "$home" "$(current_addr)"
check "the download goes on" goes_on mob
check "the module goes and comes" reload
check "ca learns again where mob is" wait_for 60 \
	bound ca "$home" "$(current_addr)"
check "the download goes on" goes_on mob 60
check "mob moves to c" move_to c silent
check "the download goes on" goes_on mob 60
check "the file is whole" downloaded mob 10m.bin
check "agents and module go" hmmp_down
check "the kernel is quiet" kernel_quiet
finish
