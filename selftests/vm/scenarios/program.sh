# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# One test program with its options, as $ARGS says, e.g.
#   toctou --expect-nmi some

test_module kng_witness
test_module kng_nmi_fire
guard_begin
# shellcheck disable=SC2086 # words
check "$ARGS" /tests/bpf/$ARGS
guard_worked
guard_end
finish
