#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Data races, as KCSAN sees them. It sees the kernel's own as well: those are
# listed, and do not count.

. "$(dirname "$0")/../vm/tap.sh"

ko=$(find "$("$TOP/scripts/dkms-build" kcsan)/modules" -name kptr_nmi_guard.ko)
N=$((N + 1))
if nm "$ko" | grep -q __tsan_; then
	echo "ok $N - the guard is built with KCSAN"
else
	echo "not ok $N - the guard is built with KCSAN"
fi

boot races 'storms: no race in the guard' --kernel kcsan --scenario races --timeout 240 \
	--cmdline 'kcsan.early_enable=0 log_buf_len=16M panic_on_warn=0' --allow 'BUG: KCSAN'
plan
