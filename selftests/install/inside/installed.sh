#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# installed.sh KERNEL OTHER: make install in a Debian root, while KERNEL runs and
# OTHER is the next boot; what it made goes to /out/installed.tar.

. "$(dirname "$0")/lib.sh"

runs "$1"
for kver; do
	cp -a "/stock/$kver/." "/lib/modules/$kver/"
	touch "/lib/modules/$kver/modules.order"
	depmod "$kver"
done
rmdir /lib/modules/*/updates /usr/src/$MODULE-* 2>/dev/null
try make -s -C $PROJECT install
cat /tmp/out
[ "$rc" -eq 0 ] || exit
tar -C / -c --exclude=build --exclude=source -f /out/installed.tar etc/systemd/system/sysinit.target.wants \
	etc/modprobe.d usr/lib/kptr-nmi-guard usr/lib/systemd/system/kptr-nmi-guard.service lib/modules/
