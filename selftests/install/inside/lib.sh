# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by what the tests in selftests/install run inside a Debian root whose
# changes are thrown away. dkms, make, the compiler, kmod and depmod are real.
# The kernel is not this root's: what asks for it finds the stand-ins below, and
# the scripts find KNG_PROC instead of /proc.

set -u
export KNG_PROC=/fake/proc PATH=/fake/bin:$PATH PROJECT=/project
MODULE=kptr_nmi_guard
N=0
FAILED=0

# check DESCRIPTION COMMAND...
check() {
	local what=$1
	shift
	N=$((N + 1))
	if "$@"; then
		echo "ok $N - $what"
		return
	fi
	echo "not ok $N - $what"
	{
		echo "# $what: false: $*"
		[ ! -s /tmp/out ] || tail -n 25 /tmp/out | sed 's/^/#   | /'
	} >&2
	FAILED=$((FAILED + 1))
}
not() { ! "$@"; }
finish() {
	echo "1..$N"
	[ "$FAILED" -eq 0 ]
}

# try COMMAND...: what it says goes to /tmp/out, its status to $rc
try() {
	export rc=0
	"$@" >/tmp/out 2>&1 </dev/null || rc=$?
}
said() { grep -Eq -- "$1" /tmp/out; }
# re TEXT: as it is, in a pattern
# shellcheck disable=SC2001 # with a set of characters
re() { sed 's/[].[+*]/\\&/g' <<<"$1"; }

stand_in() {
	mkdir -p /fake/bin
	{
		echo '#!/bin/bash'
		cat
	} >"/fake/bin/$1"
	chmod +x "/fake/bin/$1"
}

# runs KERNEL: from now on that is the running one, and nothing is loaded
runs() {
	echo "$1" >/fake/kver
	: >/fake/proc/modules
	rm -rf "/sys/module/$MODULE"
	: >/fake/dmesg
}

# kernel KERNEL: it is installed, with one module of its own, as compressed as
# the stock ones. (From a kernel without any, dkms takes modules.dep away.)
kernel() {
	mkdir -p "/lib/modules/$1/kernel"
	touch "/lib/modules/$1"/modules.{order,builtin,builtin.modinfo}
	cp /stock/*.ko* "/lib/modules/$1/kernel/" || exit
	depmod "$1"
}

mkdir -p /fake/proc/sys/kernel /sys/kernel/{btf,security} /sys/module/module/parameters
echo 1 >/fake/proc/sys/kernel/ftrace_enabled
echo 0 >/fake/proc/sys/kernel/modules_disabled
echo 'quiet' >/fake/proc/cmdline
echo N >/sys/module/module/parameters/sig_enforce
# What a BTF has between its strings, and no more of it: doctor looks at names.
printf 'x\0btf_record\0bpf_obj_free_fields\0BPF_KPTR_PERCPU\0update_target\0y\0' >/sys/kernel/btf/vmlinux

stand_in uname <<'SH'
if [ "$*" = -r ]; then cat /fake/kver; else exec /usr/bin/uname "$@"; fi
SH
stand_in dmesg <<'SH'
cat /fake/dmesg
SH
# Loads what the real modinfo finds for the running kernel: a module that refuses
# is refused. /fake/load-fails plants a kernel that does not take it.
stand_in modprobe <<'SH'
name=kptr_nmi_guard kver=$(cat /fake/kver)
[ "$*" = $name ] || exit 1
! grep -q "^$name " /fake/proc/modules || exit 0
if ! modinfo -k "$kver" -F filename $name >/dev/null 2>&1; then
	echo "modprobe: FATAL: Module $name not found in directory /lib/modules/$kver" >&2
	exit 1
fi
if [ -e /fake/load-fails ] || modinfo -k "$kver" -F refuses $name | grep -q .; then
	echo "[    1.0] $name: planted, or it refuses" >>/fake/dmesg
	echo "modprobe: ERROR: could not insert '$name': Operation not supported" >&2
	exit 1
fi
echo "$name 16384 0 - Live 0x0" >>/fake/proc/modules
mkdir -p /sys/module/$name
for field in version srcversion; do
	modinfo -k "$kver" -F $field $name >/sys/module/$name/$field
done
SH
# As the kernel does: by name, no file is asked for. /fake/busy: somebody uses it.
stand_in rmmod <<'SH'
if [ -e /fake/busy ]; then
	echo "rmmod: ERROR: Module $1 is in use" >&2
	exit 1
fi
grep -q "^$1 " /fake/proc/modules || exit 1
sed -i "/^$1 /d" /fake/proc/modules
rm -rf "/sys/module/$1"
SH
# Enables by the link that the real one makes; starting and stopping is nothing here.
stand_in systemctl <<'SH'
wants=/etc/systemd/system/sysinit.target.wants
case $1 in
enable)
	mkdir -p $wants
	ln -sf "/usr/lib/systemd/system/$2" "$wants/$2"
	;;
disable) rm -f "$wants/${3:-$2}"; rmdir -p --ignore-fail-on-non-empty $wants 2>/dev/null ;;
is-enabled) [ -L "$wants/${3:-$2}" ] ;;
esac
exit
SH

# one_file VERSION [LINE]: the module's sources here become a module of one file, of
# that version: what is installed is of no interest, how is.
one_file() {
	sed -i "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$1\"/" dkms.conf
	sed -i '/^kptr_nmi_guard-y := module\/main.o/,/[^\\]$/c kptr_nmi_guard-y := module/tiny.o' Kbuild
	cat >module/tiny.c <<-C
		#include <linux/bpf.h>
		#include <linux/module.h>
		MODULE_DESCRIPTION("stands for the guard");
		MODULE_VERSION(KNG_VERSION);
		MODULE_LICENSE("GPL");
		${2:-}
	C
}
# tiny VERSION [LINE]: the project like that, as /tmp/project-VERSION
tiny() {
	mkdir -p "/tmp/project-$1"
	cp -a "$PROJECT"/{Kbuild,dkms.conf,dkms.mk,module,include,scripts,system,man,Makefile} "/tmp/project-$1/"
	(cd "/tmp/project-$1" && one_file "$@")
}

guards() { [ "$(modinfo -k "$1" -F version $MODULE 2>/dev/null)" = "$2" ] && [ -z "$(modinfo -k "$1" -F refuses $MODULE)" ]; }
refuses() { [ "$(modinfo -k "$1" -F refuses $MODULE 2>/dev/null)" = "$2" ]; }
is_loaded() { grep -qs "^$MODULE " /fake/proc/modules && [ "$(cat /sys/module/$MODULE/version)" = "$1" ]; }
none_loaded() { ! grep -q "^$MODULE " /fake/proc/modules; }
dkms_has() { dkms status 2>/dev/null | grep -q "^$MODULE/$1, $2,.*: installed"; }

# Everything that an installation touches
machine_files() {
	find /etc /usr/src /usr/lib/systemd /usr/lib/dracut /usr/lib/kptr* /usr/share/man /var/lib/dkms /lib/modules \
		-path '/lib/modules/*/build' -prune -o -path '/usr/src/linux-*' -prune -o -print 2>/dev/null |
		grep -v '/modules\.[a-z.]*$' | sort
}
remember() { machine_files >/tmp/files.before; }
unchanged() {
	machine_files | diff /tmp/files.before - >/tmp/diff && return
	sed 's/^/#   /' /tmp/diff >&2
	return 1
}
