# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# A new user on a Debian machine types what README says, in its order, from /commands.
# The root has the packages that README asks for; changes stay in memory.

# shellcheck source=../guest/root.sh
. /tests/root.sh
root_with_project
# The kernel's headers are unpacked there, not installed, and without the package that
# depends on the newest (see scripts/root).
cat >>$root/var/lib/dpkg/status <<STATUS

Package: linux-headers-amd64
Status: install ok installed
Maintainer: none
Architecture: amd64
Version: 1
Description: stands for them
STATUS
echo 127.0.0.1 localhost >$root/etc/hosts

chroot $root depmod "$kver"
hooks_before
# readme_shows FILE: it has each line that README shows of verify
readme_shows() {
	sed -n '/^    \$ sudo kptr-nmi-guard verify$/,/^$/s/^    //p' $root/project/README.md | sed 1d >/tmp/shown
	test -s /tmp/shown && test "$(grep -cxFf /tmp/shown "$1")" -eq "$(wc -l </tmp/shown)"
}
n=0
while read -r command; do
	n=$((n + 1))
	types "cd /project && $command"
	check "$command" test $rc -eq 0
	case $command in
	*'make install')
		check 'it is loaded' loaded kptr_nmi_guard
		check 'the command came with it' grep -q '^the command kptr-nmi-guard is installed' /tmp/out
		;;
	*' status')
		check 'ok' grep -q '^ok:' /tmp/out
		types 'kptr-nmi-guard doctor'
		check 'doctor has no complaint' test $rc -eq 0
		;;
	*' verify')
		check 'proved' grep -q '^proved:' /tmp/out
		check 'in the words that README shows' readme_shows /tmp/out
		;;
	*exposure*) check 'not exposed' grep -q '^not exposed:' /tmp/out ;;
	esac
done </commands
check 'there were commands' test $n -gt 8
check 'in the end it is gone' not loaded kptr_nmi_guard
check 'and its hooks' unhooked
check 'and its files' test ! -e $root/usr/sbin/kptr-nmi-guard -a ! -e $root/usr/lib/kptr-nmi-guard
finish
