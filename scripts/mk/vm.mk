# SPDX-License-Identifier: GPL-2.0-or-later
#
# The module's build, the test VM and the selftests. The work is done by
# scripts/{setup,kmod-build,vm-*,check} and selftests/run.

TEST ?=

setup: ## installs the Debian packages that are needed (asks for root once)
	@scripts/setup

kmod: ## hmmp.ko in build/kmod-KVER; KDIR= headers, or KERNELS="6.1 6.12"
	@scripts/kmod-build $(KDIR)

vm: ## kernels, root file system and snapshots of the test VM
	@scripts/vm-kernels
	@scripts/vm-root
	@for series in 6.1 6.12; do \
		scripts/vm-snapshot "$$(cat build/vm/kernel-$$series)" || exit; \
	done

selftests: ## scenarios in the VM; KERNELS=6.12, TEST=smoke, V=1 choose
	@selftests/run $(TEST)

sanitize: ## the same on kernels that watch memory and locks; KERNELS=6.12, TEST=
	@KERNELS="$(patsubst %-debug-debug,%-debug,\
		$(addsuffix -debug,$(or $(KERNELS),6.1 6.12)))" \
		selftests/run $(TEST)

check: ## all tests, step by step; 45 minutes at most
	@scripts/check

clean: ## removes what was built, keeps the test VM
	@rm -rf build/agent build/kmod-* build/selftests build/selftests-bin \
		build/check build/demo

distclean: ## removes everything that was built or fetched
	@rm -rf build

.PHONY: setup kmod vm selftests sanitize check clean distclean
