// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common.h"
#include "verdict.h"
#include "victims.h"

struct account {
	long long destroyed;
	long long not_last;
	long long leaked;
};

static void name_of(char *name, size_t size, const char *format,
		    enum kng_kind kptr)
{
	int len = snprintf(name, size, "%s_",
			   kptr == KNG_FOREIGN ? "kng" : "bpf");

	snprintf(name + len, size - len, format, kptr_name(kptr));
}

static struct seen entered(const char *format, enum kng_kind kptr)
{
	char name[64];

	name_of(name, sizeof(name), format, kptr);
	return witness_count(name);
}

/* What a destructor of the kind does its work with. */
static const char *const work[] = {
	[KNG_TASK] = "put_task_struct_rcu_user", [KNG_CGROUP] = "css_release",
	[KNG_CPUMASK] = "bpf_cpumask_release", [KNG_CRYPTO] = "call_rcu",
	[KNG_FOREIGN] = "call_rcu", [KNG_NONE] = "call_rcu",
};

/* A count of nothing must not be taken for a count of zero. */
static void require_witness(enum kng_kind kptr)
{
	char dtor[64];

	if (!witness_present())
		die("no witness: is kng_witness.ko loaded, debugfs mounted?");
	name_of(dtor, sizeof(dtor), "%s_release_dtor", kptr);
	if (kptr != KNG_NONE && !witness_watches(dtor))
		die("the witness does not watch %s", dtor);
	if (!witness_watches(work[kptr]))
		die("the witness does not watch %s", work[kptr]);
}

void verdict_begin(struct verdict *v)
{
	/* The others' work is done for other reasons, too. */
	if (v->ex->opt->expect_nmi == DTORS_WORK && v->ex->opt->kptr != KNG_CPUMASK)
		die("--expect-nmi work: only for cpumasks");
	require_witness(v->ex->opt->kptr);
	v->dying = victims_dying_cgroups();
	v->leaked = guard_count("leaked");
	v->inlined = guard_count("inlined");
	v->not_last = guard_count("not_last");
	witness_reset();
}

/* Calls that give a reference back: destructors, and kfuncs of programs. */
static struct seen givers(const struct exercise *ex)
{
	struct seen seen = entered("%s_release_dtor", ex->opt->kptr);
	struct seen kfunc = entered("%s_release", ex->opt->kptr);

	if (ex->releases) {
		seen.total += kfunc.total;
		seen.nmi += kfunc.nmi;
	}
	return seen;
}

/*
 * References that came back. With a stub in place of their body, the calls
 * in NMI gave nothing back. Where the guard comes and goes, the same call may
 * be diverted or not, and only what the body does tells.
 */
/* What the stats say where the release door diverts a kind's destructor. */
static const char *const diverted[] = {
	[KNG_TASK] = "door_release_task_struct: destructor",
	[KNG_CGROUP] = "door_release_cgroup: destructor",
	[KNG_CPUMASK] = "door_release_bpf_cpumask: destructor",
	[KNG_CRYPTO] = "door_release_bpf_crypto_ctx: destructor",
	[KNG_FOREIGN] = "door_release_of_module_kng_foreign: ",
	[KNG_NONE] = "no such line",
};

static bool is_diverted(enum kng_kind kptr)
{
	bool ftrace = false, door = false;
	char line[256];
	FILE *file = fopen(GUARD_STATS, "r");

	while (file && fgets(line, sizeof(line), file)) {
		ftrace |= !strcmp(line, "hook: ftrace\n");
		door |= !strncmp(line, diverted[kptr], strlen(diverted[kptr]));
	}
	if (file)
		fclose(file);
	return ftrace && door;
}

/*
 * Destructors that were run inline by the release door: it was entered instead of the
 * destructor, and then called that itself, which is a second entry. (kng_foreign counts
 * by itself, in the destructor: it sees one.)
 */
static long long entered_twice(const struct verdict *v)
{
	if (v->ex->opt->expect_nmi == DTORS_STUBBED || v->ex->opt->expect_nmi == DTORS_WORK ||
	    v->ex->opt->kptr == KNG_FOREIGN || !is_diverted(v->ex->opt->kptr))
		return 0;
	return guard_count("inlined") - v->inlined;
}

long long verdict_destroyed(const struct exercise *ex)
{
	struct seen seen = givers(ex);

	if (ex->opt->expect_nmi == DTORS_WORK)
		return witness_count(work[ex->opt->kptr]).total;
	if (ex->opt->expect_nmi == DTORS_STUBBED)
		return seen.total - seen.nmi;
	return seen.total;
}

