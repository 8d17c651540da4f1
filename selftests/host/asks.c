// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guard asks the kernel: module/lookup.c, creds.c, probe.c and adopt.c themselves.
 * This kernel has bpf(2) for maps and their types, and checks what it gets.
 */
#include "linux.h"

#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#define KNG_COMPAT_H
#define KPROBE_FLAG_DISABLED	1
#define __packed		__attribute__((packed))
#define ERR_CAST(p)		((void *)(p))

struct mutex {
	int held;
};

#define DEFINE_MUTEX(name)	struct mutex name
#define mutex_lock(m)		((m)->held++)
#define mutex_unlock(m)		((m)->held--)

/* kprobes: of this many functions, and how many grace periods it took to remove them */

struct kprobe {
	const char *symbol_name;
	int flags;
	void *addr;
};

static int armed, kprobes, removals, kprobe_error;

static int register_kprobe(struct kprobe *kp)
{
	if (kprobe_error)
		return kprobe_error;
	if (!strcmp(kp->symbol_name, "none"))
		return -ENOENT;
	armed += !(kp->flags & KPROBE_FLAG_DISABLED);
	kp->addr = (void *)kp->symbol_name;
	kprobes++;
	return 0;
}

static void unregister_kprobes(struct kprobe **all, int nr)
{
	int i;

	removals++;
	for (i = 0; i < nr; i++)
		kprobes -= !!all[i]->symbol_name;
}

/* Credentials: the loader's, or the kernel's own */

struct cred {
	int refs;
	bool of_kernel;
};

static struct cred loader = { 1 }, of_kernel = { 0, true };
static const struct cred *now = &loader;
static bool no_creds;
static struct task_struct {
	bool killed;
	struct task_struct *parent;
} init_task, me = { .parent = &init_task }, *current = &me;

static struct cred *prepare_kernel_cred(struct task_struct *task)
{
	if (no_creds || task != &init_task)
		return NULL;
	of_kernel.refs++;
	return &of_kernel;
}

static const struct cred *override_creds(const struct cred *new)
{
	const struct cred *old = now;

	now = new;
	return old;
}

#define revert_creds(old)	(now = (old))
#define put_cred(c)		(((struct cred *)(c))->refs--)
#define current_cred()		now
#define get_current_cred()	now

/* bpf(2) */

enum { BPF_MAP_CREATE, BPF_BTF_LOAD, BPF_MAP_GET_FD_BY_ID };
enum { BTF_KIND_INT = 1, BTF_KIND_PTR, BTF_KIND_STRUCT = 4, BTF_KIND_TYPE_TAG = 18 };
#define BTF_MAGIC	0xeb9f
#define BTF_VERSION	1
#define BTF_INT_SIGNED	1

struct btf_header {
	uint16_t magic;
	u8 version, flags;
	u32 hdr_len, type_off, type_len, str_off, str_len;
};

struct btf_type {
	u32 name_off, info;
	union {
		u32 size, type;
	};
};

struct btf_member {
	u32 name_off, type, offset;
};

union bpf_attr {
	struct {
		u64 btf;
		u32 btf_size;
	};
	struct {
		u32 map_type, key_size, value_size, max_entries, btf_fd, btf_key_type_id,
			btf_value_type_id;
		char map_name[16];
	};
	u32 map_id;
};

#define MAX_FDS	8
static struct fd {
	bool open;
	char type[64];		/* that a kptr of these types points to */
	bool is_kptr;
	struct bpf_map *map;
} fds[MAX_FDS];
static struct bpf_map made[64];
static unsigned int nr_made, calls;
static struct btf_record record;
static int bpf_error, fail_at, held_maps;	/* @fail_at: so many calls from now */
static u32 next_id = 1;
static const char *kernel_type;	/* what the kernel has a destructor for */
static bool type_without_map;

static int first_fd = 3;	/* those below are in use */

static int new_fd(void)
{
	int i;

	for (i = first_fd; i < MAX_FDS; i++)
		if (!fds[i].open) {
			memset(&fds[i], 0, sizeof(fds[i]));
			fds[i].open = true;
			return i;
		}
	return -EMFILE;
}

static int close_fd(int fd)
{
	fds[fd].open = false;
	return 0;
}

static int open_fds(void)
{
	int i, nr = 0;

	for (i = 0; i < MAX_FDS; i++)
		nr += fds[i].open;
	return nr;
}

