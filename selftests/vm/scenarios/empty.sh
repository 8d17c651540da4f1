# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# More kptrs than jobs, and no more jobs to be had: the policy decides, and each
# reference is accounted for. $ARGS: the policy.

policy=$ARGS
times_told() { dmesg | grep -c 'kptr_nmi_guard: no job left for a destructor that can.t run where it is called'; }
# The program's own verdict wants no leaks: its lines are only quoted.
quoted() {
	"$@" >/tmp/out 2>&1
	sed 's/^/# program: /' /tmp/out
	check 'the program ran to its end' grep -q '^# done' /tmp/out
	check 'created == destroyed + leaked' grep -Eq '^ok .* - created .* == destroyed' /tmp/out
}
teardown() { /tests/bpf/teardown "$@"; }
exhausted() { guard_begin teardown=always headroom=0 on_empty="$policy" "$@"; }

# What stayed in an array is found there by the next round, or by the map's end.
leak() {
	exhausted jobs=1 max_jobs=1
	check 'array: none is lost' teardown --map array --last --source fire --rounds 32 --expect-nmi 0
	check 'the pool was found empty' stat_is empty "$(stat kept)"
	check 'references were kept in their slots' test "$(stat kept)" -eq $((32 * 7))
	check 'the log says so once' test "$(times_told)" -eq 1
	check 'per-CPU array: none is lost' \
		teardown --map percpu_array --last --source fire --rounds 32 --expect-nmi 0
	check 'references were kept in their slots' test "$(stat kept)" -eq $((2 * 32 * 7))
	check 'nothing leaked' stat_is leaked 0
	check 'nothing more was said' test "$(times_told)" -eq 1
	guard_worked
	guard_end

	# One that is safe in NMI is not worth a leak.
	guard_begin teardown=needed headroom=0 jobs=1 max_jobs=1
	quoted teardown --map array --kptr cpumask --source fire --rounds 8 --expect-nmi work
	check 'cpumasks: run where they are called' stat_is inlined $((8 * 7))
	check 'none leaked' stat_is leaked 0
	guard_end leaks

	# Where the teardown door can't skip what it is in, nothing can be kept.
	test_module kng_ipmodify function=bpf_obj_free_fields
	exhausted jobs=1 max_jobs=1
	quoted teardown --map array --last --source fire --rounds 8 --expect-nmi stub
	check 'array, but a livepatch holds the function: references leaked' stat_is leaked $((8 * 7))
	check 'none was kept' stat_is kept 0
	guard_end leaks
	check 'rmmod kng_ipmodify' /sbin/rmmod kng_ipmodify
}

# An element that goes can't keep anything.
leak_hash() {
	# A leaked reference's destructor is entered, but skipped: it gives nothing back.
	dmesg -c >/dev/null
	exhausted jobs=1 max_jobs=1
	quoted teardown --map hash --last --source fire --rounds 32 --expect-nmi stub
	check 'hash: references leaked' stat_is leaked $((32 * 7))
	check 'nothing kept' stat_is kept 0
	check 'nothing inline' stat_is inlined 0
	check 'the log says so once' test "$(times_told)" -eq 1
	guard_worked
	guard_end leaks

	# Where the teardown door is all there is, the destructor is not even entered.
	test_module kng_ipmodify function=bpf_task_release_dtor
	exhausted jobs=1 max_jobs=1
	quoted teardown --map hash --last --source fire --rounds 8 --expect-nmi 0
	check 'no release door: references leaked' stat_is leaked $((8 * 7))
	check 'array: none is lost' teardown --map array --last --source fire --rounds 8 --expect-nmi 0
	check 'they were kept' stat_is kept $((8 * 7))
	guard_end leaks
	check 'rmmod kng_ipmodify' /sbin/rmmod kng_ipmodify
}

# Faster than destructors run: NMIs on both CPUs, few jobs, one call for each run
faster() {
	exhausted jobs=16 max_jobs=16 budget=1
	check 'a storm on arrays, for 16 jobs' \
		teardown --map array --source storm --slots 512 --rounds 30 --period-us 100 --expect-nmi 0
	check 'the pool was found empty' stat_positive empty
	check 'references were kept' stat_positive kept
	check 'nothing leaked' stat_is leaked 0
	if [ -n "$(usable_maps hash)" ]; then
		quoted teardown --map hash --last --source storm --slots 128 --rounds 4 --period-us 100 \
			--expect-nmi stub
		check 'references leaked' stat_positive leaked
	fi
	check 'never more jobs than there may be' stat_is jobs_total 16
	guard_worked
	guard_end leaks
}

inline() {
	exhausted jobs=1 max_jobs=1
	quoted teardown --map array --last --source fire --rounds 32 --expect-nmi some
	check 'the pool was found empty' stat_positive empty
	check 'destructors ran inline' stat_is inlined $((32 * 7))
	check 'nothing leaked' stat_is leaked 0
	check 'nothing kept' stat_is kept 0
	guard_worked
	guard_end leaks
}

test_module kng_witness
test_module kng_nmi_fire
case $policy in
leak)
	leak
	[ -z "$(usable_maps hash)" ] || leak_hash
	faster
	;;
inline) inline ;;
esac
finish
