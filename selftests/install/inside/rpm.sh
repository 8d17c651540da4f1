#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# rpm.sh KERNEL OTHER: the RPMs of /packages, installed into the Debian root at
# /target by rpm --root; their scriptlets run in there, with its dkms. (Nobody
# tells dkms of a running kernel: the scriptlets name each that they build for.)

set -u
target=/target N=0 FAILED=0
first=$1 second=$2
version=$(rpm -qp --qf '%{version}' /packages/1/kptr-nmi-guard-dkms-*.rpm)
next=$(rpm -qp --qf '%{version}' /packages/2/kptr-nmi-guard-dkms-*.rpm)

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
		echo "# false: $*"
		sed 's/^/#   | /' /tmp/out
	} >&2
	FAILED=$((FAILED + 1))
}
inside() { chroot $target "$@"; }
# Dependencies are named as Fedora names them.
target_rpm() { rpm --root $target --nodeps "$@" >/tmp/out 2>&1; }
has() { [ "$(inside modinfo -k "$1" -F version kptr_nmi_guard 2>/dev/null)" = "$2" ]; }
none() { [ -z "$(find $target/lib/modules/*/updates $target/usr/src $target/usr/lib/kptr* $target/var/lib/dkms/kptr* -name 'kptr*' 2>/dev/null)" ]; }

for kver in "$first" "$second"; do
	mkdir -p "$target/lib/modules/$kver/kernel"
	touch "$target/lib/modules/$kver"/modules.{order,builtin,builtin.modinfo}
	cp /stock/*.ko* "$target/lib/modules/$kver/kernel/"
	inside depmod "$kver"
done

# Images here are the list of their files; this dracut leaves the module out.
image=/boot/initramfs-$first.img
cat >$target/usr/bin/lsinitrd <<'SH'
#!/bin/sh
cat "$1"
SH
cat >$target/usr/bin/dracut <<'SH'
#!/bin/sh
echo "usr/lib/modules/$3/modules.dep" >"$2"
SH
chmod +x $target/usr/bin/{lsinitrd,dracut}
bake() {
	mkdir -p $target/boot
	echo "usr/lib/modules/$first/extra/kptr_nmi_guard.ko.xz" >"$target$image"
}
made_anew() { grep -qx "usr/lib/modules/$first/modules.dep" "$target$image"; }

bake
target_rpm -i /packages/1/*.rpm
check 'rpm -i' test $? -eq 0
check 'the first kernel has the module' has "$first" "$version"
check 'the second has it' has "$second" "$version"
check 'an image that had it was made anew' made_anew
check 'its configuration is marked as such' grep -qx /etc/modprobe.d/kptr-nmi-guard.conf \
	<(rpm --root $target -qc kptr-nmi-guard)
check 'files are as packaged' target_rpm -V kptr-nmi-guard kptr-nmi-guard-dkms

bake
target_rpm -U /packages/2/*.rpm
check 'rpm -U' test $? -eq 0
check 'the first kernel has the new module' has "$first" "$next"
check 'the second has it' has "$second" "$next"
check 'the old version is gone' test ! -e "$target/var/lib/dkms/kptr_nmi_guard/$version"

check 'an image that had it was made anew' made_anew
bake
target_rpm -e kptr-nmi-guard kptr-nmi-guard-dkms
check 'rpm -e' test $? -eq 0
check 'an image that had it was made anew' made_anew
check 'leaves nothing' none
echo "1..$N"
[ "$FAILED" -eq 0 ]
