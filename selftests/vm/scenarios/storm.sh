# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# NMIs on all CPUs, at any place, while maps that hold last references are torn
# down: with both doors, and with the release door alone. Then again while the guard comes
# and goes: nothing may be lost. (Without --last there, so that a destructor that runs in NMI
# cannot hang.)

storm() { /tests/bpf/teardown --source storm --period-us 300 --timeout 60 --rounds 128 "$@"; }

test_module kng_witness
test_module kng_nmi_fire
maps=$(usable_maps array hash)
guard_begin teardown=always
for map in $maps; do
	check "storm, $map" storm --map "$map" --last --expect-nmi 0
done
check 'the release door got none of it' stat_is taken_release 0
guard_worked
guard_end

guard_begin
for map in $maps; do
	check "the release door alone: storm, $map" storm --map "$map" --last --expect-nmi stub
done
if [ "$(stat map_watch)" = none ]; then
	check 'it can not know whether a map needs the teardown door' stat_is door_teardown open
else
	check 'it was alone' stat_is door_teardown 'closed (no map needs it)'
	check 'it took all' test "$(stat taken_release)" -eq "$(stat taken)"
fi
guard_worked
guard_end

# A load counts if NMIs went through the guard before it was unloaded again.
for map in $maps; do
	: >/tmp/storm.out
	storm --map "$map" --rounds 5000 --expect-nmi any >/tmp/storm.out 2>&1 &
	pid=$!
	eventually 30 grep -q '^# armed' /tmp/storm.out
	cycles=0
	while alive $pid && guard_load; do
		eventually 2 stat_positive seen_nmi && cycles=$((cycles + 1))
		guard_unload || break
	done
	check "storm, $map, guard loaded and unloaded $cycles times under it" \
		ended $pid /tmp/storm.out
	check 'at least three times' test $cycles -ge 3
	check 'guard unloaded' not loaded kptr_nmi_guard
	check 'hooks gone' unhooked
done
finish
