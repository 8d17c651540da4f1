/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's own memory: is it back to what it was? */
#ifndef KNG_SOAK_MEMORY_H
#define KNG_SOAK_MEMORY_H

struct memory {
	long long before, after;	/* KiB */
	int stir;			/* a program; see soak.bpf.c */
	unsigned int cpus;
};

/* This process runs on @cpu from now on. */
void memory_go_to(unsigned int cpu);

/*
 * Takes the base, and shows that a hundred thousand small objects which nobody
 * gives back would stand out from it.
 */
void memory_begin(struct memory *memory, int stir_prog, unsigned int cpus);

/* The verdict, at the latest after @ms. */
void memory_end(struct memory *memory, unsigned int ms);

#endif /* KNG_SOAK_MEMORY_H */
