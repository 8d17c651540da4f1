# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The kernel's own BPF selftests (scripts/kernel-selftests), each in a process of
# its own, without the guard or with it ($ARGS: bare, or guarded PARAM...). Their
# verdicts go into lines "# verdict #NUMBER NAME:VERDICT", for kernel.t to compare:
# here it only counts that there is one, and that the guard was at work.

TESTS=/tests/kernel
MAPS=$DBG/kptr_nmi_guard/maps

# shellcheck disable=SC2086 # words
set -- $ARGS
with=$1
shift

verdicts() {
	sed '/^All error logs:/,$d' /tmp/said |
		sed -n 's/^\(#[0-9/]*\)  *\(.*:\(OK\|FAIL\|SKIP\).*\)$/# verdict \1 \2/p'
}

# What a test says besides, where it does not say OK.
reasons() {
	grep -q ':\(FAIL\|SKIP\)' /tmp/said || return 0
	sed '/^All error logs:/,$d' /tmp/said | grep -v ':OK$\|:PASS:' | tail -n 80 | cut -c1-200 | sed 's/^/# | /'
}

look_at_maps() {
	while cat "$MAPS" >>/tmp/maps; do sleep 0.3; done
}

mkdir -p /mnt # where they mount cgroups
ip link set lo up
cd $TESTS || bail "no $TESTS"
if [ "$with" = guarded ]; then
	guard_begin "$@"
	look_at_maps &
	looking=$!
fi
while read -r name; do
	started=$(cut -d' ' -f1 /proc/uptime)
	LD_LIBRARY_PATH=$TESTS timeout 300 ./test_progs -a "$name" >/tmp/said 2>&1
	note "$name: status $?, began at $started s, now $(cut -d' ' -f1 /proc/uptime) s"
	verdicts
	reasons
	check "$name: has a verdict" grep -q "^#[0-9]*  *$name:" /tmp/said
	check "$name: bpf_testmod is unloaded" not loaded bpf_testmod
done <tests
if [ "$with" = guarded ]; then
	kill "$looking"
	wait "$looking"
	cut -d' ' -f2- /tmp/maps | sed 's/ met_us.*//; s/ waits$//' | sort | uniq -c | sort -rn | sed 's/^ */# seen: /'
	note "in the end: $(stat references) references counted, $(stat refused) exchanges refused"
	check 'the guard is active' stat_is state active
	check 'the teardown door is open' stat_is door_teardown open
	check 'maps with references were watched' grep -q 'fields .*_dtor' /tmp/maps
	check 'one of them was of map_kptr' grep -q ' array_map .*fields bpf_kfunc_call_test_release_dtor' /tmp/maps
	guard_end
else
	check 'the guard is not there' not loaded kptr_nmi_guard
fi
finish
