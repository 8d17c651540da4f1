# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ftrace shuts itself down (it does when it finds a fault of its own) and can't
# take hooks out any more. The guard's module then has to stay: the kernel still
# calls it. $ARGS: before or after the guard was loaded.

program=$(last_program)
# shellcheck disable=SC2086 # words
tear() { $program "$@"; }
state_is() { grep -qx "$1" /sys/module/kptr_nmi_guard/initstate; }

test_module kng_witness
test_module kng_nmi_fire

if [ "$ARGS" = before ]; then
	test_module kng_ftrace_kill
	refused 'ftrace has shut itself down' 'No such device' \
		'nothing can be hooked .-19.: ftrace has shut itself down, see the log above; reboot'
	finish
	return
fi

guard_begin teardown=always
check 'before' tear --source fire --rounds 16
test_module kng_ftrace_kill
check 'the guard still guards' tear --source fire --rounds 16
guard_worked
(
	guard_unload
	echo "rmmod ended: $?" >/tmp/rmmod
) &
check 'the log says that unloading waits for ever' eventually 20 \
	told "ftrace has shut itself down and can.t remove hooks .-19.: unloading waits for ever"
check 'once' test "$(dmesg | grep -c 'unloading waits for ever')" -eq 1
check 'the module is still there' state_is going
check 'the kernel goes on, and so does the guard' tear --source fire --rounds 64
check 'rmmod has not ended' not test -e /tmp/rmmod
finish
