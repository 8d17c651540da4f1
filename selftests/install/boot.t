#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The reboot after make install, under systemd: into the second kernel, which was
# only staged then: guarded, the unit green. With the module taken away: the unit
# red, the system degraded. With module_blacklist= on the command line, which is
# the way out: not loaded, and said so. The units are what systemd expects, and the
# timer has metrics written.

. "$(dirname "$0")/../vm/tap.sh"
. "$TOP/scripts/lib.sh"
set +e

if [ -z "${KNG_SLOW:-}" ]; then
	echo '1..0 # SKIP three boots under systemd, five minutes: make check-all, or KNG_SLOW=1'
	exit
fi

first=deb13 second=bpo-7.3
release=$("$SCRIPTS/kernels" release $first)
work=$BUILD/run/$TEST.$$
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{stock,out}
# The modules that dkms-build took from the kernels' packages; not ours.
for kernel in $first $second; do
	kver=$("$SCRIPTS/kernels" kver "$kernel")
	cp -a "$("$SCRIPTS/dkms-build" "$kernel")/modules" "$work/stock/$kver"
	rm -rf "$work/stock/$kver"/{updates,build,source}
done
"$SCRIPTS/root" boot "$release" >/dev/null
"$SCRIPTS/root" make $first >/dev/null
"$SCRIPTS/root" make $second >/dev/null
run_logged "$LOGS/boot-install.log" "$SCRIPTS/root" run "$release" --throwaway \
	--bind "$TOP:/project" --bind "$work/stock:/stock" --bind "$work/out:/out" -- \
	bash /project/selftests/install/inside/installed.sh \
	"$("$SCRIPTS/kernels" kver $first)" "$("$SCRIPTS/kernels" kver $second)" || {
	echo 'Bail out! make install failed'
	exit 1
}

# The command, and what runs it each minute
if ! { "$SCRIPTS/tool" >/dev/null &&
	make -s -C "$TOP/tools" OUT="$BUILD/tool" LDFLAGS=-static install DESTDIR="$work/tool" &&
	"$SCRIPTS/install-files" tool "$work/tool" &&
	tar -C "$work/tool" -c -f "$work/out/tool.tar" .; }; then
	echo 'Bail out! no tool'
	exit 1
fi
N=$((N + 1))
# shellcheck disable=SC2016 # the inner shell expands it
if out=$("$SCRIPTS/root" run "$release-boot" --throwaway --bind "$work/out:/out" -- sh -c '
	tar -C / -xf /out/tool.tar --keep-directory-symlink
	cd /usr/lib/systemd/system && ls kptr-nmi-guard*.service kptr-nmi-guard*.timer &&
	systemd-analyze verify --man=no kptr-nmi-guard*.service kptr-nmi-guard*.timer' 2>&1) &&
	[ "$(wc -l <<<"$out")" -eq 3 ]; then
	echo "ok $N - systemd-analyze verify: three units, not a word"
else
	echo "not ok $N - systemd-analyze verify"
	printf '%s\n' "$out" | sed 's/^/# /' >&2
fi

# reboot NAME DESCRIPTION KERNEL HOW [OPTION]...
reboot() {
	local name=$1 what=$2 kernel=$3 how=$4
	shift 4
	boot "$name" "$what" --kernel "$kernel" --scenario systemd --args "$how" --timeout 1200 --mem 2G \
		--modules "$work/stock/$("$SCRIPTS/kernels" kver "$kernel")" --share "$CACHE/roots/$release-boot" \
		--add "$work/out/installed.tar:installed.tar" --add "$work/out/tool.tar:tool.tar" "$@"
}
quiet='systemd.getty_auto=no systemd.firstboot=no'
reboot second 'reboot into the second kernel: guarded, the unit is green' $second nothing --cmdline "$quiet"
reboot missing 'module gone, reboot: the unit is red, the system degraded' $first missing --cmdline "$quiet"
reboot blacklist 'module_blacklist=: not loaded, and the unit says so' $first blacklisted \
	--cmdline "$quiet module_blacklist=kptr_nmi_guard"
plan
