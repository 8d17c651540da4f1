// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's credentials, for the module's own calls of bpf(2).
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/init_task.h>

#include "creds.h"

/*
 * In 6.12 override_creds() takes a reference of its own and revert_creds() drops it.
 * Later neither does: then the one of prepare_kernel_cred() has to last until
 * kng_creds_leave(). So it is kept until there on all kernels.
 */
const struct cred *kng_creds_enter(void)
{
	struct cred *kernel = prepare_kernel_cred(&init_task);

	if (!kernel)
		return ERR_PTR(-ENOMEM);
	return override_creds(kernel);
}

void kng_creds_leave(const struct cred *old)
{
	const struct cred *kernel = current_cred();

	revert_creds(old);
	put_cred(kernel);
}
