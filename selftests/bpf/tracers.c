// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traces what the guard hooks until SIGTERM comes, then says whether each
 * function was seen:
 *
 *   tracers --variant both|fentry|fexit
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

/* Not all kernels have all of the functions. */
static void choose(struct tracers_bpf *skel, const char *variant)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	struct bpf_program *prog;
	const char *section;
	bool known, wanted;

	if (!kernel)
		die("no BTF of the kernel");
	bpf_object__for_each_program(prog, skel->obj) {
		section = bpf_program__section_name(prog);
		known = btf__find_by_name_kind(kernel, strchr(section, '/') + 1,
					       BTF_KIND_FUNC) > 0;
		wanted = !strcmp(variant, "both") ||
			 !strncmp(section, variant, strlen(variant));
		bpf_program__set_autoload(prog, known && wanted);
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

	bpf_object__for_each_program(prog, skel->obj) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);

		if (!bpf_program__autoload(prog))
			continue;
		if (bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			die("no information: %s", strerror(errno));
		tap_ok(info.run_cnt > 0, "%s ran (%llu)",
		       bpf_program__section_name(prog), info.run_cnt);
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
