#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Who else looks at what the guard hooks, path by path (KNG_PATHS as in paths.t). scripts/coverage makes
# docs/coverage.md of what is found here, by paths.t and by dropped.t.

. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/paths.sh"

others=(alone defer=irqsoff fentry+fexit kprobe kprobe.multi function function_graph kprobe_events)
livepatches=(livepatch:bpf_obj_free_fields livepatch:bpf_task_release_dtor)
choice=("${paths[@]}")
# For `make check' two paths will do with whom tracers.t and ipmodify.t don't have.
if [ -z "${KNG_SLOW:-}" ]; then
	others=(function_graph kprobe_events)
	livepatches=()
	choice=("${paths[0]}" "${paths[12]}")
fi

# tool NAME: adds it with its libraries, where this machine has it
add=()
tool() {
	local path lib
	path=$(PATH=$PATH:/usr/sbin:/sbin command -v "$1") || return 1
	add+=(--add "$(readlink -f "$path"):/tests/tools/$1")
	while read -r lib; do
		add+=(--add "$(readlink -f "$lib"):/usr/lib/x86_64-linux-gnu/$(basename "$lib")")
	done < <(ldd "$path" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | grep -vE '/(libc|libm|ld-linux[^/]*)\.so')
}
have_perf=
if [ -n "${KNG_SLOW:-}" ]; then
	if tool bpftool; then others+=(bpftool); else left_out 'bpftool looks' 'it is not installed'; fi
	if tool perf; then have_perf=yes; else left_out 'perf records' 'it is not installed'; fi
fi
unless_slow 'the other neighbours and paths, perf and bpftool'

list=$(mktemp)
trap 'rm -f "$list"' EXIT
for kernel in $KERNELS; do
	: >"$list"
	for path in "${choice[@]}"; do
		IFS='|' read -r what args fears <<<"$path"
		[[ $what =~ ${KNG_PATHS:-.} ]] || continue
		case $kernel-$fears in
		bpo-*-6) continue ;;
		bpo-*-new | bpo-*-later) ;;
		*-new | *-later) continue ;;
		esac
		args=$(site_on "$kernel" "$args")
		echo "$what|${args//,/ }" >>"$list"
	done
	with=(--kernel "$kernel" --scenario neighbours --cmdline "$NOCB" "${add[@]}"
		--add "$list:/tests/paths" --timeout 1200)
	who=$(IFS=, && echo "${others[*]}")
	boot "$kernel" "$kernel: who else looks: ${who//,/, }" "${with[@]}" --args "$who"
	if [ -n "$have_perf" ]; then
		# Of libc's own libraries the guest's.
		libm=$("$TOP/scripts/root" make "$kernel")/usr/lib/x86_64-linux-gnu/libm.so.6
		boot "$kernel-perf" "$kernel: perf records probes, and samples" "${with[@]}" --args perf \
			--add "$(readlink -f "$libm"):/usr/lib/x86_64-linux-gnu/libm.so.6"
	fi
	who=$(IFS=, && echo "${livepatches[*]}")
	[ -z "$who" ] ||
		boot "$kernel-livepatch" "$kernel: who diverts: ${who//,/, }" "${with[@]}" --args "$who"

	# What is said in the log: without the release kfunc there is no guard for it.
	release=rcu_segcblist_enqueue,release,--last
	boot_hung "$kernel-held" "$kernel: a livepatch holds bpf_task_release: it hangs as without the guard" \
		--kernel "$kernel" --scenario held --args "bpf_task_release,$release" \
		--cmdline "$NOCB"
done
plan
