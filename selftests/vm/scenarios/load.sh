# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The module loads with modprobe, shows its stats, and leaves without a trace.

# Which functions, but for the teardown door's and that of kng_again
names() { show_hooks | sed 's/ (.*//' | grep -v 'bpf_obj_free_fields\|register_ftrace_function'; }

once() {
	check 'not loaded before' not loaded kptr_nmi_guard
	hooks_before
	check 'modprobe' guard_load
	check 'loaded' loaded kptr_nmi_guard
	check 'hooked' hooked
	show_hooks
	show_stats
	names >/tmp/names
	check 'taken == run + pending + leaked' sums_hold
	check 'rmmod' guard_unload
	check 'gone' not loaded kptr_nmi_guard
	check 'hooks gone' unhooked
	check 'stats gone' not test -e "$STATS"
}

# A BPF trampoline that is being changed has ftrace ask to try again.
again() {
	[ -e /tests/modules/kng_again.ko ] || return 0
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
}

# What a load takes, its unloading gives back: its own entries for maps are in it.
MAPS=30
ten_times() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		guard_load && guard_unload || return
	done
}
# from FIELD: of /proc/meminfo, in kB
from() { sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo; }
# What the kernel allocated: objects of kmalloc(), with vmalloc() and for each CPU, in kB
memory() { echo "$(kmallocs) $(from VmallocUsed) $(from Percpu)"; }
# Less than ten loads would leave behind: three objects, a page, and a word for each CPU.
few_more() {
	read -r objects pages words <<-END
		$(memory)
	END
	note "$((objects - $1)) objects of kmalloc(), $((pages - $2)) kB of vmalloc(), $((words - $3)) kB per CPU more"
	[ $((objects - $1)) -lt 30 ] && [ $((pages - $2)) -lt 40 ] && [ $((words - $3)) -lt 4 ]
}
# Others allocate, too, now and then; what a load leaves behind, each ten of them do.
none_kept() {
	for _ in 1 2 3; do
		before=$(memory)
		ten_times || return
		# To shrink all caches takes an emulated CPU long.
		for _ in 1 2 3 4; do
			# shellcheck disable=SC2086 # words
			few_more $before && return
			sleep 3
		done
	done
	return 1
}
kept() {
	i=0
	while [ $i -lt $MAPS ]; do
		map_made hash >/dev/null || bail "map $i is not made"
		mv /sys/fs/bpf/kng-hash /sys/fs/bpf/kept-$i
		i=$((i + 1))
	done
	check 'loaded and unloaded ten times' ten_times
	check 'after ten more the memory is back' none_kept
	check "while $MAPS maps were there" guard_load
	check 'which were watched' stat_is maps_watched $MAPS
	check 'rmmod' guard_unload
}

parts once again
check 'KFENCE is on' kfence_on
check 'KFENCE sampled' kfence_sampled
parts kept
finish
