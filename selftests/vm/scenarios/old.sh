# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# A kernel from before the problem: loading refuses, once and clearly.

refused 'a kernel without btf_record' 'Operation not supported' 'nothing to guard'
finish
