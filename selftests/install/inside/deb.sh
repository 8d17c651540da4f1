#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# deb.sh RUNNING [OTHER]: the Debian packages of /packages in a Debian root: what
# dpkg does with them, and what is guarded then. /initramfs, if it is there, has the
# files of initramfs-tools.

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
# kernel_goes KERNEL: what its package's prerm does
kernel_goes() {
	try run-parts --exit-on-error --arg="$1" --arg="/boot/vmlinuz-$1" /etc/kernel/prerm.d
}
broken_headers() {
	bpf_h=$(sed -n 's|^include *\(/usr/src/.*\)/Makefile|\1|p' "/lib/modules/$1/build/Makefile")/include/linux/bpf.h
	cp "$bpf_h" /tmp/bpf.h
	echo '#error planted: this kernel changed' >>"$bpf_h"
}
repaired_headers() { cp /tmp/bpf.h "$bpf_h"; }
# in_image: the version of the module in the image of the running kernel
in_image() {
	rm -rf /tmp/image
	unmkinitramfs "$image" /tmp/image
	find /tmp/image -name "$MODULE.ko*" -exec modinfo -F version {} \;
}
image_has() { [ -d /initramfs ] && [ "$(in_image)" = "$1" ]; }

# all_files: but for logs and what dpkg keeps of every package
all_files() {
	find / -xdev \( -path /proc -o -path /tmp -o -path /fake -o -path /project -o -path /packages -o -path /stock \) -prune -o -print |
		grep -vE '^/(var/lib/dpkg|var/log|var/cache|run|sys)(/|$)|/modules\.[a-z.]*$|/mok\.|^/boot|/lib/modules/9|initramfs'
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
image=/boot/initrd.img-$running
[ ! -d /initramfs ] || cp -a /initramfs/. /
all_files >/tmp/files.before

installs 9.0.1
check 'dpkg -i' test "$rc" -eq 0
check 'dpkg is content' healthy
check 'the running kernel has the module' guards "$running" 9.0.1
[ -z "$other" ] || check 'the staged one, too' guards "$other" 9.0.1
check 'the unit is enabled' test -L /etc/systemd/system/sysinit.target.wants/kptr-nmi-guard.service
check 'its configuration is a conffile' grep -q '^ /etc/modprobe.d/kptr-nmi-guard.conf ' \
	<(dpkg-query -W -f '${Conffiles}\n' kptr-nmi-guard)
try /usr/lib/kptr-nmi-guard/load
check 'what the unit starts loads it' is_loaded 9.0.1
doctor
check 'doctor is content' test "$rc" -eq 0
echo 'options kptr_nmi_guard jobs=8192' >>/etc/modprobe.d/kptr-nmi-guard.conf
try make -s -C $PROJECT install
check 'make install leaves what a package brought alone' said 'a package installed it already.*apt-get purge kptr-nmi-guard-dkms'

# Somebody has the module put into the initramfs.
if [ -d /initramfs ]; then
	echo $MODULE >>/etc/initramfs-tools/modules
	try update-initramfs -c -k "$running"
	check 'an image with the module' image_has 9.0.1
	doctor
	check 'doctor names it, and what to do' \
		said "baked into $(re "$image"): .*; take it out of /etc/initramfs-tools/modules, then: update-initramfs -u -k all"
fi

installs 9.0.2
check 'an upgrade' healthy
check 'its module is installed' guards "$running" 9.0.2
check 'the old one stays loaded' is_loaded 9.0.1
check "the administrator's options stay" grep -q jobs=8192 /etc/modprobe.d/kptr-nmi-guard.conf
[ ! -d /initramfs ] || check 'the image has the new one' image_has 9.0.2
doctor
check 'doctor says which is loaded and which installed' said 'by version 9\.0\.1, while 9\.0\.2 is installed'

# A kernel that the guard does not compile on: as the running one, with a downgrade,
# where images can't be written.
broken_headers "$running"
[ ! -d /initramfs ] || mount --bind /boot /boot
[ ! -d /initramfs ] || mount -o remount,bind,ro /boot
installs 9.0.1
check 'a kernel that it does not compile on: dpkg goes on' test "$rc" -eq 0
check 'dpkg --audit is clean' healthy
check 'the module refuses' refuses "$running" build
[ ! -d /initramfs ] || check 'an image that could not be made anew is named' \
	said "$(re "$image"): has the module, and could not be made anew"
[ ! -d /initramfs ] || umount /boot
doctor
check 'doctor warns' test "$rc" -eq 1
check 'and says why, and what to do' said 'the guard did not compile for it; update kptr-nmi-guard, or boot another kernel'
runs "$running"
try /usr/lib/kptr-nmi-guard/load
check 'after a reboot the unit fails' test "$rc" -ne 0
check 'and says why' said 'NOT GUARDED: the guard did not compile'
repaired_headers

# The power fails between unpacking and configuring.
try dpkg --unpack /tmp/deb/9.0.2/*.deb
try /usr/lib/kptr-nmi-guard/load
check 'half an upgrade: the unit fails' test "$rc" -ne 0
check 'and says what to do' said 'NOT GUARDED: .*: dpkg --configure -a; then: systemctl restart'
doctor
check 'so does doctor' said 'guarded after reboot: no,.*; dpkg --configure -a'
try dpkg --configure -a
check 'that is enough' healthy
check 'its module is installed' guards "$running" 9.0.2
[ ! -d /initramfs ] || check 'and in the image' image_has 9.0.2
installs 9.0.2
check 'the same version again' healthy
check 'the module is there' guards "$running" 9.0.2

# An upgrade that dpkg can't unpack: it wants to write a file of another package.
repack 9.0.3
mkdir -p /tmp/deb/9.0.3/kptr-nmi-guard-dkms/usr/bin
touch /tmp/deb/9.0.3/kptr-nmi-guard-dkms/usr/bin/make
dpkg-deb -b /tmp/deb/9.0.3/kptr-nmi-guard-dkms{,.deb} >/dev/null
try dpkg -i /tmp/deb/9.0.3/kptr-nmi-guard-dkms.deb
check 'an upgrade that cannot be unpacked fails' test "$rc" -ne 0
check 'the old version stays' healthy
check 'with its module' guards "$running" 9.0.2

# The same as a kernel that arrives by an upgrade. (dkms 3.0.10 would call a kernel that
# is left out a failure, too.)
arriving=${other:-$running}
broken_headers "$arriving"
dkms remove "$MODULE/9.0.2" -k "$arriving" >/dev/null 2>&1
kernel_arrives "$arriving"
check 'a kernel that arrives and that it does not compile on: its postinst goes on' test "$rc" -eq 0
check 'dpkg --audit is clean' healthy
check 'its module refuses' refuses "$arriving" build
repaired_headers
dkms remove "$MODULE/9.0.2" -k "$arriving" >/dev/null 2>&1
kernel_arrives "$arriving"
check 'a kernel that arrives is guarded' guards "$arriving" 9.0.2

if [ -n "$other" ]; then
	dkms remove "$MODULE/9.0.2" -k "$other" >/dev/null 2>&1
	# One that clang built, where there is no clang.
	cp "/lib/modules/$other/build/.config" /tmp/config
	sed -i 's/^CONFIG_CC_IS_GCC=y/CONFIG_CC_IS_CLANG=y/' "/lib/modules/$other/build/.config"
	kernel_arrives "$other"
	check 'a kernel that wants clang arrives: its postinst goes on' test "$rc" -eq 0
	doctor
	check 'doctor names clang' said "guarded after reboot: no, $(re "$other").*; apt-get install clang lld llvm.*; dkms autoinstall -k $(re "$other")"
	cp /tmp/config "/lib/modules/$other/build/.config"

	kernel_arrives "$other"
	check 'with clang it would be guarded' guards "$other" 9.0.2
	kernel_goes "$other"
	check 'a kernel that goes: its prerm goes on' test "$rc" -eq 0
	check 'it leaves nothing' test -z "$(find "/lib/modules/$other/" -name "$MODULE*"; find "/var/lib/dkms/$MODULE" -name "*$other*")"
	check 'the running one keeps its module' guards "$running" 9.0.2
	kernel_arrives "$other"
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

try dpkg --remove kptr-nmi-guard kptr-nmi-guard-dkms
check 'dpkg --remove' test "$rc" -eq 0
check 'takes the module away' not guards "$running" 9.0.2
[ ! -d /initramfs ] || check 'out of the image, too' image_has ''
check "the administrator's options stay" grep -q jobs=8192 /etc/modprobe.d/kptr-nmi-guard.conf
try dpkg --purge kptr-nmi-guard kptr-nmi-guard-dkms
check 'dpkg --purge' test "$rc" -eq 0
all_files | diff /tmp/files.before - >/tmp/out
check 'leaves nothing' test ! -s /tmp/out

# make install first, of an older version, then the package.
tiny 9.0.0
try make -s -C /tmp/project-9.0.0 install
check 'make install' guards "$running" 9.0.0
installs 9.0.1
check 'a package after it' healthy
check 'its module takes the place' guards "$running" 9.0.1
finish
