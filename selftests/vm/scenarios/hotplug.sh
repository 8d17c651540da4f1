# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# CPUs that go and come while NMIs defer destructors on them.

cpu1=/sys/devices/system/cpu/cpu1/online
program=$(last_program)
# shellcheck disable=SC2086 # words
tear() { $program "$@"; }
switch_cpu1() {
	n=0
	while [ $n -lt "$1" ]; do
		echo 0 >$cpu1 || return
		echo 1 >$cpu1 || return
		n=$((n + 1))
	done
}
storm_begin() {
	# shellcheck disable=SC2086 # words
	$program --source storm --period-us 300 --rounds 1000000 --timeout 60 >/tmp/storm.out 2>&1 &
	storm=$!
	eventually 30 grep -q '^# armed' /tmp/storm.out
}
storm_end() {
	kill -TERM "$storm"
	ended "$storm" /tmp/storm.out
}

# An NMI in each of the two moments when its CPU's queue may not raise the
# irq_work: after it was shut, on the way down (run when the CPU is dead), and
# before it opens, on the way up (raised when it does).
moments() {
	guard_begin teardown=always
	check 'NMIs on a CPU on its way down and up' tear --source cpu --rounds 16
	check 'all of it was taken' stat_is taken $((16 * 8))
	check 'those of the way down ran when the CPU was dead' stat_is run_worker $((8 * 8))
	check 'those of the way up in its irq_work' stat_is run_hardirq $((8 * 8))
	check 'CPU 1 is there' grep -qx 1 $cpu1
	guard_end
}

# CPU 1 is away when the guard comes, and comes back; and the other way round.
away() {
	echo 0 >$cpu1
	guard_begin teardown=always
	echo 1 >$cpu1
	check 'a CPU that came later: down and up' tear --source cpu --rounds 4
	check 'it ran there' stat_is run_hardirq 16
	echo 0 >$cpu1
	guard_end
	echo 1 >$cpu1
}

test_module kng_witness
test_module kng_nmi_fire
parts moments away

# The same at random, if $ARGS says so.
if [ "$ARGS" != storm ]; then
	finish
	return
fi
guard_begin teardown=always
check 'a storm begins' storm_begin
check 'CPU 1 goes and comes 20 times' switch_cpu1 20
check 'the storm lost nothing' storm_end
guard_worked
echo 0 >$cpu1
guard_end
echo 1 >$cpu1
finish
