# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ftrace lets one user at a time divert a function. Where another one (a
# livepatch; here kng_ipmodify) has some of the release door's, the guard says
# which and what that costs, and does without. It shares none of its own.

hold() { /sbin/insmod /tests/modules/kng_ipmodify.ko "function=$1" 2>/tmp/insmod.err; }
let_go() { /sbin/rmmod kng_ipmodify; }
busy() { ! hold "$1" && grep -q 'Device or resource busy' /tmp/insmod.err; }
# What the guard logged since `dmesg -c`
door() { stat_is "door_release_$1" "$2"; }
worked_in_nmi() { awk '$1 == "put_task_struct_rcu_user" && $3 > 0' "$DBG/kng_witness/counts" | grep -q .; }
teardown() { /tests/bpf/teardown --map array --last --rounds 16 "$@"; }
release() { /tests/bpf/release --rounds 16 "$@"; }

test_module kng_witness
test_module kng_nmi_fire
hooks_without=$(hooks)

# The destructor. --expect-nmi 0: it is not even entered there.
dmesg -c >/dev/null
check 'bpf_task_release_dtor is held' hold bpf_task_release_dtor
guard_begin teardown=always
check 'the log names it, and says what that costs' \
	told 'bpf_task_release_dtor can.t be hooked .-16, .*: references stored during a teardown in NMI may be dropped there'
check 'one line does' test "$(dmesg | grep -c 'kptr_nmi_guard: .* can.t be hooked')" -eq 1
check 'tasks: only the release kfunc is left' door task_struct release
check 'cgroups: both' door cgroup 'destructor and release'
check 'map teardown, by the teardown door' teardown --expect-nmi 0
check 'release kfunc' release --last --expect-nmi stub
check 'and for cgroups' release --kptr cgroup --last --expect-nmi stub
guard_worked
guard_end
let_go

# The same, not told to open the teardown door: the first map opens it.
dmesg -c >/dev/null
check 'bpf_task_release_dtor is held' hold bpf_task_release_dtor
guard_begin teardown=needed
check 'the teardown door is closed' not stat_is door_teardown open
check 'the first map is made' /tests/bpf/mapof --variant task
check 'it needs the teardown door' eventually 10 stat_is door_teardown open
check 'it was told at load, and is not tried again' not told 'bpf_task_release_dtor can.t be hooked .-16.: only'
check 'map teardown, by the teardown door' teardown --expect-nmi 0
rm /sys/fs/bpf/kng-task
guard_end
let_go

# The release kfunc
dmesg -c >/dev/null
check 'bpf_task_release is held' hold bpf_task_release
guard_begin teardown=always
check 'the log names it, and says what that costs' \
	told 'bpf_task_release can.t be hooked .-16, .*: programs that call it in NMI can hang the machine'
check 'tasks: only the destructor is left' door task_struct destructor
check 'map teardown' teardown --expect-nmi 0
# Not the last references: the call in NMI does no harm here.
check 'release kfunc' release --expect-nmi some
check 'as said, its work is done in NMI' worked_in_nmi
guard_end
let_go

# Both
dmesg -c >/dev/null
check 'both are held' hold bpf_task_release,bpf_task_release_dtor
guard_begin teardown=always
check 'both are named' test "$(dmesg | grep -c 'kptr_nmi_guard: bpf_task_release.* can.t be hooked')" -eq 2
check 'tasks: none' door task_struct none
check 'map teardown, by the teardown door' teardown --expect-nmi 0
guard_end
let_go

# The teardown door's function: it opens, but can skip nothing. What it finds no
# job for can't stay in its slot: dropped, as where the slot does not live on. (The
# release door holds the destructor: it has the last word.)
dmesg -c >/dev/null
check 'bpf_obj_free_fields is held' hold bpf_obj_free_fields
guard_begin teardown=always
check 'the door opens all the same' stat_is door_teardown open
check 'nothing is said: nothing is missing' test "$(dmesg | grep -c 'kptr_nmi_guard: .* can.t be hooked')" -eq 0
check 'map teardown' teardown --expect-nmi 0
kernel_cancels || check 'taken by the teardown door' stat_is taken_release 0
check 'release kfunc' release --last --expect-nmi stub
guard_worked
guard_end
if ! kernel_cancels; then
	for holder in livepatch nobody; do
		[ $holder = livepatch ] || let_go
		guard_begin teardown=always jobs=1 headroom=0 max_jobs=1
		/tests/bpf/teardown --map array --last --rounds 16 --expect-nmi any >/tmp/out 2>&1
		sed 's/^/# program: /' /tmp/out
		check 'the program ran to its end' grep -q '^# done' /tmp/out
		check 'no job was left, often' stat_positive empty
		if [ $holder = livepatch ]; then
			check 'bpf_obj_free_fields is held: references were dropped' stat_positive leaked
			check 'and none kept' stat_is kept 0
		else
			check 'it is free: references stayed where they were' stat_positive kept
			check 'and none was dropped' stat_is leaked 0
		fi
		guard_end leaks
	done
else
	let_go
fi

# reserve=exact replaces bpf_kptr_xchg(): all or nothing.
check 'bpf_kptr_xchg is held' hold bpf_kptr_xchg
refused 'bpf_kptr_xchg is held' 'Device or resource busy' \
	"bpf_kptr_xchg can't be replaced .-16.: load with reserve=capacity, or unload what holds it" \
	reserve=exact
check 'reserve=capacity does without' guard_load
check 'rmmod' guard_unload
let_go
guard_begin reserve=exact
for function in bpf_kptr_xchg bpf_jit_supports_ptr_xchg bpf_obj_free_fields; do
	check "after reserve=exact, $function is busy" busy $function
done
guard_end

# The other way round: what the guard has, nobody else gets.
guard_begin teardown=always
for function in bpf_obj_free_fields bpf_task_release bpf_task_release_dtor bpf_cgroup_release \
	bpf_cpumask_release_dtor; do
	check "after the guard, $function is busy" busy $function
done
check 'but what it only looks at is free' hold btf_record_free,security_bpf_map
let_go
guard_end
check 'without the guard it is free' hold bpf_task_release
let_go
check 'hooks as in the beginning' test "$(hooks)" = "$hooks_without"
finish
