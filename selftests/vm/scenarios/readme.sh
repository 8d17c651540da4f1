# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# A new user on a Debian machine types what README says, in its order, from /commands.
# The root has the packages that README asks for; changes stay in memory.

root=/root
kver=$(uname -r)

share_root $root
share_kernel $root
rm -rf $root/lib/modules/"$kver"/updates
cp /boot/config-"$kver" $root/boot/
cp -a /project $root/project
# The kernel's headers are unpacked there, not installed (see scripts/root).
cat >>$root/var/lib/dpkg/status <<STATUS

Package: linux-headers-$kver
Status: install ok installed
Maintainer: none
Architecture: amd64
Version: 1
Description: stands for them
STATUS
echo 127.0.0.1 localhost >$root/etc/hosts

# The user is root, and sudo is asked all the same.
types() { chroot $root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C sh -c "cd /project && $1"; }

chroot $root depmod "$kver"
hooks_before
n=0
while read -r command; do
	n=$((n + 1))
	start=$(date +%s)
	if types "$command" >/tmp/out 2>&1 </dev/null; then rc=0; else rc=$?; fi
	note "\$ $command  (exit status $rc, $(($(date +%s) - start)) s)"
	tail -n 40 /tmp/out | sed 's/^/#   | /'
	check "$command" test $rc -eq 0
	case $command in
	*'make install') check 'it is loaded' loaded kptr_nmi_guard ;;
	*' status') check 'ok' grep -q '^ok:' /tmp/out ;;
	*' verify') check 'proved' grep -q '^proved:' /tmp/out ;;
	*exposure*) check 'not exposed' grep -q '^not exposed:' /tmp/out ;;
	esac
done </commands
check 'there were commands' test $n -gt 8
check 'in the end it is gone' not loaded kptr_nmi_guard
check 'and its hooks' unhooked
check 'and its files' test ! -e $root/usr/sbin/kptr-nmi-guard -a ! -e $root/usr/lib/kptr-nmi-guard
finish
