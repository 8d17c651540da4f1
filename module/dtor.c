// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of known destructors.
 *
 * Life of an entry: free, claimed, published, and free again when its module
 * goes. Who may do what at the same time:
 *
 *			get	put, call	module goes
 *	get		 -	 -		 a
 *	put, call	 -	 -		 b
 *
 * get/get: a claim is one compare-and-exchange, so an entry has one writer. Two
 *   callers that add the same destructor at once may both claim: a duplicate
 *   is harmless, and no caller waits for another's half-written entry.
 * a: get() for a module is called while something holds a reference on it, so
 *   that module isn't going. Other modules' entries may vanish under the
 *   search; they did not match.
 * b: put() and call() hold the reference that get() took.
 */
#include <linux/module.h>

#include "dtor.h"
#include "entry.h"
#include "kng_pool.h"
#include "learn.h"

#define NR_DTORS	(1U << KNG_DTOR_BITS)

struct known_dtor {
	btf_dtor_kfunc_t fn;	/* NULL: not published */
	struct module *owner;	/* valid while @fn is */
	atomic_t claimed;
};

static struct known_dtor known[NR_DTORS];

static int find_or_add(btf_dtor_kfunc_t fn, struct module *owner)
{
	unsigned int i;

	for (i = 0; i < NR_DTORS; i++) {
		struct known_dtor *k = &known[i];
		/* Pairs with the release below: owner is visible. */
		btf_dtor_kfunc_t cur = smp_load_acquire(&k->fn);

		if (cur == fn && k->owner == owner)
			return i;
		if (cur || atomic_cmpxchg(&k->claimed, 0, 1))
			continue;
		k->owner = owner;
		/* Pairs with the acquire above. */
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
	kng_entry_let_pass(obj);
	known[index].fn(obj);
	kng_entry_let_pass(NULL);
	module_put(known[index].owner);
}

/*
 * A module that goes has no job left: each holds a reference on it. Its entries
 * are free for others, and a module loaded later at the same address starts
 * with a clean table.
 */
static int module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	unsigned int i;

	if (event != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	kng_learn_forget(data);
	for (i = 0; i < NR_DTORS; i++) {
		struct known_dtor *k = &known[i];

		if (!READ_ONCE(k->fn) || k->owner != data)
			continue;
		WRITE_ONCE(k->fn, NULL);
		/* Pairs with the claim: the next writer comes after us. */
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
