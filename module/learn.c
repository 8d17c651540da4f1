// SPDX-License-Identifier: GPL-2.0-only
/*
 * The release door for destructors of other modules. The map watch finds them
 * in the records of maps. They are hooked by address, and unhooked when their
 * module goes.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>

#include "hook.h"
#include "learn.h"
#include "release.h"

/* Written in task context under learn_lock; a free entry has no dtor. */
static struct kng_release_type learnt[8];
static DEFINE_MUTEX(learn_lock);

/* What the map watch found, for its worker. */
static struct {
	btf_dtor_kfunc_t dtor;
	struct module *owner;	/* a reference on it is held */
} wanted[8];
static unsigned int nr_wanted;
static DEFINE_RAW_SPINLOCK(wanted_lock);

bool kng_learn_guards(btf_dtor_kfunc_t dtor)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(learnt); i++) {
		if (READ_ONCE(learnt[i].dtor) == dtor && READ_ONCE(learnt[i].hook.hooked))
			return true;
	}
	return false;
}

/* One that has no dtor but is hooked could not be unhooked. */
static struct kng_release_type *free_entry(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(learnt); i++) {
		if (!learnt[i].dtor && !learnt[i].hook.hooked)
			return &learnt[i];
	}
	return NULL;
}

static int learn(btf_dtor_kfunc_t dtor, struct module *owner)
{
	struct kng_release_type *type;
	int ret = 0;

	/* A kprobe could not skip it, and nobody knows how to get a reference. */
	if (kng_hook_kind == KNG_HOOK_KPROBE)
		return -EOPNOTSUPP;

	mutex_lock(&learn_lock);
	if (kng_learn_guards(dtor))
		goto unlock;
	ret = -ENOSPC;
	type = free_entry();
	if (!type)
		goto unlock;

	type->name = module_name(owner);
	type->owner = owner;
	type->hook.address = (unsigned long)dtor;
	type->hook.divert = kng_release_divert;
	type->hook.can_skip = true;
	WRITE_ONCE(type->dtor, dtor);
	ret = kng_hook_install(&type->hook);
	if (ret)
		WRITE_ONCE(type->dtor, NULL);
unlock:
	mutex_unlock(&learn_lock);
	return ret;
}

bool kng_learn_later(btf_dtor_kfunc_t dtor, struct module *owner)
{
	unsigned int i;
	bool room;

	raw_spin_lock(&wanted_lock);
	for (i = 0; i < nr_wanted && wanted[i].dtor != dtor; i++)
		;
	room = i < ARRAY_SIZE(wanted);
	if (room && i == nr_wanted && try_module_get(owner)) {
		wanted[i].dtor = dtor;
		wanted[i].owner = owner;
		nr_wanted++;
	}
	raw_spin_unlock(&wanted_lock);
	return room;
}

static bool next_wanted(btf_dtor_kfunc_t *dtor, struct module **owner)
{
	bool found;

	raw_spin_lock(&wanted_lock);
	found = nr_wanted;
	if (found) {
		nr_wanted--;
		*dtor = wanted[nr_wanted].dtor;
		*owner = wanted[nr_wanted].owner;
	}
	raw_spin_unlock(&wanted_lock);
	return found;
}

bool kng_learn_wanted(void)
{
	btf_dtor_kfunc_t dtor;
	struct module *owner;
	bool all = true;

	while (next_wanted(&dtor, &owner)) {
		int ret = learn(dtor, owner);

		if (ret)
			pr_warn_ratelimited("%ps can't be hooked (%d): only the teardown door guards it\n",
					    dtor, ret);
		module_put(owner);
		all &= !ret;
	}
	return all;
}

void kng_learn_forget(struct module *owner)
{
	int i;

	mutex_lock(&learn_lock);
	for (i = 0; i < ARRAY_SIZE(learnt); i++) {
		if (!learnt[i].dtor || learnt[i].owner != owner)
			continue;
		/* If that fails the hook is dead, like ftrace; its entry stays. */
		kng_hook_remove(&learnt[i].hook);
		WRITE_ONCE(learnt[i].dtor, NULL);
	}
	mutex_unlock(&learn_lock);
}

void kng_learn_exit(void)
{
	btf_dtor_kfunc_t dtor;
	struct module *owner;
	int i, ret;

	while (next_wanted(&dtor, &owner))
		module_put(owner);
	for (i = 0; i < ARRAY_SIZE(learnt); i++) {
		/* The owner may go at the same time, see kng_learn_forget(). */
		mutex_lock(&learn_lock);
		ret = kng_hook_remove(&learnt[i].hook);
		mutex_unlock(&learn_lock);
		if (ret)
			kng_hook_remove_for_good(&learnt[i].hook);
	}
}

void kng_learn_show(struct seq_file *m)
{
	int i, j;

	mutex_lock(&learn_lock);
	for (i = 0; i < ARRAY_SIZE(learnt); i++) {
		unsigned int dtors = 0;

		/* A line for each module, at the first of its entries. */
		for (j = 0; j < ARRAY_SIZE(learnt); j++) {
			if (!learnt[j].dtor || learnt[j].owner != learnt[i].owner)
				continue;
			if (j < i)
				break;
			dtors++;
		}
		if (learnt[i].dtor && j == ARRAY_SIZE(learnt))
			seq_printf(m, "door_release_of_module_%s: %u destructor%s\n",
				   learnt[i].name, dtors, dtors > 1 ? "s" : "");
	}
	mutex_unlock(&learn_lock);
}
