#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The guard comes and goes under load, CPUs come and go under the guard, and
# what it has deferred can't run for a while.

. "$(dirname "$0")/tap.sh"

# A cycle waits for some 20 RCU grace periods: 2 seconds. On the first kernel only.
cycles=10 threads=multi
# (One boot of some hundred cycles is lost to a stale breakpoint, see scripts/vm.)
[ -z "${KNG_SLOW:-}" ] || cycles=1000 threads=single

for kernel in $KERNELS; do
	# (On PREEMPT_RT few are enough for that.)
	case $kernel in
	*-rt) threads=single ;;
	esac
	boot "$kernel-cycles" "$kernel: loaded and unloaded $cycles times under storm; two at once" \
		--kernel "$kernel" --scenario life --args "$cycles" --timeout $((240 + 6 * cycles)) \
		--threads $threads
	cycles=10 threads=multi
	boot "$kernel-hotplug" "$kernel: CPUs go and come" \
		--kernel "$kernel" --scenario hotplug --timeout 240 \
		--smp 4 --cmdline maxcpus=2 ${KNG_SLOW:+--args storm}
	# Interrupts are off for as long as it takes: RCU must not mind.
	boot "$kernel-starved" "$kernel: interrupts off, no worker, frozen tasks" \
		--kernel "$kernel" --scenario starved --smp 3 --timeout 400 ${KNG_SLOW:+--args suspend} \
		--cmdline rcupdate.rcu_cpu_stall_timeout=120
	for when in before after; do
		[ $when = after ] || [ -n "${KNG_SLOW:-}" ] || continue
		boot "$kernel-killed-$when" "$kernel: ftrace shut itself down $when the guard was loaded" \
			--kernel "$kernel" --scenario killed --args $when
	done
done
unless_slow '1,000 loads under storm; CPUs go and come under storm; suspend; ftrace shut down before'
plan
