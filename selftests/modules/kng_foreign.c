// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kptr type that no kernel knows: created, released and destroyed by this
 * module, and freed with call_rcu() as the kernel's own are. It counts what
 * its functions *did*; entries that a hook turned away are not in it:
 *
 *   /sys/kernel/debug/kng_foreign/counts   "NAME total nmi" lines
 *   /sys/kernel/debug/kng_foreign/reset    write anything
 *   hold=Y (may be changed)    a destructor that a worker calls waits until
 *				it is N again, so that calls of it stay pending
 *
 * The module can go once no map and nobody else holds a reference on it.
 */
#include <linux/atomic.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/cfi.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "kng_foreign.h"

struct kng_foreign {
	refcount_t refs;
	struct rcu_head rcu;
};

struct tally {
	const char *name;
	atomic64_t total;
	atomic64_t nmi;
};

enum { CREATED, RELEASED, DESTROYED, FREED, TALLIES };

static struct tally tallies[TALLIES] = {
	[CREATED] = { .name = "created" },
	[RELEASED] = { .name = "kng_foreign_release" },
	[DESTROYED] = { .name = "kng_foreign_release_dtor" },
	[FREED] = { .name = "freed" },
};

static bool hold;
module_param(hold, bool, 0644);
MODULE_PARM_DESC(hold, "have destructors wait that a worker calls (default N)");

static struct dentry *dir;

static void tally(int what)
{
	atomic64_inc(&tallies[what].total);
	if (in_nmi())
		atomic64_inc(&tallies[what].nmi);
}

static void foreign_free(struct rcu_head *rcu)
{
	tally(FREED);
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
	tally(CREATED);
	return obj;
}

__bpf_kfunc void kng_foreign_release(struct kng_foreign *obj)
{
	tally(RELEASED);
	foreign_put(obj);
}

__bpf_kfunc void kng_foreign_release_dtor(void *obj)
{
	while (in_task() && current->flags & PF_WQ_WORKER && READ_ONCE(hold))
		msleep(20);
	tally(DESTROYED);
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

static int counts_show(struct seq_file *m, void *unused)
{
	int i;

	for (i = 0; i < TALLIES; i++)
		seq_printf(m, "%s %lld %lld\n", tallies[i].name,
			   atomic64_read(&tallies[i].total),
			   atomic64_read(&tallies[i].nmi));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counts);

static ssize_t reset_write(struct file *file, const char __user *ubuf,
			   size_t len, loff_t *pos)
{
	int i;

	for (i = 0; i < TALLIES; i++) {
		atomic64_set(&tallies[i].total, 0);
		atomic64_set(&tallies[i].nmi, 0);
	}
	return len;
}

static const struct file_operations reset_fops = {
	.owner = THIS_MODULE,
	.write = reset_write,
};

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
	dir = debugfs_create_dir("kng_foreign", NULL);
	debugfs_create_file("counts", 0400, dir, NULL, &counts_fops);
	debugfs_create_file("reset", 0200, dir, NULL, &reset_fops);
	return 0;
}

static void __exit foreign_exit(void)
{
	debugfs_remove_recursive(dir);
	/* foreign_free() is in here. */
	rcu_barrier();
}

module_init(foreign_init);
module_exit(foreign_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: a kptr type of a module");
