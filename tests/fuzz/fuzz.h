/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz.h - what the fuzz targets share
 *
 * A target is one function over octets. libFuzzer links it (option fuzz), and so
 * does driver.c, which runs it over the kept corpus as an ordinary test. */
#pragma once

#include "response.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Reads every octet that a record points to, so that a sanitizer sees a pointer that is wrong, and
 * asserts what holds for every record. */
void walk_response (const RackResponse *response);
void walk_message (const RackMessage *message);
void walk_envelope (const RackEnvelope *envelope);
void walk_part (const RackPart *root);
/* first and all that stands beside and below it. Returns: how many. */
gsize walk_value (const RackValue *first);
void walk_str (RackStr str);
