# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The kernel runs the original of a function that the guard diverts, behind its
# back, as kernels without 3e9a18e1c3e9 do where a BPF fexit shares the function. The
# guard can't help that call. But no reference is dropped twice: that is a
# refcount underflow, a WARNING, and the end of this boot. And the stats tell.

functions=bpf_task_release,bpf_task_release_dtor,bpf_cgroup_release,bpf_cgroup_release_dtor
bypassed() { cat /sys/module/kng_bypass/parameters/bypassed; }
run() {
	program=$1
	shift
	"/tests/bpf/$program" --rounds 16 --expect-nmi some "$@"
}
if kernel_cancels; then released=; else released=yes; fi

test_module kng_witness
test_module kng_nmi_fire
test_module kng_bypass "function=$functions"

guard_begin teardown=needed
for kptr in task cgroup; do
	check "$kptr: released in NMI, the last reference" run release --kptr $kptr --last
	check "$kptr: not the last one" run release --kptr $kptr
	[ -z "$released" ] || check "$kptr: torn down in NMI" run teardown --map array --kptr $kptr --last
done
check 'originals were called behind our back' test "$(bypassed)" -gt 0
check 'the stats know how often' stat_is bypassed "$(bypassed)"
check 'no reference was taken over' stat_is taken 0
guard_end bypassed

# Calls of reserve=exact's replacement of the exchange that are bypassed: not counted.
# And a bpf_obj_free_fields() that runs although it was to be skipped. (Not at load: the
# guard tries its hooks, and refuses reserve=exact where they are not called. A direct call can't
# be bypassed.)
/sbin/rmmod kng_bypass
test_module kng_bypass function=bpf_kptr_xchg,bpf_obj_free_fields on=N
guard_begin reserve=exact hook=ftrace teardown=always jobs=1 headroom=0 max_jobs=1
echo Y >/sys/module/kng_bypass/parameters/on
/tests/bpf/teardown --map array --last --rounds 16 --expect-nmi stub >/tmp/out 2>&1
sed 's/^/# program: /' /tmp/out
check 'the program ran to its end' grep -q '^# done' /tmp/out
check 'all that was created was destroyed or leaked' \
	grep -Eq '^ok .* - created .* == destroyed' /tmp/out
check 'originals were called behind our back' test "$(bypassed)" -gt 0
guard_end leaks bypassed
finish
