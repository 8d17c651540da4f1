#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dracut.sh KERNEL: does the module get into an initramfs? As it was loaded up to
# 0.1, by modules-load.d, it does; with the unit it does not, not even when
# somebody loads it by modules-load.d; and an image that has it is made anew.

. "$(dirname "$0")/lib.sh"

kver=$1
image=/boot/initramfs-$kver.img
# A list of files that is not there, or cut short, must not pass for one without the module.
list_image() { lsinitrd "$image" >/tmp/list && grep -q "lib/modules/$kver/modules.dep$" /tmp/list; }
with_module() { list_image && grep -q "/$MODULE\.ko" /tmp/list; }
without_module() { list_image && ! grep -q "$MODULE" /tmp/list; }
makes_image() { try dracut --force --no-hostonly --add systemd-modules-load --kver "$kver" "$image"; }

runs "$kver"
mkdir -p /boot "/lib/modules/$kver" /etc/modules-load.d
cp -a /stock/. "/lib/modules/$kver/"
cp -a /guard/. "/lib/modules/$kver/updates"
touch "/lib/modules/$kver/modules.order"
depmod "$kver"
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' $PROJECT/dkms.conf)
check 'the module is there' guards "$kver" "$version"

echo $MODULE >"/etc/modules-load.d/$MODULE.conf"
makes_image
check 'dracut makes an image' test "$rc" -eq 0
check 'by modules-load.d the module gets in: the fault' with_module
cp "$image" /tmp/baked

$PROJECT/scripts/install-files sources
$PROJECT/scripts/install-files tool
makes_image
check 'with what make install and the packages bring it stays out' without_module

# An image from before, the module installed: what packages and make install call.
cp /tmp/baked "$image"
try $PROJECT/scripts/doctor
check 'doctor names an image that has it' said "baked into $(re "$image")"
check 'and what to do' said '; dracut --force --regenerate-all'
try /usr/lib/kptr-nmi-guard/images --rebuild
check 'an upgrade makes that image anew' said "^$(re "$image"): made anew, without the module$"
check 'and says that it could' test "$rc" -eq 0
check 'without the module, which is installed' without_module
check 'it is' guards "$kver" "$version"
try $PROJECT/scripts/doctor
check 'doctor names no image any more' not said 'baked into'

cp /tmp/baked "$image"
try $PROJECT/scripts/uninstall
check 'make uninstall' test "$rc" -eq 0
check 'makes that image anew' said "$(re "$image"): made anew"
check 'without the module' without_module

# What cannot be made anew is said.
cp /tmp/baked "$image"
stand_in dracut <<'SH'
exit 1
SH
try $PROJECT/scripts/uninstall
check 'an image that cannot be made anew is named' said "$(re "$image"): has the module, and could not be made anew"
finish
