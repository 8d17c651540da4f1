# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Debug kernels, with kmemleak=on: allocations fail. $ARGS:
#   load PARAM...	each allocation that is made below the module's init fails once,
#			one in each load; a load works or fails with a line in the log
#   work		any below the module's own code, one in a few, with the module at work
# Nothing stays behind.

FAULTS="$DBG/failslab $DBG/fail_page_alloc"

for dir in $FAULTS; do
	for pair in verbose:0 task-filter:N ignore-gfp-wait:N times:-1 stacktrace-depth:32; do
		echo "${pair#*:}" >"$dir/${pair%:*}" || bail "no ${pair%:*} in $dir"
	done
done
echo 0 >"$DBG/fail_page_alloc/min-order"
echo N >"$DBG/fail_page_alloc/ignore-gfp-highmem"

# below FIRST LAST: only what is called from code between these addresses
below() {
	for dir in $FAULTS; do
		echo "$1" >"$dir/require-start"
		echo "$2" >"$dir/require-end"
	done
}
probability() { for dir in $FAULTS; do echo "$1" >"$dir/probability"; done; }
count_down() { for dir in $FAULTS; do echo "$1" >"$dir/times"; done; }
hits() {
	left=0
	for dir in $FAULTS; do left=$((left + $(cat "$dir/times"))); done
	echo $((2 * 1000000 - left))
}

# The bounds of a kernel's function
bounds() {
	sort /proc/kallsyms | awk -v f="$1" '
		found && $1 != at { print "0x" at, "0x" $1; exit }
		$3 == f && !found { at = $1; found = 1 }'
}

# The N-th allocation of the loading task fails.
load_failing() {
	(
		echo "$1" >/proc/self/fail-nth
		shift
		exec /bin/modprobe kptr_nmi_guard "$@"
	) 2>/tmp/modprobe.err
}

# load PARAM...: one load for each allocation there is
load() {
	nth=0 loads=0 refusals=0 wrong=0
	# shellcheck disable=SC2046 # two words
	below $(bounds do_one_initcall)
	check 'a map of kptrs exists' map_made task
	while [ "$nth" -lt 2000 ]; do
		nth=$((nth + 1))
		before=$(lines_said)
		count_down 1000000
		if load_failing "$nth" "$@"; then
			loads=$((loads + 1))
			if ! guard_unload; then
				wrong=$((wrong + 1))
				note "allocation $nth: modprobe succeeds, and nothing is loaded: $(said_last)"
			fi
		else
			refusals=$((refusals + 1))
			if [ "$(lines_said)" -le "$before" ]; then
				wrong=$((wrong + 1))
				note "allocation $nth: $(cat /tmp/modprobe.err), and no line in the log"
			else
				note "allocation $nth: $(said_last)"
			fi
		fi
		if loaded kptr_nmi_guard || hooked; then
			wrong=$((wrong + 1))
			note "allocation $nth: something stayed"
		fi
		[ "$(hits)" -gt 0 ] || break
	done
	map_ends task
	check "modprobe $*: each of $((nth - 1)) allocations failed once: $loads loads, $refusals refusals" \
		test "$(hits)" -eq 0
	check 'there were some' test $nth -gt 20
	check 'some loads went on without' test $loads -gt 1
	check 'some were refused' test $refusals -gt 1
	check 'each refusal said why, nothing stayed' test $wrong -eq 0
}

# At work: what the module itself asks for, wherever
work() {
	round=0 worked=0 wrong=0 failed=0
	test_module kng_foreign
	while [ $round -lt 10 ]; do
		round=$((round + 1))
		guard_load || break
		# shellcheck disable=SC2046 # two words
		set -- $(awk '$1 == "kptr_nmi_guard" { print $6, $2 }' /proc/modules)
		below "$1" "$(printf '0x%x' $(($1 + $2)))"
		count_down 1000000
		probability 30
		for kind in task foreign; do
			map_made $kind && map_ends $kind
		done
		/tests/bpf/teardown --map array --rounds 8 --source fire --expect-nmi any \
			>/dev/null 2>&1 && worked=$((worked + 1))
		probability 0
		failed=$((failed + $(hits)))
		if ! eventually 20 quiet || ! sums_hold; then
			wrong=$((wrong + 1))
			sed 's/^/# stats: /' "$STATS"
		fi
		guard_unload || break
	done
	check "$failed allocations failed" test $failed -gt 20
	check 'all rounds came to their end' test $worked -eq 10
	check 'nothing stayed pending, and the sums hold' test $wrong -eq 0
	check 'rmmod kng_foreign' eventually 10 rmmod_foreign
}

leaks_begin
test_module kng_witness
test_module kng_nmi_fire
hooks_before
# shellcheck disable=SC2086 # words
$ARGS
check 'guard unloaded' not loaded kptr_nmi_guard
check 'hooks gone' unhooked
below 0 0xffffffffffffffff
leaks_end
finish
