#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015 # the last part of A && B || C is meant so
# Each path by which a program in NMI gives back the last reference to something,
# on each kernel: without the guard, and with it.
#
# What a bare kernel does is known and checked: 6.12 hangs on all paths; since
# 7.2 only releases are left, the verifier or the map refuses the others.
# KNG_PATHS, a regular expression, takes some of the rows only.
# A row for each goes to build/logs/paths-KERNEL.tsv; scripts/paths-table prints
# them.

. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/paths.sh"

# Other places, where the NMI finds another lock held, or the same one elsewhere:
# the callback list, a timer base, a worker pool, a runqueue.
sites=(
	"at rcu_segcblist_advance|rcu_segcblist_advance,release,--last|all"
	"at enqueue_timer|enqueue_timer,release,--last|all"
	"at kick_pool|kick_pool,release,--kptr,cgroup,--last|all"
	"at update_rq_clock|update_rq_clock,release,--kptr,cgroup,--last|all"
	"at ttwu_do_activate|ttwu_do_activate,release,--kptr,cgroup,--last|all"
)

# The program as every type that can be in NMI (those above are tp_btf).
types=(
	"perf_event program|$TASK,progtypes,--variant,perf_event,--release,--last|all"
	"fentry program|$TASK,progtypes,--variant,fentry,--release,--last|all"
	"tracepoint program|$TASK,progtypes,--variant,tp,--release,--last|all"
	"raw_tp program|$TASK,progtypes,--variant,raw_tp,--release,--last|7"
)
# On 6.12 the deletion of local storage calls call_rcu_tasks_trace() by itself, kptr or
# not. The guard refuses it in NMI. Where it has to leave it alone, what no door covers
# is shown, since it is known. So is a release inside a helper that no door knows.
left=refuse_delete=N
outside=(
	"task storage delete, no kptr|$TASK,storage,--kptr,none|6"
	"cgroup storage delete, no kptr|$TASK,storage,--variant,cgroup,--kptr,none|6"
	"task storage delete, $left|$left,$TASK,storage,--last|6N"
	"cgroup storage delete, $left|$left,$TASK,storage,--variant,cgroup,--last|6N"
	"bpf_get_task_stack() of a task that dies|$TASK,taskstack|open"
	"task storage delete, no kptr, $left|$left,$TASK,storage,--kptr,none|open"
	"cgroup storage delete, no kptr, $left|$left,$TASK,storage,--variant,cgroup,--kptr,none|open"
)

read -r -a kernels <<<"${KNG_PATH_KERNELS:-$KERNELS}"
mkdir -p "$TOP/build/logs"

# one_boot NAME VM-OPTION...: sets $out, and $result to survived, rejected, hung
# or failed. Whether that is as it should be is for the caller.
one_boot() {
	local name=$TEST-$1
	shift
	out=$("$TOP/scripts/vm" --name "$name" "$@" 2>&1)
	# (A guest that the emulator lost says something else first.)
	result=$(printf '%s\n' "$out" | sed -nE "s/^ *$name: (survived|hung|failed) .*/\1/p" | head -n 1)
	if grep -aq '^# rejected' "$TOP/build/logs/$name.verdict"; then
		[ "$result" = hung ] || result=rejected
	fi
}

report() {
	N=$((N + 1))
	echo "$1 $N - $2"
	printf '%s\n' "$out" | sed 's/^/# /'
}

for kernel in "${kernels[@]}"; do
	rows=$TOP/build/logs/paths-$kernel.tsv
	: >"$rows"
	list=("${paths[@]}")
	case $kernel in
	bpo-*) new=yes ;;
	*) new= ;;
	esac
	# These are x86's NMI handlers, and its breakpoints are NMIs.
	[[ $kernel == *-arm64 ]] || list+=("${types[@]}")
	[ "$kernel" != "${kernels[0]}" ] || list+=("${sites[@]}" "${outside[@]}")
	# `make check` has maps in hang.t and maps.t, crypto contexts in tracers.t,
	# and tries on the newest kernel what that still has to fear.
	if [ -z "${KNG_SLOW:-}" ] && [ -n "$new" ]; then
		list=("${paths[@]: -3}")
	elif [ -z "${KNG_SLOW:-}" ]; then
		list=("${paths[@]:6:1}" "${paths[@]: -2:1}" "${outside[@]:0:1}")
		[[ $kernel == *-arm64 ]] || list+=("${types[@]:0:1}")
	fi
	for path in "${list[@]}"; do
		IFS='|' read -r what args fears <<<"$path"
		[[ $what =~ ${KNG_PATHS:-.} ]] || continue
		# kick_pool() is inline there.
		[[ $kernel != *-arm64 || $what != 'at kick_pool' ]] || continue
		case $fears in
		6N | open) [ -z "$new" ] || continue ;;
		new | later) [ -n "$new" ] || continue ;;
		esac
		args=$(site_on "$kernel" "$args")
		id=$kernel-$(printf %s "$what" | tr -cs 'a-zA-Z0-9_\n' -)
		with=(--kernel "$kernel" --scenario path --args "$args" --cmdline "$NOCB")
		hangs=yes good=survived
		case $fears in
		6)
			good=rejected
			# Since 7.0 the kernel refuses it. (Without cmpxchg16b there is no storage.)
			[ -z "$new" ] || { hangs='' && with+=(--cx16 yes); }
			;;
		old) [ -z "$new" ] || hangs= ;;
		later) hangs= ;;
		7) [ -n "$new" ] || hangs= ;;
		esac

		# That it can hang is what is claimed: an aimed NMI still needs the
		# lock of the right CPU or worker pool to be held.
		for try in 1 2 3; do
			one_boot "$id-bare" "${with[@]}" --guard no --expect hung
			bare=$result
			[ -n "$hangs" ] && [[ $bare != hung && $bare != rejected ]] || break
			echo "# $kernel, $what: try $try did not hang ($bare)"
			echo "$TEST-$id-bare: did not hang at try $try of 3 ($bare)" >>"$TOP/build/logs/retries"
		done
		if [ -n "$hangs" ]; then
			[ "$bare" = hung ] && ok=ok || ok='not ok'
			report "$ok" "$kernel, $what: the bare kernel hangs ($bare)"
		else
			[ "$bare" = survived ] || [ "$bare" = rejected ] && ok=ok || ok='not ok'
			report "$ok" "$kernel, $what: the bare kernel needs no guard ($bare)"
		fi

		if [ "$fears" = open ]; then
			one_boot "$id-guarded" "${with[@]}" --guard yes --expect hung
			[ "$result" = hung ] && ok=ok || ok='not ok'
			report "$ok" "$kernel, $what: outside the guard, it still hangs ($result)"
			printf '%s\t%s\t%s\t%s\n' "$kernel" "$what" "$bare" "$result" >>"$rows"
			continue
		fi
		one_boot "$id-guarded" "${with[@]}" --guard yes
		[ "$result" = $good ] || { [ -z "$hangs" ] && [ "$result" = rejected ]; } &&
			ok=ok || ok='not ok'
		report "$ok" "$kernel, $what: guarded, it lives ($result)"
		printf '%s\t%s\t%s\t%s\n' "$kernel" "$what" "$bare" "$result" >>"$rows"
	done
done
unless_slow 'the other paths, program types and places'
plan
