# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What the guard cannot do it refuses to start: one line in the log that says
# what is wrong and what to do, an errno that fits, nothing left behind.

ranges() {
	refused 'no jobs' 'Invalid argument' 'jobs=0 .*1 to 1048576' jobs=0
	refused 'too many jobs' 'Invalid argument' 'jobs=1048577 .*1 to 1048576' jobs=1048577
	refused 'no budget' 'Invalid argument' 'budget=0 .*1 to' budget=0
	refused 'too much headroom' 'Invalid argument' 'headroom=1048577 .*0 to 1048576' headroom=1048577
	refused 'no room for the jobs' 'Invalid argument' 'max_jobs=4095 .*4096 to' max_jobs=4095
	refused 'more than the table holds' 'Invalid argument' 'max_jobs=16769025 .*to 16769024' \
		max_jobs=16769025
	refused 'too high a floor' 'Invalid argument' 'floor=1048577 .*0 to 1048576' floor=1048577
	refused 'unknown policy' 'Invalid argument' 'on_empty=panic' on_empty=panic
	refused 'unknown reserve' 'Invalid argument' 'reserve=all is unknown' reserve=all
	refused 'a count that nobody makes' 'Invalid argument' 'shrink=Y .*reserve=exact' shrink=Y
	refused 'calls with interrupts off by kprobes' 'not supported' 'defer=irqsoff .*kprobes' \
		defer=irqsoff hook=kprobe
	refused 'an exact reserve by kprobes' 'not supported' 'reserve=exact .*kprobes' \
		reserve=exact hook=kprobe
}

not_a_number() { refused "$1='$2'" 'Invalid argument\|out of range' "$1" "$1=$2"; }

# No number, or none that fits: the kernel's own line for it. An empty word is a
# word like others.
words() {
	for value in '' -1 x 1.5 4294967296 99999999999999999999 '1 2' 0x; do
		not_a_number jobs "$value"
	done
	for name in headroom max_jobs floor budget; do
		not_a_number $name -1
		not_a_number $name 4294967296
	done
	for value in '' LEAK leak,inline 'leak ' "$(seq 300 | tr -d '\n')"; do
		refused "on_empty='$(printf %.20s "$value")'" 'Invalid argument' 'on_empty=.*unknown' \
			"on_empty=$value"
	done
	for name in teardown hook defer reserve; do
		refused "$name='AUTO'" 'Invalid argument' "$name=.*unknown" $name=AUTO
	done
	refused "shrink=maybe" 'Invalid argument' shrink shrink=maybe
}

off() { echo 0 >/proc/sys/kernel/ftrace_enabled; } 2>/dev/null
# Since 7.3 there is no such switch any more.
ftrace_off() {
	if off; then
		refused 'ftrace is switched off' 'Device or resource busy' 'ftrace_enabled'
		echo 1 >/proc/sys/kernel/ftrace_enabled
	else
		check 'the kernel says why ftrace stays on' \
			sh -c "dmesg | grep -q 'ftrace_enabled file is deprecated'"
	fi
}

load_fails() { ! guard_load "$@" 2>/dev/null; }

# What can't be traced is not there for ftrace.
hidden() {
	check 'bpf_obj_free_fields is hidden' /sbin/insmod /tests/modules/kng_hidden.ko function=bpf_obj_free_fields
	refused 'it is not traceable' 'not supported' 'bpf_obj_free_fields is not in .*: load with hook=kprobe' hook=ftrace
	check 'hook=auto takes kprobes' guard_load
	check 'and says so' stat_is hook kprobe
	check 'rmmod' guard_unload
	check 'rmmod kng_hidden' /sbin/rmmod kng_hidden
	for function in security_bpf_map btf_record_free; do
		check "$function is hidden" /sbin/insmod /tests/modules/kng_hidden.ko function=$function
		check 'it loads without' guard_load
		check 'and says so' told "$function can.t be hooked .* follow maps"
		check 'rmmod' guard_unload
		check 'reserve=exact does not' load_fails reserve=exact
		check 'and says so' says 'maps can.t be followed: load with reserve=capacity'
		check 'rmmod kng_hidden' /sbin/rmmod kng_hidden
	done
}

