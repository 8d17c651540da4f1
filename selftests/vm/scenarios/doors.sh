# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# teardown=auto|always|needed: when the teardown door opens. A map is pinned as
# /sys/fs/bpf/kng-KIND by `mapof' and ends when that file goes.

open() { stat_is door_teardown open; }
opens() { eventually 10 open; }
stays_closed() { ! eventually 2 open; }
teardown() { /tests/bpf/teardown --map array --rounds 16 "$@"; }
learnt() { stat_is door_release_of_module_kng_foreign '1 destructor'; }
hold() { /sbin/insmod /tests/modules/kng_ipmodify.ko "function=$1"; }

# With the first map of kptrs, for good
auto() {
	check 'a map without kptrs exists' map_made none
	guard_begin
	check 'auto: closed at load' not open
	check 'it says so' stat_is door_teardown 'closed (no map needs it)'
	map_ends none
	check 'another map without kptrs' map_made none
	check 'auto: still closed' stays_closed
	check 'a map with kptrs' map_made task
	check 'auto: it opens' opens
	map_ends task
	map_ends none
	check 'the map is gone, the door stays open' not stays_closed
	check 'teardown in NMI' teardown --last --expect-nmi 0
	guard_worked
	guard_end

	check 'a map with kptrs exists' map_made task
	guard_begin
	check 'auto: an older map opens it at load' open
	map_ends task
	guard_end
}

# Where the kernel itself does what the door is for
auto_closed() {
	check 'a map with kptrs exists' map_made task
	guard_begin
	check 'auto: closed' not open
	check 'it says why' stat_is door_teardown \
		'closed (this kernel does not free kptrs of maps in NMI)'
	map_ends task
	check 'another map with kptrs' map_made task
	check 'auto: still closed' stays_closed
	map_ends task
	guard_end
}

always() {
	guard_begin teardown=always
	check 'always: open at load' open
	check 'teardown in NMI' teardown --last --expect-nmi 0
	if ! kernel_cancels; then
		check 'all by the teardown door' stat_is taken_release 0
		check 'all taken' stat_is taken $((16 * 8))
	fi
	guard_end
}

# Not for what the release door guards. That is also the moment between the first
# map and the open door under auto: the release door has it.
needed() {
	check 'a map with kptrs exists' map_made task
	guard_begin teardown=needed
	check 'needed: closed in spite of an older map' not open
	check 'teardown in NMI, by the release door' teardown --last --expect-nmi stub
	kernel_cancels || check 'all by the release door' stat_is taken_release $((16 * 8))
	check 'needed: still closed' stays_closed
	map_ends task
}

# Objects may own references of any type, and are in no map: for maps of those it opens.
needed_of_objects() {
	guard_begin teardown=needed
	check 'needed: closed without a map' not open
	check 'a map of objects' map_made object
	if kernel_cancels; then
		check 'needed: still closed' stays_closed
	else
		check 'needed: it opens' opens
		check 'objects are dropped in NMI' /tests/bpf/drop --last --rounds 16 --source fire \
			--expect-nmi 0
		check 'all taken' stat_is taken $((16 * 8))
		check 'by the teardown door' stat_is taken_release 0
	fi
	map_ends object
	guard_end
}

# A module's destructor is brought to the release door, and only if that can't
# have it the teardown door opens.
needed_of_module() {
	test_module kng_foreign
	check "a map of a module's type" map_made foreign
	check 'needed: learnt' eventually 10 learnt
	check 'needed: still closed' stays_closed
	map_ends foreign
	check 'rmmod kng_foreign' eventually 10 rmmod_foreign

	test_module kng_foreign
	check 'its destructor is held' hold kng_foreign_release_dtor
	check "a map of a module's type" map_made foreign
	check 'needed: it opens' opens
	check 'needed: not learnt' not learnt
	check 'the log says why' \
		told 'kng_foreign_release_dtor.* can.t be hooked .-16.: only the teardown door guards it'
	check 'teardown in NMI' /tests/bpf/foreign --rounds 16 --source fire --expect-nmi 0
	map_ends foreign
	if ! kernel_cancels; then
		check 'all by the teardown door' \
			test $(($(stat taken) - $(stat taken_release))) -eq $((16 * 8))
		guard_worked
	fi
	check 'rmmod kng_ipmodify' /sbin/rmmod kng_ipmodify
	guard_end
	check 'rmmod kng_foreign' eventually 10 rmmod_foreign
}

test_module kng_witness
test_module kng_nmi_fire
if kernel_cancels; then auto_closed; else auto; fi
always
needed
needed_of_module
needed_of_objects
finish
