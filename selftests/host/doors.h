/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For guarded.h: the rest of what files of module/ take from the kernel, above all ftrace. A
 * function of this kernel begins with TRACED(): whoever has hooked it is called first, and
 * may have another function run in its place.
 */
#ifndef SELFTESTS_HOST_DOORS_H
#define SELFTESTS_HOST_DOORS_H

#include "linux.h"

#define CONFIG_CGROUPS				1
#define CONFIG_MEMCG				1
#define CONFIG_KPROBES				1
#define CONFIG_DYNAMIC_FTRACE_WITH_ARGS		1
#define CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS	1
#define CONFIG_X86_64				1
#define IS_CONFIG_X86				1
#define IS_ENABLED(config)			IS_##config
#define KBUILD_MODNAME				"kptr_nmi_guard"
#define KERNEL_VERSION(a, b, c)			(((a) << 16) + ((b) << 8) + (c))
#define LINUX_VERSION_CODE			KERNEL_VERSION(6, 12, 0)
#define KNG_HAS_INLINED_XCHG			1
#define KNG_HAS_DIRECT_OPS			1
#define __noclone
#define pr_info(...)			say(__VA_ARGS__)
#define pr_err_ratelimited(...)		say(__VA_ARGS__)
#define smp_load_acquire(p)		__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)		__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define seq_buf_puts(m, s)		((void)(m), show("%s", s))
#define KSYM_NAME_LEN			64
#define static_assert(cond)		_Static_assert(cond, #cond)
#define MAX_SCHEDULE_TIMEOUT		0
#define WARN_ON(cond)			({ if (cond) abort(); false; })
#define BPF_MAP_TYPE_STRUCT_OPS		99

union bpf_attr;

#define atomic_cmpxchg(v, was, is) \
	({ int old_ = (v)->counter; (v)->counter = old_ == (was) ? (is) : old_; old_; })
#define atomic_set_release(v, i)	((v)->counter = (i))

/* Contexts */

static bool nmi, irqs_off;

#define in_nmi()			nmi
#define irqs_disabled()			irqs_off
#define interrupt_context_level()	(nmi ? 3U : irqs_off ? 2U : 0U)
#define NMI_OFFSET			1
#define NMI_MASK			15
static unsigned int nmi_levels;
#define preempt_count()			nmi_levels
#define this_cpu_read(var)		(var)
#define __this_cpu_read(var)		(var)
#define __this_cpu_write(var, v)	((var) = (v))
#define raw_cpu_ptr(p)			(p)
#define DECLARE_STATIC_KEY_FALSE(name)	extern bool name
#define DEFINE_STATIC_KEY_FALSE(name)	bool name
#define static_branch_unlikely(key)	(*(key))
#define static_branch_enable(key)	(*(key) = true)

/* As on x86, where handlers make such calls. */
#define CONFIG_HAVE_STATIC_CALL_INLINE		1
#define DEFINE_STATIC_CALL_NULL(name, function)	static typeof(function) *(name)
#define static_call_cond(name)			(*((name) ?: no_call))
#define static_call_update(name, function)	((name) = (function))

struct ftrace_ops;
struct ftrace_regs;
static void no_call(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
		    struct ftrace_regs *fregs)
{
}

/* Locks and work: a worker runs when the test says so. */

struct mutex {
	int held;
};

#define DEFINE_MUTEX(name)		struct mutex name
#define mutex_lock(m)			((m)->held++)
#define mutex_unlock(m)			((m)->held--)
#define raw_spin_lock(l)		lock_is(1, l)
#define raw_spin_unlock(l)		lock_is(-1, l)

struct work_struct {
	void (*func)(struct work_struct *work);
};

static struct work_struct *to_do;

#define DECLARE_WORK(name, fn)		struct work_struct name = { fn }
#define schedule_work(w)		(to_do = (w))
#define cancel_work_sync(w)		((void)(w), to_do = NULL)

static void work(void)
{
	struct work_struct *w = to_do;

	to_do = NULL;
	if (w)
		w->func(w);
}

#define flush_work(w)			((void)(w), work())

