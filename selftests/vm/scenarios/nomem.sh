# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The guard gets no memory: it refuses to load, falls short, says so once, and
# makes up for it when there is some again.

MAPS=$DBG/kptr_nmi_guard/maps
FAIL=/sys/module/kng_nomem/parameters
waits() { grep -q " $1 .* waits$" "$MAPS"; }
short() { dmesg | grep -c 'kptr_nmi_guard: .* more jobs are wanted .*(for want of memory)'; }
short_told() { [ "$(short)" -eq "$1" ]; }
opened() { /tests/bpf/mapof --variant "$1"; }
came() { [ "$(cat $FAIL/came)" -ge "$1" ]; }
both_wait() { waits array && waits big_lru; }
failed_more() { [ "$(cat $FAIL/failed)" -gt "$1" ]; }

refuses() {
	echo Y >$FAIL/fail
	refused 'no memory' 'Cannot allocate memory' 'no memory for 4096 jobs: load with a smaller jobs='
	check 'that was why' test "$(cat $FAIL/failed)" -eq 1
	echo N >$FAIL/fail
}

short_of_jobs() {
	guard_begin jobs=1 headroom=0
	check 'one job' stat_is jobs_total 1
	echo Y >$FAIL/fail
	check 'a map of 100 entries' map_made array
	check 'short of 99' eventually 10 stat_is shortfall 99
	check 'the map waits' waits array
	failed=$(cat $FAIL/failed)
	check 'it is tried again' eventually 10 failed_more "$failed"
	check 'the log says so once' eventually 5 short_told 1
	echo N >$FAIL/fail
	check 'with memory it is made up for' eventually 10 stat_is shortfall 0
	check 'the map waits no more' not waits array
	check 'as many jobs as a chunk has' stat_is jobs_total 4097
	check 'nothing more was said' short_told 1
	map_ends array
	check 'the jobs go back' eventually 10 stat_is jobs_total 1
	guard_end
}

# A map comes while the worker allocates: what the worker allocates is not for that one.
comes_meanwhile() {
	guard_begin jobs=1 headroom=0
	echo 0 >$FAIL/let
	check 'a map' map_made array
	check 'the worker allocates' eventually 10 came 1
	check 'another map comes meanwhile' map_made big_lru
	check 'both wait' both_wait
	echo 1 >$FAIL/let
	check 'the worker allocates again, for the second' eventually 10 came 2
	check 'the first has what it needs' not waits array
	check 'the second still waits' waits big_lru
	check 'so many jobs are there' stat_is jobs_total 4097
	echo -1 >$FAIL/let
	check 'then the second has it, too' eventually 30 not waits big_lru
	check 'nothing is short' stat_is shortfall 0
	map_ends array
	map_ends big_lru
	check 'the jobs go back' eventually 20 stat_is jobs_total 1
	guard_end
}

# Not even for the map's entry in the account
no_entry() {
	test_module kng_nomem function=__kmalloc_cache_noprof
	guard_begin
	echo Y >$FAIL/fail
	check 'a map of 100 entries' map_made array
	check 'it is counted' stat_is maps_unwatched 1
	check 'but not charged' stat_is reserved 0
	check 'it is opened again, and there is no memory yet' opened array
	check 'it counts once' stat_is maps_unwatched 1
	echo N >$FAIL/fail
	check 'another' map_made hash
	check 'is' stat_is reserved 102
	check 'the first is opened again, with memory' opened array
	check 'now it is watched' stat_is maps_unwatched 0
	check 'and charged' stat_is reserved 202
	echo Y >$FAIL/fail
	check 'another that there is no memory for' map_made lru
	check 'is counted' stat_is maps_unwatched 1
	map_ends lru
	check 'until it ends' eventually 10 stat_is maps_unwatched 0
	echo N >$FAIL/fail
	map_ends array
	map_ends hash
	check 'nothing is left' eventually 10 stat_is maps_watched 0
	check 'nothing is charged' stat_is reserved 0
	guard_end
}

test_module kng_nomem
parts refuses short_of_jobs comes_meanwhile
check 'rmmod kng_nomem' /sbin/rmmod kng_nomem
parts no_entry
finish
