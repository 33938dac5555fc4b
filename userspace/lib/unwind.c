// SPDX-License-Identifier: GPL-2.0
#include "unwind.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "map.h"
#include "symbol.h"
#include "unwind_files.h"

/* Address spaces and files that are kept open; then all are closed and it begins anew. */
#define SPACES_MAX	64
#define FILES_MAX	512
/* Places that are remembered. */
#define PLACES_MAX	(1u << 20)
/* Numbers of DWARF. */
#define REG_SP		7
#define REG_IP		16

/**
 * struct place - what is known of an address in an address space
 * @frame: number of the frame.
 * @file: of the files, CT_MAP_NONE if it cannot be opened.
 * @bias: from addresses in the file to those in the process.
 * @covered: there is unwind information.
 * @signal: the kernel made this frame for a signal handler.
 */
struct place {
	uint32_t	frame;
	uint32_t	file;
	uint64_t	bias;
	bool		covered;
	bool		signal;
};

struct space {
	Dwfl		*dwfl;
	bool		attached;
};

struct ct_unwinder {
	const struct ct_processes *processes;
	struct ct_symbols *symbols;
	struct ct_unwind_files *files;
	struct ct_frame	*frames;
	size_t		nr_frames;
	struct ct_map	by_function;
	struct place	*places;
	size_t		nr_places;
	struct ct_map	by_address;
	struct space	*spaces;
	size_t		nr_spaces;
	struct ct_map	by_space;
	/* The stack that is being unwound. */
	const struct ct_stack *stack;
	const uint8_t	*copy;
	uint32_t	process;
	uint64_t	space_number;
	struct space	*space;
	uint32_t	*out;
	size_t		nr_out;
	bool		activation;
	enum ct_unwound	how;
	int		error;
};

const char *ct_unwound_mark(enum ct_unwound how)
{
#define MARK(id, mark, sentence)	mark,
	static const char * const marks[] = { CT_UNWOUND(MARK) };

	return marks[how];
}

const char *ct_unwound_sentence(enum ct_unwound how)
{
#define SENTENCE(id, mark, sentence)	sentence,
	static const char * const sentences[] = { CT_UNWOUND(SENTENCE) };

	return sentences[how];
}

static void close_spaces(struct ct_unwinder *u)
{
	for (size_t i = 0; i < u->nr_spaces; i++)
		dwfl_end(u->spaces[i].dwfl);
	u->nr_spaces = 0;
	ct_map_free(&u->by_space);
	/* Numbers of files stand in the places too. */
	u->nr_places = 0;
	ct_map_free(&u->by_address);
	if (u->files)
		ct_unwind_files_close(u->files);
}

struct ct_unwinder *ct_unwinder_new(const struct ct_processes *processes)
{
	struct ct_unwinder *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->processes = processes;
	u->symbols = ct_symbols_new();
	u->files = ct_unwind_files_new();
	if (u->symbols && u->files)
		return u;
	ct_unwinder_free(u);
	return NULL;
}

void ct_unwinder_free(struct ct_unwinder *u)
{
	if (!u)
		return;
	close_spaces(u);
	for (size_t i = 0; i < u->nr_frames; i++)
		free(u->frames[i].name);
	ct_map_free(&u->by_function);
	free(u->frames);
	free(u->places);
	free(u->spaces);
	ct_unwind_files_free(u->files);
	ct_symbols_free(u->symbols);
	free(u);
}

const struct ct_frame *ct_unwinder_frame(const struct ct_unwinder *u, uint32_t frame)
{
	return &u->frames[frame];
}

/* --- names ------------------------------------------------------------------- */

static char *name_without_symbol(const struct ct_object *object, uint64_t offset)
{
	const char *base = strrchr(object->path, '/');
	char *name;

	if (*object->path != '/' || !strncmp(object->path, "//", 2))
		return strdup(*object->path == '[' ? object->path : "[no file]");
	return asprintf(&name, "[%s+0x%llx]", base + 1, (unsigned long long)offset) < 0 ?
	       NULL : name;
}

/* @start: where the function begins by its unwind information, else the place itself. */
static int name_frame(struct ct_unwinder *u, const struct ct_mapping *m, uint64_t start,
		      uint32_t *number)
{
	const struct ct_object *object = NULL;
	const char *symbol = NULL;
	struct ct_frame *frame;
	size_t known = u->nr_frames;
	uint64_t past = 0;

	if (m->object != CT_MAP_NONE) {
		object = ct_processes_object(u->processes, m->object);
		symbol = ct_symbols_find(u->symbols, m->object, object, m->offset, &past);
		if (symbol)
			start = m->offset - past;
	}
	frame = CT_ELEMENT(&u->by_function, m->object, start, u->frames, &u->nr_frames);
	if (!frame)
		return -ENOMEM;
	*number = frame - u->frames;
	if (u->nr_frames == known)
		return 0;
	frame->object = m->object;
	frame->name = !object ? strdup("[unknown]") :
		      symbol ? strdup(symbol) : name_without_symbol(object, start);
	return frame->name ? 0 : -ENOMEM;
}

