// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf_put_mem_cgroup() in NMI, of the memory cgroup of a removed cgroup. No map can
 * hold one: the program takes its reference in the NMI, when somebody else still has
 * one, waits there until that is gone, and puts the last. It does not wait for ever:
 * the other CPU may want the very lock that the NMI interrupted.
 */
#include "kng.bpf.h"
#include "memcg.h"
#include "percpu_ref.bpf.h"

#define CSS_CHILDREN 5		/* BPF_CGROUP_ITER_CHILDREN */
#define SPINS (1 << 16)		/* a second in an emulator */

struct mem_cgroup { struct cgroup_subsys_state css; } __kernel_type;
struct bpf_iter_css { __u64 __opaque[3]; } __attribute__((aligned(8)));

extern struct mem_cgroup *bpf_get_mem_cgroup(struct cgroup_subsys_state *css) __ksym;
extern void bpf_put_mem_cgroup(struct mem_cgroup *memcg) __ksym;
extern int bpf_iter_css_new(struct bpf_iter_css *it, struct cgroup_subsys_state *start,
			    unsigned int flags) __ksym;
extern struct cgroup_subsys_state *bpf_iter_css_next(struct bpf_iter_css *it) __ksym;
extern void bpf_iter_css_destroy(struct bpf_iter_css *it) __ksym;
extern __ksym void bpf_rcu_read_lock(void);
extern __ksym void bpf_rcu_read_unlock(void);

const volatile __u64 parent_id;	/* the removed cgroup's parent has no other child */
struct memcg_ctl ctl;

/* A removed cgroup's memory cgroup stays its parent's child until its last put. */
static struct mem_cgroup *child_of(struct mem_cgroup *parent)
{
	struct mem_cgroup *child = NULL;
	struct cgroup_subsys_state *css;
	struct bpf_iter_css it;

	bpf_iter_css_new(&it, &parent->css, CSS_CHILDREN);
	css = bpf_iter_css_next(&it);
	if (css)
		child = bpf_get_mem_cgroup(css);
	bpf_iter_css_destroy(&it);
	return child;
}

static __always_inline struct mem_cgroup *take(void)
{
	struct cgroup *cgroup = bpf_cgroup_from_id(parent_id);
	struct mem_cgroup *parent, *child = NULL;

	if (!cgroup)
		return NULL;
	parent = bpf_get_mem_cgroup(&cgroup->self);
	if (parent) {
		child = child_of(parent);
		bpf_put_mem_cgroup(parent);
	}
	bpf_cgroup_release(cgroup);
	return child;
}

static __always_inline int references_of(__u64 memcg)
{
	return css_references(&((struct mem_cgroup *)memcg)->css);
}

static long is_last(__u32 i, __u64 *memcg)
{
	return references_of(*memcg) == 1;
}

static __always_inline void take_and_put(void)
{
	struct mem_cgroup *memcg = take();
	__u64 address = (__u64)memcg;

	if (!memcg) {
		count(missed, 1);
		ctl.open = 1;
		return;
	}
	ctl.held = 1;
	bpf_loop(SPINS, is_last, &address, 0);
	if (references_of(address) != 1)
		count(not_last, 1);
	bpf_put_mem_cgroup(memcg);
	count(put, 1);
}

SEC(KNG_NMI_SECTION)
int BPF_PROG(on_nmi, KNG_NMI_ARGS)
{
	if (!handled)
		return 0;
	count(nmis, 1);
	if (__sync_val_compare_and_swap(&ctl.open, 1, 0) == 1)
		take_and_put();
	return 0;
}

/* How many references the child has besides the one taken to look; negative: unknown. */
SEC("syscall")
int references(void *ctx)
{
	struct mem_cgroup *memcg;
	int n = -ENOENT;

	bpf_rcu_read_lock();
	memcg = take();
	if (memcg) {
		n = references_of((__u64)memcg);
		bpf_put_mem_cgroup(memcg);
	}
	bpf_rcu_read_unlock();
	return n > 0 ? n - 1 : n;
}

char LICENSE[] SEC("license") = "GPL";
