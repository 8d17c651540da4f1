# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# BPF's fentry, fexit, kprobe and kprobe.multi on every function that the guard
# hooks, attached before the guard comes and after, gone before it goes and after:
# all work.

# Since 7.2 an update in NMI leaves kptrs where they are: no teardown there.
kernel_cancels() { grep -q ' bpf_obj_cancel_fields$' /proc/kallsyms; }
if kernel_cancels; then paths=2; else paths=6; fi
trace() {
	/tests/bpf/tracers --variant "$1" >/tmp/tracers.out 2>&1 &
	tracers=$!
	eventually 30 grep -q '^# attached' /tmp/tracers.out
}
# Each traced function was seen by each program: its TAP.
traced() {
	kill "$tracers"
	wait "$tracers"
	rc=$?
	sed 's/^/    /' /tmp/tracers.out
	return $rc
}
# The same where only tasks came by ($1: and bpf_kptr_xchg() is called).
traced_most() {
	kill "$tracers"
	wait "$tracers"
	sed 's/^/    /; s/^    not ok/    (not) ok/' /tmp/tracers.out
	seen='bpf_obj_free_fields security_bpf_map btf_record_free bpf_task_release bpf_task_release_dtor bpf_jit_supports_ptr_xchg'
	! kernel_cancels || seen='security_bpf_map btf_record_free bpf_task_release bpf_jit_supports_ptr_xchg'
	[ "${1:-}" != exact ] || seen="$seen bpf_kptr_xchg"
	for function in $seen; do
		if ! grep -q "^ok .*/$function ran" /tmp/tracers.out; then
			note "$function was not seen"
			return 1
		fi
	done
	! grep '^not ok .*attach' /tmp/tracers.out
}
run() {
	program=$1
	shift
	"/tests/bpf/$program" --rounds 4 --last "$@"
}
# $1: what to expect of destructors in NMI, besides that their work isn't done
every_path() {
	check 'task teardown' run teardown --map array --expect-nmi "$1"
	check 'cgroup teardown' run teardown --map hash --kptr cgroup --expect-nmi "$1"
	check 'crypto context teardown' run crypto --expect-nmi "$1"
	check 'cpumask teardown' run teardown --map array --kptr cpumask --expect-nmi "$2"
	check 'task release' run release --expect-nmi stub
	check 'cgroup release' run release --kptr cgroup --expect-nmi stub
	check 'all of it was taken' stat_is taken $((paths * 4 * 8))
}

test_module kng_witness
test_module kng_nmi_fire

# Both doors: destructors are not even entered in NMI.
check 'fentry and fexit attach' trace both
guard_begin teardown=always
every_path 0 0
guard_end
check 'they traced all of it' traced

# Only the release door: it diverts the traced destructors themselves.
for variant in fentry fexit; do
	check "$variant attaches" trace $variant
	guard_begin teardown=needed
	every_path stub stub
	guard_end
	check "before the guard: $variant traced all of it" traced

	guard_begin teardown=needed
	check "$variant attaches to what is hooked" trace $variant
	every_path stub stub
	check "after the guard: $variant traced all of it" traced
	guard_end
done

# kprobes get to these functions through ftrace, too, and kprobe.multi shares its
# list; both see what is deferred twice, as above.
for variant in kprobe kprobe.multi; do
	check "$variant attaches" trace $variant
	guard_begin teardown=needed
	check 'task teardown' run teardown --map array --expect-nmi stub
	check 'task release' run release --expect-nmi stub
	guard_worked
	guard_end
	check "before the guard: $variant traced all of it" traced_most
done

# The functions that reserve=exact replaces: it works with either order, and who
# traces bpf_kptr_xchg() sees calls, which Linux has inline.
for variant in both kprobe kprobe.multi; do
	hooks >/tmp/hooks.alone
	check "$variant attaches" trace $variant
	guard_begin reserve=exact
	# They are gone before the guard goes.
	cp /tmp/hooks.alone /tmp/hooks.before
	check 'task teardown' run teardown --map array --expect-nmi 0
	check 'task release' run release --expect-nmi stub
	check 'references are counted' stat_is references 0
	check "before reserve=exact: $variant traced it" traced_most exact
	check "$variant attaches to what is replaced" trace $variant
	check 'task teardown' run teardown --map array --expect-nmi 0
	check 'task release' run release --expect-nmi stub
	check "after reserve=exact: $variant traced it" traced_most exact
	guard_end
done

# The guard goes first.
hooks_before
check 'modprobe' guard_load teardown=always
check 'fentry and fexit attach' trace both
every_path 0 0
check 'rmmod' guard_unload
check 'a program without NMIs' /tests/bpf/teardown --map array --source none --rounds 8
check 'fentry and fexit outlived the guard' traced
check 'hooks gone' unhooked
finish
