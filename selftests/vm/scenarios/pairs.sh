# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# References of objects that live on, taken and given back in NMI, cost no job.
# (taken would be 1,100,000 here, if each did.)

test_module kng_witness
test_module kng_nmi_fire
guard_begin teardown=always
check '1,000,000 pairs of a task over 1,000 NMIs' \
	/tests/bpf/pairs --kptr task --rounds 1000 --expect-nmi stub
check 'they were given back in NMI, as not the last' test "$(stat not_last)" -ge 1000000
check '100,000 pairs of a cgroup over 100 NMIs' \
	/tests/bpf/pairs --kptr cgroup --rounds 100 --expect-nmi stub
check 'they were given back in NMI, as not the last' test "$(stat not_last)" -ge 1100000
check '10,000 pairs of the root cgroup, which is not counted' \
	/tests/bpf/pairs --kptr cgroup --variant root --rounds 10 --expect-nmi stub
check 'they were dropped in NMI' test "$(stat not_last)" -ge 1110000
check 'NMIs passed through the guard' stat_positive seen_nmi
check 'nothing taken' stat_is taken 0
check 'no job was ever in use' stat_is peak_pending 0
guard_end
finish
