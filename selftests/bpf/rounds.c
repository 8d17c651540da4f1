// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "common.h"
#include "hog.h"
#include "rounds.h"
#include "verdict.h"
#include "victims.h"

static bool refilled(struct exercise *ex)
{
	unsigned int slot;
	int err;

	for (slot = 0; slot < ex->opt->slots; slot++) {
		err = exercise_call(ex->fill, slot, victim(slot));
		if (err) {
			note("slot %u is not filled: %s", slot, strerror(-err));
			return false;
		}
	}
	return true;
}

/* The map's references are the only ones that the objects still have. */
static bool alone(void *arg)
{
	struct exercise *ex = arg;
	unsigned int slot;

	for (slot = 0; slot < ex->opt->slots; slot++)
		if (ex->ctl->state[slot] == KNG_LIVE &&
		    exercise_call(ex->references, slot, 0) != (int)ex->copies)
			return false;
	return true;
}

static bool torn_down(void *arg)
{
	struct exercise *ex = arg;
	volatile struct kng_ctl *ctl = ex->ctl;

	if (ctl->torn == ctl->created || ctl->failed)
		return true;
	if (ex->opt->source == SOURCE_NONE)
		exercise_call(ex->sweep, 0, 0);
	else
		nmi_kick(ex->opt->source, ex->stir);
	return ctl->torn == ctl->created;
}

static bool one_round(struct exercise *ex, unsigned int round)
{
	const struct options *opt = ex->opt;
	bool done;

	victims_make(opt->slots);
	if (!refilled(ex))
		return false;
	if (opt->last) {
		victims_end(opt->timeout_ms);
		if (!wait_until(alone, ex, opt->timeout_ms)) {
			note("round %u: somebody else keeps a reference", round);
			return false;
		}
	}
	if (!round) {
		marker("armed");
		nmi_begin(opt->source, opt->period_us);
	}
	ex->ctl->open = 1;
	done = wait_until(torn_down, ex, opt->timeout_ms);
	ex->ctl->open = 0;
	if (done)
		return !ex->ctl->failed;
	note("round %u: %llu of %llu references torn down in time", round,
	     ex->ctl->torn, ex->ctl->created);
	return false;
}

/* References that the lasting object has besides one fill's in the map. */
static int baseline(struct exercise *ex)
{
	int n;

	if (ex->opt->last || ex->opt->kptr != KNG_TASK)
		return 0;
	n = exercise_call(ex->fill, 0, victim(0));
	if (n)
		die("the first slot cannot be filled: %s", strerror(-n));
	n = exercise_call(ex->references, 0, 0) - ex->copies;
	exercise_call(ex->sweep, 0, 0);
	return n;
}

/* Nothing was torn down, and the kernel said that it is not done in NMI. */
static bool refused(const struct kng_ctl *ctl, __u64 torn_before)
{
	return ctl->failed && ctl->last_error == -EOPNOTSUPP &&
	       ctl->torn == torn_before;
}

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	stopped = 1;
}

int rounds_run(struct exercise *ex)
{
	const struct options *opt = ex->opt;
	struct verdict verdict = { .ex = ex };
	unsigned int round = 0;
	bool good = true;
	__u64 torn;

	verdict_begin(&verdict);
	victims_init(opt->kptr, opt->last);
	verdict.references = baseline(ex);
	torn = ex->ctl->torn;
	signal(SIGTERM, stop);
	if (opt->hog)
		hog_begin();
	while (good && round < opt->rounds && !stopped)
		good = one_round(ex, round++);
	nmi_end(opt->source);
	if (opt->hog)
		hog_end();
	marker("nmis %llu", ex->ctl->nmis);
	victims_exit();
	if (refused(ex->ctl, torn)) {
		tap_skip(ex->name, "the kernel refuses it in NMI");
		return tap_done();
	}
	tap_ok(good, "%u rounds of %u slots were filled and torn down",
	       round, opt->slots);
	if (ex->within)
		tap_ok(*ex->within > 0, "%llu of them while the guard was at work",
		       *ex->within);
	if (ex->last_words)
		ex->last_words();
	exercise_close(ex);
	verdict_give(&verdict);
	marker("done");
	return tap_done();
}
