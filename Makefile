# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every entry point; the rules are in scripts/mk/*.mk, the lists of what is
# built in kmod/Kbuild and agent/Makefile. "make help" lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := all
MAKEFLAGS += --no-print-directory

all: kmod agent ## the module for the headers found (KDIR= chooses) and the agent (default)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-20s %s\n", $$1, $$2}' \
		$(MAKEFILE_LIST) | sort

.PHONY: all help

include $(sort $(wildcard scripts/mk/*.mk))
