# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# A map of 100 million entries: it is made, the guard takes what max_jobs allows
# and says what is missing, once.

MAPS=$DBG/kptr_nmi_guard/maps
cpus=$(($(sed 's/.*-//' /sys/devices/system/cpu/possible) + 1))
max=1048576
charge=$((100000000 + cpus))
times_told() { dmesg | grep -c 'kptr_nmi_guard: .* more jobs are wanted'; }
free_kb() { sed -n 's/^MemFree: *\([0-9]*\).*/\1/p' /proc/meminfo; }

guard_begin
check 'a map of 100 million entries' map_made huge
check 'as many jobs as there may be' eventually 20 stat_is jobs_total $max
check 'charged' stat_is reserved $charge
check 'the rest is told' eventually 5 stat_is shortfall $((charge + $(stat headroom) - max))
check 'in the log, too' test "$(times_told)" -eq 1
check 'another map' map_made array
check 'is short, too' eventually 10 stat_is shortfall $((charge + 100 + $(stat headroom) - max))
check 'nothing more was said' test "$(times_told)" -eq 1
note "free: $(free_kb) kB"
map_ends huge
check 'the other has its jobs, now' eventually 20 grep -q ' array .* met_us' "$MAPS"
check 'nothing is short' stat_is shortfall 0
check 'the jobs go back' eventually 20 stat_is jobs_total 4096
map_ends array
guard_end
finish
