# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Destructors of a module that the guard has never heard of. They are learnt from
# the map's record, keep their module while jobs of theirs are pending, and are
# forgotten with it. Then again: the next load is a new module, maybe at the
# same address.

door=door_release_of_module_kng_foreign
foreign() { /tests/bpf/foreign --source fire "$@"; }
pending() { /tests/bpf/pending --slots 256 "$@"; }
learnt() { stat_is $door '1 destructor'; }
foreign_gone() { ! loaded kng_foreign; }
hooked_foreign() { grep -q '^kng_foreign_release_dtor ' /sys/kernel/tracing/enabled_functions; }
counted() { awk -v n="$1" '$1 == n { print $2, $3 }' "$DBG/kng_foreign/counts"; }

# This kernel tears nothing down in NMI. Only the hook comes and goes.
hook_only() {
	guard_begin
	for life in first second; do
		test_module kng_foreign
		check 'a map of its type' /tests/bpf/mapof --variant foreign
		check "$life life: learnt" eventually 10 learnt
		check 'and hooked' hooked_foreign
		check 'nothing in NMI' foreign --rounds 4 --expect-nmi 0
		rm /sys/fs/bpf/kng-foreign
		check 'rmmod kng_foreign' eventually 10 rmmod_foreign
		check 'forgotten with its module' not learnt
		check 'no longer hooked' not hooked_foreign
	done
	guard_end
}

# What it is about: without the guard they run in NMI. (Lockdep would have its
# say on that, and then be silent.)
bare() {
	if [ ! -e /proc/lockdep_stats ]; then
		test_module kng_foreign
		check 'bare: destructors run in NMI' foreign --rounds 4 --expect-nmi some
		check 'rmmod kng_foreign' eventually 10 rmmod_foreign
	fi
}

# $1: the parameter teardown
lives() {
	teardown=$1
	guard_begin "teardown=$teardown" budget=1
	check 'nothing is learnt yet' not learnt

	test_module kng_foreign
	check 'a map of its type' /tests/bpf/mapof --variant foreign
	check 'its destructor is learnt' eventually 10 learnt
	check 'and hooked' hooked_foreign
	check "teardown=$teardown: deferred" foreign --rounds 32 --expect-nmi 0
	[ "$teardown" = auto ] || check 'by the release door alone' not stat_is door_teardown open
	check 'taken' stat_is taken $((32 * 8))
	check 'nobody has read it: the worker ran it, never the irq_work' stat_is run_hardirq 0
	rm /sys/fs/bpf/kng-foreign
	check 'rmmod kng_foreign' eventually 10 rmmod_foreign
	check 'forgotten with its module' not learnt
	check 'no longer hooked' not hooked_foreign

	test_module kng_foreign hold=Y
	check "teardown=$teardown: rmmod while jobs are pending" pending --variant wait
	check 'kng_foreign is gone' foreign_gone
	check 'taken' stat_is taken $((32 * 8 + 256))
	check 'forgotten with its module' not learnt
	check 'no longer hooked' not hooked_foreign

	test_module kng_foreign
	check 'a map of its type' /tests/bpf/mapof --variant foreign
	check 'learnt' eventually 10 learnt
	check 'a third life: deferred' foreign --rounds 4 --expect-nmi 0
	check 'taken' stat_is taken $((36 * 8 + 256))
	rm /sys/fs/bpf/kng-foreign
	check 'rmmod kng_foreign' eventually 10 rmmod_foreign
	check 'forgotten with its module' not learnt
	guard_worked
	guard_end
}

auto() { lives auto; }
needed() { lives needed; }

# The guard leaves while its jobs hold the module.
leaves() {
	guard_begin budget=1
	test_module kng_foreign hold=Y
	check 'jobs are left pending' pending --variant leave
	check 'they still are' stat_is pending 256
	check 'and their jobs are not idle' test "$(stat jobs_idle)" -eq $(($(stat jobs_total) - 256))
	(
		sleep 1
		echo N >/sys/module/kng_foreign/parameters/hold
	) &
	check 'the guard leaves, once they can run' guard_unload
	check 'all ran, none in NMI' test "$(counted kng_foreign_release_dtor)" = '256 0'
	check 'rmmod kng_foreign' eventually 10 rmmod_foreign
}

free_foreign() { awk '$1 == "kng_foreign" { exit $3 != 0 }' /proc/modules; }
# Both leave at once: each of them wants the destructor unhooked.
both_leave() {
	for round in 1 2 3; do
		guard_begin
		test_module kng_foreign
		check "round $round: a map of its type" /tests/bpf/mapof --variant foreign
		check 'learnt' eventually 10 learnt
		rm /sys/fs/bpf/kng-foreign
		check 'nobody uses kng_foreign' eventually 10 free_foreign
		/sbin/rmmod kng_foreign &
		check 'the guard leaves beside it' guard_unload
		wait $!
		check 'so does it' foreign_gone
	done
	check 'hooks gone' unhooked
}

test_module kng_witness
test_module kng_nmi_fire
if kernel_cancels; then
	parts hook_only
else
	parts bare auto needed leaves both_leave
fi
finish
