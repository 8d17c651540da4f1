# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Random map operations from all contexts of all CPUs (selftests/bpf/soak.c), as
# $ARGS says. The jobs of the guard are counted, too.

case $ARGS in
*--irqsoff*) defer=irqsoff ;;
*) defer=nmi ;;
esac
soak_witness $defer
test_module kng_nmi_fire
guard_begin teardown=always defer=$defer
# shellcheck disable=SC2086 # words
check "soak $ARGS" /tests/bpf/soak $ARGS
if guard_wanted; then
	jobs=$(cat /sys/module/kptr_nmi_guard/parameters/jobs)
	guard_worked
	check 'the pool is as before: the parameter jobs' eventually 30 stat_is jobs_total "$jobs"
	check 'no map is watched any more' stat_is maps_watched 0
	check 'jobs_total == jobs + grown - trimmed' eventually 20 jobs_add_up "$jobs"
	check 'run == run_hardirq + run_worker' \
		test "$(stat run)" -eq $(($(stat run_hardirq) + $(stat run_worker)))
fi
guard_end raced nested
finish
