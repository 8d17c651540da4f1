// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's parameters: module/params.c itself. Which values it takes, what it says of
 * others, and who may look at them.
 */
#include "linux.h"

/* Each parameter has a setter of its own: they are static in params.c. */
#define MODULE_PARM_DESC(name, desc)	static const char * const desc_##name __maybe_unused = desc
#define module_param(name, type, mode)	static const int mode_##name __maybe_unused = mode
#define __stringify_1(x)		#x
#define __stringify(x)			__stringify_1(x)
#define __initconst

#include "../../module/params.c"

static void defaults(void)
{
	jobs = KNG_JOBS_DEFAULT;
	headroom = KNG_HEADROOM_DEFAULT;
	max_jobs = KNG_MAX_JOBS_DEFAULT;
	floor = KNG_FLOOR_DEFAULT;
	budget = KNG_BUDGET_DEFAULT;
	on_empty = "leak";
	teardown = "auto";
	hook = "auto";
	defer = "auto";
	reserve = "capacity";
	shrink = false;
	refuse_delete = true;
	nr_said = 0;
	memset(&kng_params, 0, sizeof(kng_params));
}

/* One number: its limits, and beyond */
static void test_number(const char *name, unsigned int *param, unsigned int *taken, u64 least,
			u64 most)
{
	const u64 bad[] = { least - 1, most + 1, 0xffffffff };
	char words[64];
	unsigned int i;

	/* Those that others depend on */
	defaults();
	*param = least;
	if (param == &jobs)
		max_jobs = KNG_MAX_JOBS_MAX;
	tap_ok(!kng_params_parse() && *taken == least && !nr_said, "%s=%llu", name,
	       (unsigned long long)least);
	*param = most;
	tap_ok(!kng_params_parse() && *taken == most && !nr_said, "%s=%llu", name,
	       (unsigned long long)most);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (bad[i] > 0xffffffff)
			continue;
		*param = bad[i];
		nr_said = 0;
		snprintf(words, sizeof(words), "%s=%u is out of range: set %u to %u", name,
			 (u32)bad[i], (u32)least, (u32)most);
		tap_ok(kng_params_parse() == -EINVAL && nr_said == 1 && !strcmp(said, words), "%s",
		       said);
	}
}

/* One choice: the words in the order of their values, and others */
static void test_choice(const char *name, char **param, const char *words,
			unsigned int (*taken)(void))
{
	static const char *const bad[] = { "",	  "AUTO", "leak,inline", "auto ",
					   "aut", "LEAK", "inlined" };
	char list[64], *word, *rest = list;
	unsigned int i, nr = 0;

	snprintf(list, sizeof(list), "%s", words);
	while ((word = strsep(&rest, " "))) {
		defaults();
		*param = word;
		tap_ok(!kng_params_parse() && taken() == nr && !nr_said, "%s=%s", name, word);
		nr++;
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		defaults();
		*param = (char *)bad[i];
		tap_ok(kng_params_parse() == -EINVAL && nr_said == 1 &&
		       strstr(said, "is unknown: set ") &&
			       !strncmp(said, name, strlen(name)),
		       "%s", said);
	}
}

static unsigned int which_on_empty(void)
{
	return kng_params.on_empty;
}

static unsigned int which_teardown(void)
{
	return kng_params.teardown;
}

static unsigned int which_hook(void)
{
	return kng_params.hook;
}

static unsigned int which_defer(void)
{
	return kng_params.defer;
}

static unsigned int which_reserve(void)
{
	return kng_params.exact;
}

int main(int argc, char **argv)
{
	tap_start(argc, argv);
	defaults();
	tap_ok(!kng_params_parse() && kng_params.jobs == 4096 && kng_params.headroom == 2048 &&
	       kng_params.max_jobs == 1048576 && kng_params.floor == 1024 &&
		       kng_params.budget == 64 && kng_params.on_empty == KNG_LEAK &&
		       kng_params.teardown == KNG_TEARDOWN_AUTO &&
		       kng_params.hook == KNG_HOOK_AUTO && kng_params.defer == KNG_DEFER_AUTO &&
		       !kng_params.exact && !kng_params.shrink && kng_params.refuse_delete,
	       "the defaults");
	tap_ok((mode_jobs & mode_headroom & mode_max_jobs & mode_floor & mode_budget &
		mode_on_empty & mode_teardown & mode_hook & mode_defer & mode_reserve &
		mode_shrink & mode_refuse_delete) == 0444 &&
		       (mode_jobs | mode_headroom | mode_max_jobs | mode_floor | mode_budget |
			mode_on_empty | mode_teardown | mode_hook | mode_defer | mode_reserve |
			mode_shrink | mode_refuse_delete) == 0444,
	       "all may read them, and nobody changes them");
	test_number("jobs", &jobs, &kng_params.jobs, 1, 1048576);
	test_number("headroom", &headroom, &kng_params.headroom, 0, 1048576);
	test_number("max_jobs", &max_jobs, &kng_params.max_jobs, 4096, 16769024);
	test_number("floor", &floor, &kng_params.floor, 0, 1048576);
	test_number("budget", &budget, &kng_params.budget, 1, 65536);
	test_choice("on_empty", &on_empty, "leak inline", which_on_empty);
	test_choice("teardown", &teardown, "auto always needed", which_teardown);
	test_choice("hook", &hook, "auto ftrace kprobe", which_hook);
	test_choice("defer", &defer, "auto nmi irqsoff", which_defer);
	test_choice("reserve", &reserve, "capacity exact", which_reserve);
	defaults();
	shrink = true;
	tap_ok(kng_params_parse() == -EINVAL && nr_said == 1 &&
	       strstr(said, "set reserve=exact too"),
	       "%s", said);
	reserve = "exact";
	tap_ok(!kng_params_parse() && kng_params.shrink && kng_params.exact,
	       "with it, shrink=Y is taken");
	refuse_delete = false;
	tap_ok(!kng_params_parse() && !kng_params.refuse_delete, "so is refuse_delete=N");
	return tap_done();
}
