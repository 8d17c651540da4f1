/* SPDX-License-Identifier: GPL-2.0-only */
/* What verify.bpf.c and verify.c share. */
#ifndef VERIFY_H
#define VERIFY_H

#define VERIFY_SLOTS 8
#define VERIFY_UPDATED 4	/* of these: overwritten; the others' tasks are released */

enum verify_state { VERIFY_IDLE, VERIFY_FILLED, VERIFY_BUSY, VERIFY_DROPPED };

struct verify_shared {
	unsigned int tgid;		/* whose NMIs count */
	int state;			/* enum verify_state */
	int errors;
	int users;			/* references to this task, at the last look */
	unsigned long long rounds;	/* NMIs that dropped */
	unsigned long long torn;	/* values overwritten there */
	unsigned long long released;	/* tasks released there */
};

#endif /* VERIFY_H */
