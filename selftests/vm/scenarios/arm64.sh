# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# arm64, guarded: each kind of thing once. The NMIs are SErrors, raised from EL2.
#   FEATURE	what the CPU must have, a word of /proc/cpuinfo; or none

aim() {
	[ ! -e /sys/module/kng_nmi_at ] || /sbin/rmmod kng_nmi_at
	test_module kng_nmi_at "at=$1" kprobe="${2:-N}"
}
last() {
	program=$1
	shift
	"/tests/bpf/$program" --last --rounds 32 "$@"
}
expect=0 stub=stub
! kernel_cancels || expect=any stub=any

check 'the kernel is of arm64' test "$(uname -m)" = aarch64
[ -z "$ARGS" ] || check "the CPU has $ARGS" grep -qw "$ARGS" /proc/cpuinfo
test_module kng_witness
test_module kng_nmi_fire
test_module kng_foreign

# Where the bare kernel hangs.
guard_begin
aim rcu_segcblist_enqueue
check 'a task, by a map' last teardown --map array --source at --expect-nmi $stub
check 'a task, by its release' last release --source at --expect-nmi stub
aim pwq_tryinc_nr_active
check 'a cgroup, by its release' last release --kptr cgroup --source at --expect-nmi stub
guard_worked
# By a kprobe the SError comes when the BRK returns: behind one instruction.
aim rcu_segcblist_enqueue Y
check 'a task, from a kprobe' last release --source at --expect-nmi stub
/sbin/rmmod kng_nmi_at
guard_end

# By the teardown door.
guard_begin teardown=always
aim rcu_segcblist_enqueue
check 'a task, by a map, teardown=always' \
	last teardown --map array --source at --expect-nmi $expect
/sbin/rmmod kng_nmi_at
guard_end

# The guard is entered again in the middle of its work.
if ! kernel_cancels; then
	guard_begin teardown=always
	check 'slots are overwritten while the guard is at work' \
		/tests/bpf/within --variant nested --source fire --rounds 16 --expect-nmi 0
	check 'each of them was an entry that is nested' stat_is nested $((16 * 7))
	guard_end nested
fi

# A BRK is no level of NMI.
if ! kernel_cancels; then
	guard_begin hook=kprobe teardown=always
	check 'hook=kprobe: a task, by a map' last teardown --map array --source fire --expect-nmi 0
	check 'all of it was taken' stat_is taken $((32 * 8))
	guard_end
fi
finish
