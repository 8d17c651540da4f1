# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The calls that ftrace itself drops: where the guard shares a function with
# another of ftrace's users and both recursion bits are taken (kng_drop.c tells
# when that is). Then the kernel does in NMI what it would do without the guard;
# nothing is lost and nothing released twice.

work=put_task_struct_rcu_user
dropped() { /tests/bpf/dropped --variant "$1"; }
watch() {
	test_module kng_witness "names=$1"
	guard_begin teardown=always
}
unwatch() {
	check 'NMIs passed through the guard' stat_positive seen_nmi
	guard_end
	check 'rmmod kng_witness' /sbin/rmmod kng_witness
}

test_module kng_drop

watch $work
check 'release, the guard is alone: nothing is dropped' dropped release-alone
unwatch

watch $work,bpf_task_release
check 'release, shared: dropped with both bits taken, else kept' dropped release-shared
unwatch

if kernel_cancels; then
	note 'this kernel tears nothing down in NMI'
	finish
	return
fi

watch $work
check 'teardown, the guard is alone: nothing is dropped' dropped teardown-alone
unwatch

watch $work,bpf_obj_free_fields
check 'the teardown door is shared: the release door has what it misses' dropped teardown-alone
check 'it did have some' stat_positive not_last
unwatch

watch $work,bpf_task_release_dtor
check 'the release door is shared: the teardown door leaves it nothing' dropped teardown-alone
check 'nothing came by there' stat_is not_last 0
unwatch

watch $work,bpf_task_release_dtor,bpf_obj_free_fields
check 'teardown, both are shared: dropped with both bits taken, else kept' dropped teardown-shared
unwatch
finish
