// SPDX-License-Identifier: GPL-2.0-only
/*
 * Destructors of other modules. The map watch finds them in the records of maps, in
 * atomic context, and notes them here. Its worker then adds them to the release door.
 * They are removed when their module is unloaded.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/spinlock.h>

#include "learn.h"
#include "release.h"

/* Destructors that were noted but not added yet. */
static struct {
	btf_dtor_kfunc_t dtor;
	struct module *owner;	/* we hold a reference on it */
} noted[8];
static unsigned int nr_noted;
static DEFINE_RAW_SPINLOCK(noted_lock);

bool kng_learn_note(btf_dtor_kfunc_t dtor, struct module *owner)
{
	unsigned int i;
	bool room;

	raw_spin_lock(&noted_lock);
	for (i = 0; i < nr_noted && noted[i].dtor != dtor; i++)
		;
	room = i < ARRAY_SIZE(noted);
	if (room && i == nr_noted && try_module_get(owner)) {
		noted[i].dtor = dtor;
		noted[i].owner = owner;
		nr_noted++;
	}
	raw_spin_unlock(&noted_lock);
	return room;
}

static bool next_noted(btf_dtor_kfunc_t *dtor, struct module **owner)
{
	bool found;

	raw_spin_lock(&noted_lock);
	found = nr_noted;
	if (found) {
		nr_noted--;
		*dtor = noted[nr_noted].dtor;
		*owner = noted[nr_noted].owner;
	}
	raw_spin_unlock(&noted_lock);
	return found;
}

bool kng_learn_noted(void)
{
	btf_dtor_kfunc_t dtor;
	struct module *owner;
	bool all = true;

	while (next_noted(&dtor, &owner)) {
		int ret = kng_release_add(dtor, owner);

		if (ret)
			pr_warn_ratelimited("%ps can't be hooked (%d): only the teardown door guards it\n",
					    dtor, ret);
		module_put(owner);
		all &= !ret;
	}
	return all;
}

static int module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	if (event != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	kng_release_remove(data);
	return NOTIFY_OK;
}

static struct notifier_block module_nb = { .notifier_call = module_event };

int kng_learn_init(void)
{
	return register_module_notifier(&module_nb);
}

void kng_learn_exit(void)
{
	btf_dtor_kfunc_t dtor;
	struct module *owner;

	unregister_module_notifier(&module_nb);
	while (next_noted(&dtor, &owner))
		module_put(owner);
}
