#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A scheduler of sched_ext that drops the last references to cgroups under the runqueue's
# lock hangs every kernel that has sched_ext, without any NMI. With the guard as it is by
# default it goes on to the end. (Debian's 6.12 has no sched_ext; make check-flavours
# builds one that has.) And the tool: exposure names such a scheduler.

. "$(dirname "$0")/tap.sh"

tool=$("$TOP/scripts/tool")/kptr-nmi-guard || exit

for kernel in ${KNG_PATH_KERNELS:-$KERNELS}; do
	config=$("$TOP/scripts/kernels" fetch "$kernel")/config
	if ! grep -q '^CONFIG_SCHED_CLASS_EXT=y' "$config"; then
		skip "$kernel: has no sched_ext"
		continue
	fi
	for variant in stopping exit_task; do
		[[ $variant == stopping || $kernel != bpo-* || -n ${KNG_SLOW:-} ]] || continue
		with=(--kernel "$kernel" --scenario scx --args "$variant" --cx16 yes)
		what="$kernel: cgroups dropped in ops.$variant"
		# Since 7.2 the storage's fields are freed after a grace period.
		if [[ $variant == stopping || $kernel != bpo-* ]]; then
			boot_hung "$kernel-$variant-bare" "$what: hangs the bare kernel" \
				"${with[@]}" --guard no
		else
			boot "$kernel-$variant-bare" "$what: the bare kernel lives" \
				"${with[@]}" --guard no
		fi
		boot "$kernel-$variant-guarded" "$what: guarded, it lives and still schedules" \
			"${with[@]}"
	done
	# As without CONFIG_SECURITY: the guard does not see maps come.
	boot "$kernel-stopping-unseen" "$kernel: cgroups dropped in ops.stopping: so it does where it can't see maps" \
		--kernel "$kernel" --scenario scx --args stopping-unseen --cx16 yes
	for guard in no yes; do
		boot "$kernel-exposure-$guard" "$kernel: exposure of a scheduler; guard: $guard" --kernel "$kernel" \
			--scenario scx --args exposure --cx16 yes --guard $guard --add "$tool:usr/bin/kptr-nmi-guard"
	done
done
plan
