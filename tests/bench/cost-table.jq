# SPDX-License-Identifier: GPL-2.0
# jq -r -f cost-table.jq: what cost.jq has made, as text.

def left($n): tostring | . + " " * ([$n - length, 0] | max);
def right($n): (if . == null then "-" else tostring end) | " " * ([$n - length, 0] | max) + .;
def line($name; $cells): ($name | left(32)) + ([$cells[] | right(9)] | add);
def verdict: if .holds then "holds" else "falls short by \(.measured - .allowed | . * 10 | round / 10)" end;

"== \(.kernel) (\(.release // "?")): instructions per fault",
"nothing: a copy \(.nothing.copy.instructions), a reuse \(.nothing.reuse.instructions); its turns differ by \(.nothing.copy.spread) and \(.nothing.reuse.spread)",
"",
line("added by"; ["copy", "reuse", "x floor", "", "x record", ""]),
line(""; ["", "", "copy", "reuse", "copy", "reuse"]),
(.contenders[] | select(.kind != "nothing") |
	if .absent then line(.name; ["-", "-"]) + "   absent: \(.absent)"
	else line(.name; [.added.copy, .added.reuse, .of_floor.copy, .of_floor.reuse,
		.of_record.copy, .of_record.reuse]) end),
"",
(if .limits == [] then empty else
	"limits, for the backend chosen here: \(.default_backend // "?")" end),
(.limits[] |
	if .absent then "  \(.limit)\n      absent"
	else "  \(.limit)\n" + (. as $l | ["copy", "reuse"] | map(. as $s | $l[$s] |
		"      \($s | left(6)) \(.measured | right(8)) of \(.allowed | right(8))  " +
		if .allowed == null then "no peer" else verdict end) | join("\n")) end),
(.contenders[] | select(.notes != []) | "# \(.name): \(.notes | join("; "))"),
""