/* Are these types what the kernel would take? Its types follow each other, strings behind. */
static int load_types(const void *data, u32 size)
{
	const struct btf_header *h = data;
	const char *types = (const char *)data + sizeof(*h), *strings = types + h->str_off;
	const struct btf_type *t[6] = { NULL }, *p;
	u32 off = 0, i;
	int fd;

	if (h->magic != BTF_MAGIC || h->version != BTF_VERSION || h->hdr_len != sizeof(*h) ||
	    h->flags || h->type_off || h->str_off != h->type_len ||
	    sizeof(*h) + h->str_off + h->str_len != size || strings[0] || strings[h->str_len - 1])
		return -EINVAL;
	for (i = 1; i < 6 && off < h->type_len; i++) {
		p = t[i] = (const void *)(types + off);
		off += sizeof(*p);
		if (p->info >> 24 == BTF_KIND_INT)
			off += 4;
		if (p->info >> 24 == BTF_KIND_STRUCT)
			off += (p->info & 0xffff) * sizeof(struct btf_member);
	}
	if (off != h->type_len || i != 6 || t[1]->info >> 24 != BTF_KIND_INT || t[1]->size != 4 ||
	    t[2]->info >> 24 != BTF_KIND_STRUCT || t[2]->size ||
	    t[3]->info >> 24 != BTF_KIND_TYPE_TAG || t[3]->type != 2 ||
	    t[4]->info >> 24 != BTF_KIND_PTR || t[4]->type != 3 || t[4]->name_off ||
	    t[5]->info >> 24 != BTF_KIND_STRUCT || t[5]->size != 8 ||
	    ((const struct btf_member *)(t[5] + 1))->type != 4)
		return -EINVAL;
	fd = new_fd();
	if (fd < 0)
		return fd;
	fds[fd].is_kptr = !strcmp(strings + t[3]->name_off, "kptr");
	snprintf(fds[fd].type, sizeof(fds[fd].type), "%s", strings + t[2]->name_off);
	return fd;
}

static void dtor(void *obj)
{
	(void)obj;
}

static int create(const union bpf_attr *attr)
{
	struct bpf_map *map = &made[nr_made++ % 64];
	bool typed = attr->btf_value_type_id;
	int fd;

	if (attr->map_type != BPF_MAP_TYPE_ARRAY || attr->key_size != 4 || attr->max_entries != 1)
		return -EINVAL;
	if (typed && (attr->value_size != 8 || attr->btf_key_type_id != 1 ||
		      attr->btf_value_type_id != 5 || !fds[attr->btf_fd].is_kptr))
		return -EINVAL;
	if (typed && type_without_map)
		return -ENOENT;
	fd = new_fd();
	if (fd < 0)
		return fd;
	map->id = next_id++;
	map->record = NULL;
	if (typed && !strcmp(fds[attr->btf_fd].type, kernel_type)) {
		record = (struct btf_record) { 1, BPF_KPTR_REF, { { 0, BPF_KPTR_REF, { dtor } } } };
		map->record = &record;
	}
	fds[fd].map = map;
	return fd;
}

/* Ids of maps that exist, and those that nobody may open */
static u32 exists[16], nr_exist, opened[16], nr_opened, forbidden;
static int kill_at;

static int kern_sys_bpf(int cmd, union bpf_attr *attr, unsigned int size)
{
	u32 i;
	int fd;

	calls++;
	if (!now->of_kernel || size != sizeof(*attr))
		return -EPERM;
	if (fail_at && !--fail_at)
		return bpf_error;
	switch (cmd) {
	case BPF_BTF_LOAD:
		return load_types((const void *)(unsigned long)attr->btf, attr->btf_size);
	case BPF_MAP_CREATE:
		return create(attr);
	}
	if (kill_at && attr->map_id == (u32)kill_at)
		me.killed = true;
	if (attr->map_id == forbidden)
		return -EPERM;
	for (i = 0; i < nr_exist; i++) {
		if (exists[i] != attr->map_id)
			continue;
		fd = new_fd();
		if (fd >= 0)
			opened[nr_opened++] = attr->map_id;
		return fd;
	}
	return -ENOENT;
}

static bool no_get;

static struct bpf_map *bpf_map_get(int fd)
{
	if (no_get || fd < 0 || !fds[fd].map)
		return ERR_PTR(-EINVAL);
	held_maps++;
	return fds[fd].map;
}

#define bpf_map_put(map)		((void)(map), held_maps--)
#define fatal_signal_pending(task)	((task)->killed)

#include "../../module/lookup.c"
#include "../../module/creds.c"
#include "../../module/probe.c"
#include "../../module/adopt.c"

static bool clean(void)
{
	return now == &loader && !of_kernel.refs && !open_fds() && !held_maps && !live &&
	       !lookups_lock.held;
}

