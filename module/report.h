/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the log says of the reserve.
 */
#ifndef KNG_REPORT_H
#define KNG_REPORT_H

#include <linux/types.h>

/**
 * kng_report() - log what the reserve can't give
 * @wanted: number of jobs that there should be
 * @shortfall: number of them that can't be had
 *
 * Context: Task, may not be called by two at the same time.
 * Return: true if the caller should call again in a second, because a number has not
 *	settled yet.
 */
bool kng_report(u64 wanted, u64 shortfall);

#endif /* KNG_REPORT_H */
