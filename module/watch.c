// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map watch sees maps when they are created and when they are freed. It charges the
 * reserve for maps that can own references, opens the teardown door when a map needs it,
 * and brings destructors of other modules to the release door.
 *
 * The open teardown door adds instructions to each update and delete of every map. So it
 * opens only when it is needed: teardown.c says when. Maps come and go, so it does not
 * close again before the module is unloaded.
 *
 * A map is seen in security_bpf_map(), where it gets a file descriptor: on create, on
 * get-by-id, and when a pinned map is opened. That is before any program can use it. It
 * is gone when btf_record_free() frees its record, after the last of its slots. What a
 * map needs is done a moment later, by a worker. Until then destructors of other modules
 * are unguarded. A destructor that no map has a field for stays unguarded: that of an object
 * of bpf_obj_new() which a program fills and drops without storing it in a map.
 *
 * The watch also sees the maps of struct_ops, and makes the doors divert calls with
 * interrupts off then (defer=auto).
 *
 * Newer kernels don't free kptrs of maps in NMI. They can be recognised by
 * bpf_obj_cancel_fields(). That is a hint, not a proof: 7.1.13 has it, yet lets programs
 * drop objects with kptrs in NMI. So it only keeps the door shut for objects and shortfalls.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bpf.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "adopt.h"
#include "count.h"
#include "entry.h"
#include "hook.h"
#include "learn.h"
#include "maps.h"
#include "params.h"
#include "probe.h"
#include "reserve.h"
#include "teardown.h"
#include "types.h"
#include "watch.h"

static enum kng_teardown_mode mode;
static const char *closed_state = "closed (no map needs it)";
static bool door_failed;
static bool started;
static bool found_exchangeable;	/* see kng_watch_found_exchangeable() */
static bool kernel_cancels;	/* the kernel has bpf_obj_cancel_fields() */

/* Written by on_map_fd(), read by the worker. */
static bool door_wanted;
static bool irqsoff_wanted;

static int open_door(void)
{
	int ret = kng_teardown_open();

	WRITE_ONCE(door_failed, ret);
	if (ret)
		WRITE_ONCE(closed_state, "closed (bpf_obj_free_fields can't be hooked)");
	return ret;
}

/* Runs on entry to btf_record_free(). The record may belong to anything. */
static void on_record_free(unsigned long arg0)
{
	if (kng_maps_del((const struct btf_record *)arg0))
		kng_reserve_map_changed();
}

static struct kng_hook free_hook = {
	.function	= { "btf_record_free" },
	.enter		= on_record_free,
};

static void handle_new_maps(struct work_struct *work)
{
	int ret = 0;

	if (READ_ONCE(irqsoff_wanted) && !kng_entry_defers_irqsoff()) {
		kng_entry_defer_irqsoff();
		pr_info("a struct_ops map appeared: from now on calls with interrupts off are deferred, too\n");
	}
	if (!kng_learn_noted())
		WRITE_ONCE(door_wanted, true);
	if (READ_ONCE(door_wanted))
		ret = open_door();
	if (ret)
		pr_err_ratelimited("bpf_obj_free_fields can't be hooked (%d): destructors that the release door does not guard run in NMI\n",
				   ret);
}

static DECLARE_WORK(new_maps_work, handle_new_maps);

static bool inspect_dtor(btf_dtor_kfunc_t dtor, struct module *owner)
{
	if (kng_types_guards(dtor) || kng_types_nmi_safe(dtor))
		return false;
	/* The kernel's own destructors were tried at load, and another user holds it. */
	if (kng_types_knows(dtor) || !kng_learn_note(dtor, owner))
		WRITE_ONCE(door_wanted, true);
	return true;
}

/* Returns true if the worker has to do something for this field. */
static bool inspect_field(const struct btf_field *field)
{
	switch (field->type) {
	case BPF_KPTR_REF:
		if (field->kptr.dtor)
			return inspect_dtor(field->kptr.dtor, field->kptr.module);
		fallthrough;
	case BPF_KPTR_PERCPU:
	case BPF_LIST_HEAD:
	case BPF_RB_ROOT:
		/* Objects of bpf_obj_new() may own any references. */
		if (kernel_cancels || kng_teardown_is_open())
			return false;
		WRITE_ONCE(door_wanted, true);
		return true;
	default:
		return false;
	}
}

/*
 * Can bpf_kptr_xchg() exchange pointers in such values, or in objects that they own? This
 * includes more than kng_charge_owns(): per-CPU objects own nothing that needs a job, but
 * the exchange of the object itself is counted.
 */
static bool exchangeable(const struct btf_record *rec)
{
	return !IS_ERR_OR_NULL(rec) &&
	       rec->field_mask & (BPF_KPTR_REF | BPF_KPTR_PERCPU | BPF_LIST_HEAD | BPF_RB_ROOT);
}

/*
 * The kernel calls programs of struct_ops as it would call its own functions. A scheduler
 * of sched_ext is called under the runqueue lock, which the last put of a cgroup takes when
 * it wakes a worker. So this is a deadlock without any NMI.
 */
