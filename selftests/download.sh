#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: 100 MB are downloaded while the host moves three times
# timeout: 240
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob and ca. curl on mob fetches a file
# from nginx on ca, and is told nothing but its name. "make demo" shows this.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./ideal.sh
. ./transfer.sh

topo_up
transfer_up ca eth0
transfer_start "curl -sS --max-time $((150 * ${SLOW:-1})) -w \
	'%{stderr}%{num_connects} %{http_code} %{size_download}\n' \
	http://$CA/$FILE | arrivals $OUT/arrivals.log >$RUN/$FILE"
transfer_moves
transfer_end
equal "curl made one connection and got all" \
	"$(tail -n 1 "$OUT/transfer.log")" "1 200 $SIZE"
transfer_judge "$RUN/$FILE"
check "agents and module go" hmmp_down
check "an ideal switch is measured" transfer_reference
transfer_result download "$RUN/$FILE" handoff.json
check "the kernel is quiet" kernel_quiet
finish
