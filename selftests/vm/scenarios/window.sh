# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The moment between a map's making and the workers' work: no job was made for the
# map. The headroom has to do.

test_module kng_witness
test_module kng_nmi_fire

# The program is loaded first: making it needs a map with kptrs.
mkfifo /tmp/start
/tests/bpf/window --variant starve --slots 256 --expect-nmi stub </tmp/start >/tmp/out 2>&1 &
pid=$!
exec 4>/tmp/start
check 'the program is ready' eventually 30 grep -q '^# ready' /tmp/out
# Workers of no CPU go to the test's, too.
unbound=/sys/devices/virtual/workqueue/cpumask
cat $unbound >/tmp/unbound
check 'all workers are on one CPU' eval "echo 1 >$unbound"
guard_begin jobs=1
check 'the door is shut' stat_is door_teardown 'closed (no map needs it)'
echo >&4
check 'filled and torn down before the workers ran' ended $pid /tmp/out
check 'all by the release door' stat_is taken_release 256
check 'the pool was never empty' stat_is empty 0
check 'the workers run' eventually 10 stat_positive grown
check 'nothing opens the door' stat_is door_teardown 'closed (no map needs it)'
guard_end

# And the same with workers that try.
cat /tmp/unbound >$unbound
guard_begin
check 'while the workers work' /tests/bpf/window --variant race --slots 1024 --rounds 50 --expect-nmi any
check 'the pool was never empty' stat_is empty 0
note "most that were pending: $(stat peak_pending)"
# None of these is the last one: the release door gives them back at once.
check 'NMIs passed through the guard' stat_positive seen_nmi
check 'references were given back in NMI' stat_positive not_last
guard_end
finish
