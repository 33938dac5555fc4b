/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PLANTED_SYMBOLS_H
#define PLANTED_SYMBOLS_H

unsigned long looked_up(const char *symbol);

#endif /* PLANTED_SYMBOLS_H */
