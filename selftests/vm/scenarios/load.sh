# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The module loads with modprobe, shows its stats, and leaves without a trace.

check 'not loaded before' not loaded kptr_nmi_guard
hooks_before
check 'modprobe' guard_load
check 'loaded' loaded kptr_nmi_guard
check 'hooked' hooked
show_hooks
show_stats
check 'taken == run + pending + leaked' sums_hold
check 'rmmod' guard_unload
check 'gone' not loaded kptr_nmi_guard
check 'hooks gone' unhooked
check 'stats gone' not test -e "$STATS"
check 'KFENCE is on' kfence_on
check 'KFENCE sampled' kfence_sampled
finish
