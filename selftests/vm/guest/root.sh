# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Sourced by scenarios that need a whole Debian root: the host shares one (scripts/vm
# --share), and changes of it stay in memory.

root=/root
kver=$(uname -r)

root_mount() {
	/sbin/modprobe -a 9pnet_virtio 9p overlay || bail 'no 9p, no overlay'
	mkdir -p /lower /memory $root
	mount -t 9p -o ro,trans=virtio,msize=1048576,cache=loose share /lower ||
		bail 'the root is not shared'
	mount -t tmpfs -o size=80% memory /memory
	mkdir /memory/upper /memory/work
	mount -t overlay -o lowerdir=/lower,upperdir=/memory/upper,workdir=/memory/work overlay $root ||
		bail 'the root does not mount'
}

# The same, with what programs there look for of the running kernel
root_with_kernel() {
	root_mount
	for fs in proc sys dev; do
		mount --rbind /$fs $root/$fs
	done
	mount -t tmpfs tmp $root/tmp
	mkdir -p $root/lib/modules/"$kver"
	cp -a /lib/modules/"$kver"/. $root/lib/modules/"$kver"/
}

# The same as a machine on which somebody builds the project: with what the kernel's package
# would have brought.
root_with_project() {
	root_with_kernel
	rm -rf $root/lib/modules/"$kver"/updates
	cp /boot/config-"$kver" $root/boot/
	cp -a /project $root/project
}

# types COMMAND: as a user of that root, who is root, and asks sudo all the same. Its status
# goes to $rc, what it said to /tmp/out, and the end of that to the log.
types() {
	start=$(date +%s) rc=0
	chroot $root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C sh -c "$1" \
		>/tmp/out 2>&1 </dev/null || rc=$?
	note "\$ $1  (exit status $rc, $(($(date +%s) - start)) s)"
	tail -n 40 /tmp/out | sed 's/^/#   | /'
}
