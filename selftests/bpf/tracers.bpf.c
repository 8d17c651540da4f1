// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program of each kind that traces functions, on each that the guard hooks.
 * They do nothing; the kernel counts how often they run.
 */
#include "kng.bpf.h"

#define TRACE(function)							\
SEC("fentry/" #function)						\
int entry_##function(void *ctx)						\
{									\
	return 0;							\
}									\
									\
SEC("fexit/" #function)							\
int exit_##function(void *ctx)						\
{									\
	return 0;							\
}									\
									\
SEC("kprobe/" #function)						\
int kprobe_##function(void *ctx)					\
{									\
	return 0;							\
}									\
									\
SEC("kprobe.multi/" #function)						\
int multi_##function(void *ctx)						\
{									\
	return 0;							\
}

TRACE(bpf_obj_free_fields)
TRACE(security_bpf_map)
TRACE(btf_record_free)
TRACE(bpf_kptr_xchg)
TRACE(bpf_jit_supports_ptr_xchg)
TRACE(bpf_task_release)
TRACE(bpf_task_release_dtor)
TRACE(bpf_cgroup_release)
TRACE(bpf_cgroup_release_dtor)
TRACE(bpf_cpumask_release_dtor)
TRACE(bpf_crypto_ctx_release)
TRACE(bpf_crypto_ctx_release_dtor)

char LICENSE[] SEC("license") = "GPL";
