# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# `make install` and `make uninstall` as on a real machine: a whole Debian root
# (shared by the host, changes stay in memory) with its dkms, compiler and the
# headers of the running kernel.

# shellcheck source=../guest/root.sh
. /tests/root.sh
root_with_project
# The host's dkms runs leave a mount point.
rmdir $root/usr/src/kptr_nmi_guard-* 2>/dev/null

inside() { chroot $root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C "$@"; }
files() { (cd $root && find etc usr/src/kptr* var/lib/dkms lib/modules/"$kver" | sort) 2>/dev/null; }
installed() { inside dkms status | grep -q "^kptr_nmi_guard/.*: installed"; }

# make WHAT: runs it, shows what it said, keeps its status in $rc
try() {
	rc=0
	inside make -s -C /project "$1" >/tmp/out 2>&1 || rc=$?
	sed 's/^/# | /' /tmp/out
}
# bash names the script and the line of a command that it could not run.
without_a_hitch() { ! grep -q ': line [0-9]*: ' /tmp/out; }
files_unchanged() {
	files | diff /tmp/files.before - >/tmp/diff && return
	sed 's/^/# | /' /tmp/diff
	return 1
}

inside depmod "$kver"
files >/tmp/files.before
hooks_before

# A machine that cannot: one line (and make's own), nothing changed.
mv $root/lib/modules/"$kver"/build $root/lib/modules/"$kver"/build.away
try install
mv $root/lib/modules/"$kver"/build.away $root/lib/modules/"$kver"/build
check 'without headers: make install refuses' test $rc -ne 0
check 'without headers: says what to do' grep -q 'apt-get install linux-headers-[a-z]*amd64' /tmp/out
check 'without headers: in one line' test "$(wc -l </tmp/out)" -le 2
check 'without headers: nothing was changed' files_unchanged

# Sources that do not build: what was begun is taken back.
mv $root/project/Kbuild /tmp/Kbuild
# shellcheck disable=SC2016 # make expands it
echo '$(error planted)' >$root/project/Kbuild
try install
mv /tmp/Kbuild $root/project/Kbuild
check 'a build that fails: make install fails' test $rc -ne 0
check 'a build that fails: shows why' grep -q planted /tmp/out
check 'a build that fails: all is taken back' files_unchanged

try install
check 'make install' test $rc -eq 0
check 'make install: each command of it runs' without_a_hitch
check 'make install shows the stats' grep -q 'jobs_total: 4096' /tmp/out
check 'dkms: installed' installed
check 'loaded' loaded kptr_nmi_guard
check 'hooked' hooked
# This root has no systemd: that loads it at boot.
check 'at boot, too' test -e $root/etc/modules-load.d/kptr_nmi_guard.conf
check 'doctor is content' inside /project/scripts/doctor --first
show_stats

try uninstall
check 'make uninstall' test $rc -eq 0
check 'make uninstall: each command of it runs' without_a_hitch
check 'module gone' not loaded kptr_nmi_guard
check 'hooks gone' unhooked
check 'dkms knows nothing of it' not installed
check 'files as before' files_unchanged
finish
