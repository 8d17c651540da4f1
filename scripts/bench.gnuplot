# SPDX-License-Identifier: GPL-2.0-only
# For scripts/bench: csv and svg are given on the command line.

set datafile separator ","
set terminal svg size 900,1300 font "sans,11" background "white"
set output svg
set multiplot layout 4,1
set key left top
set logscale x
set grid

# rows PATTERN CONFIG: "number value" for rows whose name has a number in place of %d
rows(pattern, config) = sprintf("< awk -F, -v c='%s' '$1 == c && $2 ~ /%s/ { n = $2; gsub(/[^0-9]/, \"\", n); print n \",\" $3 }' %s", config, pattern, csv)

set title "making a map: instructions, by the number of maps that exist"
set xlabel "maps"
set yrange [0:*]
plot for [c in "bare auto"] rows("^map-create-of-[0-9]+$", c) using 1:2 with linespoints title c

set title "taking a last reference over in NMI: instructions each, by how many in one NMI"
set xlabel "references"
plot rows("^burst-[0-9]+-release$", "auto") using 1:2 with linespoints title "auto"

set title "failed exchanges for a pair of pop and push, by simulated CPUs"
set xlabel "CPUs"
plot for [p in "guard one-stack objpool freelist list.lock"] rows("^failed-[0-9]+-".p."$", "host") using 1:2 with linespoints title p

set title "accesses to shared memory for a job that is taken and given back, in a storm of NMIs that takes all jobs"
plot for [p in "guard one-stack objpool freelist list.lock"] rows("^storm-[0-9]+-".p."$", "host") using 1:2 with linespoints title p
unset multiplot
