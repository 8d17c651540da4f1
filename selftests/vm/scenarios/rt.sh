# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# PREEMPT_RT: deferred destructors run in the irq_work thread, where they may
# take sleeping locks. The function tracer says who called the work behind them.

TRACING=/sys/kernel/tracing
by_irq_work() { grep -q 'irq_work/[0-9]*-.*put_task_struct_rcu_user' $TRACING/trace; }

check 'this is an RT kernel' grep -q 1 /sys/kernel/realtime
test_module kng_witness
test_module kng_nmi_at at=rcu_segcblist_enqueue
guard_begin
echo put_task_struct_rcu_user >$TRACING/set_ftrace_filter
echo function >$TRACING/current_tracer
check 'tasks torn down in NMI' /tests/bpf/teardown --map array --last --source at \
	--rounds 32 --expect-nmi stub
guard_worked
echo 0 >$TRACING/tracing_on
grep put_task_struct_rcu_user $TRACING/trace | awk '{ sub(/-[0-9]+$/, "", $1); n[$1]++ }
	END { for (c in n) print "# by " c ": " n[c] }'
check 'destructors ran in the irq_work thread' by_irq_work
echo nop >$TRACING/current_tracer
guard_end
finish
