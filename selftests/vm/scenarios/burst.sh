# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# One NMI gives back $ARGS references: each has its job, no run of the irq_work
# makes more than `budget' calls, and afterwards the memory goes back. The teardown door
# takes a job for each; the release door would need none for those that are not the last.

test_module kng_witness
test_module kng_nmi_fire

big() {
	guard_begin teardown=always
	check "$ARGS references in one NMI" /tests/bpf/burst --dtors "$ARGS" --expect-nmi 0 --timeout 120
	check 'a job for each' stat_is taken "$ARGS"
	check 'the pool was never empty' stat_is empty 0
	check 'no run was longer than the budget' test "$(stat longest_run)" -le 64
	check 'what was left at the budget went to the worker' stat_positive handoffs
	check 'they were all pending at once' test "$(stat peak_pending)" -ge $((ARGS - 64))
	check 'the jobs go back' eventually 60 stat_is jobs_total 4096
	check 'jobs_total == jobs + grown - trimmed' eventually 20 jobs_add_up 4096
	guard_worked
	guard_end
}

# Each NMI leaves eight jobs: the irq_work runs as many as it may, once.
budgets() {
	guard_begin teardown=always budget=1
	check 'eight references in each NMI, budget=1' \
		/tests/bpf/teardown --map array --rounds 16 --source fire --expect-nmi stub
	check 'each run ended at its budget' stat_is handoffs "$(stat run_hardirq)"
	check 'one job each' stat_is run_hardirq 16
	check 'the worker had the others' stat_is run_worker $((16 * 7))
	guard_end
	guard_begin teardown=always budget=8
	check 'the same, budget=8' \
		/tests/bpf/teardown --map array --rounds 16 --source fire --expect-nmi stub
	check 'no run left any' stat_is handoffs 0
	check 'all ran in the irq_work' stat_is run_hardirq $((16 * 8))
	guard_end
}

parts big budgets
finish
