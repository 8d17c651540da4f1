# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# defer=irqsoff: a program at sched_switch gives back last references while it holds the
# runqueue, whose lock a cgroup's destructor wants as it wakes a worker.
#   MODE OPTION...	MODE is the parameter defer

# shellcheck disable=SC2086 # words
set -- $ARGS
mode=$1
shift
at_switch() { /tests/bpf/progtypes --variant sched_switch --kptr cgroup --last --rounds 32 "$@"; }

# What a destructor does in an interrupt, as in the guard's irq_work, is all right.
test_module kng_witness irqsoff=Y names=bpf_cgroup_release_dtor,bpf_cgroup_release,css_release
guard_begin teardown=always "defer=$mode"
expect=stub
guard_wanted || expect=any
check "sched_switch $*" at_switch --expect-nmi $expect "$@"
guard_wanted || {
	guard_end
	finish
	return
}
check 'it was not in NMI' stat_is seen_nmi 0
check 'references were taken, each once' stat_is taken $((32 * 8))
check 'all with interrupts off, and not again in the irq_work' stat_is seen_irqsoff $((32 * 8))
check 'the stats say what is deferred' stat_is defer irqsoff
guard_end

# The same with no job: what becomes of the rest is up to on_empty.
guard_begin teardown=always "defer=$mode" jobs=1 headroom=0 max_jobs=1
at_switch --expect-nmi any "$@" >/tmp/out 2>&1
sed 's/^/# program: /' /tmp/out
check 'the program ran to its end' grep -q '^# done' /tmp/out
check 'no job was left, often' stat_positive empty
check 'none ran there all the same' stat_is inlined 0
guard_end leaks
/sbin/rmmod kng_witness

# In NMI all is as without. The irq_work, where interrupts are off, calls destructors:
# they get through, with all that they call (a crypto context's calls the release kfunc).
test_module kng_witness
test_module kng_nmi_fire
test_module kng_foreign
guard_begin teardown=always "defer=$mode"
check 'crypto contexts' /tests/bpf/crypto --source fire --rounds 32 --expect-nmi any
check 'a map of another module' map_made foreign
check 'learnt' eventually 10 stat_is door_release_of_module_kng_foreign '1 destructor'
check 'its destructors' /tests/bpf/foreign --source fire --rounds 32 --expect-nmi 0
map_ends foreign
check 'nothing is pending' eventually 10 quiet
kernel_cancels || check 'each was taken once' stat_is taken $((2 * 32 * 8))
kernel_cancels || check 'by the irq_work, or its worker' stat_is run $((2 * 32 * 8))
check 'rmmod kng_foreign' eventually 10 rmmod_foreign
check 'what it released on its way out was its own affair' \
	sh -c 'dmesg | grep -q "kng_foreign: its last release worked"'
guard_end
finish
