/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's seq_buf, for tests that read what the guard writes there. What does not fit
 * makes it full.
 */
#ifndef SELFTESTS_HOST_SEQ_BUF_H
#define SELFTESTS_HOST_SEQ_BUF_H

#include "linux.h"

#undef seq_buf_printf

struct seq_buf {
	char *buffer;
	size_t size, len;
};

#define seq_buf_init(m, b, s)		(*(m) = (struct seq_buf) { b, s, 0 })
#define seq_buf_used(m)			min((m)->len, (m)->size)
#define seq_buf_has_overflowed(m)	((m)->len > (m)->size)
#define seq_buf_puts(m, s)		seq_buf_printf(m, "%s", s)

static void seq_buf_printf(struct seq_buf *m, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = m->len < m->size ? vsnprintf(m->buffer + m->len, m->size - m->len, fmt, args) : 0;
	va_end(args);
	if (m->len + len < m->size)
		m->len += len;
	else
		m->len = m->size + 1;
}

#endif /* SELFTESTS_HOST_SEQ_BUF_H */
