#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A bug of each kind, committed by a module of its own: the debug kernel must
# complain, in the words of that bug, and scripts/vm must notice. Without this a
# silent run would say nothing about the guard.

. "$(dirname "$0")/../vm/tap.sh"

# caught KERNEL BUG WORDS [VM-OPTION...]: the kernel says WORDS about kng_planted.
caught() {
	local kernel=$1 bug=$2 words=$3 name=$TEST-$2 console out
	shift 3
	console=$TOP/build/logs/$name.console
	N=$((N + 1))
	if out=$("$TOP/scripts/vm" --kernel "$kernel" --scenario planted --name "$name" \
		--args "$bug" --guard no "$@" 2>&1); then
		echo "not ok $N - $bug: scripts/vm takes this boot for a good one"
	elif grep -aE -A 40 -- "$words" "$console" | grep -aq '\[kng_planted\]'; then
		echo "ok $N - $bug: $(grep -aoEm 1 -- "$words.*" "$console" | tr -d '\r')"
		return
	else
		echo "not ok $N - $bug: nothing like '$words' on the console"
	fi
	printf '%s\n' "$out" | sed 's/^/# /' >&2
}

boot none 'no bug: silence' --kernel debug --scenario planted --args none --guard no
caught debug lock_order 'possible circular locking dependency'
caught debug nmi_lock 'inconsistent lock state'
caught debug raw_nesting 'BUG: Invalid wait context'
caught debug sleep_atomic 'BUG: sleeping function called from invalid context|BUG: scheduling while atomic'
caught debug this_cpu 'BUG: using smp_processor_id\(\) in preemptible'
caught debug rcu_unlocked 'WARNING: suspicious RCU usage'
caught debug rcu_twice 'ODEBUG: activate active .*rcu_head'
caught debug out_of_bounds 'BUG: KASAN: slab-out-of-bounds'
caught debug use_after_free 'BUG: KASAN: slab-use-after-free'
caught debug array_bounds 'UBSAN: array-index-out-of-bounds'
caught debug init_active 'ODEBUG: init active .*timer_list'
caught debug free_active 'ODEBUG: free active .*timer_list'
# kmemleak only counts, on the console: 16, but for one that a register remembers.
complains leak leak 'kmemleak: 1[4-6] new suspected memory leaks' suspected --kernel debug \
	--scenario planted --args leak --guard no --cmdline kmemleak=on
caught kcsan race 'BUG: KCSAN: data-race in .*\[kng_planted\]|BUG: KCSAN: data-race in count_racing'
plan
