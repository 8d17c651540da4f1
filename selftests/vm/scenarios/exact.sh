# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# reserve=exact, a part for each word of $ARGS. The programs of `exact' are pinned
# in /sys/fs/bpf/NAME, so that they can be older than the guard, and outlive it.

BPF=/sys/fs/bpf
# What NMIs do (exact.h)
off=0 overwrite=1 delete=2 release=3

# exact COMMAND NAME [ARG]...; got NAME: a number of its answer
exact() {
	/tests/bpf/exact "$@" >/tmp/exact.out || return 1
}
got() { sed -n "s/^$1 //p" /tmp/exact.out; }
gone() { rm -r "$BPF/${1:?}"; }
none_left() { exact left any && [ "$(got left)" -eq 0 ]; }
forgotten() { eventually 10 stat_is maps_watched "$1"; }
# Where slots are counted, and what the guard counts; after the last pending job
counted() { eventually 10 quiet && stat_is references "$1"; }
quoted() { sed 's/^/# exact: /' /tmp/exact.out; }
users() { exact tell "$1" 0 && got users; }
nmi() { echo "$1" >"$DBG"/kng_nmi_fire/fire; }

# bpftool with the libraries of the machine that it comes from
bpftool() { /tests/tool/ld.so --library-path /tests/tool /tests/tool/bpftool "$@"; }
# The shortest program's exchange, as the kernel runs it
dumped() {
	bpftool prog dump xlated pinned "$BPF/$1/take_first" >/tmp/xlated
	grep -E '^ +[0-9]+:.*xchg' /tmp/xlated | sed "s/^/# xlated, $1: /"
}
calls() { dumped "$1" && calls_in_dump; }
calls_in_dump() { grep -q 'call bpf_kptr_xchg' /tmp/xlated; }
inlines() { dumped "$1" && not calls_in_dump && grep -q '= atomic64_xchg(' /tmp/xlated; }
works() {
	exact fill "$1" 1 && [ "$(got stored)" -eq 1 ] &&
		exact take_first "$1" && [ "$(got ret)" -eq 1 ]
}

inlining() {
	check 'a program from before' exact pin before array 4
	check 'bare: the exchange is inline' inlines before
	check 'it works' works before
	gone before
	check 'and is gone' eventually 20 none_left

	guard_begin reserve=exact
	check 'the stats say so' stat_is reserve exact
	check 'a program with the guard' exact pin during array 4
	check 'exact: it calls the helper' calls during
	check 'it works' works during
	check 'its reference was counted, and is gone' counted 0
	exact fill during 1
	check 'one reference is left' counted 1
	guard_end

	check 'without the guard: it still calls' calls during
	check 'it has its reference, and works' exact take_first during
	check 'that was it' test "$(got ret)" -eq 1
	check 'again' works during
	check 'a program from after' exact pin after array 4
	check 'a new one has it inline again' inlines after
	check 'it works' works after
	gone during
	gone after
}

# $1: kind of map
count_outside() {
	tag="$1:"
	check "$tag a map" exact pin count "$1" 64
	before=$(users count)
	base=$(stat references)
	exact fill count 64
	n=$(got stored)
	check "$tag as many as were put in" test "$n" -ge 64
	check "$tag counted" counted $((base + n))
	exact fill count 64 0 2
	check "$tag others in their place" counted $((base + n))
	exact take count 16
	took=$(got taken)
	check "$tag taken out" test "$took" -ge 16
	check "$tag counted" counted $((base + n - took))
	case $1 in
	*array) exact tear count 16 16 $overwrite ;;
	*) exact tear count 16 16 $delete ;;
	esac
	check "$tag torn down" test "$(got torn)" -eq 16
	left=$(exact tell count 64 && got full)
	if [ -z "$late" ]; then
		check "$tag counted" counted $((base + left))
	else
		note "$tag $left are full, counted $(($(stat references) - base))"
		check "$tag not too few" test "$(stat references)" -ge $((base + left))
	fi
	exact fill count 64
	gone count
	check "$tag the map goes" forgotten 0
	if [ -z "$late" ]; then
		check "$tag nothing is left" counted "$base"
	else
		note "$tag nothing is full, counted $(($(stat references) - base))"
	fi
	check "$tag pid 1 has its references back" users_are "$before"
}
# By another map's program
users_are() {
	exact pin users array 1
	eventually 10 same_users "$1"
	rc=$?
	gone users
	return $rc
}
same_users() { [ "$(users users)" = "$1" ]; }

