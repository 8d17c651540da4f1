# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Debug kernels: commits the bug $ARGS. What the kernel says of it is for the
# console, and for the test to look at.

[ ! -e "$DBG/kcsan" ] || echo on >"$DBG/kcsan"
if [ "$ARGS" = leak ]; then leaks_begin; fi
test_module kng_planted "bug=$ARGS"
if [ "$ARGS" = leak ]; then check 'kmemleak scans' leaks_scan; fi
check 'rmmod' /sbin/rmmod kng_planted
finish
