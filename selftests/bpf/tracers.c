// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traces what the guard hooks until SIGTERM comes, then says whether each
 * function was seen:
 *
 *   tracers --variant both|fentry|fexit|kprobe|kprobe.multi
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "common.h"
#include "options.h"
#include "tracers.skel.h"

static bool is_kind(const char *section, const char *kind)
{
	size_t len = strlen(kind);

	return !strncmp(section, kind, len) && section[len] == '/';
}

static bool is_wanted(const char *section, const char *variant)
{
	if (!strcmp(variant, "both"))
		return is_kind(section, "fentry") || is_kind(section, "fexit");
	return is_kind(section, variant);
}

/* Linux has it inline, unless the guard replaced it. */
static bool is_called(const char *section)
{
	char line[256];
	bool exact = false;
	FILE *file;

	if (strcmp(strchr(section, '/') + 1, "bpf_kptr_xchg"))
		return true;
	file = fopen(GUARD_STATS, "r");
	while (file && !exact && fgets(line, sizeof(line), file))
		exact = !strncmp(line, "reserve: exact", 14);
	if (file)
		fclose(file);
	return exact;
}

/* Not all kernels have all of the functions. */
static void choose(struct tracers_bpf *skel, const char *variant)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	struct bpf_program *prog;
	const char *section;
	bool known;

	if (!kernel)
		die("no BTF of the kernel");
	bpf_object__for_each_program(prog, skel->obj) {
		section = bpf_program__section_name(prog);
		known = btf__find_by_name_kind(kernel, strchr(section, '/') + 1,
					       BTF_KIND_FUNC) > 0;
		bpf_program__set_autoload(prog, known &&
					  is_wanted(section, variant));
	}
	btf__free(kernel);
}

static void attach(struct tracers_bpf *skel)
{
	struct bpf_program *prog;
	unsigned int n = 0;

	bpf_object__for_each_program(prog, skel->obj) {
		if (!bpf_program__autoload(prog))
			continue;
		if (bpf_program__attach(prog))
			n++;
		else
			tap_ok(false, "%s: %s",
			       bpf_program__section_name(prog), strerror(errno));
	}
	tap_ok(n > 0, "%u programs attach", n);
}

static void judge(struct tracers_bpf *skel)
{
	struct bpf_program *prog;
	const char *section;

	bpf_object__for_each_program(prog, skel->obj) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);

		if (!bpf_program__autoload(prog))
			continue;
		if (bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			die("no information: %s", strerror(errno));
		section = bpf_program__section_name(prog);
		if (is_called(section))
			tap_ok(info.run_cnt > 0, "%s ran (%llu)", section,
			       info.run_cnt);
		else
			note("%s: inline (%llu)", section, info.run_cnt);
	}
}

int main(int argc, char **argv)
{
	struct options opt = { .variant = "both" };
	struct tracers_bpf *skel;
	sigset_t term;
	int signal;

	options_parse(&opt, argc, argv);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	if (bpf_enable_stats(BPF_STATS_RUN_TIME) < 0)
		die("the kernel does not count: %s", strerror(errno));
	skel = tracers_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	choose(skel, opt.variant);
	if (tracers_bpf__load(skel))
		die("the verifier says no");
	attach(skel);
	marker("attached");
	sigwait(&term, &signal);
	judge(skel);
	tracers_bpf__destroy(skel);
	return tap_done();
}