# $1: kind of map, $2: what the NMI does
count_in_nmi() {
	tag="$1, NMI does $2:"
	check "$tag a map" exact pin count "$1" 64
	before=$(users count)
	exact fill count 64
	n=$(got stored)
	check "$tag counted" counted "$n"
	exact arm count 64 "$2"
	nmi 1
	exact arm count 64 $off
	exact tell count 64
	check "$tag an NMI came" test "$(got nmis)" -eq 1
	left=$(got full)
	note "$tag of $n are left $left"
	check "$tag counted" counted "$left"
	gone count
	check "$tag the map goes" forgotten 0
	check "$tag nothing is left" counted 0
	check "$tag pid 1 has its references back" users_are "$before"
}

counting() { count_on array percpu_array hash percpu_hash; }
counting_arrays() { count_on array; }
count_on() {
	guard_begin reserve=exact
	for kind; do
		late=
		# There elements end later, in a record's copy that no map has.
		case $kind in
		*hash) ! kernel_cancels || late=yes ;;
		esac
		count_outside "$kind"
		[ -z "$late" ] || continue
		case $kind in
		array) count_in_nmi "$kind" $release && count_in_nmi "$kind" $overwrite ;;
		percpu_array) count_in_nmi "$kind" $overwrite ;;
		*) count_in_nmi "$kind" $delete ;;
		esac
	done
	check 'nothing was refused' stat_is refused 0
	guard_end
}

refusal() {
	guard_begin reserve=exact jobs=16 max_jobs=64 headroom=0
	check 'a map with more room than there are jobs' exact pin many array 100
	check 'all jobs that may be' eventually 10 stat_is jobs_total 64
	before=$(users many)
	exact fill many 100
	quoted
	n=$(got stored)
	check 'some are let in' test "$n" -gt 16
	check 'not more than there are jobs' test "$n" -le 64
	check 'the others are refused' test "$(got refused)" -eq $((100 - n))
	check 'and counted' stat_is refused $((100 - n))
	check 'slots are as they were' test "$(got changed)" -eq 0
	check 'references' counted "$n"
	exact tell many 100
	check 'full slots' test "$(got full)" -eq "$n"
	exact fill many 1 0 2
	check 'nor is one exchanged for another, with all promised' test "$(got refused)" -eq 1
	check 'the slot has what it had' test "$(got changed)" -eq 0

	mode=$release
	kernel_cancels || mode=$overwrite
	exact arm many 100 $mode
	nmi 2
	exact arm many 100 $off
	exact tell many 100
	check 'NMIs came' test "$(got nmis)" -eq 2
	check 'they found all of it' test "$(got full)" -eq 0
	check 'no job was missing' stat_is empty 0
	check 'nothing kept' stat_is kept 0
	kernel_cancels || check 'a job for each' stat_is taken "$n"
	check 'none is left' counted 0
	exact fill many 100
	check 'so many again' test "$(got stored)" -eq "$n"
	gone many
	check 'the map goes' forgotten 0
	check 'nothing is left' counted 0
	check 'pid 1 has its references back' users_are "$before"
	guard_end
}

older() {
	check 'a map from before' exact pin old array 5000
	check 'with references' exact fill old 100
	dmesg -c >/dev/null
	guard_begin reserve=exact shrink=Y jobs=64 headroom=16
	check 'the log says it' told 'maps that can own kptrs are older than the guard: reserve=exact keeps'
	check 'the stats say it' stat_is reserve 'exact, but by capacity, since maps are older'
	check 'jobs for all that it has room for' test "$(stat jobs_total)" -ge 5000
	exact fill old 5000 0 2
	check 'it is filled' test "$(got stored)" -eq 5000
	check 'by an inline exchange, which nobody counts' test "$(stat references)" -lt 5000
	sleep 2
	check 'shrink does nothing' test "$(stat jobs_total)" -ge 5000
	if ! kernel_cancels; then
		exact arm old 5000 $overwrite
		nmi 80
		exact arm old 5000 $off
		check 'teardown in NMI' stat_positive taken
		check 'no job was missing' stat_is empty 0
	fi
	check 'and a new one' exact pin new array 5000
	exact fill new 5000
	check 'it is filled' test "$(got stored)" -eq 5000
	check 'jobs for both' eventually 10 test "$(stat jobs_total)" -ge 10000
	check 'nothing was refused' stat_is refused 0
	gone old
	gone new
	guard_end
}

