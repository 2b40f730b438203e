#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# about: the agent's side of the netlink interface, against the module
# timeout: 120
# needs: kmod agent programs
#
# Runs the agent's test program kernel_test, which makes its own network
# namespaces, and loads and unloads the module.

. ./lib.sh
. ./programs.sh

modprobe -a tunnel4 tunnel6
insmod /t/hmmp.ko || bail "the module cannot be loaded"
HMMP_KO=/t/hmmp.ko run_program kernel_test
check "the module can go" rmmod hmmp
finish
