# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The files in debugfs: read in pieces, by several at once, while maps and NMIs
# come and the module goes; written to; and by somebody who may not.

dir=$DBG/kptr_nmi_guard
maps=$dir/maps
readers=4

whole() { cat "$1" >/tmp/whole; }
# A quiet guard's file is the same however it is read.
by_bytes() { dd if="$1" bs=1 2>/dev/null | cmp -s - /tmp/whole; }
from_byte() {
	dd if="$1" bs=1 skip="$2" 2>/dev/null >/tmp/rest
	tail -c +$(($2 + 1)) /tmp/whole >/tmp/part
	cmp -s /tmp/part /tmp/rest || { diff /tmp/part /tmp/rest | sed 's/^/# /' && false; }
}
past_end() { [ -z "$(dd if="$1" bs=1 skip=1000000 2>/dev/null)" ]; }
writes() { echo 1 >"$1"; } 2>/dev/null
nobody() { su -s /busybox/sh nobody -c "$*" >/tmp/nobody 2>&1; }
nobody_works() { nobody 'id -u' && [ "$(cat /tmp/nobody)" = 65534 ]; }

# read_on N: reads both files over and over until /tmp/stop is there; each reading
# has to be whole: the first and the last line, each line a name and a value.
read_on() {
	n=0
	until [ -e /tmp/stop ]; do
		cat "$STATS" >"/tmp/stats.$1" || break
		if ! sed -n 1p "/tmp/stats.$1" | grep -q '^version: ' ||
			! tail -n 1 "/tmp/stats.$1" | grep -q '^bad_context: 0$' ||
			grep -qv '^[a-z_0-9]*: ' "/tmp/stats.$1"; then
			cp "/tmp/stats.$1" "/tmp/torn.$1"
			break
		fi
		cat "$maps" >"/tmp/maps.$1" || break
		if grep -qv '^[0-9]* [^ ]* [a-z_]* entries [0-9]* charge [0-9]* fields' "/tmp/maps.$1"; then
			cp "/tmp/maps.$1" "/tmp/torn.$1"
			break
		fi
		n=$((n + 1))
	done
	echo "$n" >"/tmp/read.$1"
}
all_read() {
	for i in $(seq $readers); do
		[ "$(cat "/tmp/read.$i")" -gt 2 ] || return 1
	done
}
none_torn() {
	for i in $(seq $readers); do
		if [ -e "/tmp/torn.$i" ]; then
			sed 's/^/# torn: /' "/tmp/torn.$i"
			return 1
		fi
	done
}

test_module kng_witness
test_module kng_nmi_fire
echo 'nobody:x:65534:65534::/:/busybox/sh' >/etc/passwd
guard_begin
check 'a map to be listed' /tests/bpf/mapof --variant task
eventually 10 not grep -q waits "$maps"
for file in "$STATS" "$maps"; do
	name=$(basename "$file")
	check "$name has something in it" whole "$file"
	check "$name: byte by byte" by_bytes "$file"
	check "$name: from byte 1" from_byte "$file" 1
	check "$name: from byte 60" from_byte "$file" 60
	check "$name: nothing after its end" past_end "$file"
	check "$name: nobody writes to it" not writes "$file"
	check "$name: root alone may read it" test "$(stat_mode "$file")" = 400
done

check 'an ordinary user exists' nobody_works
check 'an ordinary user reads no stats' not nobody "cat $STATS"
check 'an ordinary user reads no maps' not nobody "cat $maps"
check 'an ordinary user sees no file' not nobody "ls $dir/"
check 'an ordinary user sets no parameter' \
	not nobody 'echo 1 >/sys/module/kptr_nmi_guard/parameters/jobs'
check 'nor does root, once it is loaded' not writes /sys/module/kptr_nmi_guard/parameters/jobs

i=0
while [ $i -lt $readers ]; do
	i=$((i + 1))
	read_on $i 2>/dev/null &
done
check 'NMIs tear down meanwhile' \
	/tests/bpf/teardown --map array --source storm --rounds 64 --expect-nmi any
for kind in none task; do
	rm -f /sys/fs/bpf/kng-$kind
	check "maps come and go: $kind" /tests/bpf/mapof --variant $kind
done
touch /tmp/stop
wait
check 'all readers came round' all_read
check 'each time they read whole lines' none_torn
rm /tmp/stop

# An open file keeps the module, as any device's would.
exec 8<"$STATS"
dd bs=1 count=10 <&8 >/dev/null 2>&1
check 'rmmod waits for who reads' not guard_unload 2>/dev/null
check 'the rest of the file is there' grep -q '^bad_context: 0$' <&8
exec 8<&-
rm /sys/fs/bpf/kng-*
guard_end
finish
