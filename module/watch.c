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
 * interrupts off then (defer=auto). If it may have missed one, it does so at load.
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
#include "fire.h"
#include "hook.h"
#include "learn.h"
#include "maps.h"
#include "needs.h"
#include "params.h"
#include "probe.h"
#include "reserve.h"
#include "teardown.h"
#include "watch.h"

static enum kng_teardown_mode mode;
static const char *closed_state = "closed (no map needs it)";
static bool door_failed;
static bool started;
static bool found_exchangeable;	/* see kng_watch_found_exchangeable() */
static bool kernel_cancels;	/* the kernel has bpf_obj_cancel_fields() */

/* Set at load: the hooks were called, see prove_hooks(); older maps could not be read. */
static bool sees_new, sees_ends, missed_older;
static bool fd_called; /* by any map, while the watch has not started */
static const struct btf_record *trial_record;

/* Written by on_map_fd(), read by the worker. */
static bool door_wanted;
static bool irqsoff_wanted;

static int open_door(void)
{
	int ret = kng_teardown_open(!kernel_cancels);

	WRITE_ONCE(door_failed, ret);
	if (ret)
		WRITE_ONCE(closed_state, "closed (bpf_obj_free_fields can't be hooked)");
	return ret;
}

/* Runs on entry to btf_record_free(). The record may belong to anything. */
static void on_record_free(unsigned long arg0)
{
	if (unlikely(arg0 == (unsigned long)READ_ONCE(trial_record)))
		WRITE_ONCE(trial_record, NULL);
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

static void charge(const struct bpf_map *map)
{
	/* Else we would not know when the map is freed. */
	if (!sees_ends || !kng_maps_add(map))
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
	unsigned int needs;

	/* Pairs with the release in kng_watch_start(): mode is set. */
	if (!smp_load_acquire(&started)) {
		WRITE_ONCE(fd_called, true);
		return;
	}
	if (kng_probe_owns(map->id))
		return;
	needs = kng_needs(map, kernel_cancels);
	if (needs & KNG_EXCHANGEABLE)
		WRITE_ONCE(found_exchangeable, true);
	if (needs & KNG_NEEDS_DOOR)
		WRITE_ONCE(door_wanted, true);
	if (needs & KNG_NEEDS_IRQSOFF)
		WRITE_ONCE(irqsoff_wanted, true);
	if (!IS_ERR_OR_NULL(map->record))
		charge(map);
	if (needs & ~KNG_EXCHANGEABLE)
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

#define CANT_FOLLOW ": the reserve can't follow maps; load with jobs= for all references in maps\n"

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
		pr_warn("btf_record_free can't be hooked (%d)" CANT_FOLLOW,
			free_hook.error[0]);
	if (fd_hook.hooked || (ret && ret != -EOPNOTSUPP))
		return ret;
	if (kng_hook_uses_ftrace())
		pr_warn("security_bpf_map can't be hooked (%d)" CANT_FOLLOW,
			fd_hook.error[0]);
	return -EOPNOTSUPP;
}

/* A hook that is not called is as good as none. Returns -ENOMEM or 0. */
static int prove_hooks(void)
{
	int ret;

	/* Others may have called it meanwhile. */
	WRITE_ONCE(fd_called, false);
	if (!fd_hook.hooked)
		return 0;
	ret = kng_fire_map(free_hook.hooked ? &trial_record : NULL);
	if (ret == -ENOMEM)
		return ret;
	sees_new = READ_ONCE(fd_called);
	sees_ends = free_hook.hooked && !ret;
	if (!sees_new)
		pr_warn("security_bpf_map is hooked, but a new map did not call it (%d)"
			CANT_FOLLOW, ret);
	else if (free_hook.hooked && ret)
		pr_warn("btf_record_free is hooked, but the end of a map did not call it (%d)"
			CANT_FOLLOW, ret);
	return 0;
}

bool kng_watch_kernel_cancels(void)
{
	return kernel_cancels;
}

/* Who can't see a map of struct_ops has to expect that there is one. */
static void expect_struct_ops(void)
{
	if (!kng_needs_awaits_struct_ops())
		return;
	kng_entry_defer_irqsoff();
	pr_warn("a struct_ops map may be there unseen: calls with interrupts off are deferred, too; load with defer=nmi if no sched_ext scheduler runs here\n");
}

int kng_watch_start(enum kng_teardown_mode wanted)
{
	int ret;

	mode = wanted;
	if (mode == KNG_TEARDOWN_AUTO && kernel_cancels) {
		mode = KNG_TEARDOWN_NEEDED;
		closed_state = "closed (this kernel does not free kptrs of maps in NMI)";
	}

	ret = prove_hooks();
	if (ret)
		return ret;
	if (sees_new) {
		/* Pairs with the acquires above and below: mode is visible first. */
		smp_store_release(&started, true);
		ret = kng_adopt_maps();
		if (ret == -EINTR)
			return ret;
		flush_work(&new_maps_work);
		if (!ret && mode != KNG_TEARDOWN_ALWAYS)
			return 0;
		if (ret) {
			missed_older = true;
			WRITE_ONCE(found_exchangeable, true);
			pr_warn("some existing maps can't be read (%d): the teardown door opens now, and the reserve lacks jobs for these maps\n",
				ret);
		}
	}
	if (ret || !sees_new)
		expect_struct_ops();
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
	return sees_new && sees_ends;
}

const char *kng_watch_state(void)
{
	return !sees_new ? "none" : sees_ends && !missed_older ? "complete" : "new maps only";
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
