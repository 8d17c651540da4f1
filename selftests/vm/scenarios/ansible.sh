# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The playbooks of examples/ansible, in a Debian root on this very kernel: install with a
# parameter, verify, install again, roll back. The host that they work on is their own.

# shellcheck source=../guest/root.sh
. /tests/root.sh
root_with_project
mkdir -p $root/dev/shm
mount -t tmpfs shm $root/dev/shm
# Kernel packages are unpacked there, not installed (see scripts/root), and no site has others.
for package in linux-headers-"$kver" linux-headers-amd64; do
	cat >>$root/var/lib/dpkg/status <<-STATUS

		Package: $package
		Status: install ok installed
		Maintainer: none
		Architecture: amd64
		Version: 1
		Description: stands for it
	STATUS
done
rm -rf $root/etc/apt/sources.list $root/etc/apt/sources.list.d/*
echo 127.0.0.1 localhost >$root/etc/hosts
printf '[bpf_hosts]\nlocalhost ansible_connection=local\n' >$root/tmp/inventory.ini
chroot $root depmod "$kver"
hooks_before

# play NAME OPTION...: its status goes to $rc, what it said to /tmp/out
play() {
	name=$1
	shift
	start=$(date +%s)
	rc=0
	chroot $root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 ANSIBLE_NOCOLOR=1 \
		ansible-playbook -i /tmp/inventory.ini "/project/examples/ansible/$name.yml" "$@" \
		>/tmp/out 2>&1 </dev/null || rc=$?
	note "$name: exit status $rc, $(($(date +%s) - start)) s"
	sed 's/^/#   | /' /tmp/out
}
# goes_well NAME OPTION...
goes_well() {
	play "$@"
	check "$*" test $rc -eq 0
}
said() { grep -Eq -- "$1" /tmp/out; }

goes_well install -e '{"parameters":{"headroom":4096}}'
check 'it is loaded' loaded kptr_nmi_guard
check 'with the parameter' grep -qx 4096 /sys/module/kptr_nmi_guard/parameters/headroom
check 'each host was verified' said 'localhost: ok, proved, not exposed'
goes_well install -e '{"parameters":{"headroom":4096}}'
check 'once more: nothing changes' said 'localhost .* changed=0 .* failed=0 '
goes_well verify
check 'verified' said 'localhost: ok, proved, not exposed'
goes_well rollback
check 'it is gone' not loaded kptr_nmi_guard
check 'and its hooks' unhooked
check 'and its files' test ! -e $root/usr/sbin/kptr-nmi-guard -a ! -e $root/usr/lib/kptr-nmi-guard
check 'and its parameters' test ! -e $root/etc/modprobe.d/kptr-nmi-guard.conf
check 'and its sources' test ! -e $root/usr/local/src/kptr_nmi_guard
play verify
check 'an unguarded host does not pass verify.yml' test $rc -ne 0
check 'because nothing says that it is loaded' said '^fatal: .*kptr-nmi-guard status'
goes_well rollback
check 'nothing is left to roll back' said 'localhost .* changed=0 .* failed=0 '
finish
