#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The scenarios of selftests/vm, guarded, on the kernel that looks at locks, RCU,
# memory and objects: not a word from it. KNG_ROWS, a regular expression, takes
# some of the rows only.

. "$(dirname "$0")/../vm/tap.sh"

# quiet NAME WHAT VM-OPTION...
quiet() {
	local name=$1 what=$2
	shift 2
	[[ $name =~ ${KNG_ROWS:-.} ]] || return 0
	boot "$name" "$what" --kernel debug "$@"
}

# The kernel's own: a worker that frees the objects of a map may be preempted there.
OBJECTS='using smp_processor_id\(\) in preemptible|Call Trace'

# unlocked NAME WHAT VM-OPTION...: where hashes change in NMI. Of that lockdep complains,
# rightly, and then it is off. KASAN, objects and RCU are still looked at.
unlocked() {
	quiet "$@" --cmdline lockdep.prove_locking=0 --allow "inconsistent lock state|$OBJECTS"
}

# The checks are compiled in: without that silence would say nothing.
ko=$(find "$("$TOP/scripts/dkms-build" debug)/modules" -name kptr_nmi_guard.ko)
N=$((N + 1))
if nm "$ko" | grep -q __asan_; then
	echo "ok $N - the guard is built with KASAN"
else
	echo "not ok $N - the guard is built with KASAN"
fi

# Of the same boot without the guard lockdep says which lock the destructor wants.
# (DEBUG_OBJECTS has locks of its own, which would come first.)
bare() {
	[[ bare-$1 =~ ${KNG_ROWS:-.} ]] || return 0
	complains "bare-$1" "$1, bare: lockdep complains" 'inconsistent .* -> .IN-NMI. usage' "$2" --kernel debug \
		--guard no --scenario program --args "teardown,--map,array,--kptr,$1,--last,--source,fire,--expect-nmi,some" \
		--cmdline "no_debug_objects $NOCB"
}
bare task 'nocb_lock'
bare cgroup 'pool->lock'

quiet load 'modprobe, stats, rmmod' --scenario load
quiet refuse 'refusals' --scenario refuse
quiet storm 'storms; load and unload under them' --scenario storm --timeout 240
quiet maps 'seven kinds of maps, three kinds of kptrs' \
	--scenario maps --args task,cgroup,cpumask --timeout 240
quiet toctou 'stores against NMI teardown' \
	--scenario program --args toctou,--expect-nmi,stub,--dtors,50000 --timeout 240
quiet pairs 'references that are not the last' --scenario pairs --timeout 240
quiet doors 'teardown=auto, always, needed' --scenario doors --timeout 240
quiet foreign 'destructors of a module, which comes and goes' --scenario foreign --timeout 240
quiet kprobe 'hook=kprobe' --scenario kprobe --timeout 240
quiet tracers 'fentry and fexit on every hooked function' --scenario tracers --timeout 300
quiet ipmodify 'functions that somebody else holds' --scenario ipmodify --timeout 240
quiet empty 'on_empty=leak' --scenario empty --args leak
quiet exact 'reserve=exact' --scenario exact --args refusal,older,shared,refusing --timeout 240 \
	--allow "$OBJECTS"
quiet shrinking 'reserve=exact: the reserve follows the count; storms' \
	--scenario exact --args shrinking,storms --timeout 240
quiet reserve 'what maps are charged' --scenario reserve --timeout 240
quiet churn 'maps by the thousand' --scenario churn --timeout 240
quiet nomem 'no memory, and then some' --scenario nomem
quiet window 'a map torn down before the workers knew of it' --scenario window
quiet dropped 'what ftrace drops' --scenario dropped --timeout 240
quiet life 'loaded and unloaded 5 times under storm; two at once' --scenario life --args 5 --timeout 240
quiet hotplug 'CPUs go and come' --scenario hotplug --args storm --timeout 240
quiet irqsoff 'defer=irqsoff at sched_switch' --scenario irqsoff --args irqsoff,--release
quiet killed 'ftrace shut itself down' --scenario killed --args after
unlocked counting 'reserve=exact: what is counted' --scenario exact --args counting,drifting --timeout 240
unlocked burst '100,000 destructors out of one NMI' --scenario burst --args 100000 --mem 2G --timeout 240
unlocked soak 'random operations on all maps' --scenario soak --timeout 240 \
	--args --seed,1,--taken,50000,--acts,512,--expect-nmi,stub,--last,--memory
unlocked fuzz 'random operations, random parameters' --scenario fuzz --timeout 240 \
	--args 1,60,--expect-nmi,stub,--last
site=rcu_segcblist_enqueue
# (Not the deletion of local storage: it takes a lock in NMI that is not for NMI,
# the kernel by itself, and lockdep says so.)
for program in release,--last drop,--last crypto; do
	quiet "path-${program//[,-]/}" "NMIs in $site: $program" --cmdline "$NOCB" \
		--scenario path --args "$site,$program"
done
quiet path-cgroup 'NMIs in insert_work: release of cgroups' --cmdline "$NOCB" \
	--scenario path --args insert_work,release,--kptr,cgroup,--last
plan
