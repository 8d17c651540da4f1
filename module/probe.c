// SPDX-License-Identifier: GPL-2.0-only
/*
 * The probe map: a way to ask the kernel for the destructor of a type.
 *
 * The BTF of the map's value, written as C:
 *
 *	struct TYPE { };
 *	struct kng_probe { struct TYPE __attribute__((btf_type_tag("kptr"))) *p; };
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "compat.h"
#include "creds.h"
#include "probe.h"

enum { ID_VOID, ID_INT, ID_TYPE, ID_TAG, ID_PTR, ID_VALUE };

#define NAME_MAX_LEN	60

struct blob {
	struct btf_header hdr;
	struct {
		struct btf_type int_;
		u32 int_data;
		struct btf_type type;
		struct btf_type tag;
		struct btf_type ptr;
		struct btf_type value;
		struct btf_member member;
	} __packed types;
	char strings[128];
} __packed;

/* Ids of the maps of kng_probe(). Written at load, one call at a time. */
static u32 own_ids[16];
static unsigned int nr_own_ids;

/* The task that creates a probe map just now. */
static struct task_struct *creator;
static DEFINE_MUTEX(creator_lock);

static u32 add_string(struct blob *b, const char *s)
{
	u32 off = b->hdr.str_len;

	strscpy(b->strings + off, s, sizeof(b->strings) - off);
	b->hdr.str_len += strlen(s) + 1;
	return off;
}

static u32 type_info(u32 kind, u32 vlen)
{
	return kind << 24 | vlen;
}

static void fill_blob(struct blob *b, const char *type)
{
	b->hdr.magic = BTF_MAGIC;
	b->hdr.version = BTF_VERSION;
	b->hdr.hdr_len = sizeof(b->hdr);
	b->hdr.type_len = sizeof(b->types);
	b->hdr.str_off = sizeof(b->types);
	add_string(b, "");

	b->types.int_.name_off = add_string(b, "int");
	b->types.int_.info = type_info(BTF_KIND_INT, 0);
	b->types.int_.size = sizeof(int);
	b->types.int_data = BTF_INT_SIGNED << 24 | 32;

	b->types.type.name_off = add_string(b, type);
	b->types.type.info = type_info(BTF_KIND_STRUCT, 0);

	b->types.tag.name_off = add_string(b, "kptr");
	b->types.tag.info = type_info(BTF_KIND_TYPE_TAG, 0);
	b->types.tag.type = ID_TYPE;

	b->types.ptr.info = type_info(BTF_KIND_PTR, 0);
	b->types.ptr.type = ID_TAG;

	b->types.value.name_off = add_string(b, "kng_probe");
	b->types.value.info = type_info(BTF_KIND_STRUCT, 1);
	b->types.value.size = sizeof(void *);
	b->types.member.name_off = add_string(b, "p");
	b->types.member.type = ID_PTR;
}

static int load_btf(struct blob *b)
{
	union bpf_attr attr = {
		.btf = (unsigned long)b,
		.btf_size = offsetof(struct blob, strings) + b->hdr.str_len,
	};

	return kern_sys_bpf(BPF_BTF_LOAD, &attr, sizeof(attr));
}

static int create_map(int btf_fd)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(int),
		.value_size = sizeof(void *),
		.max_entries = 1,
		.map_name = "kng_probe",
		.btf_fd = btf_fd,
		.btf_key_type_id = ID_INT,
		.btf_value_type_id = ID_VALUE,
	};

	return kern_sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static btf_dtor_kfunc_t read_dtor(int map_fd)
{
	struct bpf_map *map = bpf_map_get(map_fd);
	btf_dtor_kfunc_t dtor = NULL;

	if (IS_ERR(map))
		return ERR_CAST(map);
	if (nr_own_ids < ARRAY_SIZE(own_ids))
		own_ids[nr_own_ids++] = map->id;
	if (IS_ERR_OR_NULL(map->record) || map->record->cnt != 1 ||
	    map->record->fields[0].type != BPF_KPTR_REF)
		dtor = ERR_PTR(-EINVAL);
	else
		dtor = map->record->fields[0].kptr.dtor;
	bpf_map_put(map);
	return dtor;
}

int kng_probe_create(const char *type)
{
	int btf_fd, map_fd;
	struct blob *b;

	if (strlen(type) > NAME_MAX_LEN)
		return -EINVAL;
	b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return -ENOMEM;
	fill_blob(b, type);
	btf_fd = load_btf(b);
	kfree(b);
	if (btf_fd < 0)
		return btf_fd;

	mutex_lock(&creator_lock);
	WRITE_ONCE(creator, current);
	map_fd = create_map(btf_fd);
	WRITE_ONCE(creator, NULL);
	mutex_unlock(&creator_lock);
	close_fd(btf_fd);
	return map_fd;
}

static btf_dtor_kfunc_t probe(const char *type)
{
	int map_fd = kng_probe_create(type);
	btf_dtor_kfunc_t dtor;

	/* The kernel knows the type, but maps can't own references to it. */
	if (map_fd == -ENOENT)
		return NULL;
	if (map_fd < 0)
		return ERR_PTR(map_fd);

	dtor = read_dtor(map_fd);
	close_fd(map_fd);
	return dtor;
}

btf_dtor_kfunc_t kng_probe(const char *type)
{
	const struct cred *old = kng_creds_enter();
	btf_dtor_kfunc_t dtor;

	if (IS_ERR(old))
		return ERR_CAST(old);
	dtor = probe(type);
	kng_creds_leave(old);
	return dtor;
}

bool kng_probe_owns(u32 map_id)
{
	unsigned int i;

	if (READ_ONCE(creator) == current)
		return true;
	for (i = 0; i < nr_own_ids; i++) {
		if (own_ids[i] == map_id)
			return true;
	}
	return false;
}
