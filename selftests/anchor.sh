#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: what the agent sets on a host, and sees of it, on this kernel
# timeout: 300
# needs: agent
#
# Runs the agent's test programs anchor_test (which needs a kernel with dummy
# interfaces) and link_test. They make their own network namespaces.

. ./lib.sh
. ./programs.sh

run_program anchor_test
run_program link_test
finish
