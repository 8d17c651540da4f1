# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# arm64: a perf_event program on a hardware breakpoint in the kernel. That is no NMI there,
# but interrupts are masked, and the caller of the function holds a lock that the destructor
# wants.
#   MODE	the parameter defer

# call_rcu() is not watched: the kernel itself calls it with interrupts off.
test_module kng_witness irqsoff=Y names=bpf_task_release_dtor,bpf_task_release,put_task_struct_rcu_user
guard_begin teardown=always "defer=$ARGS"
expect=stub none=0
guard_wanted || expect=any none=any
last() { /tests/bpf/progtypes --variant perf_event --at rcu_segcblist_enqueue --last --rounds 32 "$@"; }
check 'a task, by its release' last --release --expect-nmi $expect
refs=$((32 * 8))
kernel_cancels || {
	check 'a task, by a map' last --expect-nmi $none
	refs=$((2 * 32 * 8))
}
if guard_wanted; then
	check 'it was not in NMI' stat_is seen_nmi 0
	check 'references were taken, each once' stat_is taken $refs
fi
guard_end
finish
