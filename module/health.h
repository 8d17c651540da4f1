/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether the guard does what it promises, in one line.
 */
#ifndef KNG_HEALTH_H
#define KNG_HEALTH_H

/**
 * kng_health_init() - create /sys/module/kptr_nmi_guard/health
 *
 * The file says `ok', or `degraded: ' and each fact that makes it so, as name=value. It
 * can be polled.
 *
 * Context: Task. A kernel without sysfs is no error.
 */
void kng_health_init(void);

/**
 * kng_health_exit() - remove the file; no reader is left when it returns
 *
 * Context: Task.
 */
void kng_health_exit(void);

#endif /* KNG_HEALTH_H */
