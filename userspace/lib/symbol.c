// SPDX-License-Identifier: GPL-2.0
#include "symbol.h"

#include <gelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "map.h"
#include "object_file.h"

#define DEBUG_DIR	"/usr/lib/debug/.build-id"
#define SYMBOL_MAX	256

struct segment {
	uint64_t	offset, length, address;
};

struct symbol {
	uint64_t	address, size;
	char		*name;
};

struct table {
	struct segment	*segments;
	size_t		nr_segments;
	struct symbol	*symbols;
	size_t		nr_symbols;
};

struct ct_symbols {
	struct table	*tables;
	size_t		nr;
	struct ct_map	by_key;
};

struct ct_symbols *ct_symbols_new(void)
{
	elf_version(EV_CURRENT);
	return calloc(1, sizeof(struct ct_symbols));
}

static void free_table(struct table *t)
{
	size_t i;

	for (i = 0; i < t->nr_symbols; i++)
		free(t->symbols[i].name);
	free(t->symbols);
	free(t->segments);
}

void ct_symbols_free(struct ct_symbols *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->nr; i++)
		free_table(&s->tables[i]);
	free(s->tables);
	ct_map_free(&s->by_key);
	free(s);
}

static int read_segments(struct table *t, Elf *elf)
{
	size_t i, n = 0;

	if (elf_getphdrnum(elf, &n) || !n)
		return -1;
	t->segments = calloc(n, sizeof(*t->segments));
	if (!t->segments)
		return -1;
	for (i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(elf, i, &ph) && ph.p_type == PT_LOAD)
			t->segments[t->nr_segments++] =
				(struct segment){ ph.p_offset, ph.p_filesz, ph.p_vaddr };
	}
	return 0;
}

static void read_section(struct table *t, Elf *elf, Elf_Scn *section, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t i, n;

	if (!data || !sh->sh_entsize)
		return;
	n = data->d_size / sh->sh_entsize;
	for (i = 0; i < n; i++) {
		struct symbol *symbols;
		const char *name;
		char clean[SYMBOL_MAX];
		GElf_Sym sym;

		if (!gelf_getsym(data, i, &sym) || sym.st_shndx == SHN_UNDEF)
			continue;
		if (GELF_ST_TYPE(sym.st_info) != STT_FUNC &&
		    GELF_ST_TYPE(sym.st_info) != STT_GNU_IFUNC &&
		    GELF_ST_TYPE(sym.st_info) != STT_NOTYPE)
			continue;
		name = elf_strptr(elf, sh->sh_link, sym.st_name);
		if (!name || !*name)
			continue;
		symbols = ct_grow(t->symbols, t->nr_symbols, sizeof(*symbols));
		if (!symbols)
			return;
		t->symbols = symbols;
		ct_clean_text(clean, sizeof(clean), name, strlen(name));
		symbols[t->nr_symbols] = (struct symbol){ sym.st_value, sym.st_size,
							  strdup(clean) };
		if (!symbols[t->nr_symbols].name)
			return;
		t->nr_symbols++;
	}
}

/* .symtab knows static functions too: .dynsym only where there is none. */
static void read_symbols(struct table *t, Elf *elf)
{
	static const uint32_t types[] = { SHT_SYMTAB, SHT_DYNSYM };
	size_t i;

	for (i = 0; i < 2 && !t->nr_symbols; i++) {
		Elf_Scn *section = NULL;
		GElf_Shdr sh;

		while ((section = elf_nextscn(elf, section)))
			if (gelf_getshdr(section, &sh) && sh.sh_type == types[i])
				read_section(t, elf, section, &sh);
	}
}

static bool has_symtab(Elf *elf)
{
	Elf_Scn *section = NULL;
	GElf_Shdr sh;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &sh) && sh.sh_type == SHT_SYMTAB)
			return true;
	return false;
}

static void read_debug_file(struct table *t, const struct ct_object *object)
{
	char path[sizeof(DEBUG_DIR) + 2 * CT_BUILD_ID_MAX + 16];
	int n = snprintf(path, sizeof(path), DEBUG_DIR "/%02x/", object->build_id[0]);
	struct ct_object_file file;
	uint32_t i;

	if (object->build_id_size < 2)
		return;
	for (i = 1; i < object->build_id_size; i++)
		n += snprintf(path + n, sizeof(path) - n, "%02x", object->build_id[i]);
	snprintf(path + n, sizeof(path) - n, ".debug");
	file = ct_object_file(path, object);
	if (file.elf)
		read_symbols(t, file.elf);
	ct_object_file_close(&file);
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	/* The one with a size is the function, the other a label in it. */
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return -strcmp(x->name, y->name);
}

static void load(struct table *t, const struct ct_object *object)
{
	struct ct_object_file file = ct_object_file(object->path, object);

	/* A debug file has lost the segments, without which an offset is no address. */
	if (file.elf && !read_segments(t, file.elf)) {
		if (!has_symtab(file.elf))
			read_debug_file(t, object);
		if (!t->nr_symbols)
			read_symbols(t, file.elf);
	}
	if (t->nr_symbols)
		qsort(t->symbols, t->nr_symbols, sizeof(*t->symbols), by_address);
	ct_object_file_close(&file);
}

const char *ct_symbols_find(struct ct_symbols *s, uint32_t key, const struct ct_object *object,
			    uint64_t offset, uint64_t *past)
{
	uint32_t *slot = ct_map_slot(&s->by_key, key, 0);
	size_t low = 0, high, i;
	const struct table *t;
	uint64_t address;

	if (!slot)
		return NULL;
	if (*slot == CT_MAP_NONE) {
		struct table *tables = ct_grow(s->tables, s->nr, sizeof(*tables));

		if (!tables)
			return NULL;
		s->tables = tables;
		memset(&tables[s->nr], 0, sizeof(*tables));
		load(&tables[s->nr], object);
		*slot = s->nr++;
	}
	t = &s->tables[*slot];
	for (i = 0; i < t->nr_segments; i++)
		if (offset - t->segments[i].offset < t->segments[i].length)
			break;
	if (i == t->nr_segments)
		return NULL;
	address = offset - t->segments[i].offset + t->segments[i].address;

	for (high = t->nr_symbols; low < high; ) {
		size_t mid = low + (high - low) / 2;

		if (t->symbols[mid].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	/* Labels without a size reach up to the next symbol. */
	if (!low || (t->symbols[low - 1].size &&
		     address - t->symbols[low - 1].address >= t->symbols[low - 1].size))
		return NULL;
	*past = address - t->symbols[low - 1].address;
	return t->symbols[low - 1].name;
}
