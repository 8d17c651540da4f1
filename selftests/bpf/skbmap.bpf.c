// SPDX-License-Identifier: GPL-2.0-only
/* A map that can own socket buffers (Linux 6.16), and no program. */
#include "kng.bpf.h"

struct sk_buff { unsigned int len; } __kernel_type;
typedef struct sk_buff kptr_skb;

struct of_skb {
	kptr_skb __kptr *skb;
};

/* Else the BTF has only its name, and the kernel wants a struct. */
const struct sk_buff *known_skb;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 100);
	__type(key, __u32);
	__type(value, struct of_skb);
} skb SEC(".maps");
