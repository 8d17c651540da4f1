#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Types of other modules: guarded, their module kept while jobs of theirs are
# pending, forgotten when it goes.

. "$(dirname "$0")/tap.sh"

for kernel in $KERNELS; do
	boot "$kernel" "$kernel: a module's own destructor; the module and the guard come and go" \
		--kernel "$kernel" --scenario foreign --timeout 240
done
for kernel in $TEARDOWN_KERNELS; do
	boot "$kernel-edges" "$kernel: a module's own destructor: no job, a slot that is raced for, an entry that is nested" \
		--kernel "$kernel" --scenario foreign_edges
done
plan
