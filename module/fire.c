// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the kernel call functions that are hooked: see fire.h.
 *
 * All this runs in a worker. A worker has the kernel's credentials. And what it closes is
 * closed a moment later, not when the loader returns to user space.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/filter.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "fire.h"
#include "hook.h"
#include "probe.h"

#define TYPE	"task_struct"
#define RELEASE	"bpf_task_release"

/* A busy machine may take long to free a map. */
#define TIMEOUT_MS	10000

struct request {
	struct work_struct work;
	int (*use)(int map_fd, void *arg);
	void *arg;
	int ret;
};

static void handle(struct work_struct *work)
{
	struct request *r = container_of(work, struct request, work);
	int fd = kng_probe_create(TYPE);

	r->ret = fd;
	if (fd < 0)
		return;
	r->ret = r->use(fd, r->arg);
	close_fd(fd);
}

/* Calls @use with a map whose value is one kptr. */
static int with_map(int (*use)(int map_fd, void *arg), void *arg)
{
	struct request r = { .use = use, .arg = arg };

	INIT_WORK_ONSTACK(&r.work, handle);
	schedule_work(&r.work);
	flush_work(&r.work);
	destroy_work_on_stack(&r.work);
	return r.ret;
}

static int get_record(int map_fd, void *arg)
{
	const struct btf_record **record = arg;
	struct bpf_map *map = bpf_map_get(map_fd);

	if (IS_ERR(map))
		return PTR_ERR(map);
	if (record)
		WRITE_ONCE(*record, map->record);
	bpf_map_put(map);
	return 0;
}

/* Waits until a hook has written NULL. */
static int wait_for_hook(const struct btf_record **record)
{
	int ms;

	for (ms = 0; READ_ONCE(*record); ms += 20) {
		if (ms >= TIMEOUT_MS)
			return -ETIME;
		msleep(20);
	}
	return 0;
}

int kng_fire_map(const struct btf_record **record)
{
	int ret = with_map(get_record, record);

	return ret || !record ? ret : wait_for_hook(record);
}

static int load(const struct bpf_insn *insns, unsigned int nr)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SYSCALL,
		.prog_flags = BPF_F_SLEEPABLE,
		.prog_name = "kng_probe",
		.license = (unsigned long)"GPL",
		.insns = (unsigned long)insns,
		.insn_cnt = nr,
	};

	return kern_sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* Returns what the program returns. */
static int load_and_run(const struct bpf_insn *insns, unsigned int nr)
{
	union bpf_attr attr = {};
	int fd = load(insns, nr);
	int ret;

	if (fd < 0)
		return fd;
	attr.test.prog_fd = fd;
	ret = kern_sys_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr));
	close_fd(fd);
	return ret ?: (int)attr.test.retval;
}

/* The BTF id of a kfunc: a program may ask for it, a module may not. */
static int find_kfunc(const char *name)
{
	struct bpf_insn insns[16], *i = insns;
	u32 words[8] = {};
	int n, nr_words = DIV_ROUND_UP(strlen(name) + 1, sizeof(u32));

	strscpy((char *)words, name, sizeof(words));
	for (n = 0; n < nr_words; n++)
		*i++ = BPF_ST_MEM(BPF_W, BPF_REG_10, ((int)sizeof(u32)) * (n - nr_words), words[n]);
	*i++ = BPF_MOV64_REG(BPF_REG_1, BPF_REG_10);
	*i++ = BPF_ALU64_IMM(BPF_ADD, BPF_REG_1, -(int)sizeof(u32) * nr_words);
	*i++ = BPF_MOV64_IMM(BPF_REG_2, strlen(name) + 1);
	*i++ = BPF_MOV64_IMM(BPF_REG_3, BTF_KIND_FUNC);
	*i++ = BPF_MOV64_IMM(BPF_REG_4, 0);
	*i++ = BPF_RAW_INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_btf_find_by_name_kind);
	*i++ = BPF_EXIT_INSN();
	return load_and_run(insns, i - insns);
}

/* old = bpf_kptr_xchg(slot, NULL); if (old) bpf_task_release(old); return 0; */
static int exchange(int map_fd, void *unused)
{
	int release = find_kfunc(RELEASE);
	struct bpf_insn insns[] = {
		BPF_LD_IMM64_RAW(BPF_REG_1, BPF_PSEUDO_MAP_VALUE, (u32)map_fd),
		BPF_MOV64_IMM(BPF_REG_2, 0),
		BPF_RAW_INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_kptr_xchg),
		BPF_JMP_IMM(BPF_JEQ, BPF_REG_0, 0, 2),
		BPF_MOV64_REG(BPF_REG_1, BPF_REG_0),
		BPF_RAW_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, release),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};

	if (release < 0)
		return release;
	return load_and_run(insns, ARRAY_SIZE(insns));
}

int kng_fire_exchange(void)
{
	return with_map(exchange, NULL);
}

static const struct btf_record *waits;

static void on_free_fields(unsigned long arg0)
{
	if (arg0 == (unsigned long)READ_ONCE(waits))
		WRITE_ONCE(waits, NULL);
}

static struct kng_hook trial = {
	.function	= { "bpf_obj_free_fields" },
	.enter		= on_free_fields,
};

static int update(int map_fd, void *record)
{
	int key = 0;
	void *value = NULL;
	union bpf_attr attr = {
		.map_fd = map_fd,
		.key = (unsigned long)&key,
		.value = (unsigned long)&value,
	};
	int ret = get_record(map_fd, record);

	return ret ?: kern_sys_bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}

int kng_fire_teardown(bool by_update)
{
	static bool tried;
	int ret;

	if (tried)
		return READ_ONCE(waits) ? -ENOENT : 0;
	ret = kng_hook_install(&trial);
	if (ret)
		return ret;
	ret = with_map(update, &waits);
	if (!ret && !by_update)
		wait_for_hook(&waits);
	kng_hook_remove_for_good(&trial);
	if (ret)
		return ret;
	tried = true;
	return READ_ONCE(waits) ? -ENOENT : 0;
}
