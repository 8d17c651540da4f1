# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Who loads the module need not be allowed to use bpf(2).

# What a caller without that right gets: the tests below would mean nothing if it
# got more.
bpf_works() { /tests/bpf/mapof --variant "$1" >/tmp/bpf.out 2>&1; }

alone='/usr/bin/setpriv --bounding-set=-all,+sys_module --inh-caps=-all'
# in_domain COMMAND...: as the domain that may not
in_domain() {
	(
		printf system_u:system_r:loader_t >/proc/self/attr/current || exit 126
		exec "$@"
	)
}
VARIANT=task

check 'bpf(2) works here' bpf_works $VARIANT
map_ends $VARIANT
hooks_before

# shellcheck disable=SC2086 # words
if $alone /tests/bpf/mapof --variant $VARIANT >/tmp/bpf.out 2>&1; then
	check 'with CAP_SYS_MODULE alone bpf(2) is refused' false
else
	check 'with CAP_SYS_MODULE alone bpf(2) is refused' grep -qi 'permitted\|denied' /tmp/bpf.out
fi
# shellcheck disable=SC2086
check 'with CAP_SYS_MODULE alone the module loads' $alone /bin/modprobe kptr_nmi_guard
check 'and guards' hooked
check 'its own maps are gone' stat_is maps_watched 0
check 'it unloads' guard_unload

mount -t selinuxfs selinux /sys/fs/selinux || bail 'no SELinux here'
dd if=/policy of=/sys/fs/selinux/load bs=4M 2>/dev/null || bail 'the kernel does not take the policy'
echo 1 >/sys/fs/selinux/enforce
check 'SELinux enforces' grep -qx 1 /sys/fs/selinux/enforce
check 'bpf(2) works here still' bpf_works $VARIANT
map_ends $VARIANT
if in_domain /tests/bpf/mapof --variant $VARIANT >/tmp/bpf.out 2>&1; then
	check 'in the domain of the loader bpf(2) is refused' false
else
	check 'in the domain of the loader bpf(2) is refused' grep -qi 'denied' /tmp/bpf.out
	note "$(head -n 1 /tmp/bpf.out)"
fi
check 'in the domain of the loader the module loads' in_domain /bin/modprobe kptr_nmi_guard
check 'and guards' hooked
check 'without shortfall' stat_is shortfall 0
check 'it unloads' guard_unload
check 'hooks gone' unhooked
finish
