// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of destructors: module/dtor.c itself. Modules come and go more often than it
 * has entries; it is full; threads add to it at once.
 */
#include <errno.h>
#include <pthread.h>

#include "kernel.h"
#include "tap.h"

/* What dtor.c and its header take from elsewhere. The kernel's headers are empty files here. */
#define KNG_ENTRY_H
#define KNG_PARAMS_H
#define KSYM_NAME_LEN		64
#define NOTIFY_DONE		0
#define NOTIFY_OK		1
#define MODULE_STATE_GOING	2

typedef void (*btf_dtor_kfunc_t)(void *);

struct module {
	int refs;
};

struct seq_buf;
#define seq_buf_printf(m, ...)	((void)(m))

struct notifier_block {
	int (*notifier_call)(struct notifier_block *nb, unsigned long event, void *data);
};

static struct notifier_block *notified;

static int register_module_notifier(struct notifier_block *nb)
{
	notified = nb;
	return 0;
}

static void unregister_module_notifier(struct notifier_block *nb)
{
	(void)nb;
	notified = NULL;
}

static inline void module_put(struct module *module)
{
	module->refs--;
}

static inline bool kng_entry_defers_irqsoff(void)
{
	return false;
}

static inline void *kng_entry_mark_own_call(void *obj)
{
	return obj;
}

static inline int atomic_cmpxchg(atomic_t *v, int old, int new)
{
	__atomic_compare_exchange_n(&v->counter, &old, new, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return old;
}

static inline void atomic_set_release(atomic_t *v, int i)
{
	__atomic_store_n(&v->counter, i, __ATOMIC_RELEASE);
}

/* What pairs with what, dtor.c says. */
#define smp_load_acquire(p) \
	__atomic_load_n(p, __ATOMIC_ACQUIRE) /* acquire */
#define smp_store_release(p, v) \
	__atomic_store_n(p, v, __ATOMIC_RELEASE) /* release */

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "../../module/dtor.c"
#pragma GCC diagnostic warning "-Wformat"
#pragma GCC diagnostic warning "-Wunused-parameter"

/* Addresses that are told apart, and never called. */
static btf_dtor_kfunc_t dtor_nr(unsigned long i)
{
	return (btf_dtor_kfunc_t)(0x1000 + 16 * i);
}

static struct module modules[KNG_NR_DTORS + 1];

static void goes(struct module *module)
{
	notified->notifier_call(notified, MODULE_STATE_GOING, module);
}

static bool is(int index, btf_dtor_kfunc_t fn, const struct module *owner)
{
	return index >= 0 && index < (int)KNG_NR_DTORS &&
	       kng_dtors[index].fn == fn && kng_dtors[index].owner == owner;
}

static unsigned int in_table(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < KNG_NR_DTORS; i++)
		nr += !!kng_dtors[i].fn;
	return nr;
}

static void test_same(void)
{
	int task = kng_dtor_index(dtor_nr(0), NULL);
	int first = kng_dtor_index(dtor_nr(1), &modules[1]);
	int second = kng_dtor_index(dtor_nr(1), &modules[2]);

	tap_ok(is(task, dtor_nr(0), NULL) && is(first, dtor_nr(1), &modules[1]) &&
	       is(second, dtor_nr(1), &modules[2]) && first != second,
	       "an address has an index for each module that it was in");
	tap_ok(kng_dtor_index(dtor_nr(0), NULL) == task &&
	       kng_dtor_index(dtor_nr(1), &modules[1]) == first, "and keeps it");
	goes(&modules[1]);
	tap_ok(!kng_dtors[first].fn && is(second, dtor_nr(1), &modules[2]) &&
	       is(task, dtor_nr(0), NULL), "a module takes its own with it, and nothing else");
	notified->notifier_call(notified, MODULE_STATE_GOING + 1, &modules[2]);
	tap_ok(is(second, dtor_nr(1), &modules[2]), "only when it goes");
	goes(&modules[2]);
}

