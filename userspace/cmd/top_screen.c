// SPDX-License-Identifier: GPL-2.0
/* cowtrace top on a terminal: the lines that ncurses brings there, and keys. */
#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "error.h"
#include "top_view.h"

#define ESCAPE		27

static const uint64_t delays_ns[] = {
	100000000, 200000000, 500000000, 1000000000, 2000000000, 5000000000, 10000000000,
	30000000000, 60000000000,
};

#define NR_DELAYS	(sizeof(delays_ns) / sizeof(*delays_ns))

static struct {
	SCREEN	*screen;
	bool	utf8;
	bool	help;
	bool	typing;
	char	typed[TOP_WANTED];
	int	row;
	int	rows;
} term;

static const char *const help[] = {
	"q          quit",
	"v, Tab     processes, patterns or both",
	"s, S       order by the next, the previous column: * is over it",
	"r          the other way round",
	"p, Space   pause, and go on",
	"+, -       a longer, a shorter interval",
	"/          only processes of this name or number; empty: all",
	"arrows     move among the processes, also PgUp, PgDn, Home",
	"Ctrl-L     draw all anew",
	"h, ?       this, and away with it",
};

/* --- opening and closing ---------------------------------------------------------- */

int top_screen_open(struct ct_error *err)
{
	/* Numbers keep their point: only what characters are is taken. */
	setlocale(LC_CTYPE, "");
	term.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	term.screen = newterm(NULL, stdout, stdin);
	if (!term.screen)
		return ct_error_set(err, -ENOTTY, "the terminal cannot be set up: use cowtrace top --batch, or cowtrace counts");
	if (has_colors() && !getenv("NO_COLOR")) {
		start_color();
		use_default_colors();
		init_pair(1, COLOR_RED, -1);
	}
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	return 0;
}

void top_screen_close(void)
{
	if (!term.screen)
		return;
	endwin();
	delscreen(term.screen);
	term.screen = NULL;
}

void top_screen_resize(void)
{
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
}

/* --- drawing ------------------------------------------------------------------------ */

/* Names are UTF-8, the terminal may not be: of each other character one '?'. */
static void put_text(const char *text)
{
	char plain[1024], *to = plain;

	if (term.utf8) {
		addstr(text);
		return;
	}
	for (; *text && to < plain + sizeof(plain) - 1; text++) {
		if (!(*text & 0x80))
			*to++ = *text;
		else if ((*text & 0xc0) == 0xc0)
			*to++ = strncmp(text, "µ", strlen("µ")) ? '?' : 'u';
	}
	*to = '\0';
	addstr(plain);
}

static attr_t attributes(enum top_style style)
{
	switch (style) {
	case TOP_TITLE:
		return A_BOLD;
	case TOP_HEAD:
		return A_REVERSE;
	case TOP_ALARM:
		return A_BOLD | (has_colors() && !getenv("NO_COLOR") ? COLOR_PAIR(1) : 0);
	default:
		return A_NORMAL;
	}
}

static void draw_line(void *arg, enum top_style style, const char *text)
{
	(void)arg;
	if (term.row >= term.rows)
		return;
	attrset(attributes(style));
	move(term.row++, 0);
	put_text(text);
	/* To the edge, so that it looks the same whatever is in it. */
	while (style == TOP_HEAD && getcurx(stdscr) < COLS - 1)
		addch(' ');
	attrset(A_NORMAL);
}

static void draw_foot(const struct top_view *view)
{
	static const char *const tables[] = { "both", "processes", "patterns" };
	char text[256];

	if (term.typing)
		snprintf(text, sizeof(text), "processes with: %s_", term.typed);
	else
		snprintf(text, sizeof(text),
			 "q quit  h help  s sort:%s%s  v view:%s  p pause  / filter  +/- interval",
			 ct_top_key_name(view->key), view->reverse ? ",least" : "",
			 tables[view->tables]);
	attrset(A_REVERSE);
	move(LINES - 1, 0);
	/* The last column of the last line would scroll some terminals. */
	for (char *at = text; *at && getcurx(stdscr) < COLS - 1; at++)
		addch((unsigned char)*at < 0x80 ? (unsigned char)*at : '?');
	while (getcurx(stdscr) < COLS - 1)
		addch(' ');
	attrset(A_NORMAL);
}

