/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probe map: the kernel itself says which destructor a type has.
 */
#ifndef KNG_PROBE_H
#define KNG_PROBE_H

#include <linux/bpf.h>

/**
 * kng_probe() - find the destructor of a kernel type
 * @type: the name of a struct that the kernel knows, at most 60 characters
 *
 * Makes an array map of one entry whose value is one referenced kptr of the
 * type, reads the destructor from the record that the kernel made for it, and
 * drops the map. So nothing is looked up by name behind the kernel's back, and
 * a load on a kernel whose kptrs work otherwise fails here, early. The map
 * exists for a moment under the caller's open files.
 *
 * Context: Task. The caller may use bpf(2).
 * Return: the destructor; NULL if the kernel has no such type or it is not one
 *	that maps may own; an ERR_PTR if the map could not be made: -ENOENT or
 *	-EINVAL where the kernel has no BTF, -EPERM for want of privilege,
 *	-ENOMEM.
 */
btf_dtor_kfunc_t kng_probe(const char *type);

/**
 * kng_probe_owns() - ask if a map was made by kng_probe()
 * @map_id: the map's id
 *
 * The kernel closes descriptors of ours only when the loader returns to user
 * space, so until then others, the map watch too, can come across these maps.
 *
 * Context: Any.
 * Return: true if it was.
 */
bool kng_probe_owns(u32 map_id);

#endif /* KNG_PROBE_H */
