# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# perf, bpftrace and bpftool at the guard's tracepoints: /commands has what the docs say, in
# their order, and Debian's programs run it, while references are dropped in NMIs and
# maps come and go.

# shellcheck source=../guest/root.sh
. /tests/root.sh
root_with_kernel
test_module kng_witness
test_module kng_nmi_fire
guard_begin teardown=always
# One map that stays, beside those that come and go
check 'a map' map_made array
# shellcheck disable=SC2046 # words
work() {
	while [ ! -e /tmp/enough ]; do
		$(last_program) --rounds 64 >/tmp/work 2>&1 || echo "status $?" >>/tmp/work.failed
	done
}
work &
worker=$!
eventually 60 stat_positive run || bail "no destructor runs: $(cat /tmp/work)"

said() { grep -Eq -- "$1" /tmp/out; }

n=0
while read -r command; do
	n=$((n + 1))
	types "$command"
	# It goes on until timeout ends it.
	[ "${command#timeout}" = "$command" ] || [ $rc -ne 124 ] || rc=0
	check "$command" test $rc -eq 0
	dtor='bpf_(task|cgroup)_release_dtor'
	case $command in
	'perf stat'*)
		for event in run map_seen map_gone; do
			check "perf stat counts $event" said "^ +[1-9][0-9,]* +kptr_nmi_guard:$event"
		done
		;;
	'perf script'*) check 'perf script shows runs' said "kptr_nmi_guard:run: dtor=$dtor context=" ;;
	'bpftrace'*map_seen*) check 'bpftrace shows maps' said '^map [0-9]+, [1-9][0-9]* jobs, by (release|teardown)' ;;
	'bpftrace'*)
		check 'bpftrace counts destructors' said "^@destructors\[$dtor\]: [1-9]"
		check 'bpftrace shows delays' said '^\[.*[1-9][0-9]* \|@'
		;;
	'bpftool map'*) check 'bpftool shows maps' said '^[0-9]+: array  *name ' ;;
	*tracelog*) check 'bpftool shows runs' said "run: dtor=$dtor context=(irq_work|worker) .* delay_ns=" ;;
	esac
done </commands
check 'there were commands' test $n -gt 5
: >/tmp/enough
wait $worker
map_ends array
check 'the work went well all the time' not test -e /tmp/work.failed
guard_end
finish