/* --- places ------------------------------------------------------------------ */

static Dwfl_Module *module_at(struct ct_unwinder *u, uint64_t pc, const struct place *p)
{
	Dwfl_Module *module = dwfl_addrmodule(u->space->dwfl, pc);

	return module ?: ct_unwind_files_report(u->files, p->file, u->space->dwfl, p->bias);
}

/* Is there unwind information, and where does it say that the function begins? */
static void look_at_info(struct ct_unwinder *u, uint64_t pc, struct place *p, uint64_t *function)
{
	Dwfl_Module *module = module_at(u, pc, p);
	Dwarf_Addr bias, start, end;
	Dwarf_Frame *frame;
	Dwarf_CFI *cfi;

	cfi = module ? dwfl_module_eh_cfi(module, &bias) : NULL;
	if (!cfi || dwarf_cfi_addrframe(cfi, pc - bias, &frame))
		return;
	p->covered = true;
	if (dwarf_frame_info(frame, &start, &end, &p->signal) >= 0 && start <= pc - bias)
		*function = pc - bias - start;
	free(frame);
}

/* A place that was not asked for before. */
static int new_place(struct ct_unwinder *u, uint64_t pc, struct place *p)
{
	struct ct_mapping m = { CT_MAP_NONE, 0 };
	uint64_t past = 0;

	*p = (struct place){ .file = CT_MAP_NONE };
	if (u->process != CT_MAP_NONE &&
	    ct_processes_map(u->processes, u->process, pc, u->stack->time_ns, &m)) {
		p->file = ct_unwind_files_open(u->files, m.object,
					       ct_processes_object(u->processes, m.object),
					       m.offset, pc, &p->bias);
		if (p->file != CT_MAP_NONE)
			look_at_info(u, pc, p, &past);
	}
	return name_frame(u, &m, m.object == CT_MAP_NONE ? 0 : m.offset - past, &p->frame);
}

/* What is there at an address, from memory if it was asked for before. */
static int find_place(struct ct_unwinder *u, uint64_t pc, struct place *p)
{
	uint32_t *slot;
	void *grown;
	int ret;

	slot = ct_map_slot(&u->by_address, u->space_number, pc);
	if (!slot)
		return -ENOMEM;
	if (*slot != CT_MAP_NONE) {
		*p = u->places[*slot];
		return 0;
	}
	ret = new_place(u, pc, p);
	if (ret)
		return ret;
	/* What is mapped later is not there yet. */
	if (ct_unwinder_frame(u, p->frame)->object == CT_MAP_NONE)
		return 0;
	grown = ct_grow(u->places, u->nr_places, sizeof(*u->places));
	if (!grown)
		return -ENOMEM;
	u->places = grown;
	u->places[u->nr_places] = *p;
	*slot = u->nr_places++;
	return 0;
}

/* --- what libdwfl asks for ----------------------------------------------------- */

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread)
{
	(void)dwfl;
	if (*thread)
		return 0;
	*thread = arg;
	return 1;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *arg, void **thread)
{
	(void)dwfl;
	(void)tid;
	*thread = arg;
	return true;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *result, void *arg)
{
	struct ct_unwinder *u = arg;
	uint64_t offset = address - u->stack->regs[REG_SP];

	(void)dwfl;
	if (u->stack->copied >= sizeof(uint64_t) &&
	    offset <= u->stack->copied - sizeof(uint64_t)) {
		*result = ct_le64(u->copy + offset);
		return true;
	}
	/* Below the stack pointer is no stack. libdwfl takes what is missing for the end. */
	u->how = offset > INT64_MAX ? CT_UNWOUND_NO_INFO :
		 u->stack->copied < u->stack->asked ? CT_UNWOUND_UNREADABLE : CT_UNWOUND_TRUNCATED;
	return false;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	struct ct_unwinder *u = arg;

	return dwfl_thread_state_registers(thread, 0, CT_STACK_REGS, u->stack->regs);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = read_memory,
	.set_initial_registers = set_registers,
};

/*
 * libdwfl is asked for no frame that nothing tells of: it would follow a register that
 * is a frame pointer in other programs.
 */
