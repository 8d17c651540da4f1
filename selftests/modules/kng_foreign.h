/* SPDX-License-Identifier: GPL-2.0-only */
/* What kng_foreign.ko has for BPF programs. */
#ifndef KNG_FOREIGN_H
#define KNG_FOREIGN_H

struct kng_foreign;

struct kng_foreign *kng_foreign_create(void);
void kng_foreign_release(struct kng_foreign *obj);
void kng_foreign_release_dtor(void *obj);

#endif /* KNG_FOREIGN_H */
