// SPDX-License-Identifier: GPL-2.0-only
/*
 * The release door.
 *
 * A reference is given back by the type's release kfunc, which a program calls
 * on what it took out with bpf_kptr_xchg(), or by its destructor, which the
 * kernel calls for what is left in a slot. In NMI (and with defer=irqsoff where
 * interrupts are off: so in all that follows) the call goes to an empty stub and
 * {object, destructor} into a job. A release kfunc's job calls the matching
 * destructor: they do the same, and the kfunc may not be called by pointer
 * (sealed under IBT).
 *
 * With kprobes nothing can be skipped. There the door takes one more reference,
 * which makes the one that the function puts not the last, and queues that. A
 * type without a way to take references is left to the teardown door.
 *
 * Unlike the teardown door, this one sees the reference when it is nobody
 * else's any more, so it has no race to lose: what the teardown door missed
 * comes by here.
 *
 * What happens without a job: on_empty decides as at the teardown door. Only a
 * type whose destructor is safe in NMI is left to run inline, always: a leak
 * would cure nothing.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cgroup.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "compat.h"
#include "hook.h"
#include "learn.h"
#include "offload.h"
#include "probe.h"
#include "release.h"
#include "stats.h"
#include "teardown.h"

/*
 * The kernel's put is refcount_dec_and_test(&p->rcu_users) and, if that says
 * zero, call_rcu() (put_task_struct_rcu_user() in kernel/exit.c, 6.12 to 7.3).
 * refcount_dec_not_one() is the same decrement for every value for which the
 * test says no, saturated ones included, and does nothing for 1.
 */
static bool put_task_not_last(void *obj)
{
	struct task_struct *p = obj;

	return refcount_dec_not_one(&p->rcu_users);
}

static void get_task(void *obj)
{
	struct task_struct *p = obj;

	refcount_inc(&p->rcu_users);
}

#ifdef CONFIG_CGROUPS
/*
 * The kernel's put is nothing for CSS_NO_REF, else percpu_ref_put() (css_put()
 * in linux/cgroup_refcnt.h, 6.12 to 7.3). While the percpu_ref is per CPU, a
 * put subtracts from this CPU's part and tests nothing: the initial reference
 * is still held, so none is the last. As percpu_ref_put_many(), under RCU: the
 * switch to atomic mode collects the parts only after a grace period.
 */
static bool put_cgroup_not_last(void *obj)
{
	struct cgroup_subsys_state *css = &((struct cgroup *)obj)->self;
	unsigned long __percpu *count;
	bool percpu;

	if (css->flags & CSS_NO_REF)
		return true;
	rcu_read_lock();
	percpu = __ref_is_percpu(&css->refcnt, &count);
	if (percpu)
		this_cpu_dec(*count);
	rcu_read_unlock();
	return percpu;
}

static void get_cgroup(void *obj)
{
	css_get(&((struct cgroup *)obj)->self);
}
#endif

bool kng_release_divert(struct kng_hook *hook, unsigned long arg0, unsigned long unused)
{
	struct kng_release_type *type = container_of(hook, struct kng_release_type, hook);
	void *obj = (void *)arg0;
	bool skip = kng_hook_kind == KNG_HOOK_FTRACE;
	struct kng_job *job;

	if (skip && type->put_not_last && type->put_not_last(obj)) {
		kng_count(KNG_NOT_LAST);
		return true;
	}

	/* Its module on the way out, with interrupts off: it may, and no job can keep it. */
	if (!in_nmi() && type->owner && !module_is_live(type->owner))
		return false;

	job = kng_offload_prepare(type->dtor, type->owner);
	if (!job && (type->nmi_safe || kng_on_empty == KNG_INLINE)) {
		kng_count(KNG_INLINED);
		return false;
	}
	if (!skip)
		type->get(obj);
	if (job) {
		kng_count(KNG_TAKEN_RELEASE);
		kng_offload_queue(job, obj);
	} else {
		/* Its destructor's module stays too: the reference is never put. */
		if (type->owner)
			__module_get(type->owner);
		kng_count(KNG_TAKEN);
		kng_count(KNG_LEAKED);
	}
	return skip;
}

/*
 * bpf_cpumask_release() frees through bpf_mem_cache_free_rcu(), which NMIs may
 * call: the kfunc is left alone, so that programs that make and release
 * cpumasks in NMI use no jobs.
 */
