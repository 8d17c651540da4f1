#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The A/B and storms on kernels that no distribution ships (the fragments in this
# directory). KNG_KERNELS takes some of them only.

. "$(dirname "$0")/../vm/tap.sh"

for kernel in ${KNG_KERNELS:-spare lto}; do
	with=(--kernel "$kernel")
	# 64 possible CPUs, of which 2 are online, and a hierarchy of cgroup v1
	[ "$kernel" != spare ] || with+=(--smp 64)
	more=
	[ "$kernel" != spare ] || more=' maxcpus=2 kng.cgroup1=pids'
	task=rcu_segcblist_enqueue
	for path in "$task,teardown,--map,array,--last" "$task,teardown,--map,hash,--last" \
		"$task,drop,--last" "$task,release,--last" "insert_work,release,--kptr,cgroup,--last"; do
		path=$(site_on "$kernel" "$path")
		IFS=, read -r at program _ map _ <<<"$path"
		[ "$program" = teardown ] || map=
		id=$kernel-$at-$program${map:+-$map}
		path=(--scenario path --args "$path" --cmdline "$NOCB$more")
		what="$kernel: $program${map:+, $map}, NMI in $at"
		boot_hung "$id-bare" "$what: hangs the bare kernel" "${with[@]}" "${path[@]}" --guard no
		boot "$id-guarded" "$what: guarded, it lives" "${with[@]}" "${path[@]}"
	done
	path=(--scenario scx --args stopping --cmdline "quiet$more")
	boot_hung "$kernel-scx-bare" "$kernel: a scheduler hangs the bare kernel" \
		"${with[@]}" "${path[@]}" --guard no
	boot "$kernel-scx-guarded" "$kernel: a scheduler, guarded, lives" "${with[@]}" "${path[@]}"
	path=(--scenario scx --args exit_task --cmdline "quiet$more" --cx16 yes)
	boot_hung "$kernel-exit-bare" "$kernel: storage deleted in ops.exit_task hangs the bare kernel" \
		"${with[@]}" "${path[@]}" --guard no
	boot "$kernel-exit-guarded" "$kernel: storage deleted in ops.exit_task, guarded, lives" \
		"${with[@]}" "${path[@]}"
	boot "$kernel-storm" "$kernel: storms" "${with[@]}" --scenario storm --timeout 240 \
		--cmdline "quiet$more"
	boot "$kernel-exact" "$kernel: reserve=exact counts, or does not load and says why" \
		"${with[@]}" --scenario exact --args promised --timeout 400 --cmdline "quiet$more"
	boot "$kernel-releases" "$kernel: each release is in docs/releases.tsv" "${with[@]}" \
		--scenario releases --add "$TOP/docs/releases.tsv:/tests/releases.tsv" \
		--cmdline "quiet$more"
done
plan
