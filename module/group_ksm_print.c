// SPDX-License-Identifier: GPL-2.0
/* The events of KSM as lines. */
#include <linux/kernel.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/string.h>

#include "group_ksm_parts.h"

const char * const ksm_count_names[] = {
#define KSM_COUNT(id, name)	name,
	KSM_COUNTS(KSM_COUNT)
#undef KSM_COUNT
};

/* By it the address of an mm becomes a number that tells nothing else. */
static siphash_key_t disguise;

void ksm_print_init(void)
{
	if (siphash_key_is_zero(&disguise))
		get_random_bytes(&disguise, sizeof(disguise));
}

/* Of what is counted as "merged_first" the event says "first". */
static const char *word(enum ksm_count what)
{
	const char *behind = strchr(ksm_count_names[what], '_');

	return behind ? behind + 1 : ksm_count_names[what];
}

size_t ksm_print(char *buf, size_t size, const void *event)
{
	static const char * const words[] = {
		[KSM_EV_MERGE] = "merge", [KSM_EV_ZERO] = "zero", [KSM_EV_BREAK] = "break",
		[KSM_EV_REMOVE] = "remove", [KSM_EV_EXIT] = "exit",
	};
	const struct ksm_event *e = event;
	char name[sizeof(e->name) + 1] = "-";
	char owner[16] = "-";
	u64 mm = siphash_1u64((unsigned long)e->mm, &disguise);
	size_t n;

	if (e->owner) {
		cow_group_word(name, e->name, sizeof(e->name));
		scnprintf(owner, sizeof(owner), "%u", e->owner);
	}
	n = scnprintf(buf, size, "%s mm=%#llx owner=%s name=%s", words[e->head.type], mm, owner,
		      name);
	if (e->head.type == KSM_EV_EXIT)
		return n;
	n += scnprintf(buf + n, size - n, " addr=%#lx", e->address);
	if (e->pfn)
		n += scnprintf(buf + n, size - n, " pfn=%#llx", e->pfn);
	else
		n += scnprintf(buf + n, size - n, " pfn=-");
	if (e->head.type == KSM_EV_REMOVE)
		return n + scnprintf(buf + n, size - n, " dead=%d", e->dead);
	n += scnprintf(buf + n, size - n, " ns=%llu", e->ns);
	if (e->head.type == KSM_EV_MERGE)
		n += scnprintf(buf + n, size - n, " how=%s users=%d", word(e->what), e->users);
	if (e->head.type != KSM_EV_BREAK)
		return n;
	if (e->pfn)
		n += scnprintf(buf + n, size - n, " users=%d refs=%d", e->users, e->refs);
	return n + scnprintf(buf + n, size - n, " cause=%s result=%s", word(e->what),
			     e->result == KSM_NR_COUNTS ? "copy" : word(e->result));
}
