# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The exerciser on each kind of map that can hold kptrs, and each kind of kptr
# ($ARGS: kinds of kptr). NMIs come to one CPU, in task context: the locks of
# 6.12's LRU and preallocated maps do not stand more.

test_module kng_witness
test_module kng_nmi_fire
guard_begin teardown=always
for kptr in $ARGS; do
	for map in $(usable_maps array percpu_array hash hash_prealloc percpu_hash lru percpu_lru); do
		rounds=64
		case $kptr-$map in
		task-array | task-hash) rounds=256 ;;
		esac
		check "$map of $kptr kptrs" /tests/bpf/teardown --map "$map" --kptr "$kptr" --last \
			--source fire --rounds $rounds --expect-nmi "$(expected_in_nmi)"
	done
done
guard_worked
guard_end
finish
