# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# More kptrs than jobs in one NMI: the policy named by $ARGS decides, and each
# reference is accounted for.

policy=$ARGS
test_module kng_witness
test_module kng_nmi_fire
guard_begin teardown=always jobs=1 on_empty="$policy"
# A leaked reference's destructor is entered, but skipped: it gives nothing back.
case $policy in
leak) in_nmi=stub ;;
inline) in_nmi=some ;;
esac
# The program's own verdict wants no leaks: its lines are only quoted.
/tests/bpf/teardown --map array --last --source fire --rounds 32 --expect-nmi "$in_nmi" >/tmp/out 2>&1
sed 's/^/# program: /' /tmp/out
check 'the program ran to its end' grep -q '^# done' /tmp/out
check 'the pool was found empty' stat_positive empty
check 'created == destroyed + leaked' grep -Eq '^ok .* - created .* == destroyed' /tmp/out
case $policy in
leak)
	check 'references leaked, as told' stat_positive leaked
	check 'nothing inline' stat_is inlined 0
	check 'the log says so once' test "$(dmesg | grep -ci 'kptr_nmi_guard: .*\(leak\|no job\)')" -eq 1
	;;
inline)
	check 'destructors ran inline, as told' stat_positive inlined
	check 'nothing leaked' stat_is leaked 0
	;;
esac
guard_worked
guard_end leaks
finish
