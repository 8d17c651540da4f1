# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For scenarios, in the guest. What they print goes to the verdict line; their
# exit status ends up in "# guest done rc=N".

TAP_N=0
TAP_FAILED=0
DBG=/sys/kernel/debug
STATS=$DBG/kptr_nmi_guard/stats

note() { echo "# $*"; }

# check DESCRIPTION COMMAND...: one TAP line, ok if the command succeeds
check() {
	what=$1
	shift
	TAP_N=$((TAP_N + 1))
	if "$@"; then
		echo "ok $TAP_N - $what"
	else
		echo "not ok $TAP_N - $what"
		echo "#   false: $*"
		TAP_FAILED=$((TAP_FAILED + 1))
	fi
}

# The scenario's last line: plan and status. After its first report lockdep is off: what comes
# then would be a silence that says nothing, but where nobody asked for it.
finish() {
	[ ! -e /proc/lockdep_stats ] || grep -q 'lockdep.prove_locking=0' /proc/cmdline ||
		check 'lockdep is on to the end' lockdep_on
	echo "1..$TAP_N"
	[ "$TAP_FAILED" -eq 0 ] && [ "$TAP_N" -gt 0 ]
}

# bail REASON: there is no point in going on
bail() {
	echo "not ok $((TAP_N + 1)) - $*"
	exit 1
}

# eventually SECONDS COMMAND...: tries until it succeeds or time is up
eventually() {
	tries=$(($1 * 10))
	shift
	while ! "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

# parts FUNCTION...: the scenario, part by part; with `scripts/vm --part A,B' those alone
parts() {
	for part; do
		case " ${PARTS:-$*} " in
		*" $part "*)
			note "part $part"
			"$part"
			;;
		esac
	done
}

# test_module NAME PARAM...: loads a test-only module
test_module() {
	name=$1
	shift
	/sbin/insmod "/tests/modules/$name.ko" "$@" || bail "insmod $name $*: $(dmesg | tail -n 1)"
}

# soak_witness DEFER: only what the balance needs: a second hook on each release costs time.
# (With interrupts off the kernel itself calls call_rcu().)
soak_witness() {
	names=bpf_task_release_dtor,bpf_cgroup_release_dtor,bpf_cpumask_release_dtor
	names=$names,put_task_struct_rcu_user,css_release
	case $1 in
	nmi) test_module kng_witness "names=$names,call_rcu" ;;
	irqsoff) test_module kng_witness "names=$names" irqsoff=Y ;;
	esac
}

lockdep_on() { grep -q '^ *debug_locks: *1$' /proc/lockdep_stats; }
loaded() { grep -q "^$1 " /proc/modules; }
not() { ! "$@"; }
alive() { kill -0 "$1" 2>/dev/null; }
# ended PID FILE: waits for it, shows what it wrote there, returns what it returned
ended() {
	wait "$1"
	rc=$?
	sed 's/^/    /' "$2"
	return "$rc"
}

# Since 7.2 an update in NMI leaves kptrs where they are: no teardown there.
kernel_cancels() { grep -q ' bpf_obj_cancel_fields$' /proc/kallsyms; }
# The program, and its options, that gives back last references in NMI on this kernel
last_program() {
	if kernel_cancels; then
		echo /tests/bpf/release --expect-nmi stub --last
	else
		echo /tests/bpf/teardown --map array --expect-nmi 0 --last
	fi
}
# in_nmi FUNCTION: how often the witness saw it there
in_nmi() { awk -v n="$1" '$1 == n { print $3 }' "$DBG/kng_witness/counts"; }

# A map that nobody uses, of a kind that mapof knows; it is pinned.
map_made() { /tests/bpf/mapof --variant "$1"; }
map_ends() { rm "/sys/fs/bpf/kng-$1"; }
rmmod_foreign() { /sbin/rmmod kng_foreign 2>/dev/null; }

guard_load() { /sbin/modprobe kptr_nmi_guard "$@"; }
guard_unload() { /sbin/rmmod kptr_nmi_guard; }
guard_wanted() { [ "$GUARD" = yes ]; }

# stat NAME: one number of the guard's
stat() { sed -n "s/^$1: *//p" "$STATS"; }
stat_mode() { busybox stat -c %a "$1"; }
stat_is() { [ "$(stat "$1")" = "$2" ]; }
stat_positive() { [ "$(stat "$1")" -gt 0 ]; }
show_stats() { sed 's/^/# stats: /' "$STATS"; }

# No NMI is coming and nothing is pending: the sums must then be exact.
quiet() { stat_is pending 0; }
# In one reading: the reserve may still be trimming.
all_back() {
	awk '$1 == "jobs_idle:" { idle = $2 } $1 == "jobs_total:" { total = $2 }
		END { exit idle != total || !total }' "$STATS"
}
# jobs_add_up JOBS: trimmed jobs count when their memory goes back, a moment later
jobs_add_up() { [ "$(stat jobs_total)" -eq $(($1 + $(stat grown) - $(stat trimmed))) ]; }
sums_hold() {
	[ "$(stat taken)" -eq $(($(stat run) + $(stat pending) + $(stat leaked))) ]
}

