# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# One path where somebody else has the function that the guard would need there:
#   FUNCTION SITE PROGRAM OPTION...

# shellcheck disable=SC2086 # words
set -- $ARGS
function=$1 at=$2 program=$3
shift 3

test_module kng_witness
test_module kng_nmi_at "at=$at"
test_module kng_ipmodify "function=$function"
guard_begin
check "$program $*, NMIs in $at" "/tests/bpf/$program" "$@" --rounds 32 --source at --expect-nmi any
guard_end
finish