# A copy that nobody calls is hooked, as where a compiler has inlined the function.
decoy() {
	check "$1: a copy is found that nobody calls" \
		/sbin/insmod /tests/modules/kng_hidden.ko function="$1" decoy=Y
}
decoy_gone() { check 'rmmod kng_hidden' /sbin/rmmod kng_hidden; }

decoys() {
	for function in security_bpf_map btf_record_free; do
		decoy $function
		check 'it loads' guard_load
		check 'and says so' told "$function is hooked, but .* did not call it .* follow maps"
		check 'so does its health' grep -q "^degraded: map_watch=$(stat map_watch)" \
			/sys/module/kptr_nmi_guard/health
		note "map_watch: $(stat map_watch)"
		check 'rmmod' guard_unload
		decoy_gone
	done
	for function in bpf_kptr_xchg bpf_jit_supports_ptr_xchg; do
		decoy $function
		refused 'programs would not be counted' 'not supported' \
			"$function is replaced, but .* reserve=capacity" reserve=exact
		check 'it loads without' guard_load
		check 'rmmod' guard_unload
		decoy_gone
	done
	decoy bpf_obj_free_fields
	check 'it loads' guard_load teardown=always
	check 'and says so' told 'bpf_obj_free_fields can.t be hooked .-2.'
	check 'the door is shut' stat_is door_teardown "closed (bpf_obj_free_fields can't be hooked)"
	check 'its health says so' grep -q '^degraded: door_teardown=closed' /sys/module/kptr_nmi_guard/health
	check 'rmmod' guard_unload
	decoy_gone
	for args in reserve=exact teardown=always; do
		check "without a decoy: $args" guard_load $args
		check 'all hooks are called' grep -qx ok /sys/module/kptr_nmi_guard/health
		check 'maps are followed' stat_is map_watch complete
		check 'rmmod' guard_unload
	done
}

# The extremes that are allowed, and what holds once it is loaded
extremes() {
	check 'modprobe jobs=1 budget=1' guard_load jobs=1 budget=1 headroom=0 max_jobs=0x1
	check 'one job' stat_is jobs_total 1
	check 'ftrace cannot be switched off under it' not off
	check 'ftrace is still on' grep -qx 1 /proc/sys/kernel/ftrace_enabled
	check 'a second modprobe changes nothing' guard_load
	check 'rmmod' guard_unload
	check 'modprobe jobs=1048576 on_empty=inline' guard_load jobs=1048576 on_empty=inline
	check 'all its jobs' stat_is jobs_idle 1048576
	check 'rmmod' guard_unload
}

starved() {
	for limit in 3 4 5 6 7 8; do
		(
			# shellcheck disable=SC3045 # busybox has it
			ulimit -n $limit
			exec /sbin/modprobe kptr_nmi_guard
		) 2>/dev/null && guard_unload
		says 'no file descriptor is left .-24.: raise the loader.s limit' && return
	done
	return 1
}

# As few file descriptors as modprobe itself can do with
files() {
	check 'no file descriptors: it says so' starved
	check 'and is not loaded' not loaded kptr_nmi_guard
}

coming() { grep -qsx coming /sys/module/kptr_nmi_guard/initstate; }
killed() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		/sbin/modprobe kptr_nmi_guard &
		loader=$!
		while kill -0 $loader && ! coming; do :; done 2>/dev/null
		kill -KILL $loader 2>/dev/null
		wait $loader
		eventually 2 not loaded kptr_nmi_guard && return
		note 'killed too late'
		guard_unload || return
	done
	return 1
}

# While it looks at maps that are older than itself, the loader can be killed.
killed_early() {
	hooks_before
	# The signal may come too late for that: then it is loaded, and goes.
	check 'killed while it loads: it is not loaded' killed
	check 'and has no hooks' unhooked
	check 'it loads the next time' guard_load
	check 'and unloads' guard_unload
}

parts ranges words ftrace_off hidden decoys extremes files killed_early
finish
