// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of known destructors.
 *
 * An entry is free, then claimed, then published. It becomes free again when the
 * module of its destructor is unloaded. Which calls can run at the same time:
 *
 *			get	put, call	module unload
 *	get		 -	 -		 a
 *	put, call	 -	 -		 b
 *
 * get/get: a claim is one compare-and-exchange, so each entry has one writer.
 *   Two callers that add the same destructor at the same time may claim two
 *   entries. A duplicate is harmless, and no caller waits for another.
 * a: the caller of get() knows that the destructor's module has a reference, so
 *   that module is not being unloaded. Entries of other modules may be freed
 *   during the search, but they don't match.
 * b: put() and call() own the module reference that get() took.
 */
#include <linux/module.h>

#include "dtor.h"
#include "entry.h"
#include "kng_pool.h"

#define NR_DTORS	(1U << KNG_DTOR_BITS)

struct known_dtor {
	btf_dtor_kfunc_t fn;	/* NULL unless the entry is published */
	struct module *owner;	/* valid while @fn is set */
	atomic_t claimed;
};

static struct known_dtor known[NR_DTORS];

static int find_or_add(btf_dtor_kfunc_t fn, struct module *owner)
{
	unsigned int i;

	for (i = 0; i < NR_DTORS; i++) {
		struct known_dtor *k = &known[i];
		/* Pairs with the release below: if fn is visible, so is owner. */
		btf_dtor_kfunc_t cur = smp_load_acquire(&k->fn);

		if (cur == fn && k->owner == owner)
			return i;
		if (cur || atomic_cmpxchg(&k->claimed, 0, 1))
			continue;
		k->owner = owner;
		/* Pairs with the acquire above: owner is visible before fn is. */
		smp_store_release(&k->fn, fn);
		return i;
	}
	return -ENOSPC;
}

int kng_dtor_get(btf_dtor_kfunc_t fn, struct module *owner)
{
	int i = find_or_add(fn, owner);

	if (i >= 0 && !try_module_get(owner))
		return -ENOENT;
	return i;
}

void kng_dtor_put(unsigned int index)
{
	module_put(known[index].owner);
}

void kng_dtor_call(unsigned int index, void *obj)
{
	kng_entry_mark_own_call(obj);
	known[index].fn(obj);
	kng_entry_mark_own_call(NULL);
	module_put(known[index].owner);
}

/*
 * Each job holds a reference on the module of its destructor, so a module that
 * is being unloaded has no job. Free its entries: another module may be loaded at
 * the same address later.
 */
static int module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	unsigned int i;

	if (event != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	for (i = 0; i < NR_DTORS; i++) {
		struct known_dtor *k = &known[i];

		if (!READ_ONCE(k->fn) || k->owner != data)
			continue;
		WRITE_ONCE(k->fn, NULL);
		/* Pairs with the claim in find_or_add(): fn is NULL before the next writer. */
		atomic_set_release(&k->claimed, 0);
	}
	return NOTIFY_OK;
}

static struct notifier_block module_nb = { .notifier_call = module_event };

int kng_dtor_init(void)
{
	return register_module_notifier(&module_nb);
}

void kng_dtor_exit(void)
{
	unregister_module_notifier(&module_nb);
}
