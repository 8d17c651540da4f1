#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# deb.sh RUNNING [OTHER]: the Debian packages of /packages in a Debian root: what
# dpkg does with them, and what is guarded then.

. "$(dirname "$0")/lib.sh"

running=$1 other=${2:-}
version=$(dpkg-deb -f /packages/kptr-nmi-guard-dkms_*.deb Version)

# repack VERSION: the packages again with another version, and sources of one file
repack() {
	local name dir
	for name in kptr-nmi-guard-dkms kptr-nmi-guard; do
		dir=/tmp/deb/$1/$name
		mkdir -p "/tmp/deb/$1"
		dpkg-deb -R /packages/"${name}_${version}"_*.deb "$dir"
		sed -i "s/$(re "$version")/$1/g" "$dir"/DEBIAN/{control,postinst,prerm,md5sums} 2>/dev/null
		if [ -d "$dir/usr/src" ]; then
			mv "$dir/usr/src/$MODULE-$version" "$dir/usr/src/$MODULE-$1"
			(cd "$dir/usr/src/$MODULE-$1" && one_file "$1")
		fi
		rm -f "$dir/DEBIAN/md5sums"
		dpkg-deb -b "$dir" "/tmp/deb/$1/$name.deb" >/dev/null
	done
}
installs() { try dpkg -i "/tmp/deb/$1"/*.deb; }
healthy() { [ -z "$(dpkg --audit)" ] && dpkg-query -W -f '${Status}\n' kptr-nmi-guard kptr-nmi-guard-dkms | grep -c '^install ok installed$' | grep -qx 2; }
doctor() { try /usr/lib/kptr-nmi-guard/doctor; }
# kernel_arrives KERNEL: what its package's postinst does
kernel_arrives() {
	try run-parts --exit-on-error --arg="$1" --arg="/boot/vmlinuz-$1" /etc/kernel/postinst.d
}
broken_headers() {
	bpf_h=$(sed -n 's|^include *\(/usr/src/.*\)/Makefile|\1|p' "/lib/modules/$1/build/Makefile")/include/linux/bpf.h
	cp "$bpf_h" /tmp/bpf.h
	echo '#error planted: this kernel changed' >>"$bpf_h"
}
repaired_headers() { cp /tmp/bpf.h "$bpf_h"; }
# all_files: but for logs and what dpkg keeps of every package
all_files() {
	find / -xdev \( -path /proc -o -path /tmp -o -path /fake -o -path /project -o -path /packages -o -path /stock \) -prune -o -print |
		grep -vE '^/(var/lib/dpkg|var/log|var/cache|run|sys)(/|$)|/modules\.[a-z.]*$|/mok\.|^/boot|/lib/modules/9'
}

repack 9.0.1
repack 9.0.2
runs "$running"
kernel "$running"
rmdir /lib/modules/*/updates /usr/src/$MODULE-* 2>/dev/null
[ -z "$other" ] || kernel "$other"
mkdir -p /boot /var/lib/systemd /etc/systemd/system
cp "/lib/modules/$running/build/.config" "/boot/config-$running" 2>/dev/null ||
	cp "/lib/modules/$running/build/include/config/auto.conf" "/boot/config-$running"
all_files >/tmp/files.before

installs 9.0.1
check 'dpkg -i' test "$rc" -eq 0
check 'dpkg is content' healthy
check 'the running kernel has the module' guards "$running" 9.0.1
[ -z "$other" ] || check 'the staged one, too' guards "$other" 9.0.1
check 'the unit is enabled' test -L /etc/systemd/system/sysinit.target.wants/kptr-nmi-guard.service
try /usr/lib/kptr-nmi-guard/load
check 'what the unit starts loads it' is_loaded 9.0.1
doctor
check 'doctor is content' test "$rc" -eq 0
echo 'options kptr_nmi_guard jobs=8192' >>/etc/modprobe.d/kptr-nmi-guard.conf
try make -s -C $PROJECT install
check 'make install leaves what a package brought alone' said 'a package installed it already.*apt-get purge kptr-nmi-guard-dkms'

installs 9.0.2
check 'an upgrade' healthy
check 'its module is installed' guards "$running" 9.0.2
check 'the old one stays loaded' is_loaded 9.0.1
check "the administrator's options stay" grep -q jobs=8192 /etc/modprobe.d/kptr-nmi-guard.conf
doctor
check 'doctor says which is loaded and which installed' said 'by version 9\.0\.1, while 9\.0\.2 is installed'

# A kernel that the guard does not compile on: as the running one, with an upgrade.
broken_headers "$running"
installs 9.0.1
check 'a kernel that it does not compile on: dpkg goes on' test "$rc" -eq 0
check 'dpkg --audit is clean' healthy
check 'the module refuses' refuses "$running" build
doctor
check 'doctor warns' test "$rc" -eq 1
check 'and says why' said 'the guard did not compile for it'
runs "$running"
try /usr/lib/kptr-nmi-guard/load
check 'after a reboot the unit fails' test "$rc" -ne 0
check 'and says why' said 'NOT GUARDED: the guard did not compile'
repaired_headers

if [ -n "$other" ]; then
	# The same as a kernel that arrives by an upgrade.
	broken_headers "$other"
	dkms remove "$MODULE/9.0.1" -k "$other" >/dev/null 2>&1
	kernel_arrives "$other"
	check 'a kernel that arrives and that it does not compile on: its postinst goes on' test "$rc" -eq 0
	check 'dpkg --audit is clean' healthy
	check 'its module refuses' refuses "$other" build
	repaired_headers
	dkms remove "$MODULE/9.0.1" -k "$other" >/dev/null 2>&1
	kernel_arrives "$other"
	check 'a kernel that arrives is guarded' guards "$other" 9.0.1
fi

# One without headers.
bare=9.9.9+deb13-amd64
kernel $bare
kernel_arrives $bare
check 'a kernel without headers arrives: its postinst goes on' test "$rc" -eq 0
doctor
check 'doctor names it' said "headers of $(re $bare) are not installed"
check 'and what will be' said "guarded after reboot: no, $(re $bare)"
rm -r "/lib/modules/$bare"

try dpkg --purge kptr-nmi-guard kptr-nmi-guard-dkms
check 'dpkg --purge' test "$rc" -eq 0
all_files | diff /tmp/files.before - >/tmp/out
check 'leaves nothing' test ! -s /tmp/out
finish
