// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last reference to a crypto context, overwritten in an array in NMI. The
 * algorithm is ecb(aes), which the kernel has built in (CRYPTO_ECB and
 * CRYPTO_AES are =y on Debian): no module is needed.
 *
 *   crypto --source at
 */
#include "common.h"
#include "rounds.h"
#include "crypto.skel.h"

int main(int argc, char **argv)
{
	struct options opt = EXERCISE_OPTIONS;
	struct exercise ex;
	struct crypto_bpf *skel;

	options_parse(&opt, argc, argv);
	opt.kptr = KNG_CRYPTO;
	exercise_begin(&opt);
	skel = crypto_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	exercise_conf(&skel->rodata->conf, &opt);
	if (!exercise_load(skel->skeleton, "crypto"))
		return tap_done();
	ex = exercise_of(skel->skeleton, &skel->bss->ctl, &opt, "crypto");
	return rounds_run(&ex);
}
