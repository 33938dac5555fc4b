/* SPDX-License-Identifier: GPL-2.0 */
/* What cowtrace export says of the running module, against the module's own files. */
#ifndef COWTEST_METRICS_H
#define COWTEST_METRICS_H

#include <stdbool.h>

/* Faults, bytes and losses; tracing is off. @mode: records or counts, for names of claims. */
void check_metrics(const char *mode);

/* Does it say whether faults are counted? */
void check_metrics_enabled(bool enabled);

#endif /* COWTEST_METRICS_H */
