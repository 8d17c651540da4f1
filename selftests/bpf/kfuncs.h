/* SPDX-License-Identifier: GPL-2.0-only */
/* What the program of kfuncs.bpf.c found in the kernel's own tables. */
#ifndef KNG_KFUNCS_H
#define KNG_KFUNCS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define KNG_KFUNCS_MAX 8192
#define KNG_HOOKS_MAX 32	/* groups of program types that a kfunc is registered for */
#define KNG_SET_MAX 1024	/* kfuncs of one owner for one group */
#define KNG_MODULES_MAX 256	/* modules with BTF */

/* The same values since Linux 6.2, in include/linux/btf.h; macros, so not in BTF. */
#define KNG_KF_RELEASE		(1 << 1)
#define KNG_KF_SLEEPABLE	(1 << 5)
#define KNG_KF_ITER_DESTROY	(1 << 10)

enum kng_kfunc_what { KNG_IS_KFUNC, KNG_IS_DTOR };

struct kng_kfunc {
	__u32 btf;		/* id of the BTF that the numbers below belong to */
	__u32 func;		/* type id of the function there */
	__u32 flags;		/* of a kfunc; of a destructor: type id of its type */
	__u16 hook;		/* of a kfunc: enum btf_kfunc_hook */
	__u16 what;		/* enum kng_kfunc_what */
};

struct kng_kfuncs {
	__u32 nr;
	__u32 lost;		/* more than there is room for, or unreadable */
	struct kng_kfunc found[KNG_KFUNCS_MAX];
};

#endif /* KNG_KFUNCS_H */