shared() {
	check 'a program from before' exact pin before shared 4
	check 'inline: one subprogram, two kinds of kptrs' shared_works before
	check 'again, it finds what it put in' shared_again before
	gone before
	check 'and is gone' eventually 20 none_left
	guard_begin reserve=exact
	check 'a program with the guard' exact pin during shared 4
	check 'called: one subprogram, two kinds of kptrs' shared_works during
	check 'again, it finds what it put in' shared_again during
	check 'both are counted' counted 2
	gone during
	check 'the map goes' forgotten 0
	# An object is not a reference of the kernel's, and its end is not told.
	check 'the reference is not counted any more' test "$(stat references)" -le 1
	check 'another' exact pin during shared 4
	check 'works' shared_works during
	guard_end
	check 'after the guard: it works' shared_again during
	gone during
}
shared_works() { exact shared "$1" && [ "$(got ret)" -eq 0 ] && [ "$(got stored)" -eq 2 ] && [ "$(got taken)" -eq 0 ]; }
shared_again() { exact shared "$1" && [ "$(got ret)" -eq 0 ] && [ "$(got taken)" -eq 2 ]; }

# Somebody traces bpf_kptr_xchg(), too. It has one direct user: a BPF trampoline, or the guard.
traced() {
	check 'a fexit from before' exact pin seen tracer
	guard_begin reserve=exact jobs=16 max_jobs=64 headroom=0
	check 'no direct call: a fexit has it' not direct
	check 'nothing is older' stat_is reserve exact
	check 'a program with the guard' exact pin during array 100
	traced_right
	gone during
	guard_end
	gone seen

	guard_begin reserve=exact jobs=16 max_jobs=64 headroom=0 hook=ftrace
	check 'hook=ftrace: no direct call' not direct
	check 'a program with the guard' exact pin during array 100
	check 'a fexit after it' exact pin seen tracer
	traced_right
	gone during
	gone seen
	guard_end

	guard_begin reserve=exact jobs=16 max_jobs=64 headroom=0
	check 'a direct call' direct
	check 'a fexit after it is refused' not exact pin seen tracer 2>/tmp/exact.err
	# Newer ones say EINVAL on x86, where all trampolines share one ftrace_ops.
	check 'with EBUSY' grep -Eq 'Device or resource busy|Invalid argument' /tmp/exact.err
	gone seen
	check 'a program with the guard' exact pin during array 100
	check 'all jobs that may be' eventually 10 stat_is jobs_total 64
	refuses_and_counts
	# What shares the function goes on, and so does the guard.
	check 'ftrace traces it' tracer_begin
	check 'a kprobe, too' probe_begin
	refuses_and_counts
	check 'ftrace saw all calls' tracer_saw 200
	check 'the kprobe, too' probe_saw 200
	check 'still a direct call' direct
	refuses_and_counts
	gone during
	guard_end
	check 'the function is its own again' not grep -q '^bpf_kptr_xchg ' $TRACING/enabled_functions
}
TRACING=/sys/kernel/tracing
# What is said of a function, with lines that begin with a tab
direct() {
	awk '/^[^\t]/ { mine = $1 == "bpf_kptr_xchg" } mine' $TRACING/enabled_functions >/tmp/enabled
	sed 's/^/# enabled: /' /tmp/enabled
	grep -q 'direct-->kng_exact_stub' /tmp/enabled
}
tracer_begin() {
	echo >$TRACING/trace
	echo bpf_kptr_xchg >$TRACING/set_ftrace_filter && echo function >$TRACING/current_tracer
}
tracer_saw() {
	grep -c 'bpf_kptr_xchg' $TRACING/trace >/tmp/traced
	note "traced: $(cat /tmp/traced) lines"
	echo nop >$TRACING/current_tracer
	echo >$TRACING/set_ftrace_filter
	# It has the kprobe's lines, too.
	[ "$(cat /tmp/traced)" -ge $((2 * $1)) ]
}
probe_begin() {
	echo 'p:kng/xchg bpf_kptr_xchg' >$TRACING/kprobe_events &&
		echo 1 >$TRACING/events/kng/xchg/enable
}
probe_saw() {
	sed 's/^/# /' $TRACING/kprobe_profile
	hits=$(awk '$1 == "xchg" { print $2 }' $TRACING/kprobe_profile)
	echo 0 >$TRACING/events/kng/xchg/enable
	echo >$TRACING/kprobe_events
	[ "$hits" -eq "$1" ]
}
# 100 into a map of 100 with too few jobs, and out again
refuses_and_counts() {
	exact fill during 100
	n=$(got stored)
	check 'some are let in' test "$n" -gt 16 -a "$n" -le 64
	check 'the others are refused' test "$(got refused)" -eq $((100 - n))
	check 'counted' counted "$n"
	exact take during 100
	check 'all out' counted 0
}
traced_right() {
	check 'all jobs that may be' eventually 10 stat_is jobs_total 64
	# The guard's own exchange, when it was loaded, may be among them.
	exact seen_told seen
	before=$(got stored)
	exact fill during 100
	back=$(got refused)
	check 'counted' counted "$(got stored)"
	exact seen_told seen
	check 'fexit saw all calls' test $(($(got stored) - before)) -eq 100
	check 'and what they returned' test "$(got refused)" -eq "$back"
	exact take during 100
	check 'all out' counted 0
}

