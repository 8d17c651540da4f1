// SPDX-License-Identifier: GPL-2.0-only
/*
 * The release door.
 *
 * A reference is dropped by one of two functions: the release kfunc of its type, which a
 * program calls on a pointer that it took out with bpf_kptr_xchg(), or the destructor,
 * which the kernel calls on a pointer that is left in a slot. In NMI the call goes to a
 * stub instead, which stores {object, destructor} in a job. (With defer=irqsoff, the same
 * happens with interrupts off. "In NMI" below includes that.) The job of a release kfunc
 * calls the destructor of the type: both do the same, and the kfunc can't be called
 * through a pointer, because it is sealed under IBT.
 *
 * The stub takes the reference over, not ftrace's handler: entry.c says why.
 *
 * kprobes can't skip a function. There the handler takes one more reference. So the
 * put of the hooked function is not the last one, and the job drops the extra
 * reference. A type for which we can't take references is left to the teardown door.
 *
 * When the release door sees a reference, no other CPU can reach it. So this door has
 * no race, and it catches the references that the teardown door missed.
 *
 * If no job is left, on_empty decides, as at the teardown door. A type whose
 * destructor is safe in NMI always runs inline: a leak would prevent nothing.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/mutex.h>

#include "compat.h"
#include "count.h"
#include "dtor.h"
#include "hook.h"
#include "lookup.h"
#include "offload.h"
#include "params.h"
#include "probe.h"
#include "put.h"
#include "release.h"
#include "types.h"

/* Without a job: may the destructor run here? */
static bool may_run_here(const struct kng_type *type)
{
	return type->nmi_safe || kng_params.on_empty == KNG_INLINE;
}

/* The reference is never dropped, so its destructor's module stays, too. */
static void leak(const struct kng_type *type)
{
	if (type->owner)
		__module_get(type->owner);
	kng_count(KNG_TAKEN);
	kng_count(KNG_LEAKED);
}

/* The mark keeps our own call of the destructor from being diverted again. */
static void call_dtor(const struct kng_type *type, void *obj)
{
	void *mark = kng_entry_mark_own_call(obj);

	type->dtor(obj);
	kng_entry_mark_own_call(mark);
}

static noinline void no_job(const struct kng_type *type, void *obj)
{
	if (may_run_here(type)) {
		kng_count(KNG_INLINED);
		call_dtor(type, obj);
	} else {
		leak(type);
	}
}

/* A module that is being unloaded can't be held by a job. Outside NMI it may call. */
static noinline bool call_from_dying_module(const struct kng_type *type, void *obj)
{
	if (in_nmi() || module_is_live(type->owner))
		return false;
	call_dtor(type, obj);
	return true;
}

/* Not inline, and @obj first: a put that is not the last one saves and moves no register. */
static noinline void defer(void *obj, const struct kng_type *type)
{
	struct kng_job *job;
	unsigned int level;

	if (unlikely(type->owner) && call_from_dying_module(type, obj))
		return;
	level = kng_entry_enter();
	job = kng_offload_prepare(type->index, type->owner);
	if (likely(job)) {
		kng_count_entered(KNG_TAKEN_RELEASE);
		kng_offload_queue(job, obj);
	} else {
		no_job(type, obj);
	}
	kng_entry_exit(level);
}

/* Of each type, in NMI. Constant, so that a stub makes no indirect call. */
static bool (*const put_not_last[KNG_NR_TYPES])(void *obj) = {
	[KNG_TYPE_TASK] = kng_put_task_not_last,
#ifdef CONFIG_CGROUPS
	[KNG_TYPE_CGROUP] = kng_put_cgroup_not_last,
#endif
#ifdef CONFIG_MEMCG
	[KNG_TYPE_MEM_CGROUP] = kng_put_mem_cgroup_not_last,
#endif
};

/* Runs in place of a release function of this type. */
static __always_inline void release_diverted(unsigned int type, void *obj)
{
	kng_uncount(KNG_BYPASSED);
	if (KNG_PUTS_ARE_KNOWN && put_not_last[type] && put_not_last[type](obj)) {
		kng_entry_count();
		kng_count(KNG_NOT_LAST);
		return;
	}
	defer(obj, &kng_types[type]);
}

/* ftrace passes on the arguments of a diverted call, and no more: so a stub for each type. */
#define STUB(i)	\
static void stub_##i(void *obj)	\
{	\
	release_diverted((i) % KNG_NR_TYPES, obj);	\
}

STUB(0) STUB(1) STUB(2) STUB(3) STUB(4) STUB(5) STUB(6) STUB(7)
STUB(8) STUB(9) STUB(10) STUB(11) STUB(12) STUB(13) STUB(14) STUB(15)

static void (*const stubs[])(void *obj) = {
	stub_0, stub_1, stub_2, stub_3, stub_4, stub_5, stub_6, stub_7,
	stub_8, stub_9, stub_10, stub_11, stub_12, stub_13, stub_14, stub_15,
};

static_assert(ARRAY_SIZE(stubs) >= KNG_NR_TYPES);

