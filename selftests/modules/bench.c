// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts what one call costs, for scripts/bench: the time stamp counter is read
 * around each call. Under QEMU's -icount shift=0 it counts instructions.
 *
 * In /sys/kernel/debug/kng_bench/:
 *
 *   map      write a file descriptor: the map that the calls are about (-1: none)
 *   prog     the same for a program of type syscall
 *   symbol   write a name: the function that "call" calls, with a task
 *   peer     write "KIND FUNCTION": hook FUNCTION with an empty handler of this
 *	      KIND (peers[] in bench_peer.c); "none" takes the hook out
 *   run      write "WHAT WHERE COUNT [last]": see bench_run.c
 *   nmis     how many NMIs were handled
 *   result   "min MIN mean MEAN drain DRAIN" of the last run; DRAIN is from the
 *	      moment that interrupts went on to the first instruction afterwards
 */
#include <linux/bpf.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>

#include "bench.h"
#include "compat.h"
#include "files.h"

static DEFINE_MUTEX(run_lock);
static struct dentry *dir;

static ssize_t run_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	char buf[80], what[32], where[16], last[8] = "";
	unsigned int count;
	int err = -EINVAL;

	if (len >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, len))
		return -EFAULT;
	buf[len] = '\0';

	mutex_lock(&run_lock);
	if (sscanf(buf, "%31s %15s %u %7s", what, where, &count, last) >= 3)
		err = bench_run(what, where, count, !strcmp(last, "last"));
	mutex_unlock(&run_lock);
	return err ? err : len;
}
DEFINE_WRITE_ATTRIBUTE(run);

static int result_show(struct seq_file *m, void *unused)
{
	struct bench_result r;

	mutex_lock(&run_lock);
	if (bench_result(&r))
		seq_printf(m, "min %llu mean %llu drain %llu\n", r.min, r.mean, r.drain);
	mutex_unlock(&run_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static void put_map(void)
{
	if (bench_map)
		bpf_map_put(bench_map);
	bench_map = NULL;
}

static ssize_t map_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	struct bpf_map *new;
	int fd, err = kstrtoint_from_user(ubuf, len, 0, &fd);

	if (err)
		return err;
	new = fd < 0 ? NULL : bpf_map_get(fd);
	if (IS_ERR(new))
		return PTR_ERR(new);
	mutex_lock(&run_lock);
	put_map();
	bench_map = new;
	mutex_unlock(&run_lock);
	return len;
}
DEFINE_WRITE_ATTRIBUTE(map);

static void put_prog(void)
{
	if (bench_prog)
		bpf_prog_put(bench_prog);
	bench_prog = NULL;
}

static ssize_t prog_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	struct bpf_prog *new;
	int fd, err = kstrtoint_from_user(ubuf, len, 0, &fd);

	if (err)
		return err;
	new = fd < 0 ? NULL : bpf_prog_get_type_dev(fd, BPF_PROG_TYPE_SYSCALL, false);
	if (IS_ERR(new))
		return PTR_ERR(new);
	mutex_lock(&run_lock);
	put_prog();
	bench_prog = new;
	mutex_unlock(&run_lock);
	return len;
}
DEFINE_WRITE_ATTRIBUTE(prog);

static ssize_t symbol_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	char name[64];
	unsigned long address;
	ssize_t got = strncpy_from_user(name, ubuf, min(len, sizeof(name) - 1));

	if (got < 0)
		return got;
	name[got] = '\0';
	address = bench_address(strim(name));
	if (!address)
		return -ENOENT;
	mutex_lock(&run_lock);
	bench_symbol = (void (*)(void *))address;
	mutex_unlock(&run_lock);
	return len;
}
DEFINE_WRITE_ATTRIBUTE(symbol);

static ssize_t peer_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	char buf[80], kind[16], function[64] = "";
	int err;

	if (len >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, len))
		return -EFAULT;
	buf[len] = '\0';
	if (sscanf(buf, "%15s %63s", kind, function) < 1)
		return -EINVAL;
	mutex_lock(&run_lock);
	err = bench_peer(kind, function);
	mutex_unlock(&run_lock);
	return err ? err : len;
}
DEFINE_WRITE_ATTRIBUTE(peer);

static int __init bench_init(void)
{
	int err = bench_pools_init();

	if (!err)
		err = bench_run_init();
	if (err) {
		bench_pools_exit();
		return err;
	}
	dir = debugfs_create_dir("kng_bench", NULL);
	debugfs_create_file("map", 0200, dir, NULL, &map_fops);
	debugfs_create_file("prog", 0200, dir, NULL, &prog_fops);
	debugfs_create_file("symbol", 0200, dir, NULL, &symbol_fops);
	debugfs_create_file("peer", 0200, dir, NULL, &peer_fops);
	debugfs_create_file("run", 0200, dir, NULL, &run_fops);
	debugfs_create_file("result", 0400, dir, NULL, &result_fops);
	debugfs_create_file("nmis", 0400, dir, bench_nmis(), &count_fops);
	return 0;
}

static void __exit bench_exit(void)
{
	debugfs_remove_recursive(dir);
	bench_run_exit();
	bench_peer("none", "");
	put_map();
	put_prog();
	bench_pools_exit();
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: counts what one call costs");
IMPORT_NS_BPF_INTERNAL;
