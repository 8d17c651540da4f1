/* SPDX-License-Identifier: GPL-2.0-only */
/* Files in debugfs: counts to read (an atomic64_t each), and commands to write. */
#ifndef KNG_FILES_H
#define KNG_FILES_H

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/uaccess.h>

static int count_get(void *data, u64 *val)
{
	*val = atomic64_read(data);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(count_fops, count_get, NULL, "%llu\n");

/* NAME_fops, of which NAME_write() is all. */
#define DEFINE_WRITE_ATTRIBUTE(__name)						\
static const struct file_operations __name ## _fops = {			\
	.owner = THIS_MODULE,						\
	.write = __name ## _write,					\
}

/* One or two numbers that the user wrote; returns how many. */
static inline int read_numbers(const char __user *ubuf, size_t len,
			       unsigned int *a, unsigned int *b)
{
	char buf[40];
	int found;

	if (!len || len >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, len))
		return -EFAULT;
	buf[len] = '\0';
	found = sscanf(buf, "%u %u", a, b);
	return found > 0 ? found : -EINVAL;
}

#endif /* KNG_FILES_H */
