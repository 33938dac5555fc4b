/* SPDX-License-Identifier: GPL-2.0 */
/* What a kernel found before it decided, put in another's place. */
#ifndef COWTRACE_VERIFY_STATE_H
#define COWTRACE_VERIFY_STATE_H

#include <cowtrace/record.h>

/* The sample of @a, with the values of @b where both kernels give them. */
struct cowtrace_record ct_verify_in_state(const struct cowtrace_record *a,
					  const struct cowtrace_record *b);

#endif /* COWTRACE_VERIFY_STATE_H */
