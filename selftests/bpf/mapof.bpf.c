// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps that could hold kptrs, one of each kind, and no program.
 */
/* Linux 6.2; where the headers have them, they may not be what we take. */
#define bpf_list_head uapi_bpf_list_head
#define bpf_list_node uapi_bpf_list_node
#define bpf_rb_root uapi_bpf_rb_root
#define bpf_rb_node uapi_bpf_rb_node
#include "kng.bpf.h"
#undef bpf_list_head
#undef bpf_list_node
#undef bpf_rb_root
#undef bpf_rb_node

struct bpf_list_head { __u64 opaque[2]; };
struct bpf_list_node { __u64 opaque[3]; };
struct bpf_rb_root { __u64 opaque[2]; };
struct bpf_rb_node { __u64 opaque[4]; };

#define __contains(type, node) \
	__attribute__((btf_decl_tag("contains:" #type ":" #node)))

struct kng_foreign { struct refcount_struct refs; } __kernel_type;
typedef struct kng_foreign kptr_foreign;

struct of_task {
	kptr_task __kptr *task;
};

struct of_two {
	kptr_task __kptr *task;
	kptr_cgroup __kptr *cgroup;
};

struct of_ten {
	kptr_task __kptr *a, __kptr *b, __kptr *c, __kptr *d, __kptr *e;
	kptr_task __kptr *f, __kptr *g, __kptr *h, __kptr *i, __kptr *j;
};

struct of_foreign {
	kptr_foreign __kptr *obj;
};

struct holder {
	kptr_task __kptr *task;
	struct bpf_list_node list;
};

struct leaf {
	kptr_task __kptr *task;
	struct bpf_rb_node tree;
};

typedef struct holder kptr_holder;

struct plain {
	struct bpf_list_node list;
	__u64 number;
};

struct of_object {
	kptr_holder __kptr *holder;
};

struct of_list {
	struct bpf_spin_lock lock;
	struct bpf_list_head head __contains(holder, list);
};

struct of_tree {
	struct bpf_spin_lock lock;
	struct bpf_rb_root root __contains(leaf, tree);
};

struct of_plain {
	struct bpf_spin_lock lock;
	struct bpf_list_head head __contains(plain, list);
};

/* Else the BTF has only their names, and the kernel wants structs. */
const struct task_struct *known_task;
const struct cgroup *known_cgroup;
const struct kng_foreign *known_foreign;
const struct holder *known_holder;
const struct leaf *known_leaf;
const struct plain *known_plain;

#define MAP(name, kind, flags, entries, value_type)	\
struct {						\
	__uint(type, kind);				\
	__uint(map_flags, flags);			\
	__uint(max_entries, entries);			\
	__type(key, __u32);				\
	__type(value, value_type);			\
} name SEC(".maps")

#define NO_PREALLOC BPF_F_NO_PREALLOC

#define STORAGE(name, kind)				\
struct {						\
	__uint(type, kind);				\
	__uint(map_flags, NO_PREALLOC);			\
	__type(key, int);				\
	__type(value, struct of_task);			\
} name SEC(".maps")

MAP(none, BPF_MAP_TYPE_ARRAY, 0, 1, __u64);
MAP(task, BPF_MAP_TYPE_ARRAY, 0, 1, struct of_task);
MAP(foreign, BPF_MAP_TYPE_ARRAY, 0, 1, struct of_foreign);

/* One of each type. */
MAP(array, BPF_MAP_TYPE_ARRAY, 0, 100, struct of_task);
MAP(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, 0, 100, struct of_task);
MAP(hash, BPF_MAP_TYPE_HASH, NO_PREALLOC, 100, struct of_task);
MAP(prealloc, BPF_MAP_TYPE_HASH, 0, 100, struct of_task);
MAP(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, NO_PREALLOC, 100, struct of_task);
MAP(lru, BPF_MAP_TYPE_LRU_HASH, 0, 100, struct of_task);
MAP(percpu_lru, BPF_MAP_TYPE_LRU_PERCPU_HASH, 0, 100, struct of_task);
MAP(rhash, MAP_TYPE_RHASH, NO_PREALLOC, 100, struct of_task);
STORAGE(task_st, BPF_MAP_TYPE_TASK_STORAGE);
STORAGE(cgroup_st, MAP_TYPE_CGRP_STORAGE);

/* And of each kind of value. */
MAP(two, BPF_MAP_TYPE_HASH, NO_PREALLOC, 100, struct of_two);
MAP(object, BPF_MAP_TYPE_ARRAY, 0, 100, struct of_object);
MAP(list, BPF_MAP_TYPE_ARRAY, 0, 100, struct of_list);
MAP(tree, BPF_MAP_TYPE_ARRAY, 0, 100, struct of_tree);
MAP(plain, BPF_MAP_TYPE_ARRAY, 0, 100, struct of_plain);

/* Larger than any machine has a use for. */
MAP(huge, BPF_MAP_TYPE_HASH, NO_PREALLOC, 100000000, struct of_task);

/* Little memory, and room for many references, each of which wants a job of 24 bytes */
MAP(big_array, BPF_MAP_TYPE_ARRAY, 0, 50000, struct of_ten);
MAP(big_hash, BPF_MAP_TYPE_HASH, NO_PREALLOC, 100000, struct of_ten);
MAP(big_percpu, BPF_MAP_TYPE_PERCPU_HASH, NO_PREALLOC, 100000, struct of_ten);
MAP(big_lru, BPF_MAP_TYPE_LRU_HASH, 0, 20000, struct of_ten);
MAP(big_percpu2, BPF_MAP_TYPE_PERCPU_HASH, NO_PREALLOC, 90000, struct of_ten);
