# SPDX-License-Identifier: GPL-2.0-or-later
#
# What people look at: the demo and the benchmarks. Included by the top
# Makefile.

.PHONY: demo bench bench-handoff

demo: ## a download that survives three moves; picture in build/demo/
	@scripts/demo

bench: ## what the data path costs, beside what Linux has; build/bench/
	@scripts/bench

bench-handoff: ## hand-offs beside an ideal switch, PAIRS=24; build/bench/
	@scripts/bench-handoff
