/* SPDX-License-Identifier: GPL-2.0-only */
/* One act: a number is drawn, and what it says is done. */
#ifndef KNG_SOAK_ACT_BPF_H
#define KNG_SOAK_ACT_BPF_H

/* Who holds what of SOAK_HASH and the following places. */
static __u32 claims[16 * SOAK_CPUS * SOAK_KEYS];

static __always_inline void note_result(struct soak_lane *lane, long err)
{
	switch (err) {
	case 0:
		break;
	case -ENOENT:
		lane->absent++;
		break;
	case -EBUSY:
	case -EDEADLK:
	case -ETIMEDOUT:
	case -ENOMEM:
	case -E2BIG:
	case -EOPNOTSUPP:
		lane->locked++;
		break;
	default:
		lane->failed++;
		lane->last_error = err;
	}
}

static __always_inline void on_value(struct soak_lane *lane, struct value *value,
				     __u32 op, __u64 r)
{
	struct value *to = NULL;
	__u32 key;

	if (op == SOAK_FILL) {
		fill(lane, value, r);
		return;
	}
	if (op == SOAK_MOVE) {
		key = (r >> 52) & (SOAK_SLOTS - 1);
		to = bpf_map_lookup_elem(&array, &key);
	}
	move(lane, value, to, r);
}

/* Maps with keys. */
static __always_inline void on_map(struct soak_lane *lane, struct soak_spot *spot,
				   __u32 op, __u64 r)
{
	struct value *value;

	if (op == SOAK_WRITE) {
		note_result(lane, write_at(spot));
		return;
	}
	if (op == SOAK_DELETE) {
		note_result(lane, delete_at(spot));
		return;
	}
	value = value_at(spot);
	if (!value && op == SOAK_FILL) {
		note_result(lane, write_at(spot));
		value = value_at(spot);
	}
	if (value)
		on_value(lane, value, op, r);
	else
		lane->absent++;
}

static __always_inline void on_task_storage(struct soak_lane *lane, __u32 owner,
					    __u32 op, __u32 nmi, __u64 r)
{
	__u64 flags = nmi || op != SOAK_FILL ? 0 : BPF_LOCAL_STORAGE_GET_F_CREATE;
	struct task_struct *task;
	struct value *value;

	task = bpf_task_from_pid(ctl.pid[bounded(owner, SOAK_OWNERS - 1)]);
	if (!task)
		return;
	lane->created[SOAK_A_TASK]++;
	if (op == SOAK_DELETE || op == SOAK_WRITE) {
		if (!nmi)
			note_result(lane, bpf_task_storage_delete(&task_storage,
								  task));
	} else {
		value = bpf_task_storage_get(&task_storage, task, NULL, flags);
		if (value)
			on_value(lane, value, op, r);
		else
			lane->absent++;
	}
	bpf_task_release(task);
	lane->released[SOAK_A_TASK]++;
}

static __always_inline void on_cgroup_storage(struct soak_lane *lane, __u32 owner,
					      __u32 op, __u32 nmi, __u64 r)
{
	__u64 flags = nmi || op != SOAK_FILL ? 0 : BPF_LOCAL_STORAGE_GET_F_CREATE;
	struct cgroup *cgroup;
	struct value *value;

	cgroup = bpf_cgroup_from_id(ctl.cgroup[bounded(owner, SOAK_OWNERS - 1)]);
	if (!cgroup)
		return;
	lane->created[SOAK_A_CGROUP]++;
	if (op == SOAK_DELETE || op == SOAK_WRITE) {
		if (!nmi)
			note_result(lane, bpf_cgrp_storage_delete(&cgroup_storage,
								  cgroup));
	} else {
		value = bpf_cgrp_storage_get(&cgroup_storage, cgroup, NULL, flags);
		if (value)
			on_value(lane, value, op, r);
		else
			lane->absent++;
	}
	bpf_cgroup_release(cgroup);
	lane->released[SOAK_A_CGROUP]++;
}

static __always_inline void on_object(struct soak_lane *lane, __u32 key, __u32 op,
				      __u64 r)
{
	struct held *held, empty = {};
	struct holder *holder = NULL;

	if (op == SOAK_WRITE || op == SOAK_DELETE) {
		note_result(lane, bpf_map_update_elem(&objects, &key, &empty, BPF_ANY));
		return;
	}
	held = bpf_map_lookup_elem(&objects, &key);
	if (!held)
		return;
	if (op == SOAK_FILL) {
		holder = holder_new(lane, r);
		if (!holder) {
			lane->locked++;
			return;
		}
		holder = bpf_kptr_xchg(&held->holder, holder);
	} else {
		holder = bpf_kptr_xchg(&held->holder, NULL);
	}
	if (holder)
		bpf_obj_drop_impl(holder, NULL);
}

