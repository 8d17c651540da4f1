# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # for who sources it
#
# The paths by which a program in NMI gives back the last reference to something:
#
# name | site program options | hangs on: all kernels, or those before 7.2 (old);
# "6" is refused by the guard, and by the kernel later, which does not delete local
# storage in NMI at all, "7" hangs only since 7.2, because the verifier refuses it
# before, "new" is only tried since 7.2, which has the function, and so is "later", which
# has the map, and frees later. Words with a "=" before the site are the guard's parameters.

TASK=rcu_segcblist_enqueue
CGROUP=insert_work
paths=(
	"array|$TASK,teardown,--map,array,--last|old"
	"per-CPU array|$TASK,teardown,--map,percpu_array,--last|old"
	"hash|$TASK,teardown,--map,hash,--last|old"
	"hash, preallocated|$TASK,teardown,--map,hash_prealloc,--last|old"
	"per-CPU hash|$TASK,teardown,--map,percpu_hash,--last|old"
	"LRU hash|$TASK,teardown,--map,lru,--last|old"
	"bpf_obj_drop()|$TASK,drop,--last|old"
	"task storage delete|$TASK,storage,--last|6"
	"cgroup storage delete|$TASK,storage,--variant,cgroup,--last|6"
	"crypto context, array|$TASK,crypto|old"
	"cgroup, array|$CGROUP,teardown,--map,array,--kptr,cgroup,--last|old"
	"rhash|$TASK,teardown,--map,rhash,--last|later"
	"xchg, bpf_task_release()|$TASK,release,--last|all"
	"xchg, bpf_cgroup_release()|$CGROUP,release,--kptr,cgroup,--last|all"
	"bpf_put_mem_cgroup()|$CGROUP,memcg|new"
)