static void test_lookup(void)
{
	unsigned long address = 0;
	int i;

	tap_ok(!kng_lookup("one", &address) && address && !armed,
	       "a function is found, and nothing armed");
	tap_ok(kng_lookup("none", &address) == -ENOENT && !kng_lookup_exists("none") &&
	       kng_lookup_exists("two"),
	       "or there is none");
	tap_ok(kprobes == 2 && !removals, "the kprobes of init stay until its end");
	for (i = 0; i < 20; i++)
		kng_lookup("more", &address);
	tap_ok(kprobes < 16 && removals == 1, "or until there are many (%d)", kprobes);
	kng_lookup_init_done();
	tap_ok(!kprobes && removals == 2, "then they go, together");
	kng_lookup("later", &address);
	tap_ok(!kprobes && removals == 3, "later ones go at once");
	kprobe_error = -EINVAL;
	tap_ok(kng_lookup("a", &address) == -EINVAL && kng_lookup_exists("a"),
	       "a function that kprobes may not touch exists");
	kprobe_error = 0;
}

static void test_probe(void)
{
	static const int errors[] = { -EPERM, -EMFILE, -ENOMEM };
	unsigned int i, nr, good = 0;
	char name[80] = "";

	kernel_type = "task_struct";
	tap_ok(kng_probe("task_struct") == dtor && clean(), "a type has a destructor");
	tap_ok(kng_probe_owns(next_id - 1) && !kng_probe_owns(next_id) && !kng_probe_owns(0),
	       "the map that says so is known as the guard's own");
	tap_ok(PTR_ERR(kng_probe("cgroup")) == -EINVAL && clean(),
	       "a map without that field is an error");
	type_without_map = true;
	tap_ok(!kng_probe("cgroup") && clean(), "a type that maps can't own has none");
	type_without_map = false;
	memset(name, 'x', sizeof(name) - 1);
	tap_ok(PTR_ERR(kng_probe(name)) == -EINVAL, "nor has a name that is too long");
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		for (nr = 1; nr <= 2; nr++) {
			bpf_error = errors[i];
			fail_at = nr;
			good += PTR_ERR(kng_probe("task_struct")) == errors[i] && clean();
		}
	}
	tap_ok(good == 2 * ARRAY_SIZE(errors), "each error is handed on, and nothing stays (%u)",
	       good);
	no_memory = true;
	tap_ok(PTR_ERR(kng_probe("task_struct")) == -ENOMEM && clean(), "no memory");
	no_memory = false;
	no_creds = true;
	tap_ok(PTR_ERR(kng_probe("task_struct")) == -ENOMEM && clean(), "no credentials");
	no_creds = false;
	for (i = 0; i < 20; i++)
		kng_probe("task_struct");
	tap_ok(clean(), "more than there is room for");
}

static void test_adopt(void)
{
	static const u32 ids[] = { 2, 3, 7, 900 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ids); i++)
		exists[nr_exist++] = ids[i];
	next_id = 1000;
	calls = 0;
	tap_ok(!kng_adopt_maps() && nr_opened == 4 && !memcmp(opened, ids, sizeof(ids)) && clean(),
	       "each map is opened, whatever ids are free between them");
	tap_ok(calls == 1000, "each id up to a new one is tried, once (%u)", calls);
	tap_ok(!kng_adopting(), "then no map is adopted any more");
	nr_opened = 0;
	forbidden = 3;
	tap_ok(kng_adopt_maps() == -EPERM && nr_opened == 3 && clean(),
	       "one that can't be read: the others are");

	forbidden = nr_opened = 0;
	kill_at = 5;
	tap_ok(kng_adopt_maps() == -EINTR && nr_opened == 2 && clean(),
	       "it ends when the loader is killed");
	me.killed = false;
	kill_at = nr_opened = 0;
	bpf_error = -EMFILE;
	fail_at = 1;
	tap_ok(kng_adopt_maps() == -EMFILE && !nr_opened && clean(),
	       "without a descriptor it does not begin");
	no_get = true;
	tap_ok(kng_adopt_maps() == -EINVAL && !nr_opened && clean() &&
	       PTR_ERR(kng_probe("task_struct")) == -EINVAL && clean(),
	       "nor with one that is of no map");
	no_get = false;
	first_fd = 0;
	tap_ok(!kng_adopt_maps() && nr_opened == 4 && clean() && kng_probe("task_struct") == dtor &&
	       clean(), "descriptor 0 is one like others");
	first_fd = 3;
	no_creds = true;
	tap_ok(kng_adopt_maps() == -ENOMEM && clean(), "nor without credentials");
	no_creds = false;
	adopter = current;
	tap_ok(kng_adopting(), "what the loader opens meanwhile is adopted");
	current = &init_task;
	tap_ok(!kng_adopting(), "what others open is not");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv);
	test_lookup();
	test_probe();
	test_adopt();
	return tap_done();
}
