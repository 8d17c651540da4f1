#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Types of other modules: guarded, their module kept while jobs of theirs are
# pending, forgotten when it goes.

. "$(dirname "$0")/tap.sh"

for kernel in $KERNELS; do
	boot "$kernel" "$kernel: a module's own destructor; the module and the guard come and go" \
		--kernel "$kernel" --scenario foreign --timeout 240
done
plan