/* Of 32: most are fills and teardowns; what is torn down is torn down in NMI. */
static __always_inline __u32 op_of(__u64 r, __u32 nmi)
{
	__u32 n = r & 31;

	if (n < (nmi ? 6 : 18))
		return SOAK_FILL;
	if (n < (nmi ? 16 : 22))
		return SOAK_WRITE;
	if (n < 26)
		return SOAK_DELETE;
	if (n < 28)
		return SOAK_OUT;
	return n < 31 ? SOAK_MOVE : SOAK_PAIR;
}

/* Of 32: half of it to the two arrays, where everybody races with everybody. */
static __always_inline __u32 place_of(__u64 r)
{
	__u32 n = (r >> 5) & 31;

	if (n < 12)
		return SOAK_ARRAY;
	if (n < 16)
		return SOAK_PERCPU_ARRAY;
	if (n < 30)
		return SOAK_HASH + (n - 16) / 2;
	return SOAK_OBJECT;
}

static __always_inline __u32 *claim_of(const struct soak_spot *spot)
{
	__u32 i = spot->place * SOAK_CPUS * SOAK_KEYS;

	if (spot->place == SOAK_HASH || spot->place == SOAK_PERCPU_HASH)
		i += spot->cpu * SOAK_KEYS + spot->key;
	else if (spot->place == SOAK_HASH_PREALLOC)
		i += spot->cpu * SOAK_KEYS;
	else if (spot->place >= SOAK_TASK_STORAGE)
		i += spot->key;
	return &claims[bounded(i, 16 * SOAK_CPUS * SOAK_KEYS - 1)];
}

static __always_inline void act_at(struct soak_lane *lane, struct soak_spot *spot,
				   __u32 op, __u32 nmi, __u64 r)
{
	switch (spot->place) {
	case SOAK_TASK_STORAGE:
		on_task_storage(lane, spot->key, op, nmi, r);
		break;
	case SOAK_CGROUP_STORAGE:
		on_cgroup_storage(lane, spot->key, op, nmi, r);
		break;
	case SOAK_OBJECT:
		if (conf.objects)
			on_object(lane, spot->key, op, r);
		break;
	default:
		on_map(lane, spot, op, r);
	}
}

/* Own hashes only can change; half of the acts go to the own one. */
static __always_inline void pick(struct soak_spot *spot, const struct soak_who *who,
				 __u64 r)
{
	__u32 cpu = (r >> 10) & 15;

	spot->place = place_of(r);
	spot->cpu = cpu < 8 ? who->cpu : cpu % conf.cpus;
	spot->own = spot->cpu == who->cpu;
	spot->key = (r >> 16) & (SOAK_SLOTS - 1);
	if (spot->place == SOAK_PERCPU_ARRAY)
		spot->key &= SOAK_SLOTS / 4 - 1;
	else if (spot->place == SOAK_LRU || spot->place == SOAK_PERCPU_LRU)
		spot->key &= SOAK_KEYS * 8 - 1;
	else if (spot->place == SOAK_TASK_STORAGE ||
		 spot->place == SOAK_CGROUP_STORAGE)
		spot->key &= SOAK_OWNERS - 1;
	else if (spot->place != SOAK_ARRAY)
		spot->key &= SOAK_KEYS - 1;
}

static long act(__u32 i, struct soak_who *who)
{
	struct soak_lane *lane = lane_of(who);
	__u64 r = draw(lane);
	__u32 nmi = who->context == SOAK_NMI ||
		    (conf.irqsoff && who->context == SOAK_HARDIRQ);
	__u32 op = op_of(r, nmi);
	struct soak_spot spot;
	__u32 *claim = NULL;

	pick(&spot, who, r);
	lane->acts++;
	if (op == SOAK_PAIR) {
		fill(lane, NULL, r);
		return 0;
	}
	if (spot.place >= SOAK_HASH && spot.place < SOAK_OBJECT) {
		claim = claim_of(&spot);
		if (__sync_val_compare_and_swap(claim, 0, 1)) {
			lane->claimed++;
			return 0;
		}
	}
	lane->done[bounded(spot.place * 8 + op, SOAK_DEEDS - 1)]++;
	act_at(lane, &spot, op, nmi, r);
	if (claim)
		__sync_val_compare_and_swap(claim, 1, 0);
	return 0;
}

#endif /* KNG_SOAK_ACT_BPF_H */
