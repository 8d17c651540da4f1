// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kptr type that no kernel knows: created, released and destroyed by this
 * module, and freed with call_rcu() as the kernel's own are. It counts what
 * its functions *did* (tally.h); entries that a hook turned away are not in it.
 *
 *   hold=Y (may be changed)    a destructor that a worker calls waits until
 *				it is N again, so that calls of it stay pending
 *
 * The module can go once no map and nobody else holds a reference on it.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/cfi.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "kng_foreign.h"

struct kng_foreign {
	refcount_t refs;
	struct rcu_head rcu;
};

enum { CREATED, RELEASED, DESTROYED, FREED, MIGRATABLE, MAX_TALLIES };

#include "tally.h"

static struct tally tallies[MAX_TALLIES] = {
	[CREATED] = { .name = "created" },
	[RELEASED] = { .name = "kng_foreign_release" },
	[DESTROYED] = { .name = "kng_foreign_release_dtor" },
	[FREED] = { .name = "freed" },
	/* Destructors that the guard called where the task could migrate */
	[MIGRATABLE] = { .name = "migratable" },
};

static bool hold;
module_param(hold, bool, 0644);
MODULE_PARM_DESC(hold, "have destructors wait that a worker calls (default N)");

static void foreign_free(struct rcu_head *rcu)
{
	tally(&tallies[FREED]);
	kfree(container_of(rcu, struct kng_foreign, rcu));
}

static void foreign_put(struct kng_foreign *obj)
{
	if (refcount_dec_and_test(&obj->refs))
		call_rcu(&obj->rcu, foreign_free);
}

__bpf_kfunc_start_defs();

/* One reference, the caller's. */
__bpf_kfunc struct kng_foreign *kng_foreign_create(void)
{
	struct kng_foreign *obj = kmalloc(sizeof(*obj), GFP_ATOMIC);

	if (!obj)
		return NULL;
	refcount_set(&obj->refs, 1);
	tally(&tallies[CREATED]);
	return obj;
}

__bpf_kfunc void kng_foreign_release(struct kng_foreign *obj)
{
	tally(&tallies[RELEASED]);
	foreign_put(obj);
}

static bool can_migrate(void)
{
#ifdef CONFIG_SMP
	return in_task() && preemptible() && !current->migration_disabled;
#else
	return false;
#endif
}

static bool is_guard(unsigned long caller)
{
	char where[128];

	snprintf(where, sizeof(where), "%pB", (void *)caller);
	return strstr(where, "[kptr_nmi_guard]");
}

__bpf_kfunc void kng_foreign_release_dtor(void *obj)
{
	if (can_migrate() && is_guard(_RET_IP_))
		tally(&tallies[MIGRATABLE]);
	while (in_task() && current->flags & PF_WQ_WORKER && READ_ONCE(hold))
		msleep(20);
	tally(&tallies[DESTROYED]);
	foreign_put(obj);
}

CFI_NOSEAL(kng_foreign_release_dtor);

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(foreign_ids)
BTF_ID_FLAGS(func, kng_foreign_create, KF_ACQUIRE | KF_RET_NULL)
BTF_ID_FLAGS(func, kng_foreign_release, KF_RELEASE)
BTF_KFUNCS_END(foreign_ids)

static const struct btf_kfunc_id_set foreign_set = {
	.owner = THIS_MODULE,
	.set = &foreign_ids,
};

BTF_ID_LIST(foreign_dtor_ids)
BTF_ID(struct, kng_foreign)
BTF_ID(func, kng_foreign_release_dtor)

static int __init foreign_init(void)
{
	const struct btf_id_dtor_kfunc dtor = {
		.btf_id = foreign_dtor_ids[0],
		.kfunc_btf_id = foreign_dtor_ids[1],
	};
	int err;

	err = register_btf_kfunc_id_set(BPF_PROG_TYPE_SYSCALL, &foreign_set);
	if (!err)
		err = register_btf_kfunc_id_set(BPF_PROG_TYPE_TRACING,
						&foreign_set);
	if (!err)
		err = register_btf_id_dtor_kfuncs(&dtor, 1, THIS_MODULE);
	if (err) {
		pr_err("kng_foreign: BTF does not take it: %d\n", err);
		return err;
	}
	tally_begin();
	return 0;
}

/* A reference of its own, given back with interrupts off while the module goes. */
static void foreign_leave(void)
{
	struct kng_foreign *obj = kng_foreign_create();
	s64 before = atomic64_read(&tallies[DESTROYED].total);
	unsigned long flags;

	if (!obj)
		return;
	local_irq_save(flags);
	kng_foreign_release_dtor(obj);
	local_irq_restore(flags);
	pr_info("kng_foreign: its last release %s\n",
		atomic64_read(&tallies[DESTROYED].total) > before ? "worked" : "was taken from it");
}

static void __exit foreign_exit(void)
{
	foreign_leave();
	tally_end();
	/* foreign_free() is in here. */
	rcu_barrier();
}

module_init(foreign_init);
module_exit(foreign_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: a kptr type of a module");
