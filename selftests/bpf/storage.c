// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deleting local storage with a kptr in NMI. An owner has one value, so there
 * is one slot a round:
 *
 *   storage [--variant task|cgroup] --kptr task|cgroup|cpumask --last --source at
 *
 * The variant is the owner; the kptr is what its value holds. With --kptr none
 * it holds nothing, and what is left is the deleting itself: on 6.12 that
 * calls call_rcu_tasks_trace(), in NMI as elsewhere.
 */
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "common.h"
#include "rounds.h"
#include "storage.skel.h"

static int others, other_owner;

/* A deletion outside NMI, so that one in NMI can interrupt it. */
static void stir(void)
{
	__u64 value = 0;

	if (bpf_map_update_elem(others, &other_owner, &value, BPF_ANY) ||
	    bpf_map_delete_elem(others, &other_owner))
		die("storage cannot be deleted from user space");
}

int main(int argc, char **argv)
{
	struct options opt = EXERCISE_OPTIONS;
	struct exercise ex;
	bool of_cgroup;
	struct storage_bpf *skel;

	opt.variant = "task";
	options_parse(&opt, argc, argv);
	if (opt.kptr == KNG_CRYPTO || opt.kptr == KNG_FOREIGN)
		die("--kptr %s: no such path", kptr_name(opt.kptr));
	opt.slots = 1;
	of_cgroup = options_variant(&opt, "task", "cgroup");
	exercise_begin(&opt);
	skel = storage_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	exercise_conf(&skel->rodata->conf, &opt);
	*(__u32 *)&skel->rodata->of_cgroup = of_cgroup;
	bpf_map__set_type(skel->maps.others, of_cgroup ?
			  BPF_MAP_TYPE_TASK_STORAGE : MAP_TYPE_CGRP_STORAGE);
	*(__s32 *)&skel->rodata->owner_pid = getpid();
	if (!exercise_load(skel->skeleton, "storage"))
		return tap_done();
	ex = exercise_of(skel->skeleton, &skel->bss->ctl, &opt, "storage");
	others = bpf_map__fd(skel->maps.others);
	other_owner = of_cgroup ? syscall(__NR_pidfd_open, getpid(), 0) :
				  open("/sys/fs/cgroup", O_RDONLY);
	if (opt.kptr == KNG_NONE)
		ex.stir = stir;
	/*
	 * An NMI in another task leaves the owner's storage alone. Children that end pass the
	 * place before their parent does, always on some kernels. So that frees inodes first.
	 */
	else if (!of_cgroup)
		ex.stir = nmi_stir_files;
	return rounds_run(&ex);
}
