# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# One NMI gives back $ARGS references: each has its job, no run of the irq_work
# makes more than `budget' calls, and afterwards the memory goes back.

test_module kng_witness
test_module kng_nmi_fire
guard_begin
check "$ARGS references in one NMI" /tests/bpf/burst --dtors "$ARGS" --expect-nmi 0 --timeout 120
check 'a job for each' stat_is taken "$ARGS"
check 'the pool was never empty' stat_is empty 0
check 'no run was longer than the budget' test "$(stat longest_run)" -le 64
check 'they were all pending at once' test "$(stat peak_pending)" -ge $((ARGS - 64))
check 'the jobs go back' eventually 60 stat_is jobs_total 4096
check 'jobs_total == jobs + grown - trimmed' eventually 20 jobs_add_up 4096
guard_worked
guard_end
finish
