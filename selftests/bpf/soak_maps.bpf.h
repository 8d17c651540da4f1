/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of the soak, and what may be done to an element of each. */
#ifndef KNG_SOAK_MAPS_BPF_H
#define KNG_SOAK_MAPS_BPF_H

struct value {
	kptr_task __kptr *task;
	kptr_cgroup __kptr *cgroup;
	kptr_cpumask __kptr *mask;
};

struct holder {
	kptr_task __kptr *task;
};

typedef struct holder kptr_holder;

struct held {
	kptr_holder __kptr *holder;
};

#define PLAIN_MAP(name, map_type, entries, value_type)	\
struct {						\
	__uint(type, map_type);				\
	__uint(max_entries, entries);			\
	__type(key, __u32);				\
	__type(value, value_type);			\
} name SEC(".maps")

PLAIN_MAP(array, BPF_MAP_TYPE_ARRAY, SOAK_SLOTS, struct value);
PLAIN_MAP(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, SOAK_SLOTS / 4, struct value);
PLAIN_MAP(objects, BPF_MAP_TYPE_ARRAY, SOAK_KEYS, struct held);
/* So large that they evict now and then, not all the time. */
PLAIN_MAP(lru, BPF_MAP_TYPE_LRU_HASH, SOAK_KEYS * 4, struct value);
PLAIN_MAP(percpu_lru, BPF_MAP_TYPE_LRU_PERCPU_HASH, SOAK_KEYS * 4, struct value);

/* No references: what makes the softirqs. */
struct ticker {
	struct bpf_timer timer;
};

PLAIN_MAP(tickers, BPF_MAP_TYPE_ARRAY, SOAK_CPUS, struct ticker);

/* One for each CPU; the loader puts new ones in their place now and then. */
#define HASHES(name, map_type, flags)			\
struct name##_inner {					\
	__uint(type, map_type);				\
	__uint(max_entries, SOAK_KEYS);			\
	__uint(map_flags, flags);			\
	__type(key, __u32);				\
	__type(value, struct value);			\
} name##_inner SEC(".maps");				\
							\
struct {						\
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);	\
	__uint(max_entries, SOAK_CPUS);			\
	__type(key, __u32);				\
	__array(values, struct name##_inner);		\
} name SEC(".maps")

HASHES(hash, BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC);
HASHES(hash_prealloc, BPF_MAP_TYPE_HASH, 0);
HASHES(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, BPF_F_NO_PREALLOC);

#define STORAGE(name, map_type)				\
struct {						\
	__uint(type, map_type);				\
	__uint(map_flags, BPF_F_NO_PREALLOC);		\
	__type(key, int);				\
	__type(value, struct value);			\
} name SEC(".maps")

STORAGE(task_storage, BPF_MAP_TYPE_TASK_STORAGE);
STORAGE(cgroup_storage, MAP_TYPE_CGRP_STORAGE);

/* Where an act works. @own: this CPU may change the map itself. */
struct soak_spot {
	__u32 place;
	__u32 cpu;
	__u32 key;
	__u32 own;
};

static __always_inline void *hash_of(struct soak_spot *spot)
{
	if (spot->place == SOAK_HASH)
		return bpf_map_lookup_elem(&hash, &spot->cpu);
	if (spot->place == SOAK_HASH_PREALLOC)
		return bpf_map_lookup_elem(&hash_prealloc, &spot->cpu);
	return bpf_map_lookup_elem(&percpu_hash, &spot->cpu);
}

/* The value at a spot, if there is one. */
static __always_inline struct value *value_at(struct soak_spot *spot)
{
	void *inner;

	switch (spot->place) {
	case SOAK_ARRAY:
		return bpf_map_lookup_elem(&array, &spot->key);
	case SOAK_PERCPU_ARRAY:
		return bpf_map_lookup_percpu_elem(&percpu_array, &spot->key,
						  spot->cpu);
	case SOAK_LRU:
		return bpf_map_lookup_elem(&lru, &spot->key);
	case SOAK_PERCPU_LRU:
		return bpf_map_lookup_percpu_elem(&percpu_lru, &spot->key,
						  spot->cpu);
	case SOAK_HASH:
		inner = bpf_map_lookup_elem(&hash, &spot->cpu);
		return inner ? bpf_map_lookup_elem(inner, &spot->key) : NULL;
	case SOAK_HASH_PREALLOC:
		inner = bpf_map_lookup_elem(&hash_prealloc, &spot->cpu);
		return inner ? bpf_map_lookup_elem(inner, &spot->key) : NULL;
	case SOAK_PERCPU_HASH:
		inner = bpf_map_lookup_elem(&percpu_hash, &spot->cpu);
		return inner ? bpf_map_lookup_percpu_elem(inner, &spot->key,
							  spot->cpu) : NULL;
	}
	return NULL;
}

/* Overwrite with an empty value, or make one. */
static __always_inline long write_at(struct soak_spot *spot)
{
	struct value empty = {};
	void *inner;

	switch (spot->place) {
	case SOAK_ARRAY:
		return bpf_map_update_elem(&array, &spot->key, &empty, BPF_ANY);
	case SOAK_PERCPU_ARRAY:
		return bpf_map_update_elem(&percpu_array, &spot->key, &empty,
					   BPF_ANY);
	case SOAK_LRU:
		return bpf_map_update_elem(&lru, &spot->key, &empty, BPF_ANY);
	case SOAK_PERCPU_LRU:
		return bpf_map_update_elem(&percpu_lru, &spot->key, &empty,
					   BPF_ANY);
	}
	inner = spot->own ? hash_of(spot) : NULL;
	return inner ? bpf_map_update_elem(inner, &spot->key, &empty, BPF_ANY) :
		       -ENOENT;
}

static __always_inline long delete_at(struct soak_spot *spot)
{
	void *inner;

	switch (spot->place) {
	case SOAK_ARRAY:
	case SOAK_PERCPU_ARRAY:
		return write_at(spot);
	case SOAK_LRU:
		return bpf_map_delete_elem(&lru, &spot->key);
	case SOAK_PERCPU_LRU:
		return bpf_map_delete_elem(&percpu_lru, &spot->key);
	}
	inner = spot->own ? hash_of(spot) : NULL;
	return inner ? bpf_map_delete_elem(inner, &spot->key) : -ENOENT;
}

#endif /* KNG_SOAK_MAPS_BPF_H */
