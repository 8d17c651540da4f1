# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# A module's destructor where the guard is interrupted at its work, where another
# one empties the slot first, and where no job is left: at each door its module
# stays as long as a reference needs it, and no longer.

foreign() { /tests/bpf/foreign --source fire "$@"; }
within() { /tests/bpf/within --source fire --expect-nmi 0 "$@"; }
learnt() { stat_is door_release_of_module_kng_foreign '1 destructor'; }
held_by() { [ "$(cat /sys/module/kng_foreign/refcnt)" -eq "$1" ]; }
stays() { ! /sbin/rmmod kng_foreign 2>/tmp/rmmod.err && grep -q 'in use' /tmp/rmmod.err; }
hold() { check "a livepatch of $1" /sbin/insmod /tests/modules/kng_ipmodify.ko "function=$1"; }
let_go() { check 'rmmod kng_ipmodify' /sbin/rmmod kng_ipmodify; }
# The program's own verdict wants no leaks: its lines are only quoted.
quoted() {
	"$@" >/tmp/out 2>&1
	sed 's/^/# program: /' /tmp/out
	check 'the program ran to its end' grep -q '^# done' /tmp/out
	check 'created == destroyed + leaked' grep -Eq '^ok .* - created .* == destroyed' /tmp/out
}
# The worker runs these destructors: the one job is back for the next NMI, or is not yet.
without_job() { test "$(stat taken)" -ge 1 && test $(($(stat "$1") + $(stat taken))) -eq "$2"; }
exhausted() { guard_begin jobs=1 max_jobs=1 headroom=0 "$@"; }

test_module kng_witness
test_module kng_nmi_fire
test_module kng_foreign

guard_begin teardown=always
check 'slots are overwritten while the guard is at work' within --variant nested --rounds 16
check 'each of them was an entry that is nested' stat_is nested $((16 * 7))
check 'slots are emptied while the guard is at work' within --variant raced --rounds 16
check 'each of them was raced for' stat_is raced $((16 * 7))
check 'their jobs went back, and none holds the module' eventually 10 held_by 0
guard_worked
guard_end nested raced

# No job left, and on_empty=inline: at the release door, and where a livepatch has
# that, at the teardown door. Destructors run in NMI; nothing holds the module.
for holder in nobody livepatch; do
	[ $holder = nobody ] || hold kng_foreign_release_dtor
	exhausted teardown=needed on_empty=inline
	check 'a map of its type' map_made foreign
	if [ $holder = nobody ]; then
		check 'its destructor is learnt' eventually 10 learnt
		check 'the teardown door is closed' not stat_is door_teardown open
	else
		check 'the teardown door opens' eventually 10 stat_is door_teardown open
	fi
	quoted foreign --rounds 4 --expect-nmi some
	check "inline, $holder has the destructor: run where they are called" without_job inlined $((4 * 8))
	check 'none leaked' stat_is leaked 0
	map_ends foreign
	guard_worked
	guard_end leaks
	[ $holder = nobody ] || let_go
	check 'nobody holds the module' eventually 10 held_by 0
done

# No job left, and values with two references: both stay in their slots.
hold kng_foreign_release_dtor
exhausted teardown=always
check 'values with two references: none is lost' foreign --variant both --rounds 4 --expect-nmi 0
check 'both were kept in their slots' without_job kept $((4 * 16))
check 'none leaked' stat_is leaked 0
guard_worked
guard_end
let_go

# A slot that is raced for when there is no job: nothing to leak
hold kng_foreign_release_dtor,bpf_obj_free_fields
exhausted teardown=always
check 'slots are emptied while the guard is about to leak' within --variant raced --rounds 1
check 'each of them was raced for' stat_is raced 7
check 'no job was left' stat_is empty 7
check 'none leaked' stat_is leaked 0
check 'nobody holds the module' eventually 10 held_by 0

# A leaked reference keeps its module. At the teardown door, which can skip nothing:
quoted foreign --rounds 1 --expect-nmi 0
check 'references leaked' stat_is leaked 7
check 'none was kept in its slot' stat_is kept 0
check 'each holds the module' eventually 10 held_by 7
check 'which stays' stays
guard_end leaks raced
let_go
check 'it stays without the guard' stays

# At the release door:
exhausted teardown=needed
check 'a map of its type' map_made foreign
check 'its destructor is learnt' eventually 10 learnt
quoted foreign --rounds 1 --expect-nmi stub
check 'references leaked' stat_is leaked 7
check 'by the release door' not stat_is door_teardown open
map_ends foreign
check 'each holds the module' eventually 10 held_by 14
check 'which stays' stays
guard_end leaks
check 'it stays without the guard' stays
finish
