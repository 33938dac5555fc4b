// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>

#include "doctor.h"

void found(struct finding *f, enum state state, const char *format, ...)
{
	va_list args;

	f->state = state;
	va_start(args, format);
	vsnprintf(f->found, sizeof(f->found), format, args);
	va_end(args);
}

void means(struct finding *f, bool vital, const char *consequence, const char *next)
{
	f->vital = vital;
	snprintf(f->consequence, sizeof(f->consequence), "%s", consequence);
	snprintf(f->next, sizeof(f->next), "%s", next);
}