refusing() {
	check 'bpf_kptr_xchg is held' /sbin/insmod /tests/modules/kng_ipmodify.ko function=bpf_kptr_xchg
	refused 'bpf_kptr_xchg is held' 'Device or resource busy' \
		"bpf_kptr_xchg can.t be replaced .-16.: load with reserve=capacity" reserve=exact
	check 'rmmod kng_ipmodify' /sbin/rmmod kng_ipmodify
	check 'the other one is held' /sbin/insmod /tests/modules/kng_ipmodify.ko function=bpf_jit_supports_ptr_xchg
	refused 'bpf_jit_supports_ptr_xchg is held' 'Device or resource busy' \
		"bpf_jit_supports_ptr_xchg can.t be replaced .-16." reserve=exact
	check 'rmmod kng_ipmodify' /sbin/rmmod kng_ipmodify
	refused 'shrink without exact' 'Invalid argument' 'shrink=Y .*reserve=exact' shrink=Y
	refused 'exact with kprobes' 'Operation not supported' 'reserve=exact .*kprobes' reserve=exact hook=kprobe
	refused 'unknown reserve' 'Invalid argument' 'reserve=more' reserve=more
}

# What is dropped with an object is not seen to go: the count rises, and that must
# not have everything refused.
drifting() {
	kernel_cancels && return
	guard_begin reserve=exact jobs=256 max_jobs=256 headroom=0 floor=16
	check 'objects come and go' /tests/bpf/drop --rounds 64 --source fire --expect-nmi 0
	note "references $(stat references), reserved $(stat reserved)"
	check 'the count is too high' test "$(stat references)" -gt 256
	check 'nothing is refused' stat_is refused 0
	check 'no job was missing' stat_is empty 0
	guard_end
}

shrinking() {
	guard_begin reserve=exact shrink=Y jobs=64 headroom=256
	check 'the stats say so' stat_is reserve 'exact, shrinks to the count'
	check 'a map with room for 100,000' exact pin big array 100000
	exact fill big 10
	sleep 1
	note "room $(stat reserved), jobs $(stat jobs_total), references $(stat references)"
	check 'it has room for so many' stat_is reserved 100000
	check 'jobs for those that are there' test "$(stat jobs_total)" -le 4160
	for from in 0 1000 3000 6000 10000 15000 20000 25000; do
		exact fill big 5000 $from
		[ "$(got refused)" -eq 0 ] || note "refused at $from: $(got refused)"
	done
	note "jobs $(stat jobs_total), references $(stat references), refused $(stat refused)"
	check 'it grows' test "$(stat jobs_total)" -gt "$(stat references)"
	check 'when filled again, all are in' eventually 2 refilled 30000
	check 'all are counted' counted 30000
	exact take big 30000
	check 'all out' counted 0
	check 'jobs go back' eventually 20 few_jobs
	note "jobs $(stat jobs_total), trimmed $(stat trimmed)"
	gone big
	guard_end
}
# Without one that is refused, once the reserve has caught up.
refilled() {
	eventually 10 settled
	before=$(stat refused)
	exact fill big "$1"
	stat_is refused "$before"
}
settled() { stat_is shortfall 0; }
few_jobs() { [ "$(stat jobs_total)" -le 8256 ]; }

