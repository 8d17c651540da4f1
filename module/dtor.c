// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of known destructors.
 *
 * An entry is free, then claimed, then published. It becomes free again when the
 * module of its destructor is unloaded. Which calls can run at the same time:
 *
 *			index	run, put	module unload
 *	index		 -	 -		 a
 *	run, put	 -	 -		 b
 *
 * index/index: a claim is one compare-and-exchange, so each entry has one writer.
 *   Two callers that add the same destructor at the same time may claim two
 *   entries. A duplicate is harmless, and no caller waits for another.
 * a: the caller of index() knows that the destructor's module has a reference, so
 *   that module is not being unloaded. Entries of other modules may be freed
 *   during the search, but they don't match.
 * b: who runs jobs, or gives one up, owns their references on the module until put().
 */
#include <linux/module.h>
#include <linux/seq_buf.h>

#include "dtor.h"

struct kng_dtor kng_dtors[KNG_NR_DTORS];

int kng_dtor_index(btf_dtor_kfunc_t fn, struct module *owner)
{
	unsigned int i;

	for (i = 0; i < KNG_NR_DTORS; i++) {
		struct kng_dtor *k = &kng_dtors[i];
		/* Pairs with the release below: if fn is visible, so is owner. */
		btf_dtor_kfunc_t cur = smp_load_acquire(&k->fn);

		if (cur == fn && READ_ONCE(k->owner) == owner)
			return i;
		if (cur || atomic_cmpxchg(&k->claimed, 0, 1))
			continue;
		/* Two modules may go at once: the search of one may look at this entry. */
		WRITE_ONCE(k->owner, owner);
		k->hardirq = false;
		atomic64_set(&k->nr_run, 0);
		/* Pairs with the acquire above: owner is visible before fn is. */
		smp_store_release(&k->fn, fn);
		return i;
	}
	return -ENOSPC;
}

btf_dtor_kfunc_t kng_dtor_note_run(unsigned int index, unsigned int nr)
{
	struct kng_dtor *k = &kng_dtors[index];

	atomic64_add(nr, &k->nr_run);
	return READ_ONCE(k->fn);
}

void kng_dtor_show(struct seq_buf *m)
{
	unsigned int i;

	for (i = 0; i < KNG_NR_DTORS; i++) {
		btf_dtor_kfunc_t fn = READ_ONCE(kng_dtors[i].fn);
		u64 nr = atomic64_read(&kng_dtors[i].nr_run);
		char name[KSYM_NAME_LEN];

		if (!fn || !nr)
			continue;
		snprintf(name, sizeof(name), "%ps", fn);
		/* Without the name of the module. */
		name[strcspn(name, " ")] = 0;
		seq_buf_printf(m, "run_of_%s: %llu\n", name, nr);
	}
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
	for (i = 0; i < KNG_NR_DTORS; i++) {
		struct kng_dtor *k = &kng_dtors[i];

		if (!READ_ONCE(k->fn) || READ_ONCE(k->owner) != data)
			continue;
		WRITE_ONCE(k->fn, NULL);
		/* Pairs with the claim in kng_dtor_index(): fn is NULL before the next writer. */
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
