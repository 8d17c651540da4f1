/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Deletes of local storage in NMI, which are refused.
 */
#ifndef KNG_STORAGE_H
#define KNG_STORAGE_H

struct kng_group;

/**
 * kng_storage_join() - have deletes refused in NMI, if the parameters ask for it
 * @group: hooks that are about to be installed; the deletes' are added
 *
 * Context: Task; after kng_hook_init().
 */
void kng_storage_join(struct kng_group *group);

/**
 * kng_storage_report() - log which deletes can't be hooked and what that means
 *
 * Context: Task; after the group of kng_storage_join() was installed.
 */
void kng_storage_report(void);

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
 * kng_storage_exit() - remove the hooks, with all of their group
 *
 * Context: Task.
 */
void kng_storage_exit(void);

#endif /* KNG_STORAGE_H */
