/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The job pool (include/kng_pool.h, include/kng_resize.h), for SPIN: a job has
 * one owner, none is lost, "empty" is said only if all stacks were empty at
 * one instant of the call, and what is retired stays so. There are the stacks of
 * two CPUs, and the spare. In all interleavings of
 *
 *	CPU 0		pops and pushes
 *	its NMI		does the same, at any step of that
 *	CPU 1		-DABA: pops twice and pushes, what came first first
 *			else: pops and pushes
 *	the sweeper	-DSWEEP: a task on another CPU; marks the last job's chunk,
 *			moves the jobs of each stack to the spare and back; and again
 *			when the others have ended
 *	the counter	-DCOUNT: counts the jobs in use, as kng_pool_used() does
 *
 * -DMOVED: a push goes to the other CPU's stack, as of a task that was moved.
 *
 * selftests/host/interleave.c does that and more with the code itself, but for a
 * bounded number of switches between CPUs; this is the algorithm written anew,
 * without such a bound. A step is one access to shared memory, or one exchange;
 * memory is sequentially consistent: the exchanges are fully ordered, and the
 * rounds of looks at the heads are by barriers. JOBS jobs, all on stack 0 at first; tags
 * that don't wrap.
 *
 * Written after these functions (selftests/host/models compares):
 *	= include/kng_pool.h __kng_stack_pop 8a0d3d0f0fa2
 *	= include/kng_pool.h __kng_stack_push ce0643ecba80
 *	= include/kng_pool.h __kng_pool_steal 5f335d8a51ef
 *	= include/kng_pool.h kng_pool_pop 5f0098cfe30a
 *	= include/kng_pool.h __kng_pool_retire 24fe8caea58f
 *	= include/kng_pool.h kng_pool_push c79cb65c2d4d
 *	= include/kng_pool.h __kng_pool_count 4a025c4d0cc2
 *	= include/kng_pool.h kng_pool_used 92ee034f6630
 *	= include/kng_resize.h kng_resize_mark e64b5f06fdfc
 *	= include/kng_resize.h kng_resize_sweep b352c90af803
 *	= include/kng_resize.h kng_resize_gone 1f5ebc13e30a
 *
 * Each BUG_ is a bug that has to be found.
 */
#ifndef JOBS
#define JOBS 3
#endif
#define NONE JOBS
#define SPARE 2
#define STACKS 3
#define NOBODY 0

byte first[STACKS], tag[STACKS], pushed[STACKS], next[JOBS], owner[JOBS];
byte stacked = JOBS;		/* jobs in all stacks */
byte total = JOBS;
bool going, retired, in_nmi, swept;
byte left = 4;			/* contexts that have not ended */

/* Of each context that is in a pop: were all stacks empty at some time? */
bool was_empty[4];

#define NMI_GOES	true
#define CPU_GOES	(!in_nmi)

#define STEP(GO, what)	atomic { GO -> what }

inline note_empty()
{
	if
	:: stacked == 0 -> was_empty[1] = true; was_empty[2] = true; was_empty[3] = true
	:: else
	fi
}

/* __kng_stack_pop(): job is NONE if the stack was empty, with the tag in seen */
inline stack_pop(GO, s)
{
	STEP(GO, job = first[s]; seen = tag[s]);
	do
	:: job == NONE -> break
	:: else ->
		STEP(GO, link = next[job]);
		atomic { GO ->
#ifdef BUG_NO_TAG
			if
			:: first[s] == job ->
#else
			if
			:: first[s] == job && tag[s] == seen ->
#endif
				first[s] = link;
				tag[s] = tag[s] + 1;
				stacked--;
				note_empty();
				won = true
			:: else ->
				job = first[s];
				seen = tag[s];
				won = false
			fi
		};
		if
		:: won -> break
		:: else
		fi
	od
}

/* __kng_stack_push() */
inline stack_push(GO, s)
{
	STEP(GO, link = first[s]; seen = tag[s]);
	do
	:: STEP(GO, next[job] = link);
	   atomic { GO ->
		if
#ifdef BUG_PUSH_BLIND
		:: true ->
#else
		:: first[s] == link && tag[s] == seen ->
#endif
			first[s] = job;
			stacked++;
			won = true
#ifndef BUG_PUSH_BLIND
		:: else ->
			link = first[s];
			seen = tag[s];
			won = false
#endif
		fi
	   };
	   if
	   :: won -> break
	   :: else
	   fi
	od;
#ifdef COUNT
	STEP(GO, pushed[s] = pushed[s] + 1)
#endif
}

/*
 * kng_pool_pop(): the stack of the CPU first, then round and round. A theft begins at
 * the stack of the CPU, too: where the hint points is of no matter.
 */
