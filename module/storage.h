/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Deletes of local storage in NMI, which are refused.
 */
#ifndef KNG_STORAGE_H
#define KNG_STORAGE_H

/**
 * kng_storage_init() - start to refuse deletes in NMI, if the parameters ask for it
 *
 * The log says what can't be hooked and what that means.
 *
 * Context: Task.
 * Return: 0 or -ENOMEM.
 */
int kng_storage_init(void);

/**
 * kng_storage_unhooked() - number of functions that should be hooked and are not
 *
 * Context: Any.
 * Return: the number.
 */
unsigned int kng_storage_unhooked(void);

/**
 * kng_storage_state() - what happens to deletes in NMI, for the stats
 *
 * Context: Any.
 * Return: words.
 */
const char *kng_storage_state(void);

/**
 * kng_storage_exit() - undo kng_storage_init()
 *
 * Context: Task.
 */
void kng_storage_exit(void);

#endif /* KNG_STORAGE_H */