static bool wants_irqsoff(const struct bpf_map *map)
{
	if (map->map_type != BPF_MAP_TYPE_STRUCT_OPS || kng_params.defer != KNG_DEFER_AUTO ||
	    !kng_hook_uses_ftrace() || kng_entry_defers_irqsoff())
		return false;
	WRITE_ONCE(irqsoff_wanted, true);
	return true;
}

static void charge(const struct bpf_map *map)
{
	/* Without this hook we would not know when the map is freed. */
	if (!free_hook.hooked || !kng_maps_add(map))
		return;
	if (kng_adopting())
		kng_count(KNG_ADOPTED);
	kng_reserve_map_changed();
}

/*
 * Runs on entry to security_bpf_map(), in task context. The map is complete, and the
 * caller holds it. Must not sleep, because unregistering the hook waits for us.
 */
static void on_map_fd(unsigned long arg0)
{
	const struct bpf_map *map = (const struct bpf_map *)arg0;
	const struct btf_record *rec = map->record;
	bool work;
	u32 i;

	/* Pairs with the release in kng_watch_start(): mode is set. */
	if (!smp_load_acquire(&started) || kng_probe_owns(map->id))
		return;
	work = wants_irqsoff(map);
	if (exchangeable(rec) || (map->inner_map_meta && exchangeable(map->inner_map_meta->record)))
		WRITE_ONCE(found_exchangeable, true);
	if (!IS_ERR_OR_NULL(rec)) {
		charge(map);
		for (i = 0; i < rec->cnt; i++)
			work |= inspect_field(&rec->fields[i]);
	}
	if (work)
		schedule_work(&new_maps_work);
}

static struct kng_hook fd_hook = {
	.function	= { "security_bpf_map" },
	.enter		= on_map_fd,
};

static struct kng_group group = {
	.hook		= { &fd_hook, &free_hook },
	.nr_hooks	= 2,
};

int kng_watch_init(void)
{
	int ret;

	ret = kng_hook_probe("bpf_obj_cancel_fields");
	if (ret && ret != -ENOENT)
		return ret;
	kernel_cancels = !ret;

	ret = kng_hook_install_group(&group);
	if (ret == -ENOMEM) {
		kng_watch_exit();
		return ret;
	}
	if (fd_hook.hooked && !free_hook.hooked)
		pr_warn("btf_record_free can't be hooked (%d): the reserve can't follow maps; load with jobs= for all references in maps\n",
			free_hook.error[0]);
	if (fd_hook.hooked || (ret && ret != -EOPNOTSUPP))
		return ret;
	if (kng_hook_uses_ftrace())
		pr_warn("security_bpf_map can't be hooked (%d): the reserve can't follow maps; load with jobs= for all references in maps\n",
			fd_hook.error[0]);
	return -EOPNOTSUPP;
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
		closed_state = "closed (this kernel does not free kptrs of maps in NMI)";
	}

	if (fd_hook.hooked) {
		/* Pairs with the acquires above and below: mode is visible first. */
		smp_store_release(&started, true);
		ret = kng_adopt_maps();
		if (ret == -EINTR)
			return ret;
		flush_work(&new_maps_work);
		if (!ret && mode != KNG_TEARDOWN_ALWAYS)
			return 0;
		if (ret)
			WRITE_ONCE(found_exchangeable, true);
		if (ret)
			pr_warn("some existing maps can't be read (%d): the teardown door opens now, and the reserve lacks jobs for these maps\n",
				ret);
	}
	return open_door();
}

/* Held to queue new_maps_work from elsewhere than a hook, and to end that. */
static DEFINE_MUTEX(started_lock);

void kng_watch_note_shortage(void)
{
	mutex_lock(&started_lock);
	/* Pairs with the release in kng_watch_start(). */
	if (smp_load_acquire(&started) && mode == KNG_TEARDOWN_AUTO && !READ_ONCE(door_wanted)) {
		WRITE_ONCE(door_wanted, true);
		schedule_work(&new_maps_work);
	}
	mutex_unlock(&started_lock);
}

void kng_watch_exit(void)
{
	mutex_lock(&started_lock);
	WRITE_ONCE(started, false);
	mutex_unlock(&started_lock);
	/* No on_map_fd() runs after the next line, no handle_new_maps() after the third. */
	kng_hook_remove_for_good(&fd_hook);
	kng_hook_remove_for_good(&free_hook);
	cancel_work_sync(&new_maps_work);
	kng_teardown_close();
}

bool kng_watch_complete(void)
{
	return fd_hook.hooked && free_hook.hooked;
}

bool kng_watch_found_exchangeable(void)
{
	return READ_ONCE(found_exchangeable);
}

bool kng_watch_door_failed(void)
{
	return READ_ONCE(door_failed);
}

const char *kng_watch_door(void)
{
	return kng_teardown_is_open() ? "open" : READ_ONCE(closed_state);
}
