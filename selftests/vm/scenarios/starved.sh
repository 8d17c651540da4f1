# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Destructors that can't run for a while: interrupts are off, something else has
# the CPU, tasks are frozen. Unloading waits for them; nothing is lost.

realtime() { grep -qsx 1 /sys/kernel/realtime; }
program=$(last_program)
# shellcheck disable=SC2086 # words
tear() { $program "$@"; }
hold_begin() {
	# shellcheck disable=SC2086 # words
	$program --source hold --rounds 1 >/tmp/hold.out 2>&1 &
	hold=$!
	eventually 20 stat_is pending 8
}
going() { grep -qsx going /sys/module/kptr_nmi_guard/initstate; }
hold_end() { ended "$hold" /tmp/hold.out; }
dtors() { awk '$1 == "kng_foreign_release_dtor" { print $2, $3 }' "$DBG/kng_foreign/counts"; }
dtors_are() { [ "$(dtors)" = "$1" ]; }
# pm_test: all of the way down, as far as LEVEL, and back after a second.
suspend() {
	echo 1 >/sys/module/suspend/parameters/pm_test_delay
	echo "$1" >/sys/power/pm_test
	dmesg -c >/dev/null
	echo mem >/sys/power/state || return
	dmesg | grep -E 'PM:|Freezing|smpboot' | sed 's/^[^]]*\] /# /'
	dmesg | grep -q "suspend debug: Waiting for 1 second"
}

# Needs three CPUs: 1 is held, rmmod spins on another until it answers, and who
# looks on is on the third. ($$ is not this shell.)
no_interrupts() {
	read -r self _ </proc/self/stat
	taskset -p 4 "$self" >/dev/null || bail 'no third CPU'

	# rmmod can't patch the hooks out, nor end, before that CPU answers.
	guard_begin teardown=always
	check 'jobs are pending on a CPU with interrupts off' hold_begin
	taskset 1 /sbin/rmmod kptr_nmi_guard &
	rmmod=$!
	check 'rmmod begins' eventually 10 going
	echo 1 >"$DBG/kng_nmi_fire/let_go"
	check 'rmmod' wait $rmmod
	check 'nothing is lost' hold_end
	check 'hooks gone' unhooked
	taskset -p 7 "$self" >/dev/null
}

# Nearly all jobs are pending, and their worker does not come: the irq_work
# leaves its budget. (On PREEMPT_RT that is a thread, which the same task keeps
# away.)
no_worker() {
	if kernel_cancels || realtime; then return; fi
	guard_begin teardown=always budget=1 jobs=64 headroom=0 max_jobs=64
	check 'a CPU without workers' /tests/bpf/teardown --map array --hog --rounds 64 \
		--source fire --expect-nmi 0
	check 'all of it was taken' stat_is taken $((64 * 8))
	check 'the pool never ran empty' stat_is empty 0
	check 'for that the irq_work left its budget' test "$(stat longest_run)" -gt 1
	guard_worked
	guard_end
}

test_module kng_witness
test_module kng_nmi_fire
parts no_interrupts no_worker

# A destructor that does not return must not keep the machine from suspending. (If
# $ARGS says so.)
if [ "$ARGS" = suspend ] && [ -e /sys/power/pm_test ]; then
	guard_begin teardown=always budget=1
	if ! kernel_cancels; then
		test_module kng_foreign hold=Y
		check "a module's jobs are pending" /tests/bpf/pending --slots 256 --variant leave
	fi
	check 'tasks freeze and thaw' suspend freezer
	check 'CPU 1 goes and comes, too' suspend processors
	if ! kernel_cancels; then
		check 'the jobs are still pending' stat_is pending 256
		echo N >/sys/module/kng_foreign/parameters/hold
		check 'they run' eventually 20 quiet
		check 'all, and none in NMI' dtors_are '256 0'
		check 'rmmod kng_foreign' eventually 20 rmmod_foreign
	fi
	check 'it works as before' tear --source fire --rounds 16
	guard_worked
	guard_end
fi
finish
