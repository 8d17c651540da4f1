/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a function of the kernel is.
 */
#ifndef KNG_LOOKUP_H
#define KNG_LOOKUP_H

/**
 * kng_lookup() - find the address of a function
 * @function: its name
 * @address: where to store it
 *
 * Context: Task, may sleep.
 * Return: 0; -ENOENT: there is no such function; or another error of kprobes.
 */
int kng_lookup(const char *function, unsigned long *address);

/**
 * kng_lookup_exists() - ask whether the kernel has a function
 * @function: its name
 *
 * Context: Task.
 * Return: false if it has none, or has it inlined everywhere.
 */
bool kng_lookup_exists(const char *function);

/**
 * kng_lookup_init_done() - the module's init looks up no more functions
 *
 * Until then kprobes stay registered, unarmed, at the functions that were looked up.
 * Must be called before init returns.
 *
 * Context: Task, may sleep.
 */
void kng_lookup_init_done(void);

#endif /* KNG_LOOKUP_H */
