# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The guard comes and goes $ARGS times while NMIs on all CPUs tear down what a
# program keeps filling; then several load and unload it at once. Nothing is
# lost, and nothing of it stays. A destructor that runs in NMI while there is no
# guard must not hang: so references are either not the last ones, which need no job,
# or of cpumasks, whose destructor may run in NMI, but takes a job: with them there
# is always work on its way when the guard leaves.

tasks='teardown --map array --expect-nmi any'
masks='teardown --map array --kptr cpumask --expect-nmi work'
if kernel_cancels; then
	tasks='release --expect-nmi any'
	masks=$tasks
fi
cycles=$ARGS
half=$((cycles / 2))

# storm_begin PROGRAM OPTION...
storm_begin() {
	program=$1
	shift
	"/tests/bpf/$program" "$@" --source storm --period-us 2000 --rounds 1000000 --timeout 60 \
		>/tmp/storm.out 2>&1 &
	storm=$!
	eventually 30 grep -q '^# armed' /tmp/storm.out
}
# What was created was destroyed, exactly: the program's TAP.
storm_end() {
	kill -TERM "$storm"
	ended "$storm" /tmp/storm.out
}

# No two of the same kind follow each other.
kind() {
	case $(($1 % 4)) in
	0) echo ;;
	1) echo teardown=always ;;
	2) echo reserve=exact ;;
	3) echo teardown=needed budget=1 ;;
	esac
}

# come_and_go COUNTER TO: a cycle counts if NMIs moved the counter between load and unload.
n=0
come_and_go() {
	while [ $n -lt "$2" ]; do
		# shellcheck disable=SC2046 # words
		guard_load $(kind $n) || return
		eventually 20 stat_positive "$1" || return
		guard_unload || return
		n=$((n + 1))
	done
}

vmalloc_kb() { sed -n 's/^VmallocUsed: *\([0-9]*\) kB/\1/p' /proc/meminfo; }
percpu_kb() { sed -n 's/^Percpu: *\([0-9]*\) kB/\1/p' /proc/meminfo; }
# Stacks of tasks that have ended stay at hand, two for each CPU; nothing else does, however
# often it was loaded. (Objects of kmalloc() are counted where there is no storm: `load'.)
memory_is_back() {
	used="vmalloc: $vmalloc kB before, $(vmalloc_kb) now; per CPU: $percpu kB, $(percpu_kb) now"
	[ $(($(vmalloc_kb) - vmalloc)) -lt 256 ] && [ $(($(percpu_kb) - percpu)) -lt 8 ]
}

hooks_are() { [ "$(hooks)" = "$1" ]; }
# Both at once, both wait: one loads it, and neither fails for the other.
load_twice() {
	guard_load &
	first=$!
	guard_load
	second=$?
	wait "$first" && [ $second -eq 0 ]
}
# insmod does not forgive: it may say that the file is there already.
insmod_twice() {
	file=$(/sbin/modinfo -n kptr_nmi_guard)
	/sbin/insmod "$file" 2>/tmp/first &
	first=$!
	/sbin/insmod "$file" 2>/tmp/second
	second=$?
	wait "$first"
	first=$?
	[ $first -eq 0 ] || [ $second -eq 0 ] || return
	for rc in $first,/tmp/first $second,/tmp/second; do
		[ "${rc%%,*}" -eq 0 ] || grep -q 'File exists' "${rc#*,}" || return
	done
}
gone() { not loaded kptr_nmi_guard; }
# (rmmod's "not supported": its file refcnt comes a moment after the module.)
unload_once() {
	guard_unload 2>/tmp/rmmod.err && return
	grep -q 'not currently loaded\|does not exist\|busy\|in use\|unloading is not supported' \
		/tmp/rmmod.err && return
	note "$(cat /tmp/rmmod.err)"
	return 1
}
# One loads, the other unloads, neither asks the other. What is just coming or
# going is busy.
load_against_unload() {
	loads=$half
	[ $loads -le 10 ] || loads=10
	(
		i=0
		while [ $i -lt $loads ]; do
			if guard_load 2>/tmp/modprobe.err; then
				i=$((i + 1))
			elif ! grep -q 'resource busy' /tmp/modprobe.err; then
				note "$(cat /tmp/modprobe.err)"
				exit 1
			fi
		done
	) &
	loader=$!
	bad=0
	while kill -0 $loader 2>/dev/null; do
		unload_once || bad=1
	done
	wait $loader && [ $bad -eq 0 ]
}

under_tasks() {
	# shellcheck disable=SC2086 # words
	check 'a storm on tasks begins' storm_begin $tasks
	check "$half times loaded and unloaded under the storm" come_and_go seen_nmi $half
	check 'the storm lost nothing' storm_end
}

# With jobs on their way
under_masks() {
	if kernel_cancels; then counter=seen_nmi; else counter=run; fi
	# shellcheck disable=SC2086 # words
	check 'a storm on cpumasks begins' storm_begin $masks
	check 'and loaded and unloaded as often, with jobs on their way' come_and_go $counter "$cycles"
	check 'the storm lost nothing' storm_end
}

memory() {
	check 'hooks gone' unhooked
	check 'memory is back' eventually 10 memory_is_back
	note "$used"
}

twice() {
	check 'two modprobes at once' load_twice
	check 'each function is hooked once' hooks_are "$hooks_with"
	check 'rmmod' guard_unload
	check 'two insmods at once' insmod_twice
	check 'each function is hooked once' hooks_are "$hooks_with"
	check 'rmmod' guard_unload
}

against() {
	# shellcheck disable=SC2086 # words
	check 'a storm begins' storm_begin $masks
	check 'modprobe and rmmod against each other' load_against_unload
	check 'rmmod' unload_once
	check 'the storm lost nothing' storm_end
	check 'the guard is gone' gone
	check 'hooks gone' unhooked
}

test_module kng_witness
test_module kng_nmi_fire
hooks_before

# With the guard loaded once before, all that the kernel keeps is there.
check 'modprobe' guard_load
hooks_with=$(hooks)
check 'rmmod' guard_unload
vmalloc=$(vmalloc_kb) percpu=$(percpu_kb)

parts under_tasks under_masks memory twice against
check 'KFENCE was on' kfence_on
check 'KFENCE sampled' kfence_sampled
finish
