#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# machine.sh RUNNING OTHER [slow]: make install and make uninstall, as scripts, in
# a Debian root with the headers of two kernels.

. "$(dirname "$0")/lib.sh"

running=$1 other=$2 slow=${3:-}
bare=9.9.9+deb13-amd64		# installed without headers

installs() { try make -s -C "$1" install; }

tiny 9.0.1
tiny 9.0.2
tiny 9.0.3 '#error planted: this version does not build'

runs "$running"
kernel "$running"
kernel "$other"
rm "/lib/modules/$other/modules.order" # not yet: its headers alone
mkdir -p /usr/share/man/man{4,8}
touch /usr/share/man/man{4,8}/other
# A key, as dkms makes one where there is none: in what it builds for `make install',
# too, it has to be this machine's.
if [ -d /openssl ]; then
	cp -a /openssl/. /
	dkms generate_mok >/dev/null 2>&1
fi
# Other runs in this root leave mount points.
rmdir "/lib/modules"/*/updates /usr/src/$MODULE-* 2>/dev/null
remember

# The real sources, for the running kernel alone; by a root who keeps files to itself.
umask 077
installs $PROJECT
umask 022
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' $PROJECT/dkms.conf)
check 'make install' test "$rc" -eq 0
check 'the module is installed and guards' guards "$running" "$version"
check 'dkms says so' dkms_has "$version" "$running"
check 'it is loaded' is_loaded "$version"
check 'everybody may read what was installed' test -z "$(find /usr/lib/kptr-nmi-guard /usr/lib/systemd/system/kptr* \
	"/usr/src/$MODULE-$version" "/lib/modules/$running/updates" /etc/modprobe.d -not -perm -004)"
[ ! -d /openssl ] || check "the module is signed with this machine's key" \
	test "$(modinfo -k "$running" -F sig_key $MODULE | tr -d :)" = "$(openssl x509 -inform DER -noout -serial -in /var/lib/dkms/mok.pub | sed 's/.*=//')"
check 'now and after reboot' said "^guarded after reboot: yes \($(re "$running")\)"
check 'the unit is enabled' systemctl is-enabled kptr-nmi-guard.service
check 'nothing is left to systemd-modules-load' test ! -e "/etc/modules-load.d/$MODULE.conf"
try /usr/lib/kptr-nmi-guard/doctor
check 'the installed doctor is content' test "$rc" -eq 0
check 'and knows what is installed and loaded' said "guarded now: yes, by version $version"
echo 0123 >/sys/module/$MODULE/srcversion
try /usr/lib/kptr-nmi-guard/doctor
check 'another build of the same version is loaded: doctor warns' test "$rc" -eq 1
check 'and says which' said "yes, by another build of version $(re "$version") .*srcversion 0123, not [0-9A-F]+\); systemctl restart"
modinfo -k "$running" -F srcversion $MODULE >/sys/module/$MODULE/srcversion

try /usr/lib/kptr-nmi-guard/doctor --json
check 'for programs, too' said '"verdict": "fine"'
check 'with what is' said "\"installed\": \"$version\", \"loaded\": \"$version\""
check 'and will be' said '"guarded_now": true, "guarded_after_reboot": true'
cp /sys/kernel/btf/vmlinux /tmp/btf
tr '\0' '\n' </tmp/btf | grep -vx update_target | tr '\n' '\0' >/sys/kernel/btf/vmlinux
try /usr/lib/kptr-nmi-guard/doctor
check "a kernel without ftrace's fixes: doctor warns" test "$rc" -eq 1
check 'and names them' said 'lacks 3e9a18e1c3e9 and 56b3c85e153b'
cp /tmp/btf /sys/kernel/btf/vmlinux

# A second kernel is staged: the next boot.
touch "/lib/modules/$other/modules.order"
try /usr/lib/kptr-nmi-guard/doctor
check 'a staged kernel without the module: doctor warns' test "$rc" -eq 1
check 'and says that the next boot is not guarded' said "guarded after reboot: no, $(re "$other")"
check 'and that this one is' said '^ok .*guarded now: yes'
try /usr/lib/kptr-nmi-guard/doctor --json
check 'for programs, too' said '"guarded_now": true, "guarded_after_reboot": false'
installs /tmp/project-9.0.1
check 'an upgrade' test "$rc" -eq 0
check 'without clang there is no command, and a word about it' \
	said '^the command kptr-nmi-guard is not installed: missing: .*clang.* apt-get install .*; then make install again$'
check 'is loaded instead of the old version' is_loaded 9.0.1
check 'guards the running kernel' guards "$running" 9.0.1
check 'and the staged one' guards "$other" 9.0.1
check 'guarded after reboot' said "guarded after reboot: yes \($(re "$other")\)"
check 'the old version is gone from dkms' test ! -e "/var/lib/dkms/$MODULE/$version"
check 'and its sources' test ! -e "/usr/src/$MODULE-$version"

# A version that does not build.
machine_files >/tmp/files.upgraded
installs /tmp/project-9.0.3
check 'an upgrade that does not build fails' test "$rc" -ne 0
check "with the compiler's first error" said 'error: #error planted: this version'
check 'and says that nothing was changed' said 'does not build for .* Nothing was changed'
check 'the old version is still loaded' is_loaded 9.0.1
check 'still installed' guards "$running" 9.0.1
check 'for both kernels' guards "$other" 9.0.1
check 'dkms still has it' dkms_has 9.0.1 "$other"
check 'no file came or went' diff /tmp/files.upgraded <(machine_files)

# A kernel without headers, newer than the others.
kernel $bare
rm -rf "/lib/modules/$bare/build"
try /usr/lib/kptr-nmi-guard/doctor
check 'a kernel without headers: doctor names it' said "headers of $(re "$bare") are not installed"
check 'and its metapackage' said 'apt-get install linux-headers-amd64$'
if [ -n "$slow" ]; then
	installs /tmp/project-9.0.2
	check 'a kernel without headers: make install says that the reboot is not guarded' test "$rc" -ne 0
	check 'by name' said "no headers of $(re "$bare")"
	check 'now it is' said '^guarded now: yes'
	check 'then it is not' said "^guarded after reboot: no \($(re "$bare")"
	check 'the others are' guards "$other" 9.0.2
fi
rm -r "/lib/modules/$bare"

# slow: each fault once more where it costs a build.
if [ -n "$slow" ]; then
	tiny 9.0.4
	machine_files >/tmp/files.before-kill
	try timeout -s TERM 2 /tmp/project-9.0.4/scripts/install
	check 'killed while it builds' said 'interrupted .* Nothing was changed'
	check 'it is so' diff /tmp/files.before-kill <(machine_files)
	check 'nor is anything left elsewhere' test -z "$(ls -d /var/tmp/kptr-nmi-guard.* 2>/dev/null)"

	touch /fake/load-fails
	installs /tmp/project-9.0.4
	check 'a version that does not load fails' test "$rc" -ne 0
	check 'and says that the old one is back' said 'The version that was there is back'
	rm /fake/load-fails
	check 'it is installed' guards "$running" 9.0.2
	check 'for both kernels' guards "$other" 9.0.2
	check 'dkms has it' dkms_has 9.0.2 "$running"
	check 'the new one left nothing' test ! -e "/usr/src/$MODULE-9.0.4"
	modprobe $MODULE
	check 'and loads' is_loaded 9.0.2

	touch /fake/busy
	installs /tmp/project-9.0.4
	check 'a module in use: fails' test "$rc" -ne 0
	check 'the old one stays loaded' is_loaded 9.0.2
	check 'and installed' guards "$running" 9.0.2
	try make -s -C $PROJECT uninstall
	check 'a module in use: uninstall fails, too' test "$rc" -ne 0
	check 'and changes nothing' guards "$running" 9.0.2
	rm /fake/busy

	# The same number once more, as a developer does.
	echo 'MODULE_INFO(again, "yes");' >>/tmp/project-9.0.2/module/tiny.c
	installs /tmp/project-9.0.2
	check 'the same version again' test "$rc" -eq 0
	check 'is the new one' test "$(modinfo -k "$running" -F again $MODULE)" = yes

	installs /tmp/project-9.0.1
	check 'an older version' test "$rc" -eq 0
	check 'is loaded' is_loaded 9.0.1
	check 'and installed' guards "$other" 9.0.1
	installs /tmp/project-9.0.2

	# A kernel that the guard does not compile on.
	bpf_h=$(sed -n 's|^include *\(/usr/src/.*\)/Makefile|\1|p' "/lib/modules/$other/build/Makefile")/include/linux/bpf.h
	cp "$bpf_h" /tmp/bpf.h
	echo '#error planted: this kernel changed' >>"$bpf_h"
	installs /tmp/project-9.0.4
	check 'a version that loses a kernel fails' test "$rc" -ne 0
	check 'the old one guards it still' guards "$other" 9.0.2
	try make -s -C /tmp/project-9.0.4 uninstall
	installs /tmp/project-9.0.4
	check 'a kernel that it never compiled on: the others are guarded' guards "$running" 9.0.4
	check 'that one has the module that refuses' refuses "$other" build
	check 'make install says so' said "guarded after reboot: no \($(re "$other"): the guard did not compile"
	check 'dkms is content' dkms_has 9.0.4 "$other"
	runs "$other"
	try /usr/lib/kptr-nmi-guard/load
	check 'booted, the unit fails' test "$rc" -ne 0
	check 'and says why' said 'NOT GUARDED: the guard did not compile for it'
	cp /tmp/bpf.h "$bpf_h"
	runs "$running"
	modprobe $MODULE
fi

# What the unit says where something is missing.
runs "$other"
mv "/lib/modules/$other/updates" /tmp/updates
try /usr/lib/kptr-nmi-guard/doctor
check "a module whose file is gone from under depmod's list is missing" said "for $(re "$other"): there is no module for it"
depmod "$other"
try /usr/lib/kptr-nmi-guard/load
check 'no module at boot: the unit fails' test "$rc" -ne 0
check 'and says what to do' said "NOT GUARDED: $(re "$other") has no module $MODULE: dkms autoinstall -k $(re "$other")"
mv /tmp/updates "/lib/modules/$other/updates"
depmod "$other"
echo "quiet module_blacklist=x,$MODULE" >/fake/proc/cmdline
try /usr/lib/kptr-nmi-guard/load
check 'module_blacklist= is named' said "NOT GUARDED: the kernel's command line"
echo quiet >/fake/proc/cmdline
runs "$running"
modprobe $MODULE

try make -s -C $PROJECT uninstall
check 'make uninstall' test "$rc" -eq 0
check 'nothing is loaded' none_loaded
check 'the other kernel has no module either' not guards "$other" 9.0.1
check 'nothing is left' unchanged

# A broken tree: dkms can remove nothing, the module's file is gone while it is
# loaded, and /etc/modules-load.d is somebody's link.
mkdir -p /srv/conf "/var/lib/dkms/$MODULE/0.0.1/$running/x86_64/module" "/lib/modules/$running/updates/dkms"
ln -s "/usr/src/$MODULE-0.0.1" "/var/lib/dkms/$MODULE/0.0.1/source"
ln -s "0.0.1/$running/x86_64" "/var/lib/dkms/$MODULE/kernel-$running-x86_64"
rm -rf /etc/modules-load.d
ln -s /srv/conf /etc/modules-load.d
echo $MODULE >"/etc/modules-load.d/$MODULE.conf"
echo "$MODULE 16384 0 - Live 0x0" >/fake/proc/modules
touch "/lib/modules/$running/updates/dkms/$MODULE.ko.xz"
try dkms remove "$MODULE/0.0.1" --all
check 'dkms cannot remove it' test "$rc" -ne 0
try make -s -C $PROJECT uninstall
check 'a broken tree: make uninstall goes to the end' test "$rc" -eq 0
check 'the module was unloaded without its file' none_loaded
check 'the link of /etc/modules-load.d stays' test -L /etc/modules-load.d
check 'without our line' test ! -e "/srv/conf/$MODULE.conf"
rm /etc/modules-load.d
check 'and nothing is left' unchanged

if [ -n "$slow" ]; then
	mkdir -p "/var/lib/dkms/$MODULE/0.0.1/$running/x86_64/module"
	ln -s "/usr/src/$MODULE-0.0.1" "/var/lib/dkms/$MODULE/0.0.1/source"
	installs /tmp/project-9.0.1
	check 'a broken tree: make install goes to the end' test "$rc" -eq 0
	check 'and guards' guards "$running" 9.0.1
	check 'what was broken is gone' test ! -e "/var/lib/dkms/$MODULE/0.0.1"
fi
finish
