# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The exerciser on each kind of map that can hold kptrs, and each kind of kptr
# ($ARGS: kinds of kptr). NMIs come to one CPU, in task context: the locks of
# 6.12's LRU and preallocated maps do not stand more.

test_module kng_witness
test_module kng_nmi_fire

# each_map EXPECTED: what of destructors a program should find in NMI
each_map() {
	for kptr in $ARGS; do
		for map in $(usable_maps array percpu_array hash hash_prealloc percpu_hash lru percpu_lru); do
			rounds=64
			case $kptr-$map in
			task-array | task-hash) rounds=256 ;;
			esac
			check "$map of $kptr kptrs" /tests/bpf/teardown --map "$map" --kptr "$kptr" \
				--last --source fire --rounds $rounds --expect-nmi "$1"
		done
	done
}

guard_begin teardown=always
each_map "$(expected_in_nmi)"
guard_worked
guard_end

# The release door alone has all of it, too.
if guard_wanted && ! kernel_cancels; then
	guard_begin
	each_map stub
	check 'the teardown door is shut' stat_is door_teardown 'closed (no map needs it)'
	check 'all by the release door' test "$(stat taken_release)" -eq "$(stat taken)"
	guard_worked
	guard_end
fi
finish