static unsigned int slept, grace_periods;

#define msleep(ms)			((void)(ms), slept++)
#define synchronize_rcu()		(grace_periods++)
static bool never_returns;
#define schedule_timeout_idle(t)	do { never_returns = true; return; } while (0)

/* Modules */

enum { MODULE_STATE_LIVE, MODULE_STATE_COMING, MODULE_STATE_GOING };

struct module {
	const char *name;
	int refs, state;
};

#define module_name(m)			((m)->name)
#define module_is_live(m)		((m)->state != MODULE_STATE_GOING)
static void (*with_module)(void);	/* what comes right after one is held */

#define __module_get(m)			((m)->refs++, with_module ? with_module() : (void)0)
#define module_put(m)			({ struct module *m_ = (m); if (m_) m_->refs--; })
#define try_module_get(m)		(module_is_live(m) ? ((m)->refs++, true) : false)
#define NOTIFY_DONE			0
#define NOTIFY_OK			1

struct notifier_block {
	int (*notifier_call)(struct notifier_block *nb, unsigned long event, void *data);
};

static struct notifier_block *notified[4];

static int register_module_notifier(struct notifier_block *nb)
{
	int i = 0;

	while (notified[i])
		i++;
	notified[i] = nb;
	return 0;
}

static void unregister_module_notifier(struct notifier_block *nb)
{
	int i;

	for (i = 0; i < 4; i++)
		if (notified[i] == nb)
			notified[i] = NULL;
}

/* Newest first, as it is for who goes */
static void module_event_is(unsigned long event, struct module *module)
{
	int i;

	for (i = 3; i >= 0; i--)
		if (notified[i])
			notified[i]->notifier_call(notified[i], event, module);
}

/* Counts of references */

typedef struct {
	atomic_t refs;
} refcount_t;

#define refcount_inc(r)			((void)(r)->refs.counter++)
#define atomic_try_cmpxchg_release(v, was, is)					\
	((v)->counter == *(was) ? ((v)->counter = (is), true) :			\
	 (*(was) = (v)->counter, false))

struct task_struct {
	refcount_t rcu_users;
	unsigned int ended;
};

#define CSS_NO_REF	1

struct percpu_ref {
	unsigned long count;	/* of this CPU, or of all */
	bool atomic;
};

struct cgroup_subsys_state {
	unsigned int flags;
	struct percpu_ref refcnt;
};

struct cgroup {
	struct cgroup_subsys_state self;
	unsigned int ended;
};

struct mem_cgroup {
	struct cgroup_subsys_state css;
};

#define __percpu
#define __ref_is_percpu(ref, counts)	((ref)->atomic ? false : (*(counts) = &(ref)->count, true))
#define css_get(css)			((css)->flags & CSS_NO_REF ? 0 : ++(css)->refcnt.count)
#define css_put(css)			((css)->flags & CSS_NO_REF ? 0 : --(css)->refcnt.count)

/* ftrace */

#define FTRACE_OPS_FL_PERMANENT		1
#define FTRACE_OPS_FL_IPMODIFY		2
#define FTRACE_OPS_FL_RECURSION		4
#define FTRACE_OPS_FL_SAVE_REGS		8

struct ftrace_regs {
	unsigned long arg[2], ip;
};

struct ftrace_ops;
typedef void (*ftrace_func_t)(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			      struct ftrace_regs *regs);

#define FILTER_MAX	16

struct ftrace_hash {
	unsigned long ip[FILTER_MAX];
	int nr;
};

struct ftrace_ops {
	ftrace_func_t func;
	unsigned long flags;
	struct ftrace_hash *filter;
	struct ftrace_ops *next;
	unsigned long direct;
};

#define ftrace_regs_get_argument(r, n)			((r)->arg[n])
#define ftrace_regs_set_instruction_pointer(r, to)	((r)->ip = (to))

/* Entries of functions are not where their addresses are. */
#define ENTRY	4

