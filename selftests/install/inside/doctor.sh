#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# doctor.sh KERNEL: what doctor says of machines of other kinds: other
# distributions, Secure Boot, no compiler, a kernel that clang built, the BPF of
# another version than the kernel's number. Nothing is built.

. "$(dirname "$0")/lib.sh"

running=$1
doctor() { try $PROJECT/scripts/doctor; }
btf() { printf '%s\0' x "$@" y >/sys/kernel/btf/vmlinux; }
os() {
	rm -f /etc/os-release
	printf 'ID=%s\nID_LIKE="%s"\nVERSION_ID="%s"\nVERSION_CODENAME=%s\n' "$@" >/etc/os-release
}
debian() { os debian '' 13 trixie; }

debian
runs "$running"
kernel "$running"
doctor
check 'a machine that can, without the guard: status 0' test "$rc" -eq 0
check 'doctor --first says nothing' test -z "$($PROJECT/scripts/doctor --first)"

# The BPF, not the number.
cp /sys/kernel/btf/vmlinux /tmp/btf
btf
doctor
check 'a BTF without btf_record: status 2' test "$rc" -eq 2
check 'nothing to guard' said '^NO .*nothing to guard'
btf btf_record bpf_obj_free_fields
doctor
check 'a BPF that is too old' said '^NO .*older than that of Linux 6\.7 \(no BPF_KPTR_PERCPU\)'
cp /tmp/btf /sys/kernel/btf/vmlinux
el=5.14.0-503.11.1.el9_5.x86_64
runs $el
doctor
check 'EL 9, 5.14 with the BPF of 6.12, has something to guard' said "^ok .*the BPF of $(re $el) has kptrs"
check 'nobody says that it is from before the problem' not said 'before the problem'

# headers ID ID_LIKE VERSION_ID CODENAME KERNEL COMMAND: what installs them
headers() {
	os "$1" "$2" "$3" "$4"
	runs "$5"
	doctor
	check "$1, $5: $6" said "the headers of $(re "$5") are not installed; $(re "$6")\$"
	check "$1: no other package manager is named" not grep -E '(apt-get|dnf|zypper|pacman) ' <(grep -v "${6%% *}" /tmp/out)
}
headers debian '' 13 trixie 6.12.99+deb13-cloud-amd64 'apt-get install linux-headers-cloud-amd64'
headers debian '' 12 bookworm 6.1.0-99-rt-amd64 'apt-get install linux-headers-rt-amd64'
headers ubuntu debian 24.04 noble 6.8.0-45-generic 'apt-get install linux-headers-generic'
headers ubuntu debian 24.04 noble 6.8.0-1010-aws 'apt-get install linux-headers-aws'
headers rhel fedora 9.5 '' $el 'dnf install kernel-devel-matched'
headers fedora '' 41 '' 6.12.4-200.fc41.x86_64 'dnf install kernel-devel-matched'
headers opensuse-leap suse 15.6 '' 6.4.0-150600.23-default 'zypper install kernel-default-devel'
headers rhel fedora 9.5 '' 5.14.0-503.11.1.el9_5.x86_64+rt 'dnf install kernel-rt-devel-matched'
headers rhel fedora 8.10 '' 4.18.0-553.el8_10.x86_64 'dnf install kernel-devel-4.18.0-553.el8_10.x86_64 kernel-devel'
headers amzn fedora 2023 '' 6.12.40-64.amzn2023.x86_64 'dnf install kernel-devel-6.12.40-64.amzn2023.x86_64 kernel-devel'
headers ol fedora 9.5 '' 6.12.0-1.el9uek.x86_64 'dnf install kernel-uek-devel'
headers arch '' '' '' 6.12.1-arch1-1 'pacman -S linux-headers'

debian
runs "$running"
# A kernel from backports has its metapackage there.
stand_in dpkg-query <<'SH'
case $* in *linux-image-6.99*) echo 6.99-1~bpo13+1 ;; *) exec /usr/bin/dpkg-query "$@" ;; esac
SH
runs 6.99+deb13-amd64
doctor
check 'a kernel from backports' said 'apt-get install -t trixie-backports linux-headers-amd64$'
# Ubuntu's hardware enablement kernel, too.
stand_in dpkg-query <<'SH'
case $* in *linux-image-generic-hwe-24.04*) echo installed ;; *) exec /usr/bin/dpkg-query "$@" ;; esac
SH
headers ubuntu debian 24.04 noble 6.14.0-24-generic 'apt-get install linux-headers-generic-hwe-24.04'
rm /fake/bin/dpkg-query
debian
runs "$running"

