// SPDX-License-Identifier: GPL-2.0
/* Events of the groups beside the core, as a trace has them. */
#include <stdlib.h>
#include <string.h>

#include "group.h"
#include "generate.h"
#include "tap.h"
#include "writer.h"

static char *path;

struct seen {
	unsigned int	nr;
	uint32_t	seq[8];
	uint64_t	lost[8];
	uint64_t	time_ns;
	char		comm[32], word[32], text[32];
	uint64_t	number, negative, address;
	bool		absent, missing;
};

static int take(void *arg, const struct ct_group_event *e)
{
	struct seen *s = arg;
	uint64_t ignored;

	if (!s->nr) {
		s->time_ns = e->time_ns;
		snprintf(s->comm, sizeof(s->comm), "%s", e->comm);
		snprintf(s->word, sizeof(s->word), "%s", e->word);
		s->missing = ct_group_number(e, "nr", &ignored);
		s->absent = ct_group_number(e, "limit", &ignored);
		ct_group_number(e, "n", &s->number);
		ct_group_number(e, "rc", &s->negative);
		ct_group_number(e, "addr", &s->address);
		ct_group_text(e, "limit", s->text, sizeof(s->text));
	}
	s->seq[s->nr] = e->seq;
	s->lost[s->nr++] = e->lost;
	return 0;
}

static struct ct_group_info walk(const char *const *chunks, size_t nr, const char *stats,
				 struct seen *s)
{
	struct ct_writer *w = begin_trace(path, 0);
	struct ct_reader *reader;
	struct ct_group_info info;
	struct ct_error err;
	size_t i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < nr; i++)
		if (ct_writer_chunk(w, CT_CHUNK_GROUP, UINT32_MAX, chunks[i], strlen(chunks[i])))
			abort();
	if (stats && ct_writer_state(w, "groups/ksm/stats", stats))
		abort();
	if (ct_writer_close(w))
		abort();
	if (ct_reader_open(path, &reader, &err) ||
	    ct_group_walk(reader, "ksm", &info, take, s))
		abort();
	ct_reader_close(reader);
	return info;
}

int main(void)
{
	static const char *const whole[] = {
		"ksm\n12.000000007 [001] merge seq=1 pid=3 tgid=2 n=5 rc=-5 addr=0xff limit=- comm=a comm=b\n"
		"12.000000009 [001] break seq=4 pid=3 tgid=2 comm=ksmd\n",
		"files\n1.000000001 [000] other seq=1 pid=1 tgid=1 comm=x\n",
		"ksm\n13.000000000 [000] merge seq=5 pid=1 tgid=1 comm=\n",
	};
	static const char *const bad[] = {
		"ksm\nnonsense\n1.000000001 [000] merge seq=0 pid=1 tgid=1 comm=x\n"
		"1.000000001 [000] merge pid=1 tgid=1 comm=x\n"
		"1.000000001 [000] merge seq=2 pid=1 tgid=1 comm=x\n"
		"1.000000002 [000] merge seq=2 pid=1 tgid=1 comm=x\n"
		"1.000000003 [000] merge seq=3 pid=1 tgid=1",
	};
	struct ct_group_info info;
	struct seen s;

	path = temporary_file();
	info = walk(whole, 3, NULL, &s);
	ok(info.there && info.events == 3 && !info.bad && s.nr == 3,
	   "all events of the group are shown, and none of another");
	ok(s.seq[0] == 1 && s.seq[1] == 4 && s.seq[2] == 5,
	   "in the order of their numbers, over chunks");
	ok(info.lost == 2 && s.lost[1] == 2 && !s.lost[2], "a gap in the numbers is a loss");
	ok(s.time_ns == 12000000007ull, "the time is exact to the ns");
	ok(!strcmp(s.word, "merge") && !strcmp(s.comm, "a comm=b"),
	   "a name may hold what looks like a field");
	ok(s.number == 5 && s.address == 255, "numbers are decimal or hexadecimal");
	ok((int64_t)s.negative == -5, "and may be negative");
	ok(!s.absent && !strcmp(s.text, "-"),
	   "what the kernel cannot tell is no number");
	ok(!s.missing, "the beginning of a name is not the name");
	info = walk(bad, 1, NULL, &s);
	ok(info.events == 1 && info.bad == 5,
	   "lines that are no events, or go back, are counted and left out");
	info = walk(whole + 1, 1, NULL, &s);
	ok(!info.there && !s.nr, "a trace without the group says so");
	info = walk(whole, 3, "state off\nevents 9\ndropped 6\n", &s);
	ok(info.there && info.events == 3 && info.lost == 6,
	   "what was lost after the last event is told by the module's count");
	return tap_end();
}
