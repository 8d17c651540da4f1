// SPDX-License-Identifier: GPL-2.0-only
/*
 * A crypto context is created by a program that may sleep; its one reference
 * goes into an array, and the array's value is overwritten in NMI.
 */
#include "kng.bpf.h"

const volatile struct kng_conf conf;
struct kng_ctl ctl;

struct bpf_crypto_ctx { unsigned int authsize; } __kernel_type;
typedef struct bpf_crypto_ctx kptr_crypto;

/* The kernel's layout; its size is part of the call. */
struct bpf_crypto_params {
	char type[14];
	__u8 reserved[2];
	char algo[128];
	__u8 key[256];
	__u32 key_len;
	__u32 authsize;
};

extern struct bpf_crypto_ctx *
bpf_crypto_ctx_create(const struct bpf_crypto_params *params, __u32 params__sz,
		      int *err) __ksym;
extern void bpf_crypto_ctx_release(struct bpf_crypto_ctx *ctx) __ksym;

static struct bpf_crypto_params params = {
	.type = "skcipher",
	.algo = "ecb(aes)",
	.key = "sixteen bytes...",
	.key_len = 16,
};

struct value {
	kptr_crypto __kptr *ctx;
};

#include "slots.bpf.h"

static int store(__u32 slot, __u64 id)
{
	struct value *value = value_of(slot);
	struct bpf_crypto_ctx *ctx;
	int err = 0;

	if (!value)
		return -EINVAL;
	ctx = bpf_crypto_ctx_create(&params, sizeof(params), &err);
	if (!ctx)
		return err ? err : -ENOMEM;
	count(created, 1);
	ctx = bpf_kptr_xchg(&value->ctx, ctx);
	if (ctx) {
		count(replaced, 1);
		bpf_crypto_ctx_release(ctx);
	}
	return 0;
}

static int tear(__u32 slot)
{
	return overwrite(slot);
}

#include "exercise.bpf.h"
