# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Debug kernels, with kmemleak=on: loads, refused loads, work and unloads leave
# no memory behind.

teardown() { /tests/bpf/teardown --rounds 64 "$@"; }

test_module kng_witness
test_module kng_nmi_fire
leaks_begin
for param in teardown=auto teardown=always hook=kprobe; do
	for life in first second; do
		guard_begin $param
		check "$param, $life life: teardown in NMI" teardown --map array --last --source fire --expect-nmi any
		check 'rmmod' guard_unload
	done
done
guard_begin
check 'storm' teardown --map array --last --source storm --period-us 300 --timeout 60 --expect-nmi any
test_module kng_foreign
check 'a map of a module' /tests/bpf/mapof --variant foreign
check 'its destructors' /tests/bpf/foreign --source fire --expect-nmi any
rm /sys/fs/bpf/kng-foreign
check 'rmmod kng_foreign' eventually 10 /sbin/rmmod kng_foreign
guard_worked
guard_end
refused 'no jobs' 'Invalid argument' 'jobs=0' jobs=0
refused 'unknown hook' 'Invalid argument' 'hook=none' hook=none
leaks_end
finish
