/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probe map: a way to ask the kernel for the destructor of a type.
 */
#ifndef KNG_PROBE_H
#define KNG_PROBE_H

#include <linux/bpf.h>

/**
 * kng_probe() - find the destructor of a kernel type
 * @type: name of a struct that the kernel knows, at most 60 characters
 *
 * Creates an array map with one entry, whose value is one referenced kptr of that
 * type. Reads the destructor from the record that the kernel made for the map, and
 * closes the map. So no symbol is looked up behind the kernel's back, and a kernel
 * with another layout of kptrs is found out here, at load. For a moment the map has a
 * file descriptor of the caller.
 *
 * Context: Task.
 * Return: the destructor; NULL if the kernel has no such type, or maps can't own
 *	references to it; an ERR_PTR if the map could not be made: -ENOENT or -EINVAL
 *	if the kernel has no BTF, -EPERM without the privilege, -ENOMEM.
 */
btf_dtor_kfunc_t kng_probe(const char *type);

/**
 * kng_probe_create() - create such a map
 * @type: as for kng_probe()
 *
 * Context: Task, with the right to use bpf(2).
 * Return: a file descriptor, which the caller closes, or a negative errno as for
 *	kng_probe().
 */
int kng_probe_create(const char *type);

/**
 * kng_probe_owns() - ask whether a map that gets a file descriptor is a probe map
 * @map_id: id of the map
 *
 * The kernel closes the file descriptors of kng_probe() only when the loader returns to
 * user space. Until then others, the map watch included, may see these maps.
 *
 * Context: Task.
 * Return: true if it is one of kng_probe(), or if this task creates one just now.
 */
bool kng_probe_owns(u32 map_id);

#endif /* KNG_PROBE_H */
