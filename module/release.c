// SPDX-License-Identifier: GPL-2.0-only
/*
 * The release door.
 *
 * A reference is dropped by one of two functions: the release kfunc of its type, which
 * a program calls on a pointer that it took out with bpf_kptr_xchg(), or the
 * destructor, which the kernel calls on a pointer that is left in a slot. In NMI the
 * call goes to an empty stub instead, and {object, destructor} goes into a job. (With
 * defer=irqsoff, the same happens with interrupts off. "In NMI" below includes that.)
 * The job of a release kfunc calls the destructor of the type: both do the same, and
 * the kfunc can't be called through a pointer, because it is sealed under IBT.
 *
 * kprobes can't skip a function. There the door takes one more reference. So the put
 * of the hooked function is not the last one, and the job drops the extra reference. A
 * type for which we can't take references is left to the teardown door.
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
#include "offload.h"
#include "params.h"
#include "probe.h"
#include "release.h"
#include "types.h"

/* Take the reference over. Returns false if no job is left. */
static bool take(struct kng_type *type, void *obj)
{
	struct kng_job *job;

	if (likely(type->hook.skips))
		return kng_offload_defer(type->index, type->owner, obj);

	job = kng_offload_prepare(type->index, type->owner);
	if (job) {
		type->get(obj);
		kng_offload_queue(job, obj);
	}
	return job;
}

static bool no_job(struct kng_type *type, void *obj)
{
	if (type->nmi_safe || kng_params.on_empty == KNG_INLINE) {
		kng_count(KNG_INLINED);
		return false;
	}
	if (!type->hook.skips)
		type->get(obj);
	/* The reference is never dropped, so its destructor's module stays, too. */
	if (type->owner)
		__module_get(type->owner);
	kng_count(KNG_TAKEN);
	kng_count(KNG_LEAKED);
	return type->hook.skips;
}

/* Not inline: a put that is not the last one needs none of its registers. */
static noinline bool defer(struct kng_type *type, void *obj)
{
	unsigned int level;
	bool skip;

	/* A module that is being unloaded can't be held by a job. Outside NMI it may call. */
	if (unlikely(type->owner) && !in_nmi() && !module_is_live(type->owner))
		return false;

	level = kng_entry_enter();
	if (likely(take(type, obj))) {
		kng_count(KNG_TAKEN_RELEASE);
		skip = type->hook.skips;
	} else {
		skip = no_job(type, obj);
	}
	kng_entry_exit(level);
	return skip;
}

static bool release_diverted(struct kng_hook *hook, unsigned long arg0, unsigned long unused)
{
	struct kng_type *type = container_of(hook, struct kng_type, hook);
	void *obj = (void *)arg0;

	if (hook->skips && type->put_not_last && type->put_not_last(obj)) {
		kng_entry_count();
		kng_count(KNG_NOT_LAST);
		return true;
	}
	return defer(type, obj);
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

/* Returns 1: guarded; 0: not guarded, or no such type; or a negative errno. */
static int open_type(struct kng_type *type)
{
	btf_dtor_kfunc_t dtor = kng_probe(type->name);

	if (IS_ERR(dtor))
		return PTR_ERR(dtor);
	if (!dtor)
		return 0;

	type->dtor = dtor;
	type->index = kng_dtor_index(dtor, NULL);
	type->hook.address = (unsigned long)dtor;
	type->hook.divert = release_diverted;
	type->hook.can_skip = true;
	type->hook.error[KNG_DTOR] = -EOPNOTSUPP;
	type->hook.error[KNG_KFUNC] = -EOPNOTSUPP;
	if ((kng_hook_uses_ftrace() || type->get) && kng_hook_install(&type->hook) == -ENOMEM)
		return -ENOMEM;
	report_unhooked(type);
	return !!type->hook.hooked;
}

int kng_release_init(void)
{
	int guarded = 0, ret, i;

	for (i = 0; i < KNG_TYPE_LEARNT; i++) {
		ret = open_type(&kng_types[i]);
		if (ret < 0) {
			kng_release_exit();
			return ret;
		}
		guarded += ret;
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
	type->hook.address = (unsigned long)dtor;
	type->hook.divert = release_diverted;
	type->hook.can_skip = true;
	WRITE_ONCE(type->dtor, dtor);
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
