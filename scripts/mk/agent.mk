# SPDX-License-Identifier: GPL-2.0-or-later
# The agent: hmmpd and hmmpctl. Included by the top Makefile.

.PHONY: agent check-agent fuzz

agent: ## build hmmpd and hmmpctl into build/agent/ (SAN=1: with sanitizers)
	$(Q)$(MAKE) -C agent all

check-agent: ## run the agent's test programs with ASan and UBSan (TAP)
	$(Q)$(MAKE) -C agent check

fuzz: ## run every fuzz target, SECONDS=60 each
	$(Q)$(MAKE) -C agent fuzz
