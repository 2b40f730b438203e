#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: agents are killed during a transfer, and come back
# timeout: 200
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob and ca. Each agent is killed with
# SIGKILL while a download runs that has moved once; the transfer must not
# notice, and after the restart the next move must work. At last mob moves
# while its agent is dead, and the new agent has to find that out.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh

topo_up
hmmp_up ca
check "a web server" start_nginx ca
home=$(current_addr)
check "mob downloads" download mob "$CA" 10m.bin 200K
check "the connection can move" wait_for 20 owned mob 1
check "mob moves to b" move_to b silent
check "the download goes on" goes_on mob

stop_agent mob KILL
check "mob's agent is dead, the download goes on" goes_on mob
check "mob's agent starts again" start_agent mob mobile
check "mob moves to c" move_to c silent
check "ca knows where mob is" wait_for 30 bound ca "$home" "$(current_addr)"
check "the download goes on" goes_on mob

stop_agent ca KILL
check "ca's agent is dead, the download goes on" goes_on mob
check "ca's agent starts again" start_agent ca correspondent
check "mob moves to b" move_to b silent
check "ca knows where mob is" wait_for 30 bound ca "$home" "$(current_addr)"
check "the download goes on" goes_on mob

stop_agent mob KILL
check "mob moves to c, its agent is dead" move_to c silent
check "mob's agent starts again" start_agent mob mobile
check "ca knows where mob is" wait_for 30 bound ca "$home" "$(current_addr)"
check "the download goes on" goes_on mob
check "the file is whole" downloaded mob 10m.bin
check "agents and module go" hmmp_down
check "the kernel is quiet" kernel_quiet
finish
