/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes the kernel call functions that are hooked, with a map and a program of our own.
 *
 * A function that exists may have no callers left: where the kernel calls it by name, a
 * compiler may have inlined it, and then the hook is on a copy that nobody calls. So such
 * a hook is proven by firing it. Functions that the kernel calls by an address need no
 * proof: destructors, kfuncs and helpers.
 */
#ifndef KNG_FIRE_H
#define KNG_FIRE_H

#include <linux/bpf.h>

/**
 * kng_fire_map() - create a map, and have it end
 * @record: where to write the map's record. The hook of btf_record_free() has to write
 *	NULL there when that record is freed. Or NULL, if there is no such hook.
 *
 * Calls security_bpf_map(), and btf_record_free() in the end.
 *
 * Context: Task.
 * Return: 0; -ETIME if @record is still not NULL after some seconds; or why the map could
 *	not be made.
 */
int kng_fire_map(const struct btf_record **record);

/**
 * kng_fire_exchange() - load and run a program that calls bpf_kptr_xchg()
 *
 * Has the verifier call bpf_jit_supports_ptr_xchg(). The program exchanges NULL for what
 * is in a map of ours, which is NULL.
 *
 * Context: Task.
 * Return: 0, or why the program could not be loaded or run.
 */
int kng_fire_exchange(void);

/**
 * kng_fire_teardown() - ask whether a hook of bpf_obj_free_fields() sees a map's values
 * @by_update: an update of the map has to call it. False: the map's end has to.
 *
 * The door's own hook does nothing outside NMI. So this takes a hook of its own, for a
 * moment. It asks once; later calls return what the first one found.
 *
 * Context: Task. The caller serialises calls.
 * Return: 0; -ENOENT if the hook saw nothing; or an error of the hook or of the map,
 *	after which the next call tries again.
 */
int kng_fire_teardown(bool by_update);

#endif /* KNG_FIRE_H */
