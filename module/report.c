// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the log says of the reserve. Each line names the map that matters most.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "maps.h"
#include "params.h"
#include "report.h"

/*
 * A number that is reported once, when it has not changed for a second, or after ten
 * seconds: maps come in groups, and the first number says little.
 */
struct report {
	u64 value;
	unsigned long first;	/* jiffies at which it was not 0 any more */
	unsigned long since;	/* jiffies at which it had this value */
	bool done;
};

/* Returns true if the number is to be reported now. *@again: ask again later. */
static bool is_settled(struct report *r, u64 value, bool *again)
{
	if (!r->value)
		r->first = jiffies;
	if (r->value != value)
		r->since = jiffies;
	r->value = value;
	r->done &= !!value;
	if (!value || r->done)
		return false;
	r->done = time_after_eq(jiffies, r->since + HZ) ||
		  time_after_eq(jiffies, r->first + 10 * HZ);
	*again |= !r->done;
	return r->done;
}

static u64 whole_charge(const struct kng_map *map)
{
	return map->charge.references + map->charge.floor;
}

static void report_shortfall(u64 wanted, u64 shortfall, bool *again)
{
	static struct report report;
	struct kng_map map = { .name = "-" };
	char why[32];

	if (!is_settled(&report, shortfall, again))
		return;
	/* There is none if it is the headroom that wants them. */
	kng_maps_find(whole_charge, &map);
	if (wanted > kng_params.max_jobs)
		snprintf(why, sizeof(why), "max_jobs=%u", kng_params.max_jobs);
	else
		strscpy(why, "for want of memory", sizeof(why));
	pr_warn_ratelimited("%llu more jobs are wanted for the references that maps have room for, and can't be added (%s); the map with most room is %u %s, with %llu: see `shortfall' in the stats\n",
			    shortfall, why, map.id, map.name, whole_charge(&map));
}

static u64 newest_floor(const struct kng_map *map)
{
	return map->charge.floored ? map->seen : 0;
}

/* Storage and objects share what their floors may take together. Say when it is used up. */
static void report_floors(bool *again)
{
	static struct report report;
	u64 floors = kng_maps_floors(), limit = kng_maps_floor_limit();
	struct kng_map map;

	if (!is_settled(&report, floors > limit ? floors : 0, again) ||
	    !kng_maps_find(newest_floor, &map))
		return;
	pr_warn_ratelimited("%u maps of local storage or objects share %llu jobs, a quarter of max_jobs=%u, instead of %llu; the newest is %u %s: load with a smaller floor= or a larger max_jobs=\n",
			    kng_maps_floored(), limit, kng_params.max_jobs, floors, map.id,
			    map.name);
}

bool kng_report(u64 wanted, u64 shortfall)
{
	bool again = false;

	report_shortfall(wanted, shortfall, &again);
	report_floors(&again);
	return again;
}
