// SPDX-License-Identifier: GPL-2.0-only
/*
 * The teardown door.
 *
 * Why it is shut by default. What frees a value, or an object of bpf_obj_new(), is
 * bpf_obj_free_fields(). What becomes of its fields (read in 6.12, 7.2 and 7.3):
 *
 *	BPF_KPTR_REF, type of the kernel or a module	field->kptr.dtor(pointer)
 *	BPF_KPTR_REF and BPF_KPTR_PERCPU, of a program	bpf_obj_free_fields() of the object
 *	BPF_LIST_HEAD, BPF_RB_ROOT			the same for each object in it
 *	all others					no destructor is called
 *
 * The first line is the only place in which the kernel calls a destructor. It calls the
 * address in the record, and that is what the release door hooks: it has asked the kernel
 * for it (probe.c) or found it in a record (learn.c). kng_types_guards() says so of each
 * field. So where that is true of all fields that there can be, this door takes nothing
 * that the release door would not. It is needed
 *   - for a destructor that can't be hooked, or has no place in the table of types;
 *   - for objects: what they own may be in no map, so nobody has seen the destructor;
 *   - for want of a job: only in the slot does the pointer have a place to stay;
 *   - to count what leaves the maps (reserve=exact).
 * What it is besides: a second door, where somebody keeps the first one from working (a
 * BPF fexit on kernels with a bug, nested calls that ftrace drops: docs/limits.md).
 * teardown=always is for that.
 *
 * What happens without a job decides the order of all steps below. A job is taken
 * before the pointer is, because a pointer can't be put back: a program on another CPU
 * may have filled the slot again. If the slot then turns out to be empty, because
 * another CPU was faster, the job is returned to the pool. If no job is left, the
 * parameter on_empty decides:
 *
 *   leak	If the slot stays in use, as in arrays, the pointer stays in it, and the
 *		function is skipped. A later update or the end of the map drops the
 *		reference. Otherwise the pointer is removed, and its reference is never
 *		dropped. A machine survives a leaked object, but may not survive a
 *		destructor in NMI.
 *   inline	The pointer stays, and the kernel calls its destructor in NMI, as it
 *		would without the guard.
 *
 * Between our xchg() and the kernel's own, another CPU can store a new pointer. The
 * kernel then calls its destructor in NMI, and the release door defers that call.
 */
#include <linux/bpf.h>
#include <linux/mutex.h>

#include "count.h"
#include "dtor.h"
#include "exact.h"
#include "fire.h"
#include "hook.h"
#include "maps.h"
#include "offload.h"
#include "params.h"
#include "teardown.h"
#include "types.h"

static void teardown_diverted(struct kng_hook *hook, struct ftrace_regs *fregs);
static void teardown_probed(struct kng_hook *hook, unsigned long arg0, unsigned long arg1);

/*
 * Runs in place of a bpf_obj_free_fields() that is skipped. References that stay in
 * their slot are nowhere else, so nothing is dropped twice if the original runs all
 * the same (see entry.c). Neither is it if that runs after we took all references.
 */
static void teardown_skipped(const struct btf_record *rec, void *obj)
{
}

static struct kng_hook door = {
	.function	= { "bpf_obj_free_fields" },
	.divert		= teardown_diverted,
	.stub		= (unsigned long)teardown_skipped,
	.probed		= teardown_probed,
};

static void no_job(const struct btf_record *rec, const struct btf_field *field, void **slot)
{
	/* The kernel calls the destructor next, and the release door decides there. */
	if (kng_types_guards(field->kptr.dtor))
		return;

	if (kng_params.on_empty == KNG_INLINE || kng_types_nmi_safe(field->kptr.dtor)) {
		kng_count(KNG_INLINED);
		return;
	}
	/* The reference is never dropped, so its destructor's module stays, too. */
	if (field->kptr.module)
		__module_get(field->kptr.module);
	if (xchg(slot, NULL)) {
		kng_count(KNG_TAKEN);
		kng_count(KNG_LEAKED);
		kng_exact_note_removed(rec, 1);
	} else {
		module_put(field->kptr.module);
		kng_count(KNG_RACED);
	}
}

/* @dtor: its index. Returns false if no job is left. */
static __always_inline bool defer(const struct btf_record *rec, const struct btf_field *field,
				  int dtor, void **slot)
{
	struct kng_job *job = kng_offload_prepare(dtor, field->kptr.module);
	void *obj;

	if (!job)
		return false;
	obj = xchg(slot, NULL);
	if (obj) {
		kng_offload_queue(job, obj);
		if (unlikely(kng_params.exact))
			kng_exact_note_removed(rec, 1);
	} else {
		kng_offload_cancel(job);
		kng_count(KNG_RACED);
	}
	return true;
}

