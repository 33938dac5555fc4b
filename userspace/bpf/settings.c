// SPDX-License-Identifier: GPL-2.0
/* Settings by the names of the module's files: what they accept, and what they are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bytes.h"
#include "parts.h"

static const char *const witnesses[] = {
	[CT_BPF_WITNESS_AUTO] = "auto", [CT_BPF_WITNESS_ON] = "on", [CT_BPF_WITNESS_OFF] = "off",
};

static const struct cowtrace_word outcomes[] = { COWTRACE_OUTCOMES(COWTRACE_WORD_) };
static const struct cowtrace_word reasons[] = { COWTRACE_REASONS(COWTRACE_WORD_) };

static int refuse(struct ct_error *err, const char *what, const char *value, const char *accepts)
{
	return ct_error_set(err, -EINVAL, "%s does not accept \"%s\": it accepts %s", what, value,
			    accepts);
}

static void print_id(FILE *to, uint32_t id)
{
	if (id == COW_BPF_ANY)
		fputs("any\n", to);
	else
		fprintf(to, "%u\n", id);
}

static int set_id(const char *what, const char *value, uint64_t max, uint32_t *id,
		  struct ct_error *err)
{
	uint64_t number = COW_BPF_ANY;

	if (strcmp(value, "any") && (!ct_number(value, &number) || number > max))
		return refuse(err, what, value, "a number or any");
	*id = number;
	return 0;
}

static void print_names(FILE *to, const struct cowtrace_word *words, size_t nr, uint32_t mask)
{
	const char *comma = "";

	if (mask == ~0u)
		fputs("any", to);
	for (size_t i = 0; mask != ~0u && i < nr; i++) {
		if (!(mask & (1u << words[i].value)))
			continue;
		fprintf(to, "%s%s", comma, words[i].name);
		comma = ",";
	}
	putc('\n', to);
}

static int set_names(const char *what, const char *value, const struct cowtrace_word *words,
		     size_t nr, uint32_t *mask, struct ct_error *err)
{
	uint32_t found = 0;

	if (!strcmp(value, "any")) {
		*mask = ~0u;
		return 0;
	}
	for (const char *at = value;; at++) {
		size_t length = strcspn(at, ","), i;

		for (i = 0; i < nr; i++)
			if (strlen(words[i].name) == length && !strncmp(words[i].name, at, length))
				break;
		if (i == nr)
			return refuse(err, what, value,
				      "names joined by commas, as cowtrace report shows them, or any");
		found |= 1u << words[i].value;
		at += length;
		if (!*at)
			break;
	}
	*mask = found;
	return 0;
}

static int set_tree(struct ct_bpf *b, const char *value, struct ct_error *err)
{
	size_t used = strlen(b->seeds);
	struct stat st;
	char path[64];
	uint64_t pid;
	int ret;

	if (!strcmp(value, "any")) {
		b->settings.by_tree = 0;
		*b->seeds = '\0';
		ct_bpf_detach_tree(b);
		if (b->members)
			memset(b->members, 0, COW_BPF_PIDS);
		return 0;
	}
	if (!ct_number(value, &pid) || !pid || pid >= COW_BPF_PIDS)
		return refuse(err, "filter/tree", value, "the id of a running process, or any");
	if (used + strlen(value) + 2 > sizeof(b->seeds))
		return ct_error_set(err, -E2BIG, "there is no room for more processes: use -a");
	ret = ct_bpf_attach_tree(b, err);
	if (ret)
		return ret;
	b->members[pid] = 1;
	snprintf(path, sizeof(path), "/proc/%llu", (unsigned long long)pid);
	if (stat(path, &st)) {
		b->members[pid] = 0;
		return ct_error_set(err, -ESRCH, "there is no process %s", value);
	}
	snprintf(b->seeds + used, sizeof(b->seeds) - used, "%s%s", used ? " " : "", value);
	b->settings.by_tree = 1;
	return 0;
}

static int set_comm(struct ct_bpf *b, const char *value, struct ct_error *err)
{
	struct cow_bpf_settings *s = &b->settings;

	if (!*value || strlen(value) >= sizeof(s->comm))
		return refuse(err, "filter/comm", value, "a command name of up to 15 bytes or any");
	memset(s->comm, 0, sizeof(s->comm));
	s->by_comm = strcmp(value, "any") != 0;
	if (s->by_comm)
		memcpy(s->comm, value, strlen(value));
	return 0;
}

static int set_buffer(struct ct_bpf *b, const char *value, struct ct_error *err)
{
	uint64_t kb;

	if (!ct_number(value, &kb) || kb < 64 || kb > 65536 || kb & (kb - 1))
		return refuse(err, "buffer_kb", value, "a power of two from 64 to 65536");
	if (b->attached)
		return ct_error_set(err, -EBUSY,
				    "buffer_kb cannot be changed while faults are recorded");
	if (kb != b->buffer_kb && b->skel && !b->settings.by_tree)
		ct_bpf_unload(b);
	b->buffer_kb = kb;
	return 0;
}

static int set_sampling(struct ct_bpf *b, const char *value, struct ct_error *err)
{
	uint64_t n;

	if (!ct_number(value, &n) || !n || n > UINT32_MAX)
		return refuse(err, "sample_every", value, "1 to 4294967295");
	b->sample_every = n;
	b->settings.sample_below = n == 1 ? COW_BPF_ANY : UINT32_MAX / n;
	return 0;
}

static int set_witness(struct ct_bpf *b, const char *value, struct ct_error *err)
{
	for (size_t i = 0; i < sizeof(witnesses) / sizeof(*witnesses); i++)
		if (!strcmp(value, witnesses[i])) {
			if (b->skel && !b->attached && !b->settings.by_tree && b->witness != i)
				ct_bpf_unload(b);
			b->witness = i;
			return 0;
		}
	return refuse(err, "witness", value, "auto, on or off");
}

static int set_duration(struct ct_bpf *b, const char *value, struct ct_error *err)
{
	uint64_t ns;

	if (!ct_number(value, &ns) || ns > UINT32_MAX)
		return refuse(err, "filter/min_duration_ns", value, "0 to 4294967295");
	b->min_duration_ns = ns;
	return 0;
}

/* What only the module does. */
static int set_fixed(const char *what, const char *value, const char *only, struct ct_error *err)
{
	if (!strcmp(value, only))
		return 0;
	return ct_error_set(err, -EOPNOTSUPP,
			    "%s=%s is not for the bpf backend, which makes a record of each fault: use cowtrace run --records, or load the module",
			    what, value);
}

