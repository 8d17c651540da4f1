/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The job pool (include/kng_pool.h, include/kng_resize.h), for SPIN: a job has
 * one owner, none is lost, "empty" is said only if both stacks were empty at
 * one instant of the call, and what is retired stays so. In all interleavings of
 *
 *	a CPU		pops and pushes
 *	its NMI		does the same, at any step of that
 *	another CPU	-DABA: pops twice and pushes, what came first first
 *			else: pops and pushes
 *	the sweeper	-DSWEEP: marks the last job's chunk, moves all jobs to the
 *			spare and back; and again when the others have ended
 *
 * selftests/host/interleave.c does that and more with the code itself, but for a
 * bounded number of switches between CPUs; this is the algorithm written anew,
 * without such a bound. A step is one access to shared memory, or one exchange;
 * memory is sequentially consistent: the exchanges are fully ordered, and of the
 * reads between only pop's three of the head and the spare need order, which its
 * barriers give. JOBS jobs; tags that don't wrap.
 *
 * Each BUG_ is a bug that has to be found.
 */
#ifndef JOBS
#define JOBS 3
#endif
#define NONE JOBS
#define HEAD 0
#define SPARE 1
#define NOBODY 0

byte first[2], tag[2], next[JOBS], owner[JOBS];
byte stacked = JOBS;		/* jobs in both stacks */
bool going, retired, in_nmi, swept;
byte left = 4;			/* contexts that have not ended */

/* Of each context that is in a pop: were both stacks empty at some time? */
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
	od
}

/* kng_pool_pop() */
inline pop(GO, me)
{
	STEP(GO, was_empty[me] = (stacked == 0));
	do
	:: stack_pop(GO, HEAD);
	   if
	   :: job != NONE -> break
	   :: else
	   fi;
#ifdef BUG_NO_SPARE
	   break;
#endif
	   word = seen;
	   stack_pop(GO, SPARE);
	   if
	   :: job != NONE -> break
	   :: else
	   fi;
#ifdef BUG_NO_SECOND_LOOK
	   break;
#endif
	   STEP(GO, again = (first[HEAD] != NONE || tag[HEAD] != word));
	   if
	   :: again
	   :: else -> break
	   fi
	od;
	atomic {
		if
		:: job == NONE -> assert(was_empty[me])
		:: else -> assert(owner[job] == NOBODY); owner[job] = me
		fi;
		was_empty[me] = false; seen = 0; link = 0; word = 0
	}
}

/* __kng_pool_retire(): the last job is the chunk that may be going */
inline retire(GO)
{
	STEP(GO, gone = (going && job == JOBS - 1));
	if
	:: gone -> STEP(GO, assert(!retired); retired = true)
	:: else
	fi
}

/* kng_pool_push() */
inline push(GO, me)
{
	atomic { assert(owner[job] == me); owner[job] = NOBODY };
	retire(GO);
	if
	:: gone
	:: else -> stack_push(GO, HEAD)
	fi;
	atomic { seen = 0; link = 0; job = 0 }
}

#define LOCALS byte job, link, seen, word; bool won, again, gone

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

#define PUSH(GO, me) if :: job != NONE -> push(GO, me) :: else fi

proctype cpu()
{
	LOCALS;

	pop(CPU_GOES, 1);
	PUSH(CPU_GOES, 1);
	atomic { left-- }
}

proctype nmi()
{
	LOCALS;

	STEP(true, in_nmi = true);
	pop(NMI_GOES, 2);
	PUSH(NMI_GOES, 2);
	atomic { in_nmi = false; left-- }
}

proctype other_cpu()
{
	LOCALS;
	byte a;

	pop(true, 3);
	a = job;
#ifdef ABA
	pop(true, 3);
	a = a * 8 + job;
	job = a / 8;
	PUSH(true, 3);
	job = a % 8;
#endif
	PUSH(true, 3);
	atomic { a = 0; left-- }
}

proctype sweeper()
{
	LOCALS;
	byte looks, round;

	going = true;
	/* The second time when all others have ended: that one must find it. */
	for (round : 1 .. 2) {
		sweep(HEAD, SPARE);
		sweep(SPARE, HEAD);
		if
		:: round == 1 -> (left == 1)
		:: else
		fi
	}
	atomic { left-- }
}

/* Everything is where it belongs. */
proctype audit()
{
	byte i, n, nr;

	(left == 0);
	assert(first[SPARE] == NONE);
	i = first[HEAD];
	do
	:: i == NONE -> break
	:: else ->
		assert(owner[i] == NOBODY && nr < JOBS);
		nr++;
		n = next[i];
		i = n
	od;
#ifdef SWEEP
	assert(retired && nr == JOBS - 1 && stacked == nr)
#else
	assert(nr == JOBS && stacked == nr)
#endif
}

init {
	byte i;

	atomic {
		for (i : 0 .. JOBS - 1) {
			next[i] = i + 1
		}
		first[HEAD] = 0;
		first[SPARE] = NONE;
		run cpu();
		run nmi();
		run other_cpu();
#ifdef SWEEP
		run sweeper();
#else
		left--;
#endif
		run audit()
	}
}