inline pop(GO, me, own)
{
	STEP(GO, was_empty[me] = (stacked == 0));
	stack_pop(GO, own);
	before = 255;
	do
	:: job != NONE -> break
	:: else ->
		sum = 0;
		i = 0;
		do
		:: i == STACKS -> break
		:: else ->
#ifdef BUG_NO_SPARE
			if
			:: i == SPARE -> break
			:: else
			fi;
#endif
			stack_pop(GO, ((own + i) % STACKS));
			if
			:: job != NONE -> break
			:: else
			fi;
#ifndef BUG_NO_TAGS_SEEN
			sum = sum + seen;
#endif
			i++
		od;
		if
		:: job != NONE || sum == before -> break
		:: else -> before = sum
		fi;
#ifdef BUG_NO_SECOND_LOOK
		break
#endif
	od;
	atomic {
		if
		:: job == NONE -> assert(was_empty[me])
		:: else -> assert(owner[job] == NOBODY); owner[job] = me
		fi;
		was_empty[me] = false; seen = 0; link = 0; sum = 0; before = 0; i = 0
	}
}

/* __kng_pool_retire(): the last job is the chunk that may be going */
inline retire(GO)
{
	STEP(GO, gone = (going && job == JOBS - 1));
	if
	:: gone -> STEP(GO, assert(!retired); retired = true; total--)
	:: else
	fi
}

/* kng_pool_push() */
inline push(GO, me, own)
{
	atomic { assert(owner[job] == me); owner[job] = NOBODY };
	retire(GO);
	if
	:: gone
	:: else -> stack_push(GO, own)
	fi;
	atomic { seen = 0; link = 0; job = 0 }
}

#define LOCALS byte job, link, seen, sum, before, i; bool won, gone

#ifdef MOVED
#define TO_0 1
#else
#define TO_0 0
#endif

/* kng_resize_sweep(), until the stack is empty or all were looked at */
inline sweep(from, to)
{
	looks = 0;
	do
	:: looks == JOBS -> break
	:: else ->
		stack_pop(true, from);
		if
		:: job == NONE -> break
		:: else
		fi;
		looks++;
		assert(owner[job] == NOBODY);
#ifdef BUG_SWEEP_BLIND
		gone = false;
#else
		retire(true);
#endif
		if
		:: gone
		:: else -> stack_push(true, to)
		fi
	od
}

#define PUSH(GO, me, own) if :: job != NONE -> push(GO, me, own) :: else fi

proctype cpu()
{
	LOCALS;

	pop(CPU_GOES, 1, 0);
	PUSH(CPU_GOES, 1, TO_0);
	atomic { left-- }
}

proctype nmi()
{
	LOCALS;

	STEP(true, in_nmi = true);
	pop(NMI_GOES, 2, 0);
	PUSH(NMI_GOES, 2, 0);
	atomic { in_nmi = false; left-- }
}

proctype other_cpu()
{
	LOCALS;
	byte a;

	pop(true, 3, 1);
	a = job;
#ifdef ABA
	pop(true, 3, 1);
	a = a * 8 + job;
	job = a / 8;
	PUSH(true, 3, 1);
	job = a % 8;
#endif
	PUSH(true, 3, 1);
	atomic { a = 0; left-- }
}

proctype sweeper()
{
	LOCALS;
	byte looks, round;

	going = true;
	/* The second time when all others have ended: that one must find it. */
	for (round : 1 .. 2) {
		sweep(0, SPARE);
		sweep(SPARE, 0);
		sweep(1, SPARE);
		sweep(SPARE, 1);
		if
		:: round == 1 -> (left == 1)
		:: else
		fi
	}
	atomic { left-- }
}

#ifdef COUNT
/* kng_pool_used() */
proctype counter()
{
	byte i, pushes, total_then, popped, used_then;

	for (i : 0 .. STACKS - 1) {
		pushes = pushes + pushed[i]
	}
#ifdef BUG_TAGS_FIRST
	for (i : 0 .. STACKS - 1) {
		popped = popped + tag[i]
	}
#endif
	atomic { total_then = total; used_then = total - stacked };
#ifndef BUG_TAGS_FIRST
	for (i : 0 .. STACKS - 1) {
		popped = popped + tag[i]
	}
#endif
	assert(total_then + popped >= pushes + used_then);
	atomic { left-- }
}
#endif

/* Everything is where it belongs. */
proctype audit()
{
	byte i, n, nr, s;

	(left == 0);
	assert(first[SPARE] == NONE);
	for (s : 0 .. 1) {
		i = first[s];
		do
		:: i == NONE -> break
		:: else ->
			assert(owner[i] == NOBODY && nr < JOBS);
			nr++;
			n = next[i];
			i = n
		od
	}
#ifdef SWEEP
	assert(retired && nr == JOBS - 1 && stacked == nr)
#else
	assert(nr == JOBS && stacked == nr)
#endif
#ifdef COUNT
	assert(pushed[0] + pushed[1] + pushed[2] == tag[0] + tag[1] + tag[2] + nr)
#endif
}

init {
	byte i;

	atomic {
		for (i : 0 .. JOBS - 1) {
			next[i] = i + 1
		}
		first[0] = 0;
		pushed[0] = JOBS;
		first[1] = NONE;
		first[SPARE] = NONE;
		run cpu();
		run nmi();
		run other_cpu();
#ifdef SWEEP
		run sweeper();
#else
		left--;
#endif
#ifdef COUNT
		left++;
		run counter();
#endif
		run audit()
	}
}
