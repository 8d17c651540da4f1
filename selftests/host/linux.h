/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What files of module/ take from the kernel, for user space, where one thread plays all
 * there is. The kernel's own headers are empty files then (Makefile). A test that includes
 * this includes files of module/ next, as they are.
 *
 * Per-CPU data exists once.
 */
#ifndef SELFTESTS_HOST_LINUX_H
#define SELFTESTS_HOST_LINUX_H

#include <errno.h>
#include <stdarg.h>

#include "kernel.h"
#include "tap.h"

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* The language */

#define unlikely(x)		__builtin_expect(!!(x), 0)
#ifndef __always_inline
#define __always_inline		inline
#endif
#define __init
#define fallthrough		__attribute__((__fallthrough__))
#define BIT(nr)			(1UL << (nr))
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define min(a, b) ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b) ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define clamp(v, lo, hi)	min(max(v, lo), hi)
#define round_up(x, y)		(((x) + (y) - 1) / (y) * (y))
#define div_u64(a, b)		((a) / (b))
#define IS_ERR(p)		((unsigned long)(p) >= (unsigned long)-4095)
#define IS_ERR_OR_NULL(p)	(!(p) || IS_ERR(p))
#define PTR_ERR(p)		((long)(p))
#define ERR_PTR(e)		((void *)(long)(e))
#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define SZ_128M			(128UL << 20)
#define PAGE_SHIFT		12

static inline size_t strscpy_n(char *to, const char *from, size_t size)
{
	snprintf(to, size, "%s", from);
	return strlen(to);
}

#define strscpy(to, from, size)	strscpy_n(to, from, size)

/* Lists */

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD(name) struct list_head name = { &(name), &(name) }
#define list_entry(ptr, type, member)	container_of(ptr, type, member)
#define list_for_each_entry_safe(pos, n, head, member)					\
	for (pos = list_entry((head)->next, __typeof__(*pos), member),			\
	     n = list_entry(pos->member.next, __typeof__(*pos), member);		\
	     &pos->member != (head);							\
	     pos = n, n = list_entry(n->member.next, __typeof__(*n), member))

static inline void list_add_tail(struct list_head *new, struct list_head *head)
{
	new->next = head;
	new->prev = head->prev;
	head->prev->next = new;
	head->prev = new;
}

static inline void list_del_init(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	entry->next = entry->prev = entry;
}

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

#define hlist_entry_safe(ptr, type, member) \
	({ struct hlist_node *p_ = (ptr); p_ ? container_of(p_, type, member) : NULL; })
#define hlist_for_each_entry_rcu(pos, head, member, ...)				\
	for (pos = hlist_entry_safe((head)->first, __typeof__(*pos), member); pos;	\
	     pos = hlist_entry_safe(pos->member.next, __typeof__(*pos), member))
#define hlist_for_each_entry_safe(pos, n, head, member)					\
	for (pos = hlist_entry_safe((head)->first, __typeof__(*pos), member);		\
	     pos && ({ n = pos->member.next; 1; });					\
	     pos = hlist_entry_safe(n, __typeof__(*pos), member))

static inline void hlist_add_head_rcu(struct hlist_node *n, struct hlist_head *head)
{
	n->next = head->first;
	if (n->next)
		n->next->pprev = &n->next;
	head->first = n;
	n->pprev = &head->first;
}

static inline void hlist_del(struct hlist_node *n)
{
	*n->pprev = n->next;
	if (n->next)
		n->next->pprev = n->pprev;
}

#define hlist_del_rcu(n)	hlist_del(n)
#define hash_ptr(p, bits)	((unsigned long)(p) / 64 % (1UL << (bits)))

/* Locks that nobody else wants, RCU readers that nobody waits for: they are balanced. */

static TAP_MAYBE int locked, reading;

typedef struct {
	int unused;
} raw_spinlock_t;

#define DEFINE_RAW_SPINLOCK(name)	raw_spinlock_t name
#define lock_is(to, l)			((void)(l), locked += (to))
#define raw_spin_lock_irqsave(l, f)	((f) = 0, lock_is(1, l))
#define raw_spin_unlock_irqrestore(l, f)	((void)(f), lock_is(-1, l))
#define lockdep_is_held(l)		1
#define rcu_read_lock()			(reading++)
#define rcu_read_unlock()		(reading--)
#define cond_resched()			((void)0)
#define __acquires(x)
#define __releases(x)

