/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KNG_TASKSTACK_H
#define KNG_TASKSTACK_H

#include "shared.h"

struct taskstack_ctl {
	__u32 pid;		/* of the child */
	__u32 open;		/* 1: the next NMI may look at its stack */
	__u32 inside;		/* an NMI does so now */
	__u32 held;		/* it holds the stack: the child may end, if ends is set */
	__u32 ends;
	__u64 nmis;
	__u64 looks;		/* calls of bpf_get_task_stack() that are over */
	__u64 last;		/* of these: the stack was nobody else's any more */
	__u64 failed;
};

#endif /* KNG_TASKSTACK_H */