# Later kernels come by themselves; so must their headers.
stand_in dpkg-query <<'SH'
case $* in *linux-image-amd64) echo installed ;; *) exit 1 ;; esac
SH
doctor
check 'kernels come, headers do not: status 1' test "$rc" -eq 1
check 'and how to have them' said '^!!.*linux-headers-amd64 is not installed; apt-get install linux-headers-amd64$'
stand_in dpkg-query <<'SH'
case $* in *linux-image-amd64 | *linux-headers-amd64) echo installed ;; *) exit 1 ;; esac
SH
doctor
check 'both come: nothing to say' test "$rc" -eq 0
rm /fake/bin/dpkg-query

touch /etc/dkms/no-autoinstall
doctor
check 'dkms told to build nothing for new kernels: status 1' test "$rc" -eq 1
check 'and what to do' said 'rm /etc/dkms/no-autoinstall$'
rm /etc/dkms/no-autoinstall

# Secure Boot: the key that dkms will sign with, wherever it is.
echo Y >/sys/module/module/parameters/sig_enforce
stand_in mokutil <<'SH'
case $1 in
--test-key) ;;
--list-new) cat /fake/queued 2>/dev/null; exit ;;
*) exit 1 ;;
esac
if [ "$2" = "$(cat /fake/enrolled 2>/dev/null)" ]; then echo "$2 is already enrolled"; else echo "$2 is not enrolled"; fi
SH
doctor
check 'no key yet: status 2' test "$rc" -eq 2
check 'and how to make one' said 'dkms generate_mok; mokutil --import /var/lib/dkms/mok.pub'
check 'the prompt at the console is told' said 'Perform MOK management.*Enroll MOK, Continue, Yes'
mkdir -p /etc/dkms/framework.conf.d /etc/keys /var/lib/shim-signed/mok
touch /etc/keys/fleet.der /var/lib/shim-signed/mok/MOK.der
printf 'mok_signing_key=/etc/keys/fleet.key\nmok_certificate=/etc/keys/fleet.der\n' >/etc/dkms/framework.conf.d/fleet.conf
doctor
check "dkms' configuration names another key" said 'mokutil --import /etc/keys/fleet.der'
echo /etc/keys/fleet.der >/fake/enrolled
doctor
check 'enrolled, that is enough' said '^ok .*/etc/keys/fleet.der'
# mokutil calls enrolled what waits for the firmware's prompt, too.
echo 'a certificate' >/etc/keys/fleet.der
printf '[key 1]\nSHA1 Fingerprint: %s\n' "$(sha1sum </etc/keys/fleet.der | sed 's/ .*//; s/../&:/g; s/:$//')" >/fake/queued
doctor
check 'a key that waits for the prompt is not enrolled: status 2' test "$rc" -eq 2
check 'and what to do' said '^NO .*after a reboot \(/etc/keys/fleet.der\); reboot; at the console.*Enroll MOK'
rm /fake/queued
rm /etc/dkms/framework.conf.d/fleet.conf
os ubuntu debian 24.04 noble
echo /var/lib/shim-signed/mok/MOK.der >/fake/enrolled
doctor
check "Ubuntu: shim-signed's key" said '^ok .*/var/lib/shim-signed/mok/MOK.der'
rm /fake/bin/mokutil
debian
doctor
check 'without mokutil: how to get it' said 'apt-get install mokutil'
echo N >/sys/module/module/parameters/sig_enforce

# What builds: the compiler that the kernel wants.
mkdir -p /boot
sed 's/^CONFIG_CC_IS_GCC=y/CONFIG_CC_IS_CLANG=y/; s/^CONFIG_CC_VERSION_TEXT=.*/CONFIG_CC_VERSION_TEXT="clang version 19.1.7"/' \
	"/lib/modules/$running/build/.config" >"/boot/config-$running"
doctor
check 'a kernel that clang built wants clang' said '^NO .*built by clang.*missing: clang ld.lld llvm-ar.*; apt-get install clang lld llvm$'
for tool in clang llvm-ar llvm-objcopy; do stand_in $tool </dev/null; done
doctor
check 'all of it: what is missing is named' said '^NO .*built by clang.*missing: ld.lld; '
stand_in ld.lld </dev/null
doctor
check 'that is enough' said '^ok .*clang, as'
rm /fake/bin/{clang,ld.lld,llvm-*}
rm "/boot/config-$running"
rm -f /usr/bin/{gcc,cc,x86_64-linux-gnu-gcc}{,-[0-9]*}
doctor
check 'no compiler: status 2' test "$rc" -eq 2
check 'and which' said 'there is no compiler .*apt-get install gcc'
mv /usr/sbin/dkms /tmp/dkms
doctor
check 'no dkms: how to get it' said '^NO .*missing: dkms; apt-get install dkms'
# missing ID ID_LIKE COMMAND
missing() {
	os "$1" "$2" '' ''
	doctor
	check "no compiler, no dkms on $1" test "$(grep -cE "; $3 (gcc|dkms)\$" /tmp/out)" -eq 2
}
missing fedora '' 'dnf install'
missing opensuse-leap suse 'zypper install'
missing arch '' 'pacman -S'
finish
