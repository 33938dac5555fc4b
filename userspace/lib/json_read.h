/* SPDX-License-Identifier: GPL-2.0 */
/* JSON that somebody else wrote. */
#ifndef COWTRACE_JSON_READ_H
#define COWTRACE_JSON_READ_H

#include <json-c/json.h>
#include <stddef.h>

/*
 * Both give what was read as it may be printed: text and names are clean, as by
 * ct_clean_text(), and a number that JSON does not have (NaN, Infinity) is null.
 */

/**
 * ct_json_text() - read a text
 * @text: the text.
 * @length: its bytes.
 * @object: receives what it says, for the caller to put; NULL where it is no JSON.
 * Return: 0 or -ENOMEM.
 */
int ct_json_text(const char *text, size_t length, struct json_object **object);

/**
 * ct_json_file() - read a file
 * @path: its name.
 * Return: what it says, for the caller to put; NULL where it is no JSON, or cannot be read.
 */
struct json_object *ct_json_file(const char *path);

#endif /* COWTRACE_JSON_READ_H */
