/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The debugfs file `maps'.
 */
#ifndef KNG_MAPSFILE_H
#define KNG_MAPSFILE_H

#include <linux/seq_file.h>

/* Contents of the file: a line for each watched map. */
extern const struct seq_operations kng_maps_sops;

#endif /* KNG_MAPSFILE_H */
