# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The guard with random parameters under random map operations, again and again:
#   SEED SECONDS OPTION...
# Each round prints how to run it alone.

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

test_module kng_witness
test_module kng_nmi_fire
rounds=0
while [ "$(date +%s)" -lt "$end" ] && [ "$TAP_FAILED" -eq 0 ]; do
	pick 1 64 4096 && params="budget=$picked"
	pick auto always && params="$params teardown=$picked"
	pick capacity capacity exact && params="$params reserve=$picked"
	pick 1024 2048 32768 && params="$params headroom=$picked"
	pick 64 256 1024 && acts=$picked
	pick 2000 4000 8000 && period=$picked
	next
	round=$(((seed >> 32) + 1))
	note "round $rounds: $params"
	# shellcheck disable=SC2086 # words
	guard_begin $params
	# shellcheck disable=SC2086 # words
	check "soak --seed $round --acts $acts --period-us $period" /tests/bpf/soak --seed $round \
		--seconds 20 --acts $acts --period-us $period $options
	guard_worked
	guard_end
	rounds=$((rounds + 1))
done
check "$rounds rounds" test $rounds -gt 0
finish
