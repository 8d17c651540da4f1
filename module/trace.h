/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints. All of them are emitted where destructors run, by the worker of the
 * reserve, or in the map watch: never in NMI. A tracepoint that is off costs a nop.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kptr_nmi_guard

#if !defined(KNG_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KNG_TRACE_H

#include <linux/tracepoint.h>

/* Destructors that were run one after the other, all for the same type. */
TRACE_EVENT(run,
	TP_PROTO(void *dtor, bool hardirq, int queue, unsigned int nr, u64 delay_ns),
	TP_ARGS(dtor, hardirq, queue, nr, delay_ns),
	TP_STRUCT__entry(
		__field(void *, dtor)
		__field(u64, delay_ns)
		__field(unsigned int, nr)
		__field(int, queue)
		__field(bool, hardirq)
	),
	TP_fast_assign(
		__entry->dtor = dtor;
		__entry->delay_ns = delay_ns;
		__entry->nr = nr;
		__entry->queue = queue;
		__entry->hardirq = hardirq;
	),
	TP_printk("dtor=%ps context=%s queue=%d nr=%u delay_ns=%llu", __entry->dtor,
		  __entry->hardirq ? "irq_work" : "worker", __entry->queue, __entry->nr,
		  __entry->delay_ns)
);

/* A reference came for which there was no job, for the first time since load. */
TRACE_EVENT(no_job,
	TP_PROTO(unsigned int jobs),
	TP_ARGS(jobs),
	TP_STRUCT__entry(
		__field(unsigned int, jobs)
	),
	TP_fast_assign(
		__entry->jobs = jobs;
	),
	TP_printk("jobs=%u", __entry->jobs)
);

DECLARE_EVENT_CLASS(map,
	TP_PROTO(u32 id, u64 charge),
	TP_ARGS(id, charge),
	TP_STRUCT__entry(
		__field(u64, charge)
		__field(u32, id)
	),
	TP_fast_assign(
		__entry->charge = charge;
		__entry->id = id;
	),
	TP_printk("id=%u charge=%llu", __entry->id, __entry->charge)
);

/* A map that can own references is watched from now on. */
DEFINE_EVENT(map, map_seen, TP_PROTO(u32 id, u64 charge), TP_ARGS(id, charge));

/* A watched map was freed. */
DEFINE_EVENT(map, map_gone, TP_PROTO(u32 id, u64 charge), TP_ARGS(id, charge));

/* The number of jobs has changed, or can't be what it should be. */
TRACE_EVENT(pool_resized,
	TP_PROTO(unsigned int before, unsigned int jobs, u64 wanted),
	TP_ARGS(before, jobs, wanted),
	TP_STRUCT__entry(
		__field(u64, wanted)
		__field(unsigned int, before)
		__field(unsigned int, jobs)
	),
	TP_fast_assign(
		__entry->wanted = wanted;
		__entry->before = before;
		__entry->jobs = jobs;
	),
	TP_printk("before=%u jobs=%u wanted=%llu", __entry->before, __entry->jobs,
		  __entry->wanted)
);

#endif /* KNG_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
