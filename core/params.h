/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * params.h - typed values out of text, by a table of RackParam
 *
 * Works on one value at a time and knows no file: where a value comes from is config.h's. */
#pragma once

#include <mailrack/mailrack.h>

/* Most keys one table may have. */
#define RACK_PARAMS_MAX 256

/* The size of the field that a type is stored in; 0 for a type we do not know. */
gsize rack_param_field_size (RackParamType type);
/* "whole number", "yes or no", ...: for people. "?" for a type we do not know. */
const char *rack_param_type_name (RackParamType type);

/* "~" and "~/x" in the user's home, "~bob/x" in another's; a "~" anywhere else is a character.
 * Returns: (owned) or NULL: there is no such user. */
char *rack_path_expand (const char *path);

/* Parses text (size bytes, NUL-terminated) and stores it in data, whose field is zero.
 * shown is how messages quote the value; it is never used for a secret. FALSE: the field is
 * unchanged and the error's message is '"port": "x" is not a whole number', without a place. */
gboolean rack_param_store (const RackParam *param, const char *text, gsize size, const char *shown,
                           gpointer data, GError **error);
/* As rack_param_store() into a field of its own, which is dropped. */
gboolean rack_param_try (const RackParam *param, const char *text, gsize size, const char *shown,
                         GError **error);

/* Whether a table can be used with a struct of config_size. RACK_ERROR_PLUGIN names the key. */
gboolean rack_params_check (const RackParam *params, gsize config_size, GError **error);
/* The entry for key, or NULL. params may be NULL. */
const RackParam *rack_params_find (const RackParam *params, const char *key);
