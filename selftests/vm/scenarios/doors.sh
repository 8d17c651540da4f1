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

# A destructor that the release door has needs no other: +0 for updates of all maps.
auto() {
	check 'a map without kptrs exists' map_made none
	guard_begin
	check 'auto: closed at load' not open
	check 'it says so' stat_is door_teardown 'closed (no map needs it)'
	check 'another map without kptrs' map_made none
	check 'auto: still closed' stays_closed
	check 'a map with kptrs' map_made task
	check 'auto: still closed, the release door has them' stays_closed
	check 'teardown in NMI' teardown --last --expect-nmi stub
	check 'all by the release door' stat_is taken_release $((16 * 8))
	check 'all taken' stat_is taken $((16 * 8))
	map_ends task
	map_ends none
	guard_worked
	guard_end

	check 'a map with kptrs exists' map_made task
	guard_begin
	check 'auto: an older map does not open it' stays_closed
	map_ends task
	guard_end
}

# Only in its slot has a reference a place to stay when there is no job for it. The
# map that is short of jobs is there first: then the door is open in time.
short_of_jobs() {
	check 'a map with more room than jobs exists' map_made array
	guard_begin "$1" jobs=1 headroom=0 max_jobs=1
	check "$1: jobs are short" eventually 10 stat_positive shortfall
}
auto_short() {
	short_of_jobs teardown=auto
	check 'auto: it opens' opens
	map_ends array
	check 'the map is gone, the door stays open' not stays_closed
	check 'teardown in NMI: none is lost' teardown --last --expect-nmi 0
	check 'references were kept in their slots' stat_is kept $((16 * 7))
	check 'nothing leaked' stat_is leaked 0
	guard_end

	# A later map
	guard_begin jobs=1 headroom=0 max_jobs=1
	check 'auto: closed without a map' not open
	check 'a map with more room than jobs' map_made array
	check 'auto: it opens' opens
	map_ends array
	guard_end
}

# Not asked to, and what the kernel does not free in NMI can't stay there
stays_closed_when_short() {
	short_of_jobs "$1"
	check "$1: still closed" stays_closed
	map_ends array
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

# Objects may own references of any type, and are in no map: for maps of those it opens.
of_objects() {
	guard_begin "$1"
	check "$1: closed without a map" not open
	check 'a map of objects' map_made object
	if kernel_cancels; then
		check "$1: still closed" stays_closed
	else
		check "$1: it opens" opens
		check 'objects are dropped in NMI' /tests/bpf/drop --last --rounds 16 --source fire \
			--expect-nmi 0
		check 'all taken' stat_is taken $((16 * 8))
		check 'by the teardown door' stat_is taken_release 0
	fi
	map_ends object
	guard_end

	for kind in list tree; do
		kernel_cancels && continue
		guard_begin "$1"
		check "a $kind of objects" map_made $kind
		check "$1: it opens" opens
		map_ends $kind
		guard_end
	done
}

# A module's destructor is brought to the release door, and only if that can't
# have it the teardown door opens.
of_module() {
	guard_begin "$1"
	test_module kng_foreign
	check "a map of a module's type" map_made foreign
	check "$1: learnt" eventually 10 learnt
	check "$1: still closed" stays_closed
	map_ends foreign
	check 'rmmod kng_foreign' eventually 10 rmmod_foreign

	test_module kng_foreign
	check 'its destructor is held' hold kng_foreign_release_dtor
	check "a map of a module's type" map_made foreign
	check "$1: it opens" opens
	check "$1: not learnt" not learnt
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

# A destructor of the kernel's own that a livepatch had first
of_held() {
	check 'bpf_task_release_dtor is held' hold bpf_task_release_dtor
	guard_begin "$1"
	check "$1: closed without a map" not open
	check 'a map of tasks' map_made task
	check "$1: it opens" opens
	check 'teardown in NMI' teardown --last --expect-nmi 0
	map_ends task
	guard_end
	check 'rmmod kng_ipmodify' /sbin/rmmod kng_ipmodify
}

closed_when_short() { stays_closed_when_short teardown=needed; }
held() { for mode in auto needed; do of_held teardown=$mode; done; }
module() { for mode in auto needed; do of_module teardown=$mode; done; }
objects() { for mode in auto needed; do of_objects teardown=$mode; done; }
cancelled() {
	auto_closed
	stays_closed_when_short teardown=auto
}

test_module kng_witness
test_module kng_nmi_fire
if kernel_cancels; then
	parts cancelled
else
	parts auto auto_short
fi
parts closed_when_short always held module objects
finish
