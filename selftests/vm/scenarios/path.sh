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
expect=stub
guard_wanted || expect=any

# through PARAM...: with these parameters of the guard. Fails if the program is refused.
through() {
	guard_begin "$@"
	rc=0
	# shellcheck disable=SC2086 # words
	"/tests/bpf/$program" $options --rounds 32 --source at --expect-nmi "$expect" || rc=$?
	# The verifier lets it pass, and so do these kernels.
	if [ "$program" = storage ] && [ "$*" != refuse_delete=N ] && guard_wanted; then
		check 'it was the guard that refused it' stat_positive refused_nmi
	fi
	if [ "$rc" -eq 4 ]; then
		note 'rejected'
		guard_end leaks
		return 1
	fi
	check "$program $options, NMIs in $at" test "$rc" -eq 0
	# Else the release door would do what this one does not.
	[ "$*" != teardown=always ] || check 'the release door got none of it' stat_is taken_release 0
	guard_end
}

options=$*
# shellcheck disable=SC2086 # none or one
if through $param && [ -z "$param" ] && guard_wanted && ! kernel_cancels; then
	# That was the release door; the same by the other one.
	case $program in teardown | crypto | drop) through teardown=always ;; esac
fi
finish
