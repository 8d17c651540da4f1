// SPDX-License-Identifier: GPL-2.0-only
/*
 * verify: proves on this very machine that the guard defers. A program drops references
 * to this process and cpumasks where no destructor may run. No task's last reference is
 * dropped, so that nothing can hang, guarded or not.
 *
 * Proved is: the guard saw these calls come in NMI; each reference that was dropped
 * shows in its stats; and in the end this process has as many references as before, so
 * none was lost and none was put twice.
 */
#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cmd.h"
#include "guard.h"
#include "kernel.h"
#include "out.h"
#include "verify.h"
#include "verify.skel.h"

#define ROUNDS 32
#define WAIT_MS 3000	/* for the first NMI, and for pending jobs */

enum source { HARDWARE, BREAKPOINT, IRQSOFF, NR_SOURCES };

static const struct {
	const char *name;
	const char *counter;	/* of the guard's: calls from there */
} sources[] = {
	[HARDWARE] = { "a hardware counter's NMI", "seen_nmi" },
	[BREAKPOINT] = { "a hardware breakpoint in the kernel, which counts as an NMI",
			 "seen_nmi" },
	[IRQSOFF] = { "the scheduler, with interrupts off", "seen_irqsoff" },
};

struct counts {
	long long seen, taken, not_last, run, leaked, empty, bad_context;
};

struct result {
	enum source source;
	const struct verify_shared *shared;
	struct counts delta;
	long long expected;	/* references that had to come by the guard */
	int users_before, users_after;
	const char *failed;	/* what does not hold; NULL if all does */
};

static void counts_read(struct counts *counts, enum source source)
{
	struct guard guard;

	guard_read(&guard, "");
	*counts = (struct counts){
		.seen = guard_number(&guard, sources[source].counter),
		.taken = guard_number(&guard, "taken"),
		.not_last = guard_number(&guard, "not_last"),
		.run = guard_number(&guard, "run"),
		.leaked = guard_number(&guard, "leaked"),
		.empty = guard_number(&guard, "empty"),
		.bad_context = guard_number(&guard, "bad_context"),
	};
	guard_free(&guard);
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static bool run_syscall(const struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	return !bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) && !opts.retval;
}

