# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What the guard cannot do it refuses to start: one line in the log that says
# what is wrong and what to do, an errno that fits, nothing left behind.

refused 'no jobs' 'Invalid argument' 'jobs=0 .*1 to 1048576' jobs=0
refused 'too many jobs' 'Invalid argument' 'jobs=1048577 .*1 to 1048576' jobs=1048577
refused 'no budget' 'Invalid argument' 'budget=0 .*1 to' budget=0
refused 'unknown policy' 'Invalid argument' 'on_empty=panic' on_empty=panic

echo 0 >/proc/sys/kernel/ftrace_enabled
refused 'ftrace is switched off' 'Device or resource busy' 'ftrace_enabled'
echo 1 >/proc/sys/kernel/ftrace_enabled

# The extremes that are allowed, and what holds once it is loaded
check 'modprobe jobs=1 budget=1' guard_load jobs=1 budget=1
check 'one job' stat_is jobs_total 1
off() { echo 0 >/proc/sys/kernel/ftrace_enabled; } 2>/dev/null
check 'ftrace cannot be switched off under it' not off
check 'ftrace is still on' grep -qx 1 /proc/sys/kernel/ftrace_enabled
check 'a second modprobe changes nothing' guard_load
check 'rmmod' guard_unload
check 'modprobe jobs=1048576 on_empty=inline' guard_load jobs=1048576 on_empty=inline
check 'all its jobs' stat_is jobs_idle 1048576
check 'rmmod' guard_unload
finish
