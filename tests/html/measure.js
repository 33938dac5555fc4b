// SPDX-License-Identifier: GPL-2.0
// Looks at the page that it is evaluated in: an object with functions.
({
	// Relative luminance of WCAG 2, of [red, green, blue] from 0 to 255.
	luminance(rgb)
	{
		const [r, g, b] = rgb.map((c) => {
			c /= 255;
			return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
		});

		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	},

	contrast(one, other)
	{
		const [a, b] = [this.luminance(one), this.luminance(other)].sort((x, y) => y - x);

		return (a + 0.05) / (b + 0.05);
	},

	// "rgb(r, g, b)" or "rgba(r, g, b, a)"; null for what can be seen through.
	colour(text)
	{
		const numbers = text.match(/[\d.]+/g).map(Number);

		return numbers.length === 4 && numbers[3] < 1 ? null : numbers.slice(0, 3);
	},

	// What an element stands on.
	paper(element)
	{
		for (; element; element = element.parentElement) {
			const found = this.colour(getComputedStyle(element).backgroundColor);

			if (found)
				return found;
		}
		return [255, 255, 255];
	},

	visible(element)
	{
		return element.checkVisibility() && element.getClientRects().length > 0;
	},

	// The least contrast of text with what it stands on, and where that is.
	text()
	{
		const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		let least = { contrast: 21, texts: 0 };

		while (walker.nextNode()) {
			const element = walker.currentNode.parentElement;
			const style = getComputedStyle(element);

			if (!walker.currentNode.data.trim() || !this.visible(element) ||
			    element.closest('svg'))
				continue;
			const contrast = this.contrast(this.colour(style.color),
						       this.paper(element));

			least.texts++;
			if (contrast < least.contrast)
				least = { contrast, texts: least.texts,
					  at: element.outerHTML.slice(0, 120) };
		}
		return least;
	},

	// The same of what charts and bars are drawn with.
	drawn()
	{
		let least = { contrast: 21 };

		for (const element of document.querySelectorAll(
			'svg .copy, svg .reuse, svg .split, svg .other, svg .fork, svg .lost, ' +
			'span.bar > .copy, span.bar > .reuse, span.bar > .split, span.bar > .other')) {
			const style = getComputedStyle(element);
			const colour = this.colour(element.closest('svg') ? style.fill :
									  style.backgroundColor);
			const paper = this.paper(element.closest('svg, td, .shares').parentElement);

			if (!this.visible(element))
				continue;
			if (this.contrast(colour, paper) < least.contrast)
				least = { contrast: this.contrast(colour, paper),
					  at: element.outerHTML.slice(0, 120) };
		}
		return least;
	},

	// What is to be seen at a glance: width, colours, what is missing for those who do not see.
	look()
	{
		for (const details of document.querySelectorAll('details'))
			details.open = true;
		return {
			needs: document.documentElement.scrollWidth,
			has: document.documentElement.clientWidth,
			background: this.luminance(this.paper(document.body)),
			text: this.text(),
			drawn: this.drawn(),
		};
	},

	// Each is a complaint.
	unreachable()
	{
		const bad = [];
		const complain = (where, what) => {
			for (const element of where)
				bad.push(`${what}: ${element.outerHTML.slice(0, 100)}`);
		};
		const all = (selector) => [...document.querySelectorAll(selector)];

		if (all('h1').length !== 1)
			bad.push('there is not one h1');
		complain(all('table').filter((t) => !t.caption?.textContent), 'no caption');
		complain(all('th').filter((t) => !t.scope), 'th without scope');
		complain(all('svg, [role=img]').filter((s) => !s.getAttribute('aria-label')),
			 'picture without text');
		complain(all('a').filter((a) => !document.querySelector(a.getAttribute('href'))),
			 'link to nowhere');
		complain(all('.wide').filter((w) => w.tabIndex !== 0), 'cannot be scrolled by keys');
		complain(all('input').filter((i) => !i.labels.length), 'no label');
		return bad;
	},

	// The numbers of each table, by its id and row; null for what has none.
	tables()
	{
		const found = {};

		for (const table of document.querySelectorAll('table'))
			found[table.id] = [...table.tBodies[0].rows].map((row) => ({
				name: row.cells[0].textContent,
				more: row.className === 'more',
				cells: [...row.cells].slice(1).map((cell) =>
					cell.querySelector('data')?.value ?? null),
			}));
		return found;
	},

	// What is seen first, in order.
	tiles()
	{
		return [...document.querySelectorAll('.tiles data')].map((data) => data.value);
	},
})
