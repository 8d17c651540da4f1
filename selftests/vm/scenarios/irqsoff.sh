# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# defer=irqsoff: a program at sched_switch gives back last references while it holds the
# runqueue, whose lock a cgroup's destructor wants as it wakes a worker.
#   MODE OPTION...	MODE is the parameter defer

# shellcheck disable=SC2086 # words
set -- $ARGS
mode=$1
shift

# What a destructor does in an interrupt, as in the guard's irq_work, is all right.
test_module kng_witness irqsoff=Y names=bpf_cgroup_release_dtor,bpf_cgroup_release,css_release
guard_begin teardown=always defer=$mode
expect=stub
guard_wanted || expect=any
check "sched_switch $*" /tests/bpf/progtypes --variant sched_switch --kptr cgroup --last \
	--rounds 32 --expect-nmi $expect "$@"
if guard_wanted; then
	check 'it was not in NMI' stat_is seen_nmi 0
	check 'references were taken, each once' stat_is taken $((32 * 8))
	check 'all with interrupts off, and not again in the irq_work' stat_is seen_irqsoff $((32 * 8))
	check 'the stats say what is deferred' stat_is defer irqsoff
fi
guard_end
finish
