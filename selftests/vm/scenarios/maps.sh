# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The exerciser on each kind of map that can hold kptrs, and each kind of kptr
# ($ARGS: kinds of kptr). NMIs come to one CPU, in task context: the locks of
# 6.12's LRU and preallocated maps do not stand more.

test_module kng_witness
test_module kng_nmi_fire

maps=$(usable_maps array percpu_array hash hash_prealloc percpu_hash lru percpu_lru)

# each_of KPTRS MAPS EXPECTED: what of destructors a program should find in NMI
each_of() {
	for kptr in $1; do
		for map in $2; do
			rounds=64
			case $kptr-$map in
			task-array | task-hash) rounds=256 ;;
			esac
			check "$map of $kptr kptrs" /tests/bpf/teardown --map "$map" --kptr "$kptr" \
				--last --source fire --rounds $rounds --expect-nmi "$3"
		done
	done
}

guard_begin teardown=always
each_of "$ARGS" "$maps" "$(expected_in_nmi)"
guard_worked
guard_end

# The release door alone has all of it, too. It does not see what map a reference is from:
# one kind of kptr in all of them, and all kinds in one, will do.
if guard_wanted && ! kernel_cancels; then
	guard_begin
	each_of "${ARGS%% *}" "$maps" stub
	each_of "${ARGS#* }" array stub
	check 'the teardown door is shut' stat_is door_teardown 'closed (no map needs it)'
	check 'all by the release door' test "$(stat taken_release)" -eq "$(stat taken)"
	guard_worked
	guard_end
fi
finish