/* With kprobes: the function runs, too, and drops the reference that the job does not. */
static void release_probed(struct kng_hook *hook, unsigned long arg0, unsigned long unused)
{
	struct kng_type *type = container_of(hook, struct kng_type, hook);
	unsigned int level = kng_entry_enter();
	struct kng_job *job = kng_offload_prepare(type->index, type->owner);
	void *obj = (void *)arg0;

	if (job) {
		type->get(obj);
		kng_count_entered(KNG_TAKEN_RELEASE);
		kng_offload_queue(job, obj);
	} else if (may_run_here(type)) {
		kng_count(KNG_INLINED);
	} else {
		type->get(obj);
		leak(type);
	}
	kng_entry_exit(level);
}

static void prepare_hook(struct kng_type *type)
{
	struct kng_hook *hook = &type->hook;

	hook->address = type->put ? 0 : (unsigned long)type->dtor;
	hook->can_skip = true;
	hook->stub = (unsigned long)stubs[type - kng_types];
	hook->probed = release_probed;
}

static void report_unhooked(const struct kng_type *type)
{
	unsigned int i;

	for (i = 0; i < KNG_HOOK_FUNCTIONS; i++) {
		const char *function = type->hook.function[i];
		int err = type->hook.error[i];

		if (!function || type->hook.hooked & BIT(i))
			continue;
		pr_warn("%s can't be hooked (%d%s): %s\n", function, err,
			err == -EBUSY ? ", a livepatch or another module holds it" : "",
			i == KNG_DTOR ?
			"references stored during a teardown in NMI may be dropped there" :
			"programs that call it in NMI can hang the machine");
	}
}

static struct kng_group group;

/* Returns 0, or a negative errno. */
static int prepare_type(struct kng_type *type)
{
	btf_dtor_kfunc_t dtor = type->put ?: kng_probe(type->name);

	if (IS_ERR(dtor))
		return PTR_ERR(dtor);
	if (!dtor)
		return 0;
	/* Without a destructor, only the release kfunc says whether the kernel has the type. */
	if (type->put && !kng_lookup_exists(type->hook.function[KNG_KFUNC]))
		return 0;

	type->dtor = dtor;
	type->index = kng_dtor_index(dtor, NULL);
	if (type->index >= 0)
		kng_dtor_allow_hardirq(type->index);
	type->hook.error[KNG_DTOR] = -EOPNOTSUPP;
	type->hook.error[KNG_KFUNC] = -EOPNOTSUPP;
	if (!kng_hook_uses_ftrace() && !type->get)
		return 0;
	prepare_hook(type);
	kng_hook_join(&group, &type->hook);
	return 0;
}

int kng_release_init(void (*join)(struct kng_group *group))
{
	int guarded = 0, ret = 0, i;

	group.nr_hooks = 0;
	for (i = 0; i < KNG_TYPE_LEARNT && !ret; i++)
		ret = prepare_type(&kng_types[i]);
	join(&group);
	if (!ret && group.nr_hooks && kng_hook_install_group(&group) == -ENOMEM)
		ret = -ENOMEM;
	if (ret) {
		kng_release_exit();
		return ret;
	}
	for (i = 0; i < KNG_TYPE_LEARNT; i++) {
		if (kng_types[i].dtor)
			report_unhooked(&kng_types[i]);
		guarded += kng_types[i].dtor && kng_types[i].hook.hooked;
	}
	return guarded;
}

int kng_release_add(btf_dtor_kfunc_t dtor, struct module *owner)
{
	struct kng_type *type;
	int ret = 0;

	/* A kprobe can't skip the destructor, and we can't take references. */
	if (!kng_hook_uses_ftrace())
		return -EOPNOTSUPP;

	mutex_lock(&kng_types_lock);
	if (kng_types_guards(dtor))
		goto unlock;
	ret = -ENOSPC;
	type = kng_types_free_entry();
	if (!type)
		goto unlock;

	type->name = module_name(owner);
	type->owner = owner;
	type->index = kng_dtor_index(dtor, owner);
	WRITE_ONCE(type->dtor, dtor);
	prepare_hook(type);
	ret = kng_hook_install(&type->hook);
	if (ret)
		WRITE_ONCE(type->dtor, NULL);
unlock:
	mutex_unlock(&kng_types_lock);
	return ret;
}

void kng_release_remove(struct module *owner)
{
	int i;

	mutex_lock(&kng_types_lock);
	for (i = KNG_TYPE_LEARNT; i < KNG_NR_TYPES; i++) {
		if (!kng_types[i].dtor || kng_types[i].owner != owner)
			continue;
		/* If this fails, ftrace is dead and calls no handler. The entry stays in use. */
		kng_hook_remove(&kng_types[i].hook);
		WRITE_ONCE(kng_types[i].dtor, NULL);
	}
	mutex_unlock(&kng_types_lock);
}

void kng_release_exit(void)
{
	int i, ret;

	for (i = 0; i < KNG_NR_TYPES; i++) {
		/* The module of a learnt destructor may be unloaded at the same time. */
		mutex_lock(&kng_types_lock);
		ret = kng_hook_remove(&kng_types[i].hook);
		mutex_unlock(&kng_types_lock);
		if (ret)
			kng_hook_remove_for_good(&kng_types[i].hook);
	}
}
