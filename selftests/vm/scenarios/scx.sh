# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# A scheduler of sched_ext drops the last references to cgroups under the runqueue's
# lock, in ops.stopping or in ops.exit_task.
#   VARIANT [PARAM...]		PARAM: of the guard
#   VARIANT-unseen [PARAM...]	the same, where the guard does not see maps come
#   exposure			what the tool says of such a scheduler, which drops nothing

# shellcheck disable=SC2086 # words
set -- $ARGS
variant=$1
shift
if [ "$variant" = exposure ]; then
	guard_begin "$@"
	/tests/bpf/scx --variant idle >/tmp/scx 2>&1 &
	scx=$!
	eventually 30 grep -q '^# schedules' /tmp/scx || bail "no scheduler: $(cat /tmp/scx)"
	! guard_wanted || check 'the guard noticed the scheduler' eventually 10 stat_is defer irqsoff
	rc=0
	kptr-nmi-guard exposure >/tmp/exposure 2>&1 || rc=$?
	sed 's/^/#   | /' /tmp/exposure
	said() { grep -q -- "$1" /tmp/exposure; }
	if guard_wanted; then
		check 'exposure: guarded' said '^guarded:'
		check 'exposure: exit status 0' test "$rc" -eq 0
	else
		check 'exposure: exposed' said '^exposed:'
		check 'exposure: exit status 1' test "$rc" -eq 1
		check 'exposure: load the guard' said 'modprobe kptr_nmi_guard'
		check 'exposure: it needs no parameter' not said 'defer=irqsoff'
	fi
	check 'exposure: names the program' said 'stopping'
	check 'exposure: says why' said 'the scheduler holds the runqueue lock'
	check 'exposure: says what it calls' said 'calls bpf_cgroup_release()'
	check 'exposure: names the owner' said "scx ($scx)"
	kill $scx
	wait $scx 2>/dev/null
	guard_end
	finish
	return
fi
unseen=
case $variant in
*-unseen)
	unseen=yes
	variant=${variant%-unseen}
	;;
esac
# Since 7.2 the fields of deleted storage are freed after a grace period.
freed_later=
[ "$variant" = stopping ] || ! kernel_cancels || freed_later=yes

# What a destructor does in an interrupt, as in the guard's irq_work, is all right.
test_module kng_witness irqsoff=Y names=bpf_cgroup_release_dtor,bpf_cgroup_release,css_release
[ -z "$unseen" ] || check 'security_bpf_map is hidden' \
	/sbin/insmod /tests/modules/kng_hidden.ko function=security_bpf_map
guard_begin "$@"
if guard_wanted && [ "$(stat map_watch)" = none ]; then
	check 'who sees no scheduler come expects one' stat_is defer irqsoff
elif guard_wanted; then
	check 'no scheduler, no deferral of what is not in NMI' stat_is defer nmi
	[ -z "$unseen" ] || check 'maps are not seen' false
fi
expect=stub
guard_wanted || expect=any
rc=0
/tests/bpf/scx --variant "$variant" --rounds 32 --expect-nmi $expect || rc=$?
if [ "$rc" -eq 4 ]; then
	note 'rejected'
	guard_end leaks
	finish
	return
fi
check "scheduler, $variant" test "$rc" -eq 0
if guard_wanted; then
	check 'what is dropped with interrupts off is deferred' stat_is defer irqsoff
	check 'it was not in NMI' stat_is seen_nmi 0
	[ -n "$freed_later" ] || check 'references were taken with interrupts off' stat_positive taken
fi
guard_end
finish