static int take_frame(Dwfl_Frame *state, void *arg)
{
	struct ct_unwinder *u = arg;
	struct place place;
	Dwarf_Addr pc;

	/* The third argument would make it unwind before it is known whether it can. */
	if (!dwfl_frame_pc(state, &pc, NULL)) {
		u->how = CT_UNWOUND_NO_INFO;
		return DWARF_CB_ABORT;
	}
	if (u->nr_out == CT_FRAMES_MAX) {
		u->how = CT_UNWOUND_DEEP;
		return DWARF_CB_ABORT;
	}
	/* A return address is behind the call. */
	u->error = find_place(u, pc - !u->activation, &place);
	if (u->error)
		return DWARF_CB_ABORT;
	u->out[u->nr_out++] = place.frame;
	if (!place.covered || !module_at(u, pc - !u->activation, &place)) {
		u->how = place.file == CT_MAP_NONE ? CT_UNWOUND_NO_FILE : CT_UNWOUND_NO_INFO;
		return DWARF_CB_ABORT;
	}
	u->activation = place.signal;
	/* Unless its caller cannot be read. */
	u->how = CT_UNWOUND_WHOLE;
	return DWARF_CB_OK;
}

/* --- a stack ------------------------------------------------------------------- */

static int open_space(struct ct_unwinder *u)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = ct_unwind_files_elf,
		.find_debuginfo = ct_unwind_files_no_debug,
	};
	size_t known;

	if (u->nr_spaces >= SPACES_MAX || u->by_address.used >= PLACES_MAX ||
	    ct_unwind_files_nr(u->files) >= FILES_MAX)
		close_spaces(u);
	known = u->nr_spaces;
	u->space = CT_ELEMENT(&u->by_space, u->space_number, 0, u->spaces, &u->nr_spaces);
	if (!u->space)
		return -ENOMEM;
	if (u->nr_spaces > known)
		u->space->dwfl = dwfl_begin(&callbacks);
	return u->space->dwfl ? 0 : -ENOMEM;
}

static int begin(struct ct_unwinder *u, uint32_t tgid, uint64_t time)
{
	u->process = ct_processes_find(u->processes, tgid, time);
	u->space_number = u->process == CT_MAP_NONE ? UINT64_MAX :
			  ct_processes_space(u->processes, u->process, time);
	return open_space(u);
}

/* libdwfl learns the architecture from the file of the first stack. */
static bool attach(struct ct_unwinder *u, const struct place *leaf)
{
	if (!u->space->attached)
		u->space->attached =
			dwfl_attach_state(u->space->dwfl,
					  ct_unwind_files_get(u->files, leaf->file), 1,
					  &thread_callbacks, u);
	return u->space->attached;
}

int ct_unwind_place(struct ct_unwinder *u, uint32_t tgid, uint64_t address, uint64_t time,
		    uint32_t *frame)
{
	struct ct_stack at = { .time_ns = time };
	struct place place;
	int ret;

	u->stack = &at;
	ret = begin(u, tgid, time) ?: find_place(u, address, &place);
	u->stack = NULL;
	if (!ret)
		*frame = place.frame;
	return ret;
}

int ct_unwind(struct ct_unwinder *u, const struct ct_stack *stack, const void *copy,
	      uint32_t *frames, size_t *nr, enum ct_unwound *how)
{
	struct place leaf;
	int ret;

	*nr = 0;
	*how = CT_UNWOUND_NOTHING;
	if (!stack->abi)
		return 0;
	u->stack = stack;
	u->copy = copy;
	u->out = frames;
	u->nr_out = 0;
	u->error = 0;
	/* The innermost was interrupted: it stands where it is. */
	u->activation = true;
	ret = begin(u, stack->tgid, stack->time_ns) ?: find_place(u, stack->regs[REG_IP], &leaf);
	if (ret)
		return ret;
	if (stack->abi != 2 || leaf.file == CT_MAP_NONE || !attach(u, &leaf)) {
		frames[0] = leaf.frame;
		*nr = 1;
		*how = stack->abi != 2 ? CT_UNWOUND_OTHER_ABI :
		       leaf.file == CT_MAP_NONE ? CT_UNWOUND_NO_FILE : CT_UNWOUND_NO_INFO;
		return 0;
	}
	u->how = CT_UNWOUND_NO_INFO;
	if (dwfl_getthread_frames(u->space->dwfl, 1, take_frame, u) &&
	    u->how == CT_UNWOUND_WHOLE)
		u->how = CT_UNWOUND_NO_INFO;
	*nr = u->nr_out;
	*how = u->how;
	return u->error;
}
