# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The guard with random parameters under random map operations, again and again:
#   SEED SECONDS OPTION...
# Each round prints how to run it alone. Beside it other maps come and go, and a
# module whose destructor has to be learnt and forgotten.

# shellcheck disable=SC2086 # words
set -- $ARGS
seed=$1 end=$(($(date +%s) + $2))
shift 2
options=$*

# Knuth's (MMIX): the upper bits are the better ones.
next() { seed=$(((seed * 6364136223846793005 + 1442695040888963407) & 0x7fffffffffffffff)); }
# pick WORD...: one of them, into $picked
pick() {
	next
	shift $(((seed >> 33) % $#))
	picked=$1
}

# company SEED: until /tmp/round-over is there; what fails goes to /tmp/company
company() {
	seed=$1 met=0
	while [ ! -e /tmp/round-over ]; do
		if ! loaded kng_foreign; then
			/sbin/insmod /tests/modules/kng_foreign.ko || break
		fi
		for kind in $kinds; do
			pick 0 1 2
			[ "$picked" -eq 0 ] || continue
			map_made "$kind" || break 2
			map_ends "$kind"
			met=$((met + 1))
		done
		pick stays goes
		if [ "$picked" = goes ]; then
			eventually 20 rmmod_foreign || break
		fi
	done >/tmp/company 2>&1
	! loaded kng_foreign || eventually 20 rmmod_foreign
	echo "$met" >/tmp/met
	[ -e /tmp/round-over ]
}
kinds='foreign array percpu_array hash prealloc percpu_hash lru percpu_lru
	task_st cgroup_st two object list tree plain none'

test_module kng_nmi_fire
rounds=0
while [ "$(date +%s)" -lt "$end" ] && [ "$TAP_FAILED" -eq 0 ]; do
	pick 1 64 4096 && params="budget=$picked"
	pick auto always && params="$params teardown=$picked"
	pick capacity capacity exact && params="$params reserve=$picked"
	pick 1024 2048 32768 && params="$params headroom=$picked"
	pick nmi irqsoff && defer=$picked
	pick 64 256 1024 && acts=$picked
	pick 2000 4000 8000 && period=$picked
	next
	round=$(((seed >> 32) + 1))
	round_options="--seed $round --acts $acts --period-us $period $options"
	[ $defer = nmi ] || round_options="$round_options --irqsoff"
	note "round $rounds: $params defer=$defer"
	soak_witness $defer
	# shellcheck disable=SC2086 # words
	guard_begin $params defer=$defer
	rm -f /tmp/round-over
	company $round &
	company=$!
	# shellcheck disable=SC2086 # words
	check "soak $round_options" /tests/bpf/soak --seconds 20 $round_options
	touch /tmp/round-over
	check 'its company came and went' ended $company /tmp/company
	check "$(cat /tmp/met) maps" test "$(cat /tmp/met)" -gt 0
	guard_worked
	guard_end raced nested
	/sbin/rmmod kng_witness
	rounds=$((rounds + 1))
done
check "$rounds rounds" test $rounds -gt 0
finish
