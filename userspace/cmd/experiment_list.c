// SPDX-License-Identifier: GPL-2.0
/* Which experiments there are, what they want, and what each kernel must answer. */
#include <stdio.h>

#include "experiment_parts.h"
#include "json.h"

static void needs_text(const struct ct_experiment *e, char *to, size_t size)
{
	size_t n = 0;

	*to = '\0';
	if (e->cpus > 1)
		n += snprintf(to, size, "%u CPUs ", e->cpus);
	if (e->needs & CT_EXP_NEED_SWAP)
		n += snprintf(to + n, size - n, "swap ");
	if (e->needs & CT_EXP_NEED_ZRAM)
		n += snprintf(to + n, size - n, "zram ");
	if (e->needs & (CT_EXP_NEED_SLOW_SWAP | CT_EXP_NEED_SLOW_DISK))
		n += snprintf(to + n, size - n, "null_blk ");
	if (n)
		to[n - 1] = '\0';
}

void ct_experiments_list(const struct ct_experiments *all)
{
	char needs[64];
	size_t i;

	for (i = 0; i < all->n; i++) {
		needs_text(&all->list[i], needs, sizeof(needs));
		printf("%-22s %s%s%s%s\n", all->list[i].name, all->list[i].title,
		       *needs ? " [" : "", needs, *needs ? "]" : "");
	}
}

void ct_experiments_list_json(const struct ct_experiments *all)
{
	struct json_object *list = json_object_new_array();
	char needs[64];
	size_t i;
	unsigned int s, k;

	for (i = 0; i < all->n; i++) {
		const struct ct_experiment *e = &all->list[i];
		struct json_object *o = json_object_new_object(), *steps = json_object_new_array();

		needs_text(e, needs, sizeof(needs));
		add_text(o, "name", e->name);
		add_text(o, "title", e->title);
		add_text(o, "needs", needs);
		for (s = 0; s < e->nr_steps; s++) {
			struct json_object *step = json_object_new_object();

			add_text(step, "name", e->step[s].name);
			for (k = 0; k < CT_EXP_NR_KERNELS; k++) {
				const struct ct_exp_answer *answer = &e->step[s].answer[k];
				struct json_object *j = json_object_new_object();

				add_text(j, "expected", answer->text);
				add_text(j, "why", answer->why);
				add(step, ct_exp_kernel_name(k), j);
			}
			json_object_array_add(steps, step);
		}
		add(o, "steps", steps);
		json_object_array_add(list, o);
	}
	json_print(stdout, list);
}
