// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map watch: has the reserve charged for maps that can own references, opens
 * the teardown door when a map needs it, and brings destructors of other modules
 * to the release door.
 *
 * An open teardown door costs every delete and update of every map some
 * instructions, so it stays shut until the first map turns up that owns kernel
 * references. It does not close again before unload: maps come and go.
 *
 * A map is seen where it gets a file descriptor, which is before any program
 * can use it: security_bpf_map() is called on create, on get-by-id and on
 * opening a pinned one. It has gone when its record is freed, with the last of
 * its slots. The door opens a moment later, from a worker. Until
 * then the release door has the known types; a destructor of another module,
 * which the worker also brings to the release door, is unguarded for that
 * moment. So is, for good, one of which no map has a field: an object of
 * bpf_obj_new() that a program fills and drops without ever storing it.
 *
 * Since 7.2 updates and deletes don't free kptrs in NMI any more; such kernels
 * have bpf_obj_cancel_fields(). 7.1.13 has it too, yet lets programs drop
 * objects with kptrs: a hint, no proof. So it only makes `auto' rely on the
 * release door where that guards the destructor.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bpf.h>
#include <linux/workqueue.h>

#include "adopt.h"
#include "hook.h"
#include "learn.h"
#include "maps.h"
#include "probe.h"
#include "release.h"
#include "reserve.h"
#include "stats.h"
#include "teardown.h"
#include "watch.h"

static enum kng_teardown_mode mode;
static const char *why_closed = "closed (no map needs it)";
static bool started;
static bool saw_reachable;	/* a map that bpf_kptr_xchg() may get at, or may have been one */
/* Since some 7.1, the kernel's own teardown in NMI frees no kptr. */
static bool kernel_cancels;

/* Written by saw_map(), for the worker. */
static bool door_wanted;

static int open_door(void)
{
	int ret = kng_teardown_open();

	if (ret)
		WRITE_ONCE(why_closed, "closed (bpf_obj_free_fields can't be hooked)");
	return ret;
}

/* Called on entry to btf_record_free(), of any record. */
static void record_goes(unsigned long arg0)
{
	if (kng_maps_del((const struct btf_record *)arg0))
		kng_reserve_changed();
}

static struct kng_hook gone_hook = {
	.function	= { "btf_record_free" },
	.enter		= record_goes,
};

static void serve_maps(struct work_struct *work)
{
	int ret = 0;

	if (!kng_learn_wanted())
		WRITE_ONCE(door_wanted, true);
	if (READ_ONCE(door_wanted))
		ret = open_door();
	if (ret)
		pr_err_ratelimited("bpf_obj_free_fields can't be hooked (%d): destructors that the release door lacks run in NMI\n",
				   ret);
}

static DECLARE_WORK(serve_work, serve_maps);

static bool saw_dtor(btf_dtor_kfunc_t dtor, struct module *owner)
{
	if (kng_release_guards(dtor) || kng_release_nmi_safe(dtor))
		return false;
	/* What could not be hooked at load somebody holds: no use to try again. */
	if (kng_release_knows(dtor) || !kng_learn_later(dtor, owner))
		WRITE_ONCE(door_wanted, true);
	return true;
}

/* Look at one field; true if the worker has something to do. */
static bool saw_field(const struct btf_field *field)
{
	bool needs_door = mode == KNG_TEARDOWN_AUTO;
	bool work = false;

	switch (field->type) {
	case BPF_KPTR_REF:
		work = field->kptr.dtor && saw_dtor(field->kptr.dtor, field->kptr.module);
		if (field->kptr.dtor)
			break;
		fallthrough;
	case BPF_KPTR_PERCPU:
	case BPF_LIST_HEAD:
	case BPF_RB_ROOT:
		/* Objects of bpf_obj_new(), which may own any references. */
		needs_door |= !kernel_cancels;
		break;
	default:
		return false;
	}
	if (needs_door && !kng_teardown_is_open()) {
		WRITE_ONCE(door_wanted, true);
		work = true;
	}
	return work;
}

/*
 * Can bpf_kptr_xchg() get at slots in such values, or in objects in them? More than
 * kng_charge_owns(): nothing that a per-CPU object has needs a job, but exchanges
 * of the object itself are counted.
 */
static bool reachable(const struct btf_record *rec)
{
	return !IS_ERR_OR_NULL(rec) &&
	       rec->field_mask & (BPF_KPTR_REF | BPF_KPTR_PERCPU | BPF_LIST_HEAD | BPF_RB_ROOT);
}

static void charge(const struct bpf_map *map)
{
	/* Nobody would tell when it goes. */
	if (!gone_hook.hooked || !kng_maps_add(map))
		return;
	if (kng_adopting())
		kng_count(KNG_ADOPTED);
	kng_reserve_changed();
}

/*
 * Called on entry to security_bpf_map(), in task context. The map is complete,
 * and its caller holds it. Must not sleep: ftrace waits for us otherwise.
 */
static void saw_map(unsigned long arg0)
{
	const struct bpf_map *map = (const struct bpf_map *)arg0;
	const struct btf_record *rec = map->record;
	bool work = false;
	u32 i;

	if (!READ_ONCE(started) || kng_probe_owns(map->id))
		return;
	if (reachable(rec) || (map->inner_map_meta && reachable(map->inner_map_meta->record)))
		WRITE_ONCE(saw_reachable, true);
	if (IS_ERR_OR_NULL(rec))
		return;
	charge(map);
	for (i = 0; i < rec->cnt; i++)
		work |= saw_field(&rec->fields[i]);
	if (work)
		schedule_work(&serve_work);
}

static struct kng_hook map_hook = {
	.function	= { "security_bpf_map" },
	.enter		= saw_map,
};

int kng_watch_init(void)
{
	int ret, gone = 0;

	ret = kng_hook_ask("bpf_obj_cancel_fields");
	if (ret && ret != -ENOENT)
		return ret;
	kernel_cancels = !ret;

	ret = kng_hook_install(&map_hook);
	if (!ret)
		gone = kng_hook_install(&gone_hook);
	if (gone == -ENOMEM) {
		kng_hook_remove_for_good(&map_hook);
		return gone;
	}
	if (ret == -EOPNOTSUPP && kng_hook_kind == KNG_HOOK_FTRACE)
		pr_warn("security_bpf_map can't be hooked (%d): the reserve can't follow maps, give the parameter jobs what you need\n",
			ret);
	if (gone)
		pr_warn("btf_record_free can't be hooked (%d): the reserve can't follow maps, give the parameter jobs what you need\n",
			gone);
	return ret;
}

bool kng_watch_kernel_cancels(void)
{
	return kernel_cancels;
}

int kng_watch_start(enum kng_teardown_mode wanted)
{
	int ret;

	mode = wanted;
	if (mode == KNG_TEARDOWN_AUTO && kernel_cancels) {
		mode = KNG_TEARDOWN_NEEDED;
		why_closed = "closed (this kernel does not free kptrs of maps in NMI)";
	}

	if (map_hook.hooked) {
		WRITE_ONCE(started, true);
		ret = kng_adopt_maps();
		flush_work(&serve_work);
		if (!ret && mode != KNG_TEARDOWN_ALWAYS)
			return 0;
		if (ret)
			WRITE_ONCE(saw_reachable, true);
		if (ret)
			pr_warn("maps that exist can't all be looked at (%d): the teardown door opens at once, the reserve knows some only\n",
				ret);
	}
	return open_door();
}

void kng_watch_exit(void)
{
	/* No saw_map() runs after the first, no serve_maps() after the third. */
	kng_hook_remove_for_good(&map_hook);
	kng_hook_remove_for_good(&gone_hook);
	cancel_work_sync(&serve_work);
	kng_teardown_close();
}

bool kng_watch_complete(void)
{
	return map_hook.hooked && gone_hook.hooked;
}

bool kng_watch_saw_reachable(void)
{
	return READ_ONCE(saw_reachable);
}

const char *kng_watch_door(void)
{
	return kng_teardown_is_open() ? "open" : READ_ONCE(why_closed);
}