/* What the bodies of destructors call, as often as that happened in NMI. */
static long long work_in_nmi(const struct exercise *ex)
{
	long long n = witness_count("put_task_struct_rcu_user").nmi +
		      witness_count("css_release").nmi + witness_count("call_rcu").nmi;

	return ex->releases ? n :
	       n + entered("%s_release", ex->opt->kptr).nmi;
}

/* Given back, by whomever, or known to be lost. */
static long long accounted(const struct verdict *v, struct account *a)
{
	a->destroyed = verdict_destroyed(v->ex) - entered_twice(v);
	a->leaked = guard_count("leaked") - v->leaked;
	a->not_last = 0;
	if (v->ex->opt->expect_nmi == DTORS_STUBBED)
		a->not_last = guard_count("not_last") - v->not_last;
	return a->destroyed + a->leaked + a->not_last;
}

static bool balanced(void *arg)
{
	struct verdict *v = arg;
	struct kng_ctl *ctl = v->ex->ctl;
	struct account a;

	return accounted(v, &a) >= (long long)(ctl->created - ctl->replaced);
}

static bool cgroups_gone(void *arg)
{
	struct verdict *v = arg;

	return victims_dying_cgroups() <= v->dying;
}

static void give_nmi(const struct verdict *v)
{
	enum nmi_dtors expect = v->ex->opt->expect_nmi;
	struct seen seen = givers(v->ex);
	long long work;

	note("dtors %lld, in NMI %lld", seen.total, seen.nmi);
	if (expect == DTORS_SOME)
		tap_ok(seen.nmi > 0, "destructors ran in NMI (%lld)", seen.nmi);
	else if (expect == DTORS_NONE)
		tap_ok(!seen.nmi, "no destructor was entered in NMI (%lld)",
		       seen.nmi);
	if (expect != DTORS_NONE && expect != DTORS_STUBBED)
		return;
	work = work_in_nmi(v->ex);
	tap_ok(!work, "no destructor's work was done in NMI (%lld)", work);
}

static void give_balance(struct verdict *v)
{
	long long created = v->ex->ctl->created - v->ex->ctl->replaced;
	long long inlined, all;
	struct account a;
	int now;

	wait_until(balanced, v, v->ex->opt->timeout_ms);
	all = accounted(v, &a);
	inlined = guard_count("inlined") - v->inlined;
	tap_ok(created == all,
	       "created %lld == destroyed %lld + dropped by the guard as not the last %lld + leaked %lld",
	       created, a.destroyed, a.not_last, a.leaked);
	tap_ok(!a.leaked && !inlined, "the guard leaked %lld, inlined %lld",
	       a.leaked, inlined);
	if (v->references) {
		now = exercise_call(v->ex->references, 0, 0);
		tap_ok(v->references == now,
		       "the task's own count is as before (%d, now %d)",
		       v->references, now);
	}
	if (v->ex->opt->kptr == KNG_CGROUP)
		tap_ok(wait_until(cgroups_gone, v, v->ex->opt->timeout_ms),
		       "the removed cgroups are gone");
}

/* After the last NMI. */
void verdict_give(struct verdict *v)
{
	const struct options *opt = v->ex->opt;
	struct kng_ctl *ctl = v->ex->ctl;

	/* Waits for an RCU grace period: what hangs on one can run now. */
	if (syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		note("membarrier: %s", strerror(errno));
	note("created %llu torn %llu retried %llu replaced %llu failed %llu (last error %lld)",
	     ctl->created, ctl->torn, ctl->retried, ctl->replaced, ctl->failed,
	     ctl->last_error);
	tap_ok(opt->source == SOURCE_NONE || ctl->nmis,
	       "NMIs reached the program (%llu)", ctl->nmis);
	if (!v->racing)
		tap_ok(ctl->created && ctl->created == ctl->torn &&
		       !ctl->failed, "every slot was torn down exactly once");
	if (ctl->replaced && !v->racing)
		note("%llu references stayed in the torn down slots",
		     ctl->replaced);
	if (nmi_late(opt->source) > 0)
		tap_ok(false, "%lld NMIs came late", nmi_late(opt->source));
	if (opt->kptr == KNG_NONE)
		return;
	give_balance(v);
	give_nmi(v);
}
