/* SPDX-License-Identifier: GPL-2.0-only */
/* What memcg.bpf.c and its loader share. */
#ifndef KNG_MEMCG_H
#define KNG_MEMCG_H

struct memcg_ctl {
	__u32 open;		/* the next NMI may take the memory cgroup and put it */
	__u32 held;		/* the NMI has it: its other owner lets go */
	__u64 nmis;
	__u64 put;		/* memory cgroups that were put in NMI */
	__u64 not_last;		/* of these: somebody else kept a reference */
	__u64 missed;		/* there was none to take: the next NMI tries again */
};

#endif /* KNG_MEMCG_H */
