# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Health and stats in sysfs are what the stats in debugfs say, for everybody; tracepoints
# tell of each run.

module=/sys/module/kptr_nmi_guard
tracing=/sys/kernel/tracing
health() { cat $module/health; }
health_is() { [ "$(health)" = "$1" ] || { note "health: $(health)" && false; }; }
nobody_reads() { su -s /busybox/sh nobody -c "cat $1" >/dev/null; }
teardown() { /tests/bpf/teardown "$@"; }

# Each line has a file with the same value, but those of destructors that ran since.
values_agree() {
	while IFS=': ' read -r name value; do
		case $name in run_of_*) continue ;; esac
		[ "$(cat "$module/stats/$name")" = "$value" ] || { note "$name: $value" && return 1; }
	done <"$STATS"
}
sum_of() { awk -v p="^$1" '$1 ~ p { n += $2 } END { print n + 0 }' "$STATS"; }
events() { grep -c " $1: " $tracing/trace; }
traced_in() { sed -n "s/.* run: .*context=$1 .* nr=\([0-9]*\).*/\1/p" $tracing/trace | awk '{ n += $1 } END { print n + 0 }'; }
# traced FIELD: sum of a field of the event run
traced() { sed -n "s/.* run: .*$1=\\([0-9]*\\).*/\\1/p" $tracing/trace | awk '{ n += $1 } END { print n + 0 }'; }

same() {
	guard_begin teardown=always
	check 'ok' health_is ok
	check 'an ordinary user reads it' nobody_reads $module/health
	check 'and a counter' nobody_reads $module/stats/taken
	check 'nobody writes it' test "$(stat_mode $module/health)" = 444
	check 'there is a file for each line' test "$(find $module/stats -type f | wc -l)" -eq "$(wc -l <"$STATS")"

	echo 1 >$tracing/events/kptr_nmi_guard/enable
	check 'references are deferred' teardown --map array --last --source fire --rounds 32 --expect-nmi 0
	eventually 20 quiet
	check 'the histogram has each run' test "$(sum_of delay_below_)" -eq "$(stat run)"
	check 'so have the destructors' test "$(sum_of run_of_)" -eq "$(stat run)"
	check 'the one that ran is named' stat_positive run_of_bpf_task_release_dtor
	check 'they waited for some time' stat_positive delay_max_us
	check 'but not for a minute' test "$(stat delay_max_us)" -lt 60000000
	check 'the map is gone' eventually 10 stat_is maps_watched 0
	check 'sysfs says what debugfs says' values_agree
	check 'each run was traced' test "$(traced nr)" -eq "$(stat run)"
	check 'and where: in the irq_work' test "$(traced_in irq_work)" -eq "$(stat run_hardirq)"
	check 'or in the worker' test "$(traced_in worker)" -eq "$(stat run_worker)"
	check 'with the name of the destructor' grep -q ' run: dtor=bpf_task_release_dtor context=' $tracing/trace
	check 'a map was seen' test "$(events map_seen)" -ge 1
	check 'and freed' eventually 10 sh -c "grep -q ' map_gone: ' $tracing/trace"
	check 'the pool grew' test "$(events pool_resized)" -ge 0
	check 'a job there was for each' test "$(events no_job)" -eq 0
	check 'still ok' health_is ok
	echo 0 >$tracing/events/kptr_nmi_guard/enable
	echo >$tracing/trace
	guard_end
}

# A fact makes it degraded, and wakes who polls.
degraded() {
	guard_begin teardown=always headroom=0 jobs=1 max_jobs=1
	check 'ok until a map comes' health_is ok
	echo 1 >$tracing/events/kptr_nmi_guard/enable
	check 'a map with more room than jobs' /tests/bpf/exact pin room array 100
	check 'degraded: shortfall' eventually 10 sh -c "grep -q '^degraded: shortfall=[0-9]*$' $module/health"
	check 'the value is that of the stats' health_is "degraded: shortfall=$(stat shortfall)"
	check 'a resize that fell short is traced' test "$(events pool_resized)" -ge 1
	rm -r /sys/fs/bpf/room
	check 'the map is gone: ok again' eventually 10 health_is ok
	check 'no job for most' teardown --map array --last --source fire --rounds 4 --expect-nmi 0
	check 'degraded: empty, kept' health_is "degraded: empty=$(stat empty), kept=$(stat kept)"
	check 'traced, once' test "$(events no_job)" -eq 1
	echo 0 >$tracing/events/kptr_nmi_guard/enable
	guard_end
}

# A door that somebody else holds
half_a_door() {
	test_module kng_ipmodify function=bpf_task_release_dtor
	guard_begin
	check 'degraded: half a door' health_is 'degraded: door_release_task_struct=release'
	guard_end
	check 'rmmod kng_ipmodify' /sbin/rmmod kng_ipmodify
}

echo 'nobody:x:65534:65534::/:/busybox/sh' >/etc/passwd
test_module kng_witness
test_module kng_nmi_fire
parts same degraded half_a_door
finish