static struct ftrace_ops *ftrace_list;
static int filters, hidden_nr;
static unsigned long hidden[8], held[8];	/* not traceable; another user has it */
static int held_nr;
static unsigned long traced_directly;	/* this one has a BPF trampoline */
static int ftrace_again;	/* so often EAGAIN */
static int ftrace_error;	/* of registration, after the ops was in the list */
static bool ftrace_dead, filter_no_memory;
static int filter_fails_at;	/* so many filters from now, one has no memory */

static bool is_in(const unsigned long *list, int nr, unsigned long ip)
{
	while (nr--)
		if (list[nr] == ip)
			return true;
	return false;
}

static int ftrace_set_filter_ip(struct ftrace_ops *ops, unsigned long ip, int remove, int reset)
{
	(void)remove;
	(void)reset;
	if (ftrace_dead)
		return -ENODEV;
	if (is_in(hidden, hidden_nr, ip))
		return -EINVAL;
	if (filter_no_memory || (filter_fails_at && !--filter_fails_at))
		return -ENOMEM;
	if (!ops->filter) {
		ops->filter = calloc(1, sizeof(*ops->filter));
		filters++;
	}
	ops->filter->ip[ops->filter->nr++] = ip;
	return 0;
}

static const char *ftrace_misused;

static bool ftrace_has(const struct ftrace_ops *ops)
{
	struct ftrace_ops *o;

	for (o = ftrace_list; o; o = o->next)
		if (o == ops)
			return true;
	return false;
}

static unsigned int registered_then;	/* grace periods before a failed registration */
static bool in_list_for_a_moment;

static void ftrace_free_filter(struct ftrace_ops *ops)
{
	if (ftrace_has(ops))
		ftrace_misused = "the filter of what is registered is freed";
	if (in_list_for_a_moment && grace_periods == registered_then)
		ftrace_misused = "the filter is freed while a CPU may use it";
	in_list_for_a_moment = false;
	filters -= !!ops->filter;
	free(ops->filter);
	ops->filter = NULL;
}

static void ftrace_unlink(struct ftrace_ops *ops)
{
	struct ftrace_ops **p;

	for (p = &ftrace_list; *p; p = &(*p)->next)
		if (*p == ops) {
			*p = ops->next;
			return;
		}
}

static int register_ftrace_function(struct ftrace_ops *ops)
{
	struct ftrace_ops *o;
	int i, ret = ftrace_error;

	if (ftrace_dead)
		return -ENODEV;
	if (ftrace_has(ops))
		ftrace_misused = "registered twice";
	if (ftrace_again > 0) {
		ftrace_again--;
		return -EAGAIN;
	}
	for (i = 0; ops->filter && i < ops->filter->nr; i++) {
		unsigned long ip = ops->filter->ip[i];

		if (!(ops->flags & FTRACE_OPS_FL_IPMODIFY))
			break;
		if (is_in(held, held_nr, ip))
			ret = -EBUSY;
		for (o = ftrace_list; o; o = o->next)
			if ((o->flags & FTRACE_OPS_FL_IPMODIFY || o->direct) &&
			    is_in(o->filter->ip, o->filter->nr, ip))
				ret = -EBUSY;
	}
	if (ret) {
		registered_then = grace_periods;
		in_list_for_a_moment = true;
		return ret;
	}
	ops->next = ftrace_list;
	ftrace_list = ops;
	return 0;
}

static int unregister_ftrace_function(struct ftrace_ops *ops)
{
	if (ftrace_dead)
		return -ENODEV;
	if (!ftrace_has(ops) || ops->direct)
		ftrace_misused = "unregistered, though it is not there";
	ftrace_unlink(ops);
	return 0;
}

/* One function for each ops here */
static int register_ftrace_direct(struct ftrace_ops *ops, unsigned long address)
{
	int ret;

	if (ops->func || ops->direct || !ops->filter)
		return -EINVAL;
	if (ops->filter->ip[0] == traced_directly)
		return -EBUSY;
	/* As ftrace: it may share a function only with what does not divert it. */
	ops->flags = FTRACE_OPS_FL_IPMODIFY;
	ret = register_ftrace_function(ops);
	ops->flags = 0;
	ops->direct = ret ? 0 : address;
	return ret;
}

