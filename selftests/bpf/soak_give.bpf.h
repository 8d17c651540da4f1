/* SPDX-License-Identifier: GPL-2.0-only */
/* Random numbers, and where references come from and go to. */
#ifndef KNG_SOAK_GIVE_BPF_H
#define KNG_SOAK_GIVE_BPF_H

struct soak_who {
	__u32 cpu;
	__u32 context;
};

extern void *bpf_obj_new_impl(__u64 type, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *obj, void *meta) __ksym;

/* The compiler may neither drop this mask nor move it away from its use. */
static __always_inline __u64 bounded(__u64 n, __u64 mask)
{
	asm volatile("%0 &= %1" : "+r"(n) : "i"(mask));
	return n;
}

static __always_inline struct soak_lane *lane_of(const struct soak_who *who)
{
	__u64 i = bounded(who->cpu * SOAK_LANES + who->context,
			  SOAK_CPUS * SOAK_LANES - 1);

	return &ctl.lane[0][0] + i;
}

/* Steele, Lea, Flood: splitmix64 (OOPSLA 2014). */
static __always_inline __u64 draw(struct soak_lane *lane)
{
	__u64 z = lane->state += SOAK_STEP;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* The reference goes to @value, if there is one; what then is over is released. */
static __always_inline void give_task(struct soak_lane *lane, struct value *value,
				      struct task_struct *task)
{
	if (value)
		task = bpf_kptr_xchg(&value->task, task);
	if (task) {
		bpf_task_release(task);
		lane->released[SOAK_A_TASK]++;
	}
}

static __always_inline void give_cgroup(struct soak_lane *lane, struct value *value,
					struct cgroup *cgroup)
{
	if (value)
		cgroup = bpf_kptr_xchg(&value->cgroup, cgroup);
	if (cgroup) {
		bpf_cgroup_release(cgroup);
		lane->released[SOAK_A_CGROUP]++;
	}
}

static __always_inline void give_mask(struct soak_lane *lane, struct value *value,
				      struct bpf_cpumask *mask)
{
	if (value)
		mask = bpf_kptr_xchg(&value->mask, mask);
	if (mask) {
		bpf_cpumask_release(mask);
		lane->released[SOAK_A_MASK]++;
	}
}

static __always_inline void fill_task(struct soak_lane *lane, struct value *value,
				      __s32 pid)
{
	struct task_struct *task = bpf_task_from_pid(pid);

	if (!task) {
		lane->absent++;
		return;
	}
	lane->created[SOAK_A_TASK]++;
	give_task(lane, value, task);
}

static __always_inline void fill_cgroup(struct soak_lane *lane, struct value *value,
					__u64 id)
{
	struct cgroup *cgroup = bpf_cgroup_from_id(id);

	if (!cgroup) {
		lane->absent++;
		return;
	}
	lane->created[SOAK_A_CGROUP]++;
	give_cgroup(lane, value, cgroup);
}

static __always_inline void fill_mask(struct soak_lane *lane, struct value *value)
{
	struct bpf_cpumask *mask = bpf_cpumask_create();

	if (!mask) {
		lane->locked++;
		return;
	}
	lane->created[SOAK_A_MASK]++;
	give_mask(lane, value, mask);
}

static __always_inline void fill(struct soak_lane *lane, struct value *value, __u64 r)
{
	__u64 object = bounded(r >> 48, SOAK_OBJECTS - 1);

	switch ((r >> 44) & 3) {
	case 0:
	case 3:
		fill_task(lane, value, ctl.pid[object]);
		break;
	case 1:
		fill_cgroup(lane, value, ctl.cgroup[object]);
		break;
	case 2:
		fill_mask(lane, value);
		break;
	}
}

/* Out of @from and into @to, if there is one, else released. */
static __always_inline void move(struct soak_lane *lane, struct value *from,
				 struct value *to, __u64 r)
{
	struct task_struct *task;
	struct cgroup *cgroup;
	struct bpf_cpumask *mask;

	switch ((r >> 44) & 3) {
	case 0:
	case 3:
		task = bpf_kptr_xchg(&from->task, NULL);
		if (task)
			give_task(lane, to, task);
		break;
	case 1:
		cgroup = bpf_kptr_xchg(&from->cgroup, NULL);
		if (cgroup)
			give_cgroup(lane, to, cgroup);
		break;
	case 2:
		mask = bpf_kptr_xchg(&from->mask, NULL);
		if (mask)
			give_mask(lane, to, mask);
		break;
	}
}

static __always_inline struct holder *holder_new(struct soak_lane *lane, __u64 r)
{
	struct task_struct *task;
	struct holder *holder;

	holder = bpf_obj_new_impl(bpf_core_type_id_local(struct holder), NULL);
	if (!holder)
		return NULL;
	task = bpf_task_from_pid(ctl.pid[bounded(r >> 48, SOAK_OBJECTS - 1)]);
	if (task) {
		lane->created[SOAK_A_TASK]++;
		task = bpf_kptr_xchg(&holder->task, task);
	}
	if (task) {
		bpf_task_release(task);
		lane->released[SOAK_A_TASK]++;
	}
	return holder;
}

#endif /* KNG_SOAK_GIVE_BPF_H */
