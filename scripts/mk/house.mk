# SPDX-License-Identifier: GPL-2.0-or-later
# Generated files, style, sizes, sparse, KUnit. Included by the top Makefile.

.PHONY: gen style stats sparse kunit

gen: ## regenerate the uapi header and the netlink policies from the spec
	@scripts/gen-netlink

style: ## checkpatch, shellcheck, licences, the rules of CONTRIBUTING.md (TAP)
	@scripts/style

stats: ## sizes of functions and files, share of tests (TAP)
	@scripts/stats

sparse: ## sparse with endian checks, W=1, more warnings (TAP)
	@scripts/sparse

kunit: ## the module's KUnit suites in user-mode Linux (KTAP)
	@scripts/kunit $(SUITE)
