# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The module loads with modprobe, shows its stats, and leaves without a trace.

check 'not loaded before' not loaded kptr_nmi_guard
hooks_before
check 'modprobe' guard_load
check 'loaded' loaded kptr_nmi_guard
check 'hooked' hooked
show_hooks
show_stats
# Which functions, but for the teardown door's and that of kng_again
names() { show_hooks | sed 's/ (.*//' | grep -v 'bpf_obj_free_fields\|register_ftrace_function'; }
names >/tmp/names
check 'taken == run + pending + leaked' sums_hold
check 'rmmod' guard_unload
check 'gone' not loaded kptr_nmi_guard
check 'hooks gone' unhooked
check 'stats gone' not test -e "$STATS"
# A BPF trampoline that is being changed has ftrace ask to try again.
if [ -e /tests/modules/kng_again.ko ]; then
	test_module kng_again times=50
	check 'modprobe, and ftrace asks to try again' guard_load teardown=always
	check 'it did so, fifty times' grep -qx 0 /sys/module/kng_again/parameters/times
	check 'the teardown door is open' stat_is door_teardown open
	names >/tmp/names-again
	check 'all others are hooked, too' cmp /tmp/names /tmp/names-again
	for type in task_struct cgroup bpf_crypto_ctx; do
		check "$type: all of it is hooked" stat_is door_release_$type 'destructor and release'
	done
	check 'rmmod' guard_unload
	# Its kprobe is ftrace's as well.
	check 'rmmod kng_again' /sbin/rmmod kng_again
	check 'hooks gone' unhooked
fi
check 'KFENCE is on' kfence_on
check 'KFENCE sampled' kfence_sampled
# What a load takes, its unloading gives back.
again() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		guard_load && guard_unload || return
	done
}
few_more() { [ $(($(kmallocs) - before)) -lt 100 ]; }
check 'loaded and unloaded ten times' again
# Others allocate, too, now and then; what a load leaves behind, each ten of them do.
none_kept() {
	for _ in 1 2 3; do
		before=$(kmallocs)
		again || return
		eventually 5 few_more && return
		note "$(($(kmallocs) - before)) objects of kmalloc() more"
	done
	return 1
}
check 'after ten more the memory is back' none_kept
finish
