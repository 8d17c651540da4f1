// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints' code, which trace/define_trace.h makes of trace.h.
 */
#define CREATE_TRACE_POINTS
#include "trace.h"