/* CPUs: two of four are online. */

#define num_possible_cpus()		4
#define num_online_cpus()		2
#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < 1; (cpu)++)
#define DEFINE_PER_CPU(type, name)	type name
#define DECLARE_PER_CPU(type, name)	extern type name
#define per_cpu(var, cpu)		(*((void)(cpu), &(var)))
#define per_cpu_ptr(ptr, cpu)		((void)(cpu), (ptr))
#define this_cpu_ptr(ptr)		(ptr)
#define this_cpu_inc(var)		((var)++)
#define this_cpu_dec(var)		((var)--)
#define this_cpu_add(var, nr)		((var) += (nr))
#define this_cpu_sub(var, nr)		((var) -= (nr))

/* Memory: what is allocated, and fails if a test wants it to. */

static int live;
static bool no_memory;

#define GFP_KERNEL	0
#define GFP_NOWAIT	0
#define __GFP_NOWARN	0

struct rcu_head {
	int unused;
};

static inline void *kzalloc(size_t size, int flags)
{
	(void)flags;
	if (no_memory)
		return NULL;
	live++;
	return calloc(1, size);
}

static inline void kfree(const void *p)
{
	live -= !!p;
	free((void *)p);
}

#define kfree_rcu(p, member)	kfree(p)

/* Time goes by when a test says so. */

#define HZ		100
#define INITIAL_JIFFIES	0
#define time_after_eq(a, b)	((long)((a) - (b)) >= 0)
#define time_before(a, b)	((long)((a) - (b)) < 0)

static unsigned long jiffies = 1000;
static u64 ns_more;

static inline u64 ktime_get_mono_fast_ns(void)
{
	return jiffies * (1000000000ULL / HZ) + ns_more++;
}

/* The kernel's log, and files: the last line, how many there were; all of the text */

static char said[512], shown[1 << 20];
static size_t nr_shown;
static unsigned int nr_said;

static TAP_MAYBE void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(said, sizeof(said), fmt, args);
	va_end(args);
	said[strcspn(said, "\n")] = 0;
	nr_said++;
}

static TAP_MAYBE void show(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	nr_shown += vsnprintf(shown + nr_shown, sizeof(shown) - nr_shown, fmt, args);
	va_end(args);
}

struct seq_buf;
struct seq_file;
#define pr_err(...)			say(__VA_ARGS__)
#define pr_warn(...)			say(__VA_ARGS__)
#define pr_warn_ratelimited(...)	say(__VA_ARGS__)
#define seq_buf_printf(m, ...)		((void)(m), show(__VA_ARGS__))
#define seq_printf(m, ...)		((void)(m), show(__VA_ARGS__))
#define seq_puts(m, s)			((void)(m), show("%s", s))

/* BPF: what of a map and its record is looked at */

enum btf_field_type {
	BPF_SPIN_LOCK = 1, BPF_TIMER = 2, BPF_KPTR_UNREF = 4, BPF_KPTR_REF = 8,
	BPF_KPTR_PERCPU = 16, BPF_LIST_HEAD = 32, BPF_RB_ROOT = 64, BPF_REFCOUNT = 128,
};

enum bpf_map_type {
	BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_HASH,
	BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH,
	BPF_MAP_TYPE_SK_STORAGE, BPF_MAP_TYPE_INODE_STORAGE, BPF_MAP_TYPE_TASK_STORAGE,
	BPF_MAP_TYPE_CGRP_STORAGE,
};

typedef void (*btf_dtor_kfunc_t)(void *);

struct module;
struct btf_record;

struct btf_field {
	u32 offset;
	enum btf_field_type type;
	struct {
		btf_dtor_kfunc_t dtor;
		struct module *module;
	} kptr;
	struct {
		struct btf_record *value_rec;
	} graph_root;
};

#define BTF_FIELDS_MAX		11
#define BPF_OBJ_NAME_LEN	16

struct btf_record {
	u32 cnt, field_mask;
	struct btf_field fields[BTF_FIELDS_MAX];
} __aligned(64);

struct bpf_map {
	struct btf_record *record;
	u32 id, max_entries;
	enum bpf_map_type map_type;
	char name[BPF_OBJ_NAME_LEN];
	struct bpf_map *inner_map_meta;
};

#endif /* SELFTESTS_HOST_LINUX_H */
