/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps that can own references, but are not watched for want of memory.
 */
#ifndef KNG_UNWATCHED_H
#define KNG_UNWATCHED_H

struct btf_record;

/**
 * kng_unwatched_add() - note a map that is not watched
 * @rec: its record. Noting a map twice counts once.
 *
 * Context: Task, atomic; calls of kng_unwatched_add() and kng_unwatched_del() are
 *	serialised.
 */
void kng_unwatched_add(const struct btf_record *rec);

/**
 * kng_unwatched_del() - a map is watched now, or is freed
 * @rec: its record. Records of other maps are ignored.
 *
 * Context: As kng_unwatched_add().
 */
void kng_unwatched_del(const struct btf_record *rec);

/**
 * kng_unwatched() - number of maps that are not watched
 *
 * Context: Any, nested NMI included.
 * Return: the number. Too large if there ever were more than the table has room for.
 */
unsigned int kng_unwatched(void);

#endif /* KNG_UNWATCHED_H */
