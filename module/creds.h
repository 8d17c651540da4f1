/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's credentials, for the module's own calls of bpf(2).
 */
#ifndef KNG_CREDS_H
#define KNG_CREDS_H

struct cred;

/**
 * kng_creds_enter() - go on with the credentials of the kernel
 *
 * The kernel asks whether the caller may use bpf(2). At load that is whoever ran
 * modprobe: it may load modules, but need not have CAP_BPF, and SELinux may allow it
 * the one and not the other (systemd_modules_load_t). What the module looks up then is
 * the module's affair, not the caller's.
 *
 * Context: A task. May sleep. Calls do not nest.
 * Return: what kng_creds_leave() takes, or ERR_PTR(-ENOMEM).
 */
const struct cred *kng_creds_enter(void);

/**
 * kng_creds_leave() - go on with the credentials of before
 * @old: what kng_creds_enter() returned
 *
 * Context: The task that called kng_creds_enter(). May sleep.
 */
void kng_creds_leave(const struct cred *old);

#endif /* KNG_CREDS_H */
