#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: 100 MB are uploaded while the host moves three times
# timeout: 240
# needs: kmod agent programs
#
# Networks: see topology.sh; agents on mob and ca. curl on mob PUTs a file to
# nginx on ca, which writes it in blocks of 16 kB: bytes "arrive" here when
# nginx has written them, up to 6 ms after their last segment came.

. ./lib.sh
. ./topology.sh
. ./hmmp.sh
. ./transfer.sh

topo_up
transfer_up mob wa wb wc
start arrivals ca arrivals -d "$RUN/nginx-ca/body" "$OUT/arrivals.log"
transfer_start "curl -sS --max-time $((150 * ${SLOW:-1})) -T /srv/data/$FILE -w \
	'%{stderr}%{num_connects} %{http_code} %{size_upload}\n' \
	http://$CA/upload/$FILE"
transfer_moves
transfer_end
equal "curl made one connection and sent all" \
	"$(tail -n 1 "$OUT/transfer.log")" "1 201 $SIZE"
transfer_judge "$(uploaded ca "$FILE")"
transfer_result upload "$(uploaded ca "$FILE")" upload.json
check "agents and module go" hmmp_down
check "the kernel is quiet" kernel_quiet
finish
