/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* operators.h - computing with values: + - * % comparisons, in, indexing and slicing
 *
 * Python's meaning and Python's errors. Integers that leave -2**63 .. 2**64-1 are an error, and so
 * are results that would be larger than the session allows.
 */
#pragma once

#include "parse.h"
#include "value.h"

G_BEGIN_DECLS

/* Each returns a new reference, or NULL with an EVAL_ERROR. */
Value *operator_binary (Operation operation, Value *left, Value *right, GError **error);
Value *operator_unary (Operation operation, Value *operand, GError **error);
Value *operator_index (Value *owner, Value *index, GError **error);
/* start, end and step may be NULL or None. */
Value *operator_slice (Value *owner, Value *start, Value *end, Value *step, GError **error);
gboolean operator_contains (Value *container, Value *item, gboolean *found, GError **error);

/* The number of elements of text, sequences and dicts; -1 for what has none. */
gint64 operator_length (const Value *value);
/* A list of the elements of anything that can be walked: text, sequences, the keys of a dict. */
Value *operator_elements (Value *value, GError **error);
/* Part of a text by characters or octets; start <= end <= length. */
Value *operator_text_part (const Value *text, gsize start, gsize end);

/* FALSE with EVAL_ERROR_MEMORY or EVAL_ERROR_VALUE: too large, or nested too deeply. */
gboolean operator_check_size (const Value *value, GError **error);

G_END_DECLS
