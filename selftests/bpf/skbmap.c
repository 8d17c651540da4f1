// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes a map of socket buffers and pins it as /sys/fs/bpf/kng-skb, as mapof does others.
 * It is an object of its own: a kernel that does not know the type takes no BTF with it.
 */
#include <errno.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "common.h"
#include "skbmap.skel.h"

#define PATH "/sys/fs/bpf/kng-skb"

int main(void)
{
	struct skbmap_bpf *skel = skbmap_bpf__open();
	int err;

	if (!skel)
		die("the skeleton does not open");
	err = skbmap_bpf__load(skel);
	if (!err)
		err = bpf_map__pin(skel->maps.skb, PATH);
	/* Where the kernel does not take the types, libbpf tries without. */
	if (!err && !bpf_map__btf_value_type_id(skel->maps.skb))
		err = -EOPNOTSUPP;
	tap_ok(!err, PATH ": %s", strerror(-err));
	return tap_done();
}
