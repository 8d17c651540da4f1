# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Each small allocation below the module's init fails once, one in each load, the
# kernel's own for hooks and maps included: a load works, or fails with a line in
# the log, and nothing stays. $ARGS: only the first of each so many.
#
# (Linux 6.12 has a trap there: ftrace_set_filter() without memory says 0 and
# leaves a filter that is every function of the kernel.)

FAIL=/sys/module/kng_nomem/parameters

test_module kng_nomem function=__kmalloc_cache_noprof,__kmalloc_noprof,__kmalloc_node_track_caller_noprof
hooks_before

# As many as there are, when none fails
echo 1000000 >$FAIL/nth
check 'modprobe' guard_load
check 'rmmod' guard_unload
all=$(cat $FAIL/below)

step=${ARGS:-1}
nth=$((1 - step)) loads=0 refusals=0 wrong=0
while [ $nth -lt 1000 ]; do
	nth=$((nth + step))
	failed=$(cat $FAIL/failed)
	before=$(lines_said)
	echo $nth >$FAIL/nth
	if /bin/modprobe kptr_nmi_guard 2>/tmp/modprobe.err; then
		loads=$((loads + 1))
		echo 0 >$FAIL/nth
		if ! guard_unload; then
			wrong=$((wrong + 1))
			note "allocation $nth: modprobe succeeds, and nothing is loaded"
		fi
	else
		refusals=$((refusals + 1))
		[ "$(lines_said)" -gt "$before" ] || wrong=$((wrong + 1))
		note "allocation $nth: $(said_last)"
	fi
	if loaded kptr_nmi_guard || hooked; then
		wrong=$((wrong + 1))
		note "allocation $nth: something stayed"
	fi
	[ "$(cat $FAIL/failed)" -gt "$failed" ] || break
done
check "allocations 1 to $((nth - step)), one in $step, failed once: $loads loads, $refusals refusals" test $nth -lt 1000
check "that is all of them ($all), but for the last few" test $nth -ge $((all - step - 5))
check 'not a few' test "$all" -ge 100
tries=$((loads + refusals))
check 'some were refused' test $((refusals * 10)) -ge $tries
check 'some could be done without' test $((loads * 10)) -ge $tries
check 'each refusal said why, nothing stayed' test $wrong -eq 0
check 'rmmod kng_nomem' /sbin/rmmod kng_nomem
finish
