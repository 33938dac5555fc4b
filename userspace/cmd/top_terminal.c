// SPDX-License-Identifier: GPL-2.0
/* cowtrace top: can this terminal be drawn on? */
#include <curses.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "error.h"
#include "top_view.h"

/* Last: it makes macros of plain words. */
#include <term.h>

#define NO_SCREEN	"use cowtrace top --batch, or cowtrace counts"

int top_screen_check(struct ct_error *err)
{
	const char *name = getenv("TERM");
	int found;

	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		return ct_error_set(err, -ENOTTY,
				    "standard input and output are no terminal: " NO_SCREEN);
	if (!name || !*name || setupterm(NULL, STDOUT_FILENO, &found) == ERR)
		return ct_error_set(err, -ENOTTY,
				    "the terminal \"%.64s\" is not known here: set TERM to one that is (xterm, vt100), or "
				    NO_SCREEN, name ?: "");
	if (!cursor_address || !(clear_screen || clr_eos))
		return ct_error_set(err, -ENOTTY,
				    "the terminal \"%.64s\" cannot place its cursor: " NO_SCREEN,
				    name);
	return 0;
}
