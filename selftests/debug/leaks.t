#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Memory: kmemleak finds none of it lost, not even where allocations failed.

. "$(dirname "$0")/../vm/tap.sh"

boot leaks 'loads, work, unloads: no leak' --kernel debug \
	--scenario leaks --cmdline kmemleak=on --timeout 240
boot faults 'allocations fail: a load works or says why, and no leak' --kernel debug \
	--scenario faults --args load --cmdline 'kmemleak=on log_buf_len=16M' --timeout 900
boot faults-kprobe 'the same with hook=kprobe' --kernel debug \
	--scenario faults --args load,hook=kprobe --cmdline 'kmemleak=on log_buf_len=16M' --timeout 900
boot faults-work 'allocations fail at work: nothing is lost' --kernel debug \
	--scenario faults --args work --cmdline kmemleak=on --timeout 240
plan