# $1: guard's parameters, as one word; $2: what NMIs do; $3: so many, however long they take;
# $4: some are refused
storm() {
	# shellcheck disable=SC2046 # words
	guard_begin reserve=exact $(echo "$1" | tr : ' ')
	check 'a map' exact pin storm array 20000
	before=$(users storm)
	echo 1 >"$DBG"/kng_witness/reset
	/tests/bpf/exact storm storm 20000 "$3" "$2" | tee /tmp/exact.out
	check 'NMIs came' test "$(got nmis)" -ge "$3"
	check 'references went in and out' test "$(got taken)" -gt 0
	check 'the count was never too low' test "$(got too_low)" -eq 0
	check "none of a destructor's work in NMI" test "$(in_nmi put_task_struct_rcu_user)" -eq 0
	check 'no job was missing' stat_is empty 0
	check 'nothing kept' stat_is kept 0
	[ -z "${4:-}" ] || check 'some were refused' stat_positive refused
	gone storm
	check 'the map goes' forgotten 0
	check 'pid 1 has its references back' users_are "$before"
	guard_end raced
}

storms() {
	mode=$release
	kernel_cancels || mode=$overwrite
	storm shrink=Y:jobs=64:headroom=256 $mode 3000
	[ $mode = $release ] || storm shrink=Y:jobs=64:headroom=256 $release 1000
	[ $mode = $release ] || storm jobs=64 $mode 1000
	storm jobs=64:max_jobs=512:headroom=0 $mode 1000 refuses
}

# The guard comes and goes while programs exchange. One that was loaded with it calls
# bpf_kptr_xchg() for good: the replacement is installed, and removed, under such calls,
# preempted ones and ones in NMI.
leaving() {
	guard_begin reserve=exact
	check 'programs that call the exchange' exact pin stays array 20000
	before=$(users stays)
	guard_end
	rm -f /tmp/stop
	exchanges &
	exchanging=$!
	check 'it comes and goes' comes_and_goes
	touch /tmp/stop
	check 'the programs ran to their end' wait "$exchanging"
	note "rounds: $(cat /tmp/rounds)"
	check 'more than once' test "$(cat /tmp/rounds)" -gt 1
	check 'hooks gone' unhooked
	check 'still: they call' calls stays
	exact tell stays 1
	check 'some of them in NMI' test "$(got nmis)" -gt 0
	exact take stays 20000
	gone stays
	check 'pid 1 has its references back' eventually 20 users_are "$before"
}
exchanges() {
	rounds=0
	/tests/bpf/exact arm stays 20000 $release >/dev/null || return
	while [ ! -e /tmp/stop ]; do
		/tests/bpf/exact fill stays 20000 >/dev/null &
		nmi 50
		/tests/bpf/exact take stays 20000 >/dev/null || return
		wait $! || return
		rounds=$((rounds + 1))
	done
	echo $rounds >/tmp/rounds
	/tests/bpf/exact arm stays 20000 $off >/dev/null
}
comes_and_goes() {
	for hook in auto ftrace auto auto ftrace auto; do
		guard_load reserve=exact hook=$hook || return
		case $hook in
		auto) direct >/dev/null || return ;;
		*) not direct >/dev/null || return ;;
		esac
		guard_unload || return
	done
}

# As with a kernel that has bpf_jit_supports_ptr_xchg() inlined: it is hooked, and nobody
# calls what is hooked. Programs exchange without being counted.
uncounted() {
	test_module kng_bypass function=bpf_jit_supports_ptr_xchg
	refused 'programs are not counted' 'not supported' \
		'bpf_jit_supports_ptr_xchg is replaced, but .* reserve=capacity' reserve=exact
	# Later, when the hooks have been proven
	echo N >/sys/module/kng_bypass/parameters/on
	guard_begin reserve=exact
	echo Y >/sys/module/kng_bypass/parameters/on
	check 'a map' exact pin lost array 64
	exact fill lost 64
	check 'nothing of it was counted' stat_is references 0
	exact tear lost 64 0 $overwrite
	# There references go with the map.
	! kernel_cancels || gone lost
	check 'a count below zero: the log says so' eventually 10 told 'programs exchange kptrs without'
	check 'and the stats' stat_is reserve 'exact, but by capacity, since programs are not counted'
	check 'and health' grep -q 'references=-' /sys/module/kptr_nmi_guard/health
	kernel_cancels || gone lost
	check 'the map goes' forgotten 0
	guard_end
	check 'that was the bypass' \
		test "$(cat /sys/module/kng_bypass/parameters/bypassed)" -gt 0
	/sbin/rmmod kng_bypass
}

# On a kernel that a compiler made in another way: it counts right, or does not load.
promised() {
	if guard_load reserve=exact 2>/dev/null; then
		guard_unload
		counting
	else
		note "$(said_last)"
		check 'it says why, and what to do' says 'load with reserve=capacity'
	fi
}

test_module kng_witness
test_module kng_nmi_fire
for part in $ARGS; do
	note "part $part"
	"$part"
done
finish