/* A field without a destructor owns an object of bpf_obj_new(). */
static bool has_reference(const struct btf_field *field, void **slot)
{
	return field->type == BPF_KPTR_REF && field->kptr.dtor && READ_ONCE(*slot);
}

static bool owns_references(const struct btf_record *rec)
{
	return !IS_ERR_OR_NULL(rec) && rec->field_mask & BPF_KPTR_REF;
}

/* May references that get no job stay in their slots? */
static bool may_keep(const struct btf_record *rec)
{
	return door.skips && kng_params.on_empty == KNG_LEAK &&
	       kng_maps_slots(rec) == KNG_SLOTS_STAY;
}

/*
 * Take the references out of an object whose fields are about to be freed. The real
 * bpf_obj_free_fields() frees all other fields. It is skipped only if there are no
 * others, and a reference stays in its slot.
 */
static noinline bool take_references(const struct btf_record *rec, void *obj)
{
	const struct btf_field *field = rec->fields, *end = field + rec->cnt;
	unsigned int level = kng_entry_enter();
	btf_dtor_kfunc_t fn = NULL;
	bool skip = false;
	int dtor = 0;

	for (; field < end; field++) {
		void **slot = obj + field->offset;

		if (!has_reference(field, slot))
			continue;
		/* Most often all fields of a record have the same. */
		if (field->kptr.dtor != fn) {
			fn = field->kptr.dtor;
			dtor = kng_dtor_index(fn, field->kptr.module);
		}
		if (defer(rec, field, dtor, slot))
			continue;
		if (skip || may_keep(rec)) {
			kng_count(KNG_KEPT);
			skip = true;
		} else {
			no_job(rec, field, slot);
		}
	}
	kng_entry_exit(level);
	return skip;
}

/* Most maps have no kptrs: that is looked at before anything else is done. */
static void teardown_diverted(struct kng_hook *hook, struct ftrace_regs *fregs)
{
	const struct btf_record *rec = (void *)ftrace_regs_get_argument(fregs, 0);

	if (owns_references(rec) &&
	    take_references(rec, (void *)ftrace_regs_get_argument(fregs, 1)))
		kng_entry_divert(hook, fregs);
}

/* With kprobes nothing is skipped, so no reference is kept. */
static void teardown_probed(struct kng_hook *hook, unsigned long arg0, unsigned long arg1)
{
	const struct btf_record *rec = (const struct btf_record *)arg0;

	if (owns_references(rec))
		take_references(rec, (void *)arg1);
}

/*
 * Used only with reserve=exact, to count the references that leave the slots of maps.
 * Does what the kernel would do with them a moment later.
 */
static void teardown_outside(unsigned long arg0, unsigned long arg1)
{
	const struct btf_record *rec = (const struct btf_record *)arg0;
	unsigned int nr = 0;
	u32 i;

	if (!owns_references(rec))
		return;
	for (i = 0; i < rec->cnt; i++) {
		const struct btf_field *field = &rec->fields[i];
		void **slot = (void *)arg1 + field->offset;
		void *obj = has_reference(field, slot) ? xchg(slot, NULL) : NULL;

		if (obj) {
			field->kptr.dtor(obj);
			nr++;
		}
	}
	kng_exact_note_removed(rec, nr);
}

static int install_door(bool by_update)
{
	int ret;

	if (door.hooked)
		return 0;
	/* With kprobes, nothing that could be proven would be a choice. */
	if (kng_hook_uses_ftrace()) {
		ret = kng_fire_teardown(by_update);
		if (ret)
			return ret;
	}
	door.outside = kng_params.exact ? teardown_outside : NULL;
	door.can_skip = kng_hook_uses_ftrace();
	ret = kng_hook_install(&door);
	if (ret != -EBUSY || !door.can_skip)
		return ret;
	/* A livepatch may hold the function. Then references can't stay in their slots. */
	door.can_skip = false;
	return kng_hook_install(&door);
}

int kng_teardown_open(bool by_update)
{
	/* The worker of the map watch may run while the module is being loaded. */
	static DEFINE_MUTEX(lock);
	int ret;

	mutex_lock(&lock);
	ret = install_door(by_update);
	mutex_unlock(&lock);
	return ret;
}

void kng_teardown_close(void)
{
	kng_hook_remove_for_good(&door);
}

bool kng_teardown_is_open(void)
{
	return READ_ONCE(door.hooked);
}

unsigned long kng_teardown_missed(void)
{
	return kng_hook_missed(&door);
}
