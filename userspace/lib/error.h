/* SPDX-License-Identifier: GPL-2.0 */
/* An error on its way to the user: one line that says what, why and what next. */
#ifndef COWTRACE_ERROR_H
#define COWTRACE_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#define CT_ERROR_TEXT	768

/**
 * struct ct_error - what went wrong
 * @code: negative errno.
 * @text: one line without newline: what happened, why, and the next step.
 */
struct ct_error {
	int	code;
	char	text[CT_ERROR_TEXT];
};

/**
 * ct_error_set() - fill in an error
 * @err: the error.
 * @code: negative errno.
 * @format: as of printf().
 * Return: @code, so that a caller can return it at once.
 */
__attribute__((format(printf, 3, 4)))
int ct_error_set(struct ct_error *err, int code, const char *format, ...);

#ifdef __cplusplus
}
#endif

#endif /* COWTRACE_ERROR_H */