int ct_bpf_change(struct ct_bpf *b, const char *what, const char *value, struct ct_error *err)
{
	struct cow_bpf_settings *s = &b->settings;

	if (!strcmp(what, "reset")) {
		ct_bpf_reset(b);
		return 0;
	}
	if (!strcmp(what, "buffer_kb"))
		return set_buffer(b, value, err);
	if (!strcmp(what, "sample_every"))
		return set_sampling(b, value, err);
	if (!strcmp(what, "witness"))
		return set_witness(b, value, err);
	if (!strcmp(what, "mode"))
		return set_fixed(what, value, "records", err);
	if (!strcmp(what, "durations") || !strcmp(what, "processes") || !strcmp(what, "policies"))
		return set_fixed(what, value, "0", err);
	if (!strcmp(what, "filter/pid"))
		return set_id(what, value, INT32_MAX, &s->pid, err);
	if (!strcmp(what, "filter/tgid"))
		return set_id(what, value, INT32_MAX, &s->tgid, err);
	if (!strcmp(what, "filter/uid"))
		return set_id(what, value, UINT32_MAX - 1, &s->uid, err);
	if (!strcmp(what, "filter/comm"))
		return set_comm(b, value, err);
	if (!strcmp(what, "filter/tree"))
		return set_tree(b, value, err);
	if (!strcmp(what, "filter/outcome"))
		return set_names(what, value, outcomes, COWTRACE_NR_OUTCOMES, &b->outcomes, err);
	if (!strcmp(what, "filter/reason"))
		return set_names(what, value, reasons, COWTRACE_NR_REASONS, &b->reasons, err);
	if (!strcmp(what, "filter/min_duration_ns"))
		return set_duration(b, value, err);
	return ct_error_set(err, -ENOENT, "the bpf backend has no %s: load the module", what);
}

/* Returns whether there is such a text. */
bool ct_bpf_print(struct ct_bpf *b, const char *what, FILE *to)
{
	const struct cow_bpf_settings *s = &b->settings;

	if (!strcmp(what, "schema"))
		ct_bpf_print_schema(b, to);
	else if (!strcmp(what, "stats"))
		ct_bpf_print_stats(b, to);
	else if (!strcmp(what, "lost"))
		ct_bpf_print_lost(b, to);
	else if (!strcmp(what, "probes"))
		ct_bpf_print_probes(b, to);
	else if (!strcmp(what, "enabled"))
		fprintf(to, "%d\n", b->enabled);
	else if (!strcmp(what, "buffer_kb"))
		fprintf(to, "%u\n", b->buffer_kb);
	else if (!strcmp(what, "sample_every"))
		fprintf(to, "%u\n", b->sample_every);
	else if (!strcmp(what, "witness"))
		fprintf(to, "%s\n", witnesses[b->witness]);
	else if (!strcmp(what, "mode"))
		fputs("records\n", to);
	else if (!strcmp(what, "durations") || !strcmp(what, "processes") ||
		 !strcmp(what, "policies"))
		fputs("0\n", to);
	else if (!strcmp(what, "filter/pid"))
		print_id(to, s->pid);
	else if (!strcmp(what, "filter/tgid"))
		print_id(to, s->tgid);
	else if (!strcmp(what, "filter/uid"))
		print_id(to, s->uid);
	else if (!strcmp(what, "filter/comm"))
		fprintf(to, "%s\n", s->by_comm ? s->comm : "any");
	else if (!strcmp(what, "filter/tree"))
		fprintf(to, "%s\n", s->by_tree ? b->seeds : "any");
	else if (!strcmp(what, "filter/outcome"))
		print_names(to, outcomes, COWTRACE_NR_OUTCOMES, b->outcomes);
	else if (!strcmp(what, "filter/reason"))
		print_names(to, reasons, COWTRACE_NR_REASONS, b->reasons);
	else if (!strcmp(what, "filter/min_duration_ns"))
		fprintf(to, "%u\n", b->min_duration_ns);
	else
		return false;
	return true;
}
