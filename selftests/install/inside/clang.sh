#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# clang.sh KERNEL: a kernel that clang built, and a dkms that adds no LLVM=1. The
# kernel's headers are gcc's, changed to say so; what compiles and links is clang.

. "$(dirname "$0")/lib.sh"

kver=$1
build=/lib/modules/$kver/build
log() { find "/var/lib/dkms/$MODULE" -name make.log -exec cat {} +; }

runs "$kver"
kernel "$kver"
rmdir /lib/modules/*/updates /usr/src/$MODULE-* 2>/dev/null
check "this root's dkms adds no LLVM=1" not grep -q 'LLVM=1' /usr/sbin/dkms

# As a distribution that builds with clang has them; without what clang 14 cannot do.
for file in "$build"/{.config,include/config/auto.conf}; do
	sed -i 's/^CONFIG_CC_IS_GCC=y/CONFIG_CC_IS_CLANG=y/; s/^CONFIG_GCC_VERSION=.*/CONFIG_GCC_VERSION=0/
		s/^CONFIG_CLANG_VERSION=.*/CONFIG_CLANG_VERSION=140006/
		s/^CONFIG_CC_VERSION_TEXT=.*/CONFIG_CC_VERSION_TEXT="Debian clang version 14.0.6"/
		s/^CONFIG_LD_IS_BFD=y/CONFIG_LD_IS_LLD=y/
		s/^\(CONFIG_CC_IMPLICIT_FALLTHROUGH\)=.*/\1="-Wimplicit-fallthrough"/
		s/^CONFIG_FTRACE_MCOUNT_USE_CC=/CONFIG_FTRACE_MCOUNT_USE_OBJTOOL=/
		/^CONFIG_MITIGATION_\(RETHUNK\|SLS\)=/d; /^CONFIG_INIT_STACK_ALL_ZERO=/d' "$file"
done
sed -i 's/CONFIG_CC_IS_GCC 1/CONFIG_CC_IS_CLANG 1/; s/CONFIG_LD_IS_BFD 1/CONFIG_LD_IS_LLD 1/
	s/CONFIG_CLANG_VERSION .*/CONFIG_CLANG_VERSION 140006/; s/CONFIG_GCC_VERSION .*/CONFIG_GCC_VERSION 0/
	s/CONFIG_FTRACE_MCOUNT_USE_CC 1/CONFIG_FTRACE_MCOUNT_USE_OBJTOOL 1/
	/CONFIG_MITIGATION_\(RETHUNK\|SLS\) /d; /CONFIG_INIT_STACK_ALL_ZERO /d' "$build/include/generated/autoconf.h"
rm -f "$build/.kernelvariables"
mkdir -p /boot
cp "$build/.config" "/boot/config-$kver"

# gcc and what goes with it are gone: nothing but LLVM can have done it.
rm -f /usr/bin/{,x86_64-linux-gnu-}{gcc,cpp,ld,ld.bfd,ar,nm,objcopy,objdump,strip,as}{,-[0-9]*} /usr/bin/cc
try $PROJECT/scripts/doctor
check 'doctor is content with clang' said '^ok .*clang, as'
tiny 9.0.1
try /tmp/project-9.0.1/scripts/install	# not by make -s: that one's silence is inherited
check 'make install' test "$rc" -eq 0
check 'the module is there' guards "$kver" 9.0.1
check 'clang made it' grep -aq 'clang version' <(xzcat -f "$(modinfo -k "$kver" -F filename $MODULE)")
find "/var/lib/dkms/$MODULE" -name make.log -exec cat {} + >/tmp/out
check 'the kernel was told LLVM=1' said 'make.* LLVM=1 '

# What clang says of a version that does not build
tiny 9.0.2 '#error planted: this version does not build'
try make -s -C /tmp/project-9.0.2 install
check 'a version that does not build: the first error is shown' said '\| .*/tiny.c:.*error: planted'
check 'the old one stays' guards "$kver" 9.0.1

# Without clang nothing builds, not even the module that refuses. dkms 3.0.10 calls
# that a failure; doctor says what is missing.
rm -f /usr/bin/clang
dkms remove "$MODULE/9.0.1" -k "$kver" >/dev/null 2>&1
try $PROJECT/scripts/doctor
check 'without clang doctor says so' said '^NO .*built by clang.*missing: clang; apt-get install clang lld llvm'
runs "$kver"
try $PROJECT/scripts/load
check 'and so does the unit' said "NOT GUARDED: .*apt-get install clang lld llvm.*dkms autoinstall -k $(re "$kver")"
finish
