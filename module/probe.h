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
 * kng_probe_owns() - ask whether kng_probe() made a map
 * @map_id: id of the map
 *
 * The kernel closes our file descriptors only when the loader returns to user space.
 * Until then others, the map watch included, may see these maps.
 *
 * Context: Any.
 * Return: true if it did.
 */
bool kng_probe_owns(u32 map_id);

#endif /* KNG_PROBE_H */
