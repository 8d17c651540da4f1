// SPDX-License-Identifier: GPL-2.0-only
/*
 * The teardown door.
 *
 * What happens without a job stands first, since it decides the order of all
 * that follows. A job is taken before the pointer is: once a pointer is out of
 * its slot there is no way back, because a program on another CPU may have
 * filled the slot again. If then the slot turns out to be empty (somebody else
 * was faster), the job goes back to the pool. With no job the parameter on_empty
 * decides:
 *
 *   leak	where the slot lives on, as in arrays, the pointer stays in it, to
 *		be given back by a later update or the map's end; the function is
 *		skipped. Else the pointer is taken and dropped. A leaked object
 *		is survivable, a destructor in NMI may not be.
 *   inline	the pointer stays, and the kernel runs its destructor in NMI, as
 *		it would without the guard.
 *
 * Between our xchg() and the caller's own, another CPU can store a new pointer,
 * which the caller then destroys in NMI. The release door, at the destructor,
 * catches these.
 */
#include <linux/bpf.h>
#include <linux/mutex.h>

#include "exact.h"
#include "hook.h"
#include "maps.h"
#include "offload.h"
#include "params.h"
#include "release.h"
#include "stats.h"
#include "teardown.h"

enum kng_on_empty kng_on_empty;

static bool teardown_diverted(struct kng_hook *hook, unsigned long arg0, unsigned long arg1);

static struct kng_hook door = {
	.function	= { "bpf_obj_free_fields" },
	.divert		= teardown_diverted,
};

static void no_job(const struct btf_record *rec, const struct btf_field *field, void **slot)
{
	/* The kernel goes on to its destructor: the release door decides. */
	if (kng_release_guards(field->kptr.dtor))
		return;

	if (kng_on_empty == KNG_INLINE || kng_release_nmi_safe(field->kptr.dtor)) {
		kng_count(KNG_INLINED);
		return;
	}
	/* What its destructor needs stays too: the reference is never put. */
	if (field->kptr.module)
		__module_get(field->kptr.module);
	if (xchg(slot, NULL)) {
		kng_count(KNG_TAKEN);
		kng_count(KNG_LEAKED);
		kng_exact_gone(rec, 1);
	} else {
		module_put(field->kptr.module);
		kng_count(KNG_RACED);
	}
}

/* False: no job. */
static bool defer(const struct btf_record *rec, const struct btf_field *field, void **slot)
{
	struct kng_job *job = kng_offload_prepare(field->kptr.dtor, field->kptr.module);
	void *obj;

	if (!job)
		return false;
	obj = xchg(slot, NULL);
	if (obj) {
		kng_offload_queue(job, obj);
		kng_exact_gone(rec, 1);
	} else {
		kng_offload_cancel(job);
		kng_count(KNG_RACED);
	}
	return true;
}

static void **slot_of(const struct btf_field *field, void *obj)
{
	void **slot = obj + field->offset;

	/* No destructor: an object of bpf_obj_new(), not a kernel's. */
	if (field->type != BPF_KPTR_REF || !field->kptr.dtor || !READ_ONCE(*slot))
		return NULL;
	return slot;
}

static bool owns_references(const struct btf_record *rec)
{
	return !IS_ERR_OR_NULL(rec) && rec->field_mask & BPF_KPTR_REF;
}

/* May references without a job stay where they are? */
static bool may_keep(const struct btf_record *rec)
{
	return door.can_skip && kng_on_empty == KNG_LEAK &&
	       kng_maps_slots(rec) == KNG_SLOTS_STAY;
}

/*
 * Take the references out of an object whose fields are about to be freed. All
 * other fields are left to the real bpf_obj_free_fields(), which is skipped only
 * if there are none, and a reference stays.
 */
static bool teardown_diverted(struct kng_hook *hook, unsigned long arg0, unsigned long arg1)
{
	const struct btf_record *rec = (const struct btf_record *)arg0;
	bool skip = false;
	u32 i;

	if (!owns_references(rec))
		return false;

	for (i = 0; i < rec->cnt; i++) {
		const struct btf_field *field = &rec->fields[i];
		void **slot = slot_of(field, (void *)arg1);

		if (!slot || defer(rec, field, slot))
			continue;
		if (skip || may_keep(rec)) {
			kng_count(KNG_KEPT);
			skip = true;
		} else {
			no_job(rec, field, slot);
		}
	}
	return skip;
}

/*
 * Only with reserve=exact, to see what leaves a map's slots: what the kernel would
 * do with the reference, a moment earlier.
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
		void **slot = slot_of(field, (void *)arg1);
		void *obj = slot ? xchg(slot, NULL) : NULL;

		if (obj) {
			field->kptr.dtor(obj);
			nr++;
		}
	}
	kng_exact_gone(rec, nr);
}

static int install_door(void)
{
	int ret;

	if (door.hooked)
		return 0;
	door.outside = kng_params.exact ? teardown_outside : NULL;
	door.can_skip = kng_hook_kind == KNG_HOOK_FTRACE;
	ret = kng_hook_install(&door);
	if (!ret || !door.can_skip)
		return ret;
	/* A livepatch has it? Then nothing can be skipped, nor kept. */
	door.can_skip = false;
	return kng_hook_install(&door);
}

int kng_teardown_open(void)
{
	/* The map watch's worker may come while modprobe is at it. */
	static DEFINE_MUTEX(lock);
	int ret;

	mutex_lock(&lock);
	ret = install_door();
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
