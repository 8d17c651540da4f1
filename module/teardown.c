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
 *   leak	the pointer is taken and dropped. A leaked object is survivable, a
 *		destructor in NMI may not be.
 *   inline	the pointer stays, and the kernel runs its destructor in NMI, as
 *		it would without the guard.
 *
 * Between our xchg() and the caller's own, another CPU can store a new pointer,
 * which the caller then destroys in NMI. The release door, at the destructor,
 * catches these.
 */
#include <linux/bpf.h>

#include "hook.h"
#include "offload.h"
#include "release.h"
#include "stats.h"
#include "teardown.h"

enum kng_on_empty kng_on_empty;

static void no_job(const struct btf_field *field, void **slot)
{
	/* The kernel goes on to its destructor: the release door decides. */
	if (kng_release_guards(field->kptr.dtor))
		return;

	if (kng_on_empty == KNG_INLINE) {
		kng_count(KNG_INLINED);
		return;
	}
	/* What its destructor needs stays too: the reference is never put. */
	if (field->kptr.module)
		__module_get(field->kptr.module);
	if (xchg(slot, NULL)) {
		kng_count(KNG_TAKEN);
		kng_count(KNG_LEAKED);
	} else {
		module_put(field->kptr.module);
		kng_count(KNG_RACED);
	}
}

static void defer(const struct btf_field *field, void **slot)
{
	struct kng_job *job = kng_offload_prepare(field->kptr.dtor, field->kptr.module);
	void *obj;

	if (!job) {
		no_job(field, slot);
		return;
	}
	obj = xchg(slot, NULL);
	if (obj) {
		kng_offload_queue(job, obj);
	} else {
		kng_offload_cancel(job);
		kng_count(KNG_RACED);
	}
}

/*
 * Take the references out of an object whose fields are about to be freed. All
 * other fields are left to the real bpf_obj_free_fields().
 */
static void teardown(const struct btf_record *rec, void *obj)
{
	u32 i;

	if (IS_ERR_OR_NULL(rec) || !(rec->field_mask & BPF_KPTR_REF))
		return;

	for (i = 0; i < rec->cnt; i++) {
		const struct btf_field *field = &rec->fields[i];
		void **slot = obj + field->offset;

		/* No destructor: an object of bpf_obj_new(), not a kernel's. */
		if (field->type == BPF_KPTR_REF && field->kptr.dtor && READ_ONCE(*slot))
			defer(field, slot);
	}
}

static bool teardown_in_nmi(struct kng_hook *hook, unsigned long rec, unsigned long obj)
{
	teardown((const struct btf_record *)rec, (void *)obj);
	return false;
}

static struct kng_hook door = {
	.function	= { "bpf_obj_free_fields" },
	.divert		= teardown_in_nmi,
};

int kng_teardown_open(void)
{
	return door.hooked ? 0 : kng_hook_install(&door);
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
