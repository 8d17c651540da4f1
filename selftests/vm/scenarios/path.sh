# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# One path by which NMI gives kptrs back, at one place:
#   [PARAMETER=VALUE] SITE PROGRAM OPTION...
# The program fails if it could not do its work. Where the verifier refuses it,
# it says so with status 4, and the boot proves nothing.

# shellcheck disable=SC2086 # words
set -- $ARGS
param=
case $1 in
*=*)
	param=$1
	shift
	;;
esac
at=$1 program=$2
shift 2

test_module kng_witness
test_module kng_nmi_at "at=$at"
# shellcheck disable=SC2086 # none or one
guard_begin $param
expect=stub
guard_wanted || expect=any
rc=0
"/tests/bpf/$program" "$@" --rounds 32 --source at --expect-nmi "$expect" || rc=$?
# The verifier lets it pass, and so do these kernels.
if [ "$program" = storage ] && [ "$param" != refuse_delete=N ] && guard_wanted; then
	check 'it was the guard that refused it' stat_positive refused_nmi
fi
if [ "$rc" -eq 4 ]; then
	note 'rejected'
	guard_end leaks
	finish
	exit
fi
check "$program $*, NMIs in $at" test "$rc" -eq 0
guard_end
finish