void top_screen_draw(const struct top_view *view)
{
	char text[80];

	erase();
	term.row = 0;
	term.rows = LINES - 1;
	if (COLS < TOP_MIN_COLUMNS || LINES < TOP_MIN_ROWS) {
		term.rows = LINES;
		snprintf(text, sizeof(text), "%dx%d is too small", COLS, LINES);
		mvaddnstr(0, 0, text, COLS);
		snprintf(text, sizeof(text), "%dx%d needed", TOP_MIN_COLUMNS, TOP_MIN_ROWS);
		if (LINES > 1)
			mvaddnstr(1, 0, text, COLS);
		if (LINES > 2)
			mvaddnstr(2, 0, "q quits", COLS);
	} else if (term.help) {
		for (size_t i = 0; i < sizeof(help) / sizeof(*help) && (int)i < term.rows; i++)
			mvaddnstr(i, 0, help[i], COLS);
		draw_foot(view);
	} else {
		top_lines(view, COLS, LINES - 1, draw_line, NULL);
		draw_foot(view);
	}
	refresh();
}

/* --- keys ----------------------------------------------------------------------------- */

static enum top_action type(struct top_view *view, int key)
{
	size_t used = strlen(term.typed);

	switch (key) {
	case '\r':
	case '\n':
	case KEY_ENTER:
		strcpy(view->wanted, term.typed);
		view->skip = 0;
		term.typing = false;
		break;
	case ESCAPE:
		term.typing = false;
		break;
	case KEY_BACKSPACE:
	case 127:
	case '\b':
		if (used)
			term.typed[used - 1] = '\0';
		break;
	default:
		if (key < ' ' || key > 255 || used + 1 >= sizeof(term.typed))
			return TOP_NOTHING;
		term.typed[used] = key;
		term.typed[used + 1] = '\0';
	}
	return TOP_DRAW;
}

static void change_delay(struct top_view *view, bool longer)
{
	if (longer) {
		for (size_t i = 0; i < NR_DELAYS; i++)
			if (delays_ns[i] > view->delay_ns) {
				view->delay_ns = delays_ns[i];
				return;
			}
	} else {
		for (size_t i = NR_DELAYS; i--;)
			if (delays_ns[i] < view->delay_ns) {
				view->delay_ns = delays_ns[i];
				return;
			}
	}
}

static void scroll_by(struct top_view *view, long by)
{
	long last = view->top->nr_processes ? (long)view->top->nr_processes - 1 : 0;
	long to = (long)view->skip + by;

	view->skip = to < 0 ? 0 : to > last ? last : to;
}

static enum top_action obey(struct top_view *view, int key)
{
	switch (key) {
	case 'q':
	case 'Q':
		return TOP_QUIT;
	case 'p':
	case ' ':
		view->paused = !view->paused;
		break;
	case 'v':
	case '\t':
		view->tables = (view->tables + 1) % TOP_NR_TABLES;
		break;
	case 's':
		view->key = (view->key + 1) % CT_TOP_NR_KEYS;
		break;
	case 'S':
		view->key = (view->key + CT_TOP_NR_KEYS - 1) % CT_TOP_NR_KEYS;
		break;
	case 'r':
		view->reverse = !view->reverse;
		break;
	case '+':
	case '-':
		change_delay(view, key == '+');
		break;
	case '/':
		term.typing = true;
		*term.typed = '\0';
		break;
	case 'h':
	case '?':
		term.help = !term.help;
		break;
	case KEY_DOWN:
		scroll_by(view, 1);
		break;
	case KEY_UP:
		scroll_by(view, -1);
		break;
	case KEY_NPAGE:
		scroll_by(view, LINES / 2);
		break;
	case KEY_PPAGE:
		scroll_by(view, -LINES / 2);
		break;
	case KEY_HOME:
		view->skip = 0;
		break;
	case 'L' & 0x1f:
		clearok(curscr, TRUE);
		break;
	default:
		return TOP_NOTHING;
	}
	return TOP_DRAW;
}

/* Readable, and nothing to read. */
static bool at_end(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	int waiting = 0;

	return poll(&input, 1, 0) > 0 && (ioctl(STDIN_FILENO, FIONREAD, &waiting) || !waiting);
}

enum top_action top_screen_key(struct top_view *view)
{
	int key = getch();

	if (key == ERR)
		return at_end() ? TOP_QUIT : TOP_NOTHING;
	if (key == KEY_RESIZE)
		return TOP_DRAW;
	return term.typing ? type(view, key) : obey(view, key);
}
