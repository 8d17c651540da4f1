# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# References of objects that live on, taken and given back in NMI, cost no job: 1,000 pairs
# in each NMI. $ARGS: so many NMIs for the tasks, a tenth of them for cgroups. (With
# 1,000, taken would be 1,100,000 here, if each pair took a job.)

rounds=${ARGS:-1000}
before=0
pairs() { /tests/bpf/pairs "$@" --expect-nmi stub; }
# not_last MORE: so many more references were given back in NMI, as not the last
not_last() {
	check 'they were given back in NMI, as not the last' \
		test $(($(stat not_last) - before)) -ge "$1"
	before=$(stat not_last)
}

task() {
	check "$((rounds * 1000)) pairs of a task over $rounds NMIs" pairs --kptr task --rounds "$rounds"
	not_last $((rounds * 1000))
}

cgroup() {
	check "$((rounds * 100)) pairs of a cgroup over $((rounds / 10)) NMIs" \
		pairs --kptr cgroup --rounds $((rounds / 10))
	not_last $((rounds * 100))
}

root() {
	check '10,000 pairs of the root cgroup, which is not counted' \
		pairs --kptr cgroup --variant root --rounds 10
	not_last 10000
}

test_module kng_witness
test_module kng_nmi_fire
guard_begin teardown=always
parts task cgroup root
check 'NMIs passed through the guard' stat_positive seen_nmi
check 'nothing taken' stat_is taken 0
check 'no job was ever in use' stat_is peak_pending 0
guard_end
finish
