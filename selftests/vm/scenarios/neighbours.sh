# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Others who trace, watch or divert what the guard hooks ($ARGS: which), and each
# of the paths in /tests/paths with NMIs where the kernel holds the lock that the
# last reference wants: "name|site program option...". What is found goes into
# lines "# coverage PATH|NEIGHBOUR|RESULT".

TRACING=/sys/kernel/tracing
rounds=8

hooked_functions() {
	hooks >/tmp/hooks.now
	awk 'NR == FNR { before[$1] = $2; next } before[$1] != $2 { print $1 }' /tmp/hooks.before /tmp/hooks.now
}

# BPF programs on all of them. These have to have run in the end, with any path.
bpf_begin() {
	/tests/bpf/tracers --variant "$1" >/tmp/tracers.out 2>&1 &
	tracers=$!
	eventually 60 grep -q '^# attached' /tmp/tracers.out
}
bpf_end() {
	kill "$tracers"
	wait "$tracers"
	sed 's/^/    /; s/^    not ok/    (not) ok/' /tmp/tracers.out
	for function in security_bpf_map btf_record_free bpf_task_release; do
		grep -q "^ok .*/$function ran" /tmp/tracers.out || return
	done
	! grep '^not ok .*attach' /tmp/tracers.out
}

# ftrace's own tracers
tracer_begin() {
	echo >$TRACING/trace
	functions=$(hooked_functions)
	[ -n "$functions" ] || return
	for function in $functions; do
		echo "$function" >>$TRACING/set_ftrace_filter || return
	done
	echo "$1" >$TRACING/current_tracer
}
tracer_end() {
	cat $TRACING/trace >/tmp/trace
	echo nop >$TRACING/current_tracer
	echo >$TRACING/set_ftrace_filter
	note "traced: $(grep -c '' /tmp/trace) lines"
	grep -q bpf_task_release /tmp/trace
}

# Probes as `perf probe' makes them: entry and return of each
events_begin() {
	for function in $(hooked_functions); do
		echo "p:kng/p_$function $function" >>$TRACING/kprobe_events || return
		echo "r:kng/r_$function $function" >>$TRACING/kprobe_events || return
	done
	echo 1 >$TRACING/events/kng/enable
}
events_end() {
	echo 0 >$TRACING/events/kng/enable
	sed 's/^/# /' $TRACING/kprobe_profile
	awk '$1 ~ /^[pr]_bpf_task_release$/ && $2 > 0' $TRACING/kprobe_profile | grep -q .
	rc=$?
	echo >$TRACING/kprobe_events
	return "$rc"
}

# perf with those probes, and samples by the clock, with call chains
perf_begin() {
	events_begin || return
	/tests/tools/perf record -o /tmp/perf.data -a -g -e cpu-clock -e 'kng:*' >/tmp/perf.out 2>&1 &
	perf=$!
	eventually 60 test -s /tmp/perf.data
}
perf_end() {
	kill -INT "$perf"
	wait "$perf"
	sed 's/^/# /' /tmp/perf.out
	/tests/tools/perf script -i /tmp/perf.data 2>/dev/null | grep -c ' kng:' >/tmp/perf.n
	note "perf: $(cat /tmp/perf.n) samples of the probes"
	[ "$(cat /tmp/perf.n)" -gt 0 ] && events_end
}

# Somebody looks at all maps and programs, over and over.
bpftool_begin() {
	rm -f /tmp/stop
	(
		n=0
		until [ -e /tmp/stop ]; do
			/tests/tools/bpftool prog show >/tmp/progs || exit 1
			/tests/tools/bpftool map show >/tmp/maps || exit 1
			# Maps may go in between.
			sed -n 's/^\([0-9]*\): .*/\1/p' /tmp/maps | while read -r id; do
				/tests/tools/bpftool map dump id "$id" >/tmp/dump 2>&1
			done
			n=$((n + 1))
		done
		echo $n >/tmp/looked
	) &
	bpftool=$!
}
bpftool_end() {
	touch /tmp/stop
	wait "$bpftool" || return
	note "bpftool came round $(cat /tmp/looked) times"
	[ "$(cat /tmp/looked)" -gt 0 ]
}

# A livepatch of what the guard wants, older than it
livepatch_begin() { /sbin/insmod /tests/modules/kng_ipmodify.ko "function=$1"; }
livepatch_end() { /sbin/rmmod kng_ipmodify; }

begin() {
	case $1 in
	alone | defer=*) ;;
	fentry+fexit) bpf_begin both ;;
	kprobe | kprobe.multi) bpf_begin "$1" ;;
	function | function_graph) tracer_begin "$1" ;;
	kprobe_events) events_begin ;;
	perf) perf_begin ;;
	bpftool) bpftool_begin ;;
	livepatch:*) livepatch_begin "${1#livepatch:}" ;;
	*) false ;;
	esac
}
end() {
	case $1 in
	alone | defer=*) ;;
	fentry+fexit | kprobe | kprobe.multi) bpf_end ;;
	function | function_graph) tracer_end ;;
	kprobe_events) events_end ;;
	perf) perf_end ;;
	bpftool) bpftool_end ;;
	livepatch:*) livepatch_end ;;
	esac
}

# NAME SITE PROGRAM OPTION...: one path, with $neighbour there
path() {
	way=$1 site=$2 program=$3
	shift 3
	if [ "$site" != "$at" ]; then
		[ -z "$at" ] || /sbin/rmmod kng_nmi_at
		test_module kng_nmi_at "at=$site"
		at=$site
	fi
	"/tests/bpf/$program" "$@" --rounds $rounds --source at --expect-nmi stub >/tmp/path.out 2>&1
	rc=$?
	sed 's/^/    /' /tmp/path.out
	case $rc in
	0) result=lives ;;
	4) result='refused' ;;
	*) result=failed ;;
	esac
	note "coverage $way|$neighbour|$result"
	check "$neighbour: $way: $result" test "$result" != failed
}

all_paths() {
	while IFS='|' read -r what words; do
		# shellcheck disable=SC2086 # words
		path "$what" $words </dev/null
	done </tests/paths
}

test_module kng_witness
at=
for neighbour in $ARGS; do
	case $neighbour in
	# Older than the guard: it has to do without what they hold.
	livepatch:*) check "$neighbour: it is there" begin "$neighbour" ;;
	esac
	params=teardown=always
	case $neighbour in
	# None, but another guard
	defer=*) params="$params $neighbour" ;;
	esac
	# shellcheck disable=SC2086 # words
	guard_begin $params
	case $neighbour in
	livepatch:*) ;;
	*) check "$neighbour: it is there" begin "$neighbour" ;;
	esac
	all_paths
	case $neighbour in
	livepatch:*) ;;
	*) check "$neighbour: it saw what it looks at" end "$neighbour" ;;
	esac
	guard_worked
	if [ -n "$at" ]; then
		/sbin/rmmod kng_nmi_at
		at=
	fi
	guard_end
	case $neighbour in
	livepatch:*) check "$neighbour: it goes" end "$neighbour" ;;
	esac
done
finish
