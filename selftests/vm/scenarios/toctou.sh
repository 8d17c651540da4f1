# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Stores against teardown in NMI on all other CPUs: toctou, with the options in $ARGS.

test_module kng_witness
test_module kng_nmi_fire
guard_begin teardown=always
# shellcheck disable=SC2086 # words
check "toctou $ARGS" /tests/bpf/toctou --expect-nmi stub $ARGS
check 'slots were found empty, since another CPU was faster' stat_positive raced
check 'stores came in between, and the release door had them' stat_positive not_last
guard_worked
guard_end raced
finish
