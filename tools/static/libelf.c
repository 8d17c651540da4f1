// SPDX-License-Identifier: GPL-2.0-only
/*
 * What elfutils 0.192 (Debian 13) forgot to put into its libelf.a:
 * https://sourceware.org/bugzilla/show_bug.cgi?id=32293. These keep a tree of tsearch(3),
 * whose root is the first member of the structure that they get; without threads its lock,
 * the second, is not needed. Weak: a libelf.a that has them is not disturbed. This goes
 * when no supported distribution has that version any more.
 */
#include <search.h>
#include <stddef.h>

#define __weak __attribute__((weak))

typedef int compare_fn(const void *a, const void *b);

void eu_search_tree_init(void **root);
void eu_search_tree_fini(void **root, void (*free_node)(void *node));
void *eu_tsearch(const void *key, void **root, compare_fn *compare);
void *eu_tfind(const void *key, void **root, compare_fn *compare);
void *eu_tdelete(const void *key, void **root, compare_fn *compare);

__weak void eu_search_tree_init(void **root)
{
	*root = NULL;
}

__weak void eu_search_tree_fini(void **root, void (*free_node)(void *node))
{
	tdestroy(*root, free_node);
	*root = NULL;
}

__weak void *eu_tsearch(const void *key, void **root, compare_fn *compare)
{
	return tsearch(key, root, compare);
}

__weak void *eu_tfind(const void *key, void **root, compare_fn *compare)
{
	return tfind(key, root, compare);
}

__weak void *eu_tdelete(const void *key, void **root, compare_fn *compare)
{
	return tdelete(key, root, compare);
}
