# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Maps come and go by the thousand while NMIs tear others down: the account comes
# out at 0, and the jobs go back, without any NMI.

MAPS=$DBG/kptr_nmi_guard/maps
cpus=$(($(sed 's/.*-//' /sys/devices/system/cpu/possible) + 1))
nothing_left() {
	check 'no map is watched' eventually 20 stat_is maps_watched 0
	check 'nothing is reserved' stat_is reserved 0
	check 'no map was missed' stat_is maps_unwatched 0
	check 'none is listed' test -z "$(cat "$MAPS")"
	check 'the jobs went back' eventually 20 stat_is jobs_total 4096
	check 'jobs_total == jobs + grown - trimmed' eventually 20 jobs_add_up 4096
}

# churn_begin OPTION...: until it says that it stays; churn_end lets it go on
churn_begin() {
	rm -f /tmp/stay
	mkfifo /tmp/stay
	/tests/bpf/churn "$@" </tmp/stay >/tmp/churn 2>&1 &
	churn=$!
	exec 4>/tmp/stay
	eventually 60 grep -q '^# stay' /tmp/churn
}
churn_end() {
	echo >&4
	wait "$churn"
	rc=$?
	exec 4>&-
	sed 's/^/    /' /tmp/churn
	return $rc
}

migratable() { [ "$(awk '$1 == "migratable" { print $2 }' "$DBG/kng_foreign/counts")" = "$1" ]; }

# Readers of the file `maps', whole, in small pieces, and from the middle
readers() {
	while :; do
		cat "$MAPS"
		dd if="$MAPS" bs=19
		tail -c +3000 "$MAPS"
	done >/dev/null 2>&1
}

# Maps that are older than the guard
older() {
	check 'a map' map_made hash
	check 'another' map_made object
	check 'one without kptrs' map_made none
	guard_begin
	check 'both were adopted' stat_is adopted 2
	check 'and charged' stat_is reserved $((100 + 2 + 1024))
	rm /sys/fs/bpf/kng-*
	nothing_left
	guard_end
}

# 10,000 maps, NMIs, readers
many() {
	guard_begin teardown=always
	readers &
	reading=$!
	/tests/bpf/churn --variant die --rounds 5000 >/tmp/churn 2>&1 &
	churn=$!
	storms=0 lost=0
	while alive $churn; do
		/tests/bpf/teardown --map array --source storm --period-us 500 --rounds 100 \
			--expect-nmi 0 >/tmp/storm 2>&1 || lost=$((lost + 1))
		storms=$((storms + 1))
	done
	sed 's/^/    /' /tmp/storm
	check "$storms storms" test $storms -gt 0
	check 'none lost anything' test $lost -eq 0
	check '10,000 maps meanwhile' ended $churn /tmp/churn
	kill $reading
	kernel_cancels || guard_worked
	nothing_left
	guard_end
}

# A thousand that stay: each is listed, however the file is read.
listed() {
	guard_begin
	before=$(stat seen_nmi)
	check '1,000 maps of 100 entries' churn_begin --variant stay --rounds 1000 --dtors 100
	check 'each is charged' stat_is reserved $((1000 * 102))
	check 'there are as many jobs' test "$(stat jobs_total)" -ge $((1000 * 102 + $(stat headroom)))
	check 'nothing is short' stat_is shortfall 0
	cat "$MAPS" >/tmp/maps
	check 'all are listed, once each' test "$(sort -u /tmp/maps | wc -l)" -eq 1000
	dd if="$MAPS" of=/tmp/pieces bs=19 2>/dev/null
	check 'the same in pieces of 19 bytes' cmp /tmp/maps /tmp/pieces
	tail -c +5000 /tmp/maps >/tmp/tail
	dd if="$MAPS" of=/tmp/pieces bs=1 skip=4999 count=2000 2>/dev/null
	check 'the same from the middle' cmp -n 2000 /tmp/pieces /tmp/tail
	check 'they end' churn_end
	nothing_left
	check 'without any NMI' stat_is seen_nmi "$before"
	check 'jobs were trimmed' stat_positive trimmed
	guard_end
}

# Large ones that come and go: their jobs stay for the next.
again() {
	guard_begin
	before=$(stat grown)
	check '300 maps of 4000 entries' churn_begin --variant again --rounds 300 --dtors 4000
	check 'they ended' churn_end
	check 'jobs were not made anew for each' test $(($(stat grown) - before)) -le $((100 * 4096))
	nothing_left
	guard_end
}

# Memory whose jobs are in use stays until they are done, and no longer.
held() {
	kernel_cancels && return
	test_module kng_foreign hold=Y
	guard_begin jobs=1 headroom=0 budget=1
	check 'a map of 8000 entries' churn_begin --variant stay --rounds 1 --dtors 8000
	check 'has its jobs' eventually 10 stat_is jobs_total $((1 + 2 * 4096))
	check 'jobs are left pending' /tests/bpf/pending --variant leave
	check 'they are' stat_is pending 256
	check 'the headroom is as much, and a quarter more' eventually 10 stat_is headroom 320
	check 'the map ends' churn_end
	check 'nothing is reserved' eventually 10 stat_is reserved 0
	check 'the chunk that has none of them goes' eventually 20 stat_is trimmed 4096
	# One of the pending jobs may be the one that stays for good.
	check 'of the other, what is idle' sh -c "t=$(stat jobs_total); test \$t -eq $((4096 + 256)) ||
		test \$t -eq $((1 + 4096 + 256))"
	check 'a map that wants more' churn_begin --variant stay --rounds 1 --dtors 8000
	check 'has its jobs' eventually 10 grep -q ' churn .* met_us' "$MAPS"
	check 'which are enough' test "$(stat jobs_idle)" -ge $((8000 + cpus))
	check 'it ends' churn_end
	echo N >/sys/module/kng_foreign/parameters/hold
	check 'the jobs come to their end' eventually 10 quiet
	check 'the worker ran some' stat_positive run_worker
	check 'none where it could migrate' migratable 0
	check 'all chunks go' eventually 20 stat_is jobs_total 1
	check 'jobs_total == jobs + grown - trimmed' eventually 20 jobs_add_up 1
	check 'rmmod kng_foreign' eventually 10 rmmod_foreign
	guard_worked
	guard_end
}

test_module kng_witness
test_module kng_nmi_fire
parts older many listed again held
finish
