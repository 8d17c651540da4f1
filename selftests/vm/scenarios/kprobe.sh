# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# hook=kprobe: teardown and release in NMI are deferred, but a call that is made
# while another kprobe's handler runs on this CPU is missed: kng_nmi_at kprobe=1
# sends its NMI from such a handler. (There the map does not hold the last
# references, so that what runs in NMI can't hang.)

teardown() { /tests/bpf/teardown --rounds 32 "$@"; }

# A kprobe can't skip a function. So the door takes one more reference for its
# job and lets the call go on, which then never gives back the last one: the
# release is called twice, but call_rcu() and css_release() not in NMI. The
# program's own balance wants one call for each reference.
release() {
	/tests/bpf/release --rounds 32 --expect-nmi any "$@" >/tmp/out
	sed 's/^/# program: /' /tmp/out
	grep -q '^ok .* - 32 rounds of 8 slots' /tmp/out && grep -q '^# done' /tmp/out
}

with_kprobes() {
	guard_begin hook=kprobe
	check 'the stats say so' stat_is hook kprobe
	check 'the log says what it cannot promise' \
		told 'version .* hook kprobe, which misses calls inside other kprobes. handlers and can be switched off'
	check 'the teardown door is open: no map can be watched' stat_is door_teardown open
	check 'the release door is open' stat_is door_release_task_struct 'destructor and release'

	check 'array, task' teardown --map array --last --source fire --expect-nmi 0
	second=$(usable_maps hash percpu_array | head -n 1)
	check "$second, task" teardown --map "$second" --last --source fire --expect-nmi 0
	check 'array, cgroup' teardown --map array --kptr cgroup --last --source fire --expect-nmi 0
	check 'array, cpumask' teardown --map array --kptr cpumask --source fire --expect-nmi 0
	kernel_cancels || check 'all of it was taken' stat_is taken $((4 * 32 * 8))

	check 'release kfunc, task' release --last --source fire
	check 'no last reference in NMI' test "$(in_nmi call_rcu)" -eq 0
	check 'release kfunc, cgroup' release --kptr cgroup --last --source fire
	check 'the cgroups are gone' grep -q '^ok .* - the removed cgroups are gone' /tmp/out
	check 'no last reference in NMI' test "$(in_nmi css_release)" -eq 0
	check 'a job for each' stat_is taken_release $((2 * 32 * 8))
	check 'nothing missed so far' stat_is missed 0

	# In a BRK's handler SErrors are masked: such an NMI comes when it returns, and finds the
	# guard's kprobes served.
	if [ "$(uname -m)" = aarch64 ]; then
		check 'NMIs right after a kprobe handler' release --source at
		kernel_cancels || check 'NMIs right after a kprobe handler' \
			teardown --map array --source at --expect-nmi 0
		check 'nothing missed there either' stat_is missed 0
	else
		taken=$(stat taken)
		check 'NMIs in a kprobe handler' release --source at
		note "missed: $(stat missed)"
		check 'calls were missed, and counted' test "$(stat missed)" -ge $((32 * 8))
		check 'so releases worked in NMI' test "$(in_nmi put_task_struct_rcu_user)" -ge $((32 * 8))
		if ! kernel_cancels; then
			check 'NMIs in a kprobe handler' teardown --map array --source at --expect-nmi some
			note "missed: $(stat missed)"
			check 'calls were missed, and counted' test "$(stat missed)" -ge $((2 * 32 * 8))
			check 'so destructors worked in NMI' test "$(in_nmi put_task_struct_rcu_user)" -ge $((32 * 8))
		fi
		check 'none of them through the guard' stat_is taken "$taken"
	fi
	guard_worked
	guard_end
	check 'kprobes gone' test "$(sort /sys/kernel/debug/kprobes/list)" = "$kprobes_before"
}

# The same with ftrace: nothing is missed.
with_ftrace() {
	guard_begin hook=ftrace teardown=always
	check 'NMIs in a kprobe handler' /tests/bpf/release --rounds 32 --source at --expect-nmi stub
	check 'all of it came by' test "$(stat not_last)" -ge $((32 * 8))
	if ! kernel_cancels; then
		check 'NMIs in a kprobe handler' teardown --map array --source at --expect-nmi 0
		check 'all of it was taken' stat_is taken $((32 * 8))
	fi
	check 'nothing is missed' stat_is missed 0
	guard_end
}

# Where it strikes: some function that every system calls a lot.
site=rcu_segcblist_enqueue
test_module kng_witness
test_module kng_nmi_fire
test_module kng_nmi_at at=$site kprobe=1
kprobes_before=$(sort /sys/kernel/debug/kprobes/list)
parts with_kprobes with_ftrace
finish
