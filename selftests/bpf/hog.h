/* SPDX-License-Identifier: GPL-2.0-only */
/* A task that leaves its CPU to nobody of a lower priority but the test. */
#ifndef KNG_HOG_H
#define KNG_HOG_H

/*
 * From here on kernel workers, which are no real-time tasks, don't get to run
 * on the caller's CPU.
 */
void hog_begin(void);

/* Reports whether destructors were kept waiting by that, and lets them run. */
void hog_end(void);

#endif /* KNG_HOG_H */
