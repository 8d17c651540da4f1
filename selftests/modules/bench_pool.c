// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guard's pool is compared with: one object taken and given back, by one
 * CPU. The kernel's pcpu_freelist is not exported: it is called where it is.
 */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/llist.h>
#include <linux/objpool.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "bench.h"
#include "kng_resize.h"

#define OBJECTS	64

/* kernel/bpf/percpu_freelist.h; its head is smaller in all supported versions. */
struct pcpu_freelist { u64 opaque[8]; };
struct pcpu_freelist_node { struct pcpu_freelist_node *next; };

static struct kng_pool kng;
static struct kng_stack *kng_stacks;
static struct kng_chunk kng_chunk;
static struct kng_job jobs[OBJECTS];

static LLIST_HEAD(list);
static LLIST_HEAD(locked_list);
static DEFINE_RAW_SPINLOCK(list_lock);
static struct llist_node nodes[OBJECTS], locked_nodes[OBJECTS];

static struct objpool_head objpool;
static bool has_objpool;

static struct pcpu_freelist freelist;
static struct pcpu_freelist_node free_nodes[OBJECTS];
static void (*freelist_push)(struct pcpu_freelist *list, struct pcpu_freelist_node *node);
static struct pcpu_freelist_node *(*freelist_pop)(struct pcpu_freelist *list);
static void (*freelist_destroy)(struct pcpu_freelist *list);
static bool has_freelist;

void bench_pool_kng(void)
{
	kng_pool_push(&kng, kng_pool_pop(&kng));
}

/* One consumer only: with more it has the ABA bug. */
void bench_pool_llist(void)
{
	llist_add(llist_del_first(&list), &list);
}

void bench_pool_llist_lock(void)
{
	struct llist_node *node;
	unsigned long flags;

	raw_spin_lock_irqsave(&list_lock, flags);
	node = llist_del_first(&locked_list);
	raw_spin_unlock_irqrestore(&list_lock, flags);
	llist_add(node, &locked_list);
}

void bench_pool_objpool(void)
{
	objpool_push(objpool_pop(&objpool), &objpool);
}

void bench_pool_freelist(void)
{
	freelist_push(&freelist, freelist_pop(&freelist));
}

static int (*freelist_init)(struct pcpu_freelist *list);
static void (*freelist_populate)(struct pcpu_freelist *list, void *buf, u32 size, u32 nr);

static bool find_freelist(void)
{
	freelist_init = (void *)bench_address("pcpu_freelist_init");
	freelist_populate = (void *)bench_address("pcpu_freelist_populate");
	freelist_push = (void *)bench_address("pcpu_freelist_push");
	freelist_pop = (void *)bench_address("pcpu_freelist_pop");
	freelist_destroy = (void *)bench_address("pcpu_freelist_destroy");
	if (!freelist_init || !freelist_populate || !freelist_push || !freelist_pop ||
	    !freelist_destroy || freelist_init(&freelist))
		return false;
	freelist_populate(&freelist, free_nodes, sizeof(free_nodes[0]), OBJECTS);
	return true;
}

int bench_pools_init(void)
{
	int i;

	kng_stacks = kcalloc(nr_cpu_ids + 1, sizeof(*kng_stacks), GFP_KERNEL);
	if (!kng_stacks)
		return -ENOMEM;
	kng_pool_init(&kng, kng_stacks, nr_cpu_ids, &kng_chunk, 1);
	if (!kng_resize_add(&kng, jobs, OBJECTS))
		return -ENOMEM;
	for (i = 0; i < OBJECTS; i++) {
		llist_add(&nodes[i], &list);
		llist_add(&locked_nodes[i], &locked_list);
	}
	if (objpool_init(&objpool, OBJECTS, 64, GFP_KERNEL, NULL, NULL, NULL))
		return -ENOMEM;
	has_objpool = true;
	has_freelist = find_freelist();
	return has_freelist ? 0 : -ENOENT;
}

void bench_pools_exit(void)
{
	if (has_objpool)
		objpool_free(&objpool);
	if (has_freelist)
		freelist_destroy(&freelist);
	kfree(kng_stacks);
}
