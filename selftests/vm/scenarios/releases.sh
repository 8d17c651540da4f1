# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What gives references back on this kernel, against the table in /tests/releases.tsv: each
# has a row there, and what the table calls guarded is hooked. /tests/module-kfuncs, if there
# is one, has the kfuncs of modules that are not loaded here.

TABLE=/tests/releases.tsv
series=$(uname -r | cut -d. -f1,2)

# row FUNCTION COLUMN
row() { awk -F '\t' -v f="$1" -v c="$2" '$1 == f { print $c; exit }' "$TABLE"; }
in_table() { [ -n "$(row "$1" 4)" ]; }
exists() { grep -q " $1\$" /proc/kallsyms; }
is_hooked() { grep -q "^# hooked: $1 " /tmp/hooked; }

# KF_RELEASE and KF_ITER_DESTROY
drops() { [ $(($1 & 0x402)) -ne 0 ]; }
droppers() {
	/tests/bpf/kfuncs --variant drops || return
	[ ! -e /tests/module-kfuncs ] || while read -r what owner name flags; do
		! drops "$flags" || echo "$what $owner $name $flags"
	done </tests/module-kfuncs
}
nr_unknown() {
	while read -r _ _ name _; do
		in_table "$name" || echo "$name"
	done </tmp/droppers | sort -u | grep -c .
}

/tests/bpf/kfuncs >/tmp/all || bail 'the kernel does not say what it has'
droppers >/tmp/droppers
note "of $(grep -c '' /tmp/all) kfuncs and destructors $(grep -c '' /tmp/droppers) give references back"
check 'destructors among it' grep -q '^dtor vmlinux bpf_task_release_dtor task_struct' /tmp/droppers
check 'kfuncs among it' grep -q '^kfunc vmlinux bpf_task_release 0x2 ' /tmp/droppers
check 'iterators among it' grep -q '^kfunc vmlinux bpf_iter_task_vma_destroy 0x400 ' /tmp/droppers
while read -r what owner name rest; do
	check "$what $name ($owner${rest:+, $rest}): $(row "$name" 4)" in_table "$name"
	row "$name" 3 | grep -qw "$series" || note "$name: not read in $series"
done </tmp/droppers

# A kfunc that nobody has read is found, and missed in the table.
test_module kng_foreign
droppers >/tmp/droppers
check 'a new kfunc and a new destructor would be noticed' test "$(nr_unknown)" -ge 2
/sbin/rmmod kng_foreign

hooks_before
check 'modprobe' guard_load teardown=always
show_hooks >/tmp/hooked
awk -F '\t' '!/^#/ && $4 == "guarded" { print $1, $5 }' "$TABLE" >/tmp/guarded
check 'the table has guarded ones' test -s /tmp/guarded
while read -r name hook; do
	exists "$name" || continue
	check "$name: $hook is hooked" is_hooked "$hook"
done </tmp/guarded
check 'rmmod' guard_unload
finish
