# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# A small machine, maps that want more jobs than it has memory for, and no other limit:
# some memory stays available, the rest is shortfall, and the machine lives.

free_mb() { echo $(($(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo) / 1024)); }
ram_mb() { echo $(($(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo) / 1024)); }
# What the guard leaves, less what the kernel's estimate wavers by
margin=$(($(ram_mb) / 8 - 4))
leaves_some() {
	for _ in 1 2 3 4 5 6 7 8; do
		sleep 1
		note "available: $(free_mb) MB of $(ram_mb), jobs $(stat jobs_total), shortfall $(stat shortfall)"
		[ "$(free_mb)" -ge "$margin" ] || return
	done
}
killed() { dmesg | grep -q 'Out of memory\|oom-killer'; }
short_told() { told '[0-9]* more jobs are wanted .*.for want of memory.; the map with most room is [0-9]* big_percpu, with'; }

guard_begin max_jobs=16769024
note "available: $(free_mb) MB of $(ram_mb)"
for kind in big_array big_hash big_percpu big_lru big_percpu2; do
	check "a map: $kind" map_made $kind
	sleep 1
	note "available: $(free_mb) MB, jobs $(stat jobs_total), shortfall $(stat shortfall)"
done
check "memory stays available, $margin MB at least" leaves_some
check 'the rest is told' stat_positive shortfall
check 'in the log, with the map' short_told
check 'there are many jobs all the same' test "$(stat jobs_total)" -gt 100000

# Somebody needs memory, and ends: what that frees is not taken at once.
check 'somebody takes 20 MB' dd if=/dev/zero of=/tmp/hog bs=1M count=20
sleep 3
jobs=$(stat jobs_total)
rm /tmp/hog
sleep 4
note "available: $(free_mb) MB, jobs $(stat jobs_total), before $jobs"
check 'they are gone: few jobs are added in 4 s' test $(($(stat jobs_total) - jobs)) -le $((6 * 16 * 4096))
check 'nobody was killed for memory' not killed

for kind in big_array big_hash big_percpu big_lru big_percpu2; do
	map_ends $kind
done
check 'the maps end: nothing is short' eventually 20 stat_is shortfall 0
check 'the jobs go back' eventually 30 stat_is jobs_total 4096
guard_end
finish
