# SPDX-License-Identifier: GPL-2.0-or-later
# Generated files, style, sizes, sparse, KUnit. Included by the top Makefile.

.PHONY: gen
gen: ## regenerate the uapi header and the netlink policies from the spec
	scripts/gen-netlink