# What ftrace has patched, and by how many users: before the guard came, and now.
# Other users (test modules) must be loaded before hooks_before.
hooks() {
	{
		awk '{ print $1, $2 }' /sys/kernel/tracing/enabled_functions
		# On arm64 they are no users of ftrace.
		awk '{ print $3, "kprobe" }' $DBG/kprobes/list
	} | sort
}
hooks_before() { hooks >/tmp/hooks.before; }
unhooked() { hooks | cmp -s - /tmp/hooks.before; }
hooked() { not unhooked; }
show_hooks() { hooks | diff /tmp/hooks.before - | sed -n 's/^[+>]\([^+]\)/# hooked: \1/p'; }

# told WORDS: the guard wrote them into the kernel's log
told() { dmesg | grep -Eq -- "kptr_nmi_guard: $1"; }
# The last line that it wrote
said_last() { dmesg | sed -n 's/.*kptr_nmi_guard: //p' | tail -n 1; }
# (The kernel's own remarks on foreign modules do not count.)
lines_said() { dmesg | grep ' kptr_nmi_guard: ' | grep -vc 'taints kernel\|tainting kernel'; }

# refused WHY ERROR WORDS PARAM...: modprobe fails with the error, one log line
# has the words, and nothing stays behind.
refused() {
	why=$1 error=$2 words=$3
	shift 3
	hooks_before
	lines_before=$(lines_said)
	if guard_load "$@" 2>/tmp/modprobe.err; then
		check "refused: $why" false
		guard_unload
		return
	fi
	note "$(cat /tmp/modprobe.err)"
	note "log: $(said_last)"
	check "refused: $why" not loaded kptr_nmi_guard
	check "$why: the error is $error" grep -q "$error" /tmp/modprobe.err
	check "$why: one line says so" test $(($(lines_said) - lines_before)) -eq 1
	check "$why: the line names it ($words)" says "$words"
	check "$why: nothing hooked" unhooked
}
says() { said_last | grep -Eq -- "$1"; }

kfence_on() { [ "$(sed -n 's/^enabled: //p' $DBG/kfence/stats)" = 1 ]; }
kfence_sampled() { [ "$(sed -n 's/^total allocations: //p' $DBG/kfence/stats)" -gt 0 ]; }

# What kmalloc() gave and has not got back, in objects: hashes of ftrace are, and watched
# maps. (Objects that a CPU keeps at hand count as used until the cache is shrunk.)
kmallocs() {
	for cache in /sys/kernel/slab/kmalloc-*; do
		echo 1 >"$cache/shrink"
		sed 's/ .*//' "$cache/objects"
	done | awk '{ sum += $1 } END { print sum }'
}

# still COUNTER...: what no test moves has not moved, but for these
still() {
	still=yes
	for counter in table_full raced nested bad_context bypassed; do
		case " $* " in
		*" $counter "*) ;;
		*)
			stat_is $counter 0 && continue
			echo "# $counter: $(stat $counter)"
			still=no
			;;
		esac
	done
	[ $still = yes ]
}

# guard_begin PARAM...: loads the guard where one is wanted. Test modules first.
guard_begin() {
	hooks_before
	guard_wanted || return 0
	check "modprobe kptr_nmi_guard $*" guard_load "$@"
	check 'hooked' hooked
}

# guard_end [leaks] [COUNTER]...: what must hold when no NMI comes any more, then
# unload. References may have leaked; these counters may have moved.
guard_end() {
	guard_wanted || return 0
	eventually 20 quiet
	show_stats
	check 'nothing pending' stat_is pending 0
	check 'taken == run + pending + leaked' sums_hold
	check 'all jobs are back' eventually 20 all_back
	if [ "${1:-}" = leaks ]; then
		shift
	else
		check 'nothing leaked' stat_is leaked 0
		check 'nothing run inline' stat_is inlined 0
	fi
	check "no job was without its destructor, no slot raced for, no entry nested${*:+, but for $*}" still "$@"
	check 'rmmod' guard_unload
	check 'module gone' not loaded kptr_nmi_guard
	check 'hooks gone' unhooked
	check 'KFENCE was on' kfence_on
	check 'KFENCE sampled' kfence_sampled
}

# guard_worked: the doors were open and NMIs went through them
guard_worked() {
	guard_wanted || return 0
	check 'NMIs passed through the guard' stat_positive seen_nmi
	check 'references were taken in NMI' stat_positive taken
}

# Debug kernels: what kmemleak finds from here on. It looks twice, at things that
# are five seconds old.
LEAKS=$DBG/kmemleak
leaks_scan() { sleep 6 && echo scan >$LEAKS && sleep 1 && echo scan >$LEAKS; }
leaks_begin() {
	check 'kmemleak is on' leaks_scan
	echo clear >$LEAKS
}
leaks_end() {
	check 'kmemleak scans' leaks_scan
	sed 's/^/# leak: /' $LEAKS
	check 'no leak' not grep -q . $LEAKS
}

# usable_maps KIND...: those whose use in NMI lockdep does not complain of. It
# does of all hashes, kptrs or not: they lock in NMI (README, Limits).
usable_maps() {
	for kind; do
		case $kind in
		*hash* | *lru*) [ -e /proc/lockdep_stats ] || echo "$kind" ;;
		*) echo "$kind" ;;
		esac
	done
}

# What a program should find: destructors in NMI, or none.
expected_in_nmi() { if guard_wanted; then echo 0; else echo some; fi; }