static int unregister_ftrace_direct(struct ftrace_ops *ops, unsigned long address,
				    bool free_filter)
{
	if (ftrace_dead)
		return -ENODEV;
	if (!ftrace_has(ops) || ops->direct != address || free_filter)
		ftrace_misused = "a direct call is removed, though it is not there";
	ftrace_unlink(ops);
	ops->direct = 0;
	return 0;
}

/* kprobes, which are int3 here: the handler is one more level of NMI. */

struct pt_regs {
	unsigned long arg[2];
};

typedef unsigned char kprobe_opcode_t;

struct kprobe {
	kprobe_opcode_t *addr;
	const char *symbol_name;
	int (*pre_handler)(struct kprobe *kp, struct pt_regs *regs);
	void (*post_handler)(struct kprobe *kp, struct pt_regs *regs, unsigned long flags);
	unsigned long nmissed;
};

#define regs_get_kernel_argument(regs, n)	((regs)->arg[n])
#define kprobe_ftrace(kp)			((void)(kp), false)

static struct kprobe *kprobes[32];
static unsigned long address_of(const char *function);

static int kprobe_error;

static int register_kprobe(struct kprobe *kp)
{
	int i = 0;

	if (kprobe_error)
		return kprobe_error;
	if (!kp->addr)
		kp->addr = (kprobe_opcode_t *)address_of(kp->symbol_name);
	if (!kp->addr)
		return -ENOENT;
	if (!kp->post_handler)
		ftrace_misused = "a kprobe that may be optimised";
	while (kprobes[i])
		i++;
	kprobes[i] = kp;
	return 0;
}

static void unregister_kprobe(struct kprobe *kp)
{
	int i;

	for (i = 0; i < 32; i++)
		if (kprobes[i] == kp)
			kprobes[i] = NULL;
}

/* How many look at a function? */
static int users_of(unsigned long ip)
{
	struct ftrace_ops *o;
	int nr = 0, i;

	for (o = ftrace_list; o; o = o->next)
		nr += is_in(o->filter->ip, o->filter->nr, ip);
	for (i = 0; i < 32; i++)
		nr += kprobes[i] && (unsigned long)kprobes[i]->addr == ip;
	return nr;
}

static bool stub_does_not_run;	/* as with a BPF trampoline that calls the original */

/* What runs in place of the function at @ip; or 0 */
static unsigned long entered(unsigned long ip, unsigned long arg0, unsigned long arg1)
{
	struct ftrace_regs regs = { { arg0, arg1 }, ip };
	struct pt_regs pt = { { arg0, arg1 } };
	struct ftrace_ops *o, *next;
	int i;

	for (i = 0; i < 32; i++) {
		if (!kprobes[i] || (unsigned long)kprobes[i]->addr != ip)
			continue;
		bool was = nmi;

		nmi_levels++;
		nmi = true;
		if (kprobes[i]->pre_handler(kprobes[i], &pt))
			ftrace_misused = "a kprobe has its function skipped";
		nmi = was;
		nmi_levels--;
	}
	for (o = ftrace_list; o; o = next) {
		next = o->next;
		if (!is_in(o->filter->ip, o->filter->nr, ip))
			continue;
		if (o->direct)
			regs.ip = o->direct;
		else
			o->func(ip + ENTRY, 0, o, &regs);
	}
	return regs.ip == ip || stub_does_not_run ? 0 : regs.ip;
}

typedef u64 (*traced_t)(u64 arg0, u64 arg1);

/* The first line of a function of two arguments; @result: what it returns then */
#define TRACED(function, arg0, arg1, result)				\
	do {								\
		u64 a0_ = (u64)(arg0), a1_ = (u64)(arg1);		\
		unsigned long to_ = entered((unsigned long)(function), a0_, a1_); \
									\
		if (to_) {						\
			stub_result = ((traced_t)to_)(a0_, a1_);	\
			return result;					\
		}							\
	} while (0)

#define TRACED_VOID(function, arg0, arg1)	TRACED(function, arg0, arg1, (void)0)

static u64 stub_result;

#endif /* SELFTESTS_HOST_DOORS_H */