/* Of this process alone, on whatever CPU it is. */
static int open_event(enum source source)
{
	struct perf_event_attr attr = { .size = sizeof(attr) };

	if (source == HARDWARE) {
		attr.type = PERF_TYPE_HARDWARE;
		attr.config = PERF_COUNT_HW_CPU_CYCLES;
		attr.sample_period = 1000000;
	} else {
		attr.type = PERF_TYPE_BREAKPOINT;
		attr.bp_type = HW_BREAKPOINT_X;
		attr.bp_len = sizeof(long);
		attr.sample_period = 1;
		/* Called by nobody but us while we look: see tick(). */
		attr.bp_addr = symbol_address("__x64_sys_getppid");
		if (!attr.bp_addr) {
			errno = ENOENT;
			return -1;
		}
	}
	return syscall(__NR_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static struct bpf_link *attach(struct verify_bpf *skel, enum source source)
{
	struct bpf_link *link;
	int fd;

	if (source == IRQSOFF)
		return bpf_program__attach(skel->progs.on_sched_switch);
	fd = open_event(source);
	if (fd < 0)
		return NULL;
	link = bpf_program__attach_perf_event(skel->progs.on_perf_event, fd);
	if (!link)
		close(fd);
	return link;
}

/* Work for the counter, a call for the breakpoint, a switch for the scheduler. */
static void tick(enum source source)
{
	struct timespec nap = { .tv_nsec = 100000 };
	volatile unsigned int work = 0;

	syscall(__NR_getppid);
	if (source == IRQSOFF)
		nanosleep(&nap, NULL);
	else
		while (++work < 100000)
			;
}

static bool one_round(struct verify_bpf *skel, enum source source)
{
	volatile struct verify_shared *shared = &skel->bss->shared;
	long long end = now_ms() + WAIT_MS;

	shared->state = VERIFY_IDLE;
	if (!run_syscall(skel->progs.fill))
		return false;
	while (shared->state != VERIFY_DROPPED && now_ms() < end)
		tick(source);
	return shared->state == VERIFY_DROPPED;
}

/* Deferred drops are visible a moment later. */
static void settle(struct verify_bpf *skel, struct result *result, const struct counts *before)
{
	long long end = now_ms() + WAIT_MS;
	struct counts after;

	do {
		tick(IRQSOFF);
		counts_read(&after, result->source);
		run_syscall(skel->progs.empty);
		result->users_after = skel->bss->shared.users;
		result->delta = (struct counts){
			after.seen - before->seen, after.taken - before->taken,
			after.not_last - before->not_last, after.run - before->run,
			after.leaked - before->leaked, after.empty - before->empty,
			after.bad_context,
		};
	} while ((result->users_after != result->users_before ||
		  result->delta.run < result->delta.taken) && now_ms() < end);
}

static void judge(struct result *result)
{
	const struct counts *delta = &result->delta;

	/* A value that is overwritten has two; since some 7.1 the kernel leaves them there. */
	result->expected = result->shared->released;
	if (!kernel_get()->cancels || result->source == IRQSOFF)
		result->expected += 2 * result->shared->torn;
	if (delta->seen <= 0)
		result->failed = "the guard saw none of these calls";
	else if (delta->taken + delta->not_last < result->expected)
		result->failed = "the guard saw fewer references than were dropped";
	else if (result->users_after != result->users_before)
		result->failed = "a reference was lost or put twice";
	else if (delta->leaked || delta->empty)
		result->failed = "there were not enough jobs";
	else if (delta->bad_context)
		result->failed = "a destructor was about to run in NMI";
	else if (delta->run < delta->taken)
		result->failed = "destructors are still pending";
	else if (result->shared->errors)
		result->failed = "a drop did not succeed";
}

/* False if nothing came from @source, which proves nothing. */
static bool try_source(enum source source, struct result *result)
{
	static struct verify_shared shared;
	struct verify_bpf *skel = verify_bpf__open();
	struct bpf_link *link = NULL;
	struct counts before;
	int i;

	if (!skel)
		die("the program can't be opened");
	bpf_program__set_autoload(skel->progs.on_sched_switch, source == IRQSOFF);
	bpf_program__set_autoload(skel->progs.on_perf_event, source != IRQSOFF);
	if (verify_bpf__load(skel)) {
		out_note_unseen("%s: the kernel does not take the program (%s)",
				sources[source].name, strerror(errno));
		goto out;
	}
	skel->bss->shared.tgid = getpid();
	link = attach(skel, source);
	if (!link) {
		out_note_unseen("%s: this machine has none (%s)", sources[source].name,
				strerror(errno));
		goto out;
	}
	*result = (struct result){ .source = source, .shared = &shared };
	if (!run_syscall(skel->progs.empty))
		die("the program does not run: %s", strerror(errno));
	result->users_before = skel->bss->shared.users;
	counts_read(&before, source);
	for (i = 0; i < ROUNDS && one_round(skel, source); i++)
		;
	bpf_link__destroy(link);
	link = NULL;
	settle(skel, result, &before);
	shared = skel->bss->shared;
	if (!shared.rounds)
		out_note_unseen("%s: none came in %d s", sources[source].name, WAIT_MS / 1000);
out:
	bpf_link__destroy(link);
	verify_bpf__destroy(skel);
	return shared.rounds;
}

static int report(const struct options *opt, const struct result *result, int status)
{
	const char *verdict = status == EXIT_GOOD ? "proved" :
			      status == EXIT_NO_PROOF ? "nothing proved" : "failed";
	json_t *object;

	if (!opt->json) {
		out_tone(status == EXIT_GOOD ? TONE_GOOD : status == EXIT_NO_PROOF ? TONE_WARN :
			 TONE_BAD, "%s:", verdict);
		if (status == EXIT_NO_PROOF)
			printf(" no NMI can be had here, and defer=irqsoff is not on\n");
		else if (result->failed)
			printf(" %s\n", result->failed);
		else
			printf(" what is dropped in NMI on this machine, the guard defers\n");
		if (status != EXIT_NO_PROOF)
			printf("  source: %s\n"
			       "  dropped there: %llu times, %llu values overwritten, %llu tasks released\n"
			       "  the guard: %lld calls seen, %lld references deferred, %lld not the last, %lld destructors run\n"
			       "  references to this process: %d before, %d after\n",
			       sources[result->source].name, result->shared->rounds,
			       result->shared->torn, result->shared->released,
			       result->delta.seen, result->delta.taken, result->delta.not_last,
			       result->delta.run, result->users_before, result->users_after);
		out_unseen();
		return status;
	}
	object = json_object();
	json_put(object, "verdict", json_string(verdict));
	if (status != EXIT_NO_PROOF) {
		json_put(object, "source", json_string(sources[result->source].name));
		if (result->failed)
			json_put(object, "failed", json_string(result->failed));
		json_put(object, "rounds", json_integer(result->shared->rounds));
		json_put(object, "overwritten", json_integer(result->shared->torn));
		json_put(object, "released", json_integer(result->shared->released));
		json_put(object, "expected", json_integer(result->expected));
		json_put(object, "seen", json_integer(result->delta.seen));
		json_put(object, "taken", json_integer(result->delta.taken));
		json_put(object, "not_last", json_integer(result->delta.not_last));
		json_put(object, "run", json_integer(result->delta.run));
		json_put(object, "references_before", json_integer(result->users_before));
		json_put(object, "references_after", json_integer(result->users_after));
	}
	json_put(object, "unseen", out_unseen_json());
	out_json(object);
	return status;
}

int cmd_verify(const struct options *opt)
{
	struct result result = { 0 };
	struct guard guard;
	const char *defer;
	bool irqsoff;

	if (geteuid())
		return out_unknown(opt->json, "verify needs root: it loads BPF programs");
	guard_read(&guard, "");
	if (!guard.loaded || !guard.readable)
		return out_unknown(opt->json, guard.loaded ? "the guard's stats can't be read" :
				   "the module is not loaded, so there is nothing to prove: modprobe kptr_nmi_guard");
	defer = guard_text(&guard, "defer");
	irqsoff = defer && !strcmp(defer, "irqsoff");
	guard_free(&guard);
	libbpf_set_print(NULL);

	if (!try_source(HARDWARE, &result) && !try_source(BREAKPOINT, &result) &&
	    !(irqsoff && try_source(IRQSOFF, &result)))
		return report(opt, &result, EXIT_NO_PROOF);
	judge(&result);
	return report(opt, &result, result.failed ? EXIT_BAD : EXIT_GOOD);
}
