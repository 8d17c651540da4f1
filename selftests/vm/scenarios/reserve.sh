# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What maps are charged, and that jobs come and go with them. Maps are pinned as
# /sys/fs/bpf/kng-KIND by `mapof' and end when that file goes.

MAPS=$DBG/kptr_nmi_guard/maps
cpus=$(($(sed 's/.*-//' /sys/devices/system/cpu/possible) + 1))
floor=1024

# The id is known to the kernel only; met_us to nobody before.
line() { sed -n "s/^[1-9][0-9]* $1 \(.*\) met_us [0-9]*$/\1/p" "$MAPS"; }
line_is() { [ "$(line "$1")" = "$2" ]; }

# charged KIND TYPE ENTRIES CHARGE FIELDS: a map, and what the stats and `maps' say of it
charged() {
	# The BTF of the others would not load on kernels that don't know this type.
	maker=map_made
	[ "$1" != skb ] || maker=/tests/bpf/skbmap
	check "$1: a map" $maker "$1"
	check "$1: $2 of $3, charge $4, $5" eventually 10 \
		line_is "$1" "$2 entries $3 charge $4 fields $5"
	sed 's/^/# maps: /' "$MAPS"
	check "$1: reserved" stat_is reserved "$4"
	check "$1: wanted" eventually 10 wants "$4"
	map_ends "$1"
	check "$1: nothing is left of it" eventually 10 stat_is maps_watched 0
	check "$1: nor charged" stat_is reserved 0
	check "$1: nor listed" test -z "$(cat "$MAPS")"
	check "$1: nor wanted" eventually 10 wants 0
}

# wanted == what maps have room for + headroom, at least jobs
wants() { stat_is wanted $(($1 + $(stat headroom) > 4096 ? $1 + $(stat headroom) : 4096)); }

# The kernel has the function
has() { grep -q " $1\$" /proc/kallsyms; }

task=bpf_task_release_dtor
full=$((100 + cpus))

# With $ARGS this boot has room for CPUs that are not there.
[ -z "$ARGS" ] || check 'more CPUs are possible than there are' test "$cpus" -gt "$(nproc)"

charges() {
	test_module kng_foreign
	guard_begin
	charged array array 100 100 $task
	charged percpu_array percpu_array 100 $((100 * cpus)) $task
	charged hash hash 100 $full $task
	charged prealloc hash 100 $full $task
	charged percpu_hash percpu_hash 100 $((full * cpus)) $task
	charged lru lru_hash 100 $full $task
	charged percpu_lru lru_percpu_hash 100 $((full * cpus)) $task
	! has rhtab_map_alloc || charged rhash rhash 100 $full $task
	charged task_st task_storage 0 $floor $task,floor
	charged cgroup_st cgrp_storage 0 $floor $task,floor
	charged two hash 100 $((2 * full)) $task,bpf_cgroup_release_dtor
	charged object array 100 $floor floor
	charged list array 100 $floor floor
	charged tree array 100 $floor floor
	charged plain array 100 0 -
	charged foreign array 1 1 'kng_foreign_release_dtor [kng_foreign]'
	# Types that the kernel got later are learnt from the first map with them, and may run in
	# the worker only, as those of modules (foreign.sh).
	if has bpf_kfree_skb_dtor; then
		check 'no later type yet' test -z "$(stat door_release_of_later_types)"
		charged skb array 100 100 bpf_kfree_skb_dtor
		check 'its destructor is learnt' stat_is door_release_of_later_types '1 destructor'
	fi
	check 'a map without kptrs' map_made none
	check 'is not watched' stat_is maps_watched 0
	map_ends none
	check 'rmmod kng_foreign' eventually 10 rmmod_foreign
	# Those CPUs have copies of an element, too.
	if ! kernel_cancels && [ -n "$(usable_maps hash)" ]; then
		check 'per-CPU elements are deleted in NMI' /tests/bpf/teardown --map percpu_hash --rounds 4 \
			--source fire --expect-nmi 0
		check 'a job for each possible CPU' stat_is taken $((4 * 8 * cpus))
	fi
	guard_end
}

times_told() { dmesg | grep -c 'kptr_nmi_guard: .* more jobs are wanted .*(max_jobs=4096)'; }
told_once() { [ "$(times_told)" -eq 1 ]; }
told_last() { dmesg | sed -n 's/.*kptr_nmi_guard: \([0-9]*\) more jobs are wanted .*/\1/p' | tail -n 1; }

# What max_jobs does not allow is told, and made up for when there is less to want.
short() {
	guard_begin max_jobs=4096 headroom=4096
	check 'a map of 100 entries' map_made array
	check 'there is no room for it' eventually 10 stat_is shortfall 100
	check 'another' map_made hash
	check 'is short, too' eventually 10 stat_is shortfall $((100 + full))
	check 'so it waits' grep -q ' array .* waits$' "$MAPS"
	check 'the log says so' eventually 5 told_once
	check 'of both maps, not of the first moment' test "$(told_last)" = $((100 + full))
	check 'a third' map_made prealloc
	check 'waits, too' eventually 10 stat_is shortfall $((100 + 2 * full))
	sleep 2
	check 'and nothing more is said' told_once
	map_ends prealloc
	check 'no more jobs than may be' stat_is jobs_total 4096
	map_ends array
	map_ends hash
	check 'nothing is short any more' eventually 10 stat_is shortfall 0
	guard_end
}

hash_met() { [ -n "$(line hash)" ]; }

# Floors cost who makes the maps nothing: together they take a quarter of max_jobs, and
# somebody else's map still has its jobs.
floors() {
	cheap=40
	guard_begin max_jobs=16384
	i=0
	while [ $i -lt $cheap ]; do
		map_made object >/dev/null || bail "map $i is not made"
		mv /sys/fs/bpf/kng-object /sys/fs/bpf/cheap-$i || bail "map $i is not moved"
		i=$((i + 1))
	done
	check "$cheap maps of objects: a floor each" eventually 10 stat_is floors $((cheap * floor))
	check 'they are reckoned with, up to a quarter of max_jobs' stat_is reserved 4096
	check "somebody's map of 100 entries" map_made hash
	check 'has its jobs' eventually 10 hash_met
	check 'nothing is short' stat_is shortfall 0
	# The worker may see the first of them before the last one is made.
	check 'the log says which maps share' eventually 5 \
		told '[0-9]* maps of local storage or objects share 4096 jobs, .* instead of [0-9]*; the newest is [0-9]* object:'
	rm /sys/fs/bpf/cheap-*
	map_ends hash
	check 'nothing is left' eventually 10 stat_is reserved 0
	check 'nor of floors' stat_is floors 0
	guard_end
}

test_module kng_witness
test_module kng_nmi_fire
parts charges short floors
finish