static struct kng_release_type types[] = {
	{
		.name = "task_struct",
		.hook.function = { "bpf_task_release_dtor", "bpf_task_release" },
		.put_not_last = KNG_PUTS_ARE_KNOWN ? put_task_not_last : NULL,
		.get = KNG_PUTS_ARE_KNOWN ? get_task : NULL,
	},
#ifdef CONFIG_CGROUPS
	{
		.name = "cgroup",
		.hook.function = { "bpf_cgroup_release_dtor", "bpf_cgroup_release" },
		.put_not_last = KNG_PUTS_ARE_KNOWN ? put_cgroup_not_last : NULL,
		.get = KNG_PUTS_ARE_KNOWN ? get_cgroup : NULL,
	},
#endif
	{
		.name = "bpf_cpumask",
		.hook.function = { "bpf_cpumask_release_dtor" },
		.nmi_safe = true,
	},
	{
		.name = "bpf_crypto_ctx",
		.hook.function = { "bpf_crypto_ctx_release_dtor", "bpf_crypto_ctx_release" },
	},
};

static void tell_unhooked(const struct kng_release_type *type)
{
	unsigned int i;

	for (i = 0; i < KNG_HOOK_FUNCTIONS; i++) {
		const char *function = type->hook.function[i];
		int err = type->hook.error[i];

		if (!function || type->hook.hooked & BIT(i))
			continue;
		pr_warn("%s can't be hooked (%d%s): %s\n", function, err,
			err == -EBUSY ? ", held by a livepatch or the like" : "",
			i == KNG_DTOR ?
			"references stored during a teardown in NMI may be destroyed there" :
			"programs that call it in NMI can hang the machine");
	}
}

/* 1: guarded; 0: not guarded, or nothing to guard; or a negative errno. */
static int open_type(struct kng_release_type *type)
{
	btf_dtor_kfunc_t dtor = kng_probe(type->name);

	if (IS_ERR(dtor))
		return PTR_ERR(dtor);
	if (!dtor)
		return 0;

	type->dtor = dtor;
	type->hook.address = (unsigned long)dtor;
	type->hook.divert = kng_release_divert;
	type->hook.can_skip = true;
	type->hook.error[KNG_DTOR] = -EOPNOTSUPP;
	type->hook.error[KNG_KFUNC] = -EOPNOTSUPP;
	if ((kng_hook_kind == KNG_HOOK_FTRACE || type->get) &&
	    kng_hook_install(&type->hook) == -ENOMEM)
		return -ENOMEM;
	tell_unhooked(type);
	return !!type->hook.hooked;
}

int kng_release_init(void)
{
	int guarded = 0, ret, i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ret = open_type(&types[i]);
		if (ret < 0) {
			kng_release_exit();
			return ret;
		}
		guarded += ret;
	}
	return guarded;
}

void kng_release_exit(void)
{
	int i;

	kng_learn_exit();
	for (i = 0; i < ARRAY_SIZE(types); i++)
		kng_hook_remove_for_good(&types[i].hook);
}

static const struct kng_release_type *type_of(btf_dtor_kfunc_t dtor)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		if (types[i].dtor == dtor)
			return &types[i];
	}
	return NULL;
}

bool kng_release_knows(btf_dtor_kfunc_t dtor)
{
	return type_of(dtor);
}

bool kng_release_nmi_safe(btf_dtor_kfunc_t dtor)
{
	const struct kng_release_type *type = type_of(dtor);

	return type && type->nmi_safe;
}

bool kng_release_guards(btf_dtor_kfunc_t dtor)
{
	const struct kng_release_type *type = type_of(dtor);

	return type ? type->hook.hooked & BIT(KNG_DTOR) : kng_learn_guards(dtor);
}

unsigned long kng_release_missed(void)
{
	unsigned long missed = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		missed += kng_hook_missed(&types[i].hook);
	return missed;
}

void kng_release_show(struct seq_file *m)
{
	static const char * const what[] = {
		"none", "destructor", "release", "destructor and release"
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		seq_printf(m, "door_release_%s: %s\n", types[i].name,
			   types[i].dtor ? what[types[i].hook.hooked] : "no such type");
	kng_learn_show(m);
}