/* Each life of a module is at another address, or at the same. */
static void test_lives(bool same)
{
	unsigned int lives = 4 * KNG_NR_DTORS, i, good = 0, clean = 0;
	unsigned int before = in_table();

	for (i = 0; i < lives; i++) {
		btf_dtor_kfunc_t fn = dtor_nr(same ? 1 : i + 1);
		struct module *module = &modules[same ? 1 : i % KNG_NR_DTORS + 1];
		int index = kng_dtor_index(fn, module);

		good += is(index, fn, module);
		if (index < 0)
			break;
		clean += !kng_dtors[index].hardirq && !atomic64_read(&kng_dtors[index].nr_run);
		kng_dtor_allow_hardirq(index);
		kng_dtor_note_run(index, 7);
		goes(module);
	}
	tap_ok(good == lives, "%u lives of a module, %s: each has an entry (%u)", lives,
	       same ? "at the same address" : "each elsewhere", good);
	tap_ok(clean == lives, "nothing of the one before is in it (%u)", clean);
	tap_ok(in_table() == before, "the table is as it was");
}

static void test_full(void)
{
	unsigned int i, found = 0;
	int index, again;

	for (i = in_table(); i < KNG_NR_DTORS; i++)
		kng_dtor_index(dtor_nr(i), &modules[i]);
	tap_ok(in_table() == KNG_NR_DTORS &&
	       kng_dtor_index(dtor_nr(KNG_NR_DTORS), &modules[KNG_NR_DTORS]) == -ENOSPC,
	       "%u destructors are in the table, one more is not", in_table());
	for (i = 1; i < KNG_NR_DTORS; i++)
		found += is(kng_dtor_index(dtor_nr(i), &modules[i]), dtor_nr(i), &modules[i]);
	tap_ok(found == KNG_NR_DTORS - 1, "those that are, are found (%u)", found);
	index = kng_dtor_index(dtor_nr(7), &modules[7]);
	goes(&modules[7]);
	again = kng_dtor_index(dtor_nr(KNG_NR_DTORS), &modules[KNG_NR_DTORS]);
	tap_ok(again == index, "one goes, and another has its place");
	for (i = 1; i <= KNG_NR_DTORS; i++)
		goes(&modules[i]);
	tap_ok(in_table() == 1, "all modules have gone: only the kernel's is left");
}

/* Several threads, each with a module of its own that comes and goes, share the kernel's. */
#define THREADS	4
#define ROUNDS	20000

static unsigned int wrong[THREADS];

static void *adds(void *arg)
{
	unsigned long me = (unsigned long)arg, i;

	for (i = 0; i < ROUNDS; i++) {
		struct module *module = &modules[1 + me];
		btf_dtor_kfunc_t fn = dtor_nr(1 + 3 * me + i % 3);
		int index = kng_dtor_index(fn, module);

		wrong[me] += !is(index, fn, module);
		wrong[me] += !is(kng_dtor_index(dtor_nr(0), NULL), dtor_nr(0), NULL);
		if (i % 5 == 4)
			goes(module);
	}
	goes(&modules[1 + me]);
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];
	unsigned long i, sum = 0;

	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, adds, (void *)i);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum += wrong[i];
	}
	tap_ok(!sum, "%d threads at once: each has its own (%lu wrong)", THREADS, sum);
	tap_ok(in_table() == 1, "and nothing stays");
}

/* What a call and a job that is given up do with the module. */
static int called;

static void counts(void *obj)
{
	called += *(int *)obj;
}

static void test_put(void)
{
	struct module module = { .refs = 3 };
	int index = kng_dtor_index(counts, &module), three = 3;

	kng_dtor_call(kng_dtors[index].fn, &three);
	tap_ok(called == 3 && module.refs == 3, "a run keeps the module");
	kng_dtor_put(index, 1);
	tap_ok(module.refs == 2, "a job gives it back");
	kng_dtor_put(index, 2);
	tap_ok(called == 3 && !module.refs, "so do two together");
	goes(&module);
	kng_dtor_exit();
	tap_ok(!notified, "nobody is told of modules any more");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv);
	kng_dtor_init();
	test_same();
	test_lives(true);
	test_lives(false);
	test_full();
	test_threads();
	test_put();
	return tap_done();
}
