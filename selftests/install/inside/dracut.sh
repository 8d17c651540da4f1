#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dracut.sh KERNEL: does the module get into an initramfs? As it was loaded up to
# 0.1, by modules-load.d, it does; with the unit it does not, not even when
# somebody loads it by modules-load.d; and an image that has it is made anew.

. "$(dirname "$0")/lib.sh"

kver=$1
image=/boot/initramfs-$kver.img
has_module() { lsinitrd "$image" | grep -q "/$MODULE\.ko"; }
has_autoload() { lsinitrd "$image" | grep -q "modules-load.d/$MODULE.conf"; }
makes_image() { try dracut --force --no-hostonly --add systemd-modules-load --kver "$kver" "$image"; }

runs "$kver"
mkdir -p /boot "/lib/modules/$kver" /etc/modules-load.d
cp -a /stock/. "/lib/modules/$kver/"
cp -a /guard/. "/lib/modules/$kver/updates"
touch "/lib/modules/$kver/modules.order"
depmod "$kver"
check 'the module is there' guards "$kver" "$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' $PROJECT/dkms.conf)"

echo $MODULE >"/etc/modules-load.d/$MODULE.conf"
makes_image
check 'dracut makes an image' test "$rc" -eq 0
check 'by modules-load.d the module gets in: the fault' has_module
cp "$image" /tmp/baked

$PROJECT/scripts/install-files tool
makes_image
check 'with what make install and the packages bring it stays out' not has_module

# An image from before: doctor names it, make uninstall makes it anew.
cp /tmp/baked "$image"
try $PROJECT/scripts/doctor
check 'doctor names an image that has it' said "baked into $(re "$image")"
try $PROJECT/scripts/uninstall
check 'make uninstall' test "$rc" -eq 0
check 'makes that image anew' said "$(re "$image"): made anew"
check 'without the module' not has_module
check 'and without the line that loads it' not has_autoload
finish
