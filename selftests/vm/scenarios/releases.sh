# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What gives references back on this kernel, against the table in /tests/releases.tsv: each
# has a row there, and what the table calls guarded is hooked. /tests/module-kfuncs, if there
# is one, has the kfuncs of modules that are not loaded here.

TABLE=/tests/releases.tsv
series=$(uname -r | cut -d. -f1,2)

is_hooked() { grep -q "^# hooked: $1 " /tmp/hooked; }

# KF_RELEASE and KF_ITER_DESTROY
drops() { [ $(($1 & 0x402)) -ne 0 ]; }
droppers() {
	/tests/bpf/kfuncs --variant drops || return
	[ ! -e /tests/module-kfuncs ] || while read -r what owner name flags; do
		! drops "$flags" || echo "$what $owner $name $flags"
	done </tests/module-kfuncs
}
# For each that gives back, before its own words: what the table calls it, and whether somebody
# has read it in this kernel's series. In one go: a program for each takes a guest long.
in_table() {
	awk -F '\t' -v series="$series" '
		FILENAME == ARGV[1] && !/^#/ && !($1 in verdict) { verdict[$1] = $4; read[$1] = " " $3 " " }
		FILENAME == ARGV[2] {
			split($0, word, " ")
			name = word[3]
			known = name in verdict && verdict[name] != ""
			print (known ? verdict[name] : "unknown") "|" \
				(index(read[name], " " series " ") || !known ? "read" : "unread") "|" $0
		}' "$TABLE" /tmp/droppers
}
nr_unknown() { in_table | sed -n 's/^unknown|[a-z]*|[^ ]* [^ ]* \([^ ]*\).*/\1/p' | sort -u | grep -c .; }

/tests/bpf/kfuncs >/tmp/all || bail 'the kernel does not say what it has'
droppers >/tmp/droppers
note "of $(grep -c '' /tmp/all) kfuncs and destructors $(grep -c '' /tmp/droppers) give references back"
check 'destructors among it' grep -q '^dtor vmlinux bpf_task_release_dtor task_struct' /tmp/droppers
check 'kfuncs among it' grep -q '^kfunc vmlinux bpf_task_release 0x2 ' /tmp/droppers
check 'iterators among it' grep -q '^kfunc vmlinux bpf_iter_task_vma_destroy 0x400 ' /tmp/droppers
in_table >/tmp/known
while IFS='|' read -r verdict seen function; do
	# shellcheck disable=SC2086 # words
	set -- $function
	what=$1 owner=$2 name=$3
	shift 3
	check "$what $name ($owner${*:+, $*}): $verdict" test "$verdict" != unknown
	[ "$seen" = read ] || note "$name: not read in $series"
done </tmp/known
check 'all of them' test "$(grep -c '' /tmp/known)" -eq "$(grep -c '' /tmp/droppers)"

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
# Those that there are (modules' have more in their line)
awk 'FILENAME == ARGV[1] { row[$1] = $0 } FILENAME == ARGV[2] && NF == 3 && ($3 in row) { print row[$3]; delete row[$3] }' \
	/tmp/guarded /proc/kallsyms >/tmp/here
check 'the kernel has some of them' test -s /tmp/here
while read -r name hook; do
	check "$name: $hook is hooked" is_hooked "$hook"
done </tmp/here
check 'rmmod' guard_unload
finish
