# SPDX-License-Identifier: GPL-2.0
# The claims and the tables, from the results of all guests. Argument: cpus.

def left($n): tostring | . + " " * ([$n - length, 0] | max);
def right($n): tostring | " " * ([$n - length, 0] | max) + .;
def digits($n): . as $x | (pow(10; $n) | round) as $m | ($x | fabs) * $m | round
	| (. / $m | floor | tostring) + "." + (. % $m + $m | tostring | .[1:])
	| if $x < 0 then "-" + . else . end;
def claim($good; $what): if $good then "ok " + $what else "not ok " + $what end;
def run($name): .runs[] | select(.name == $name);

# Of a guest with many CPUs, all runs taken together.
def all_areas: [.runs[].areas[]] | group_by(.area) | map({area: .[0].area, of: .[0].of,
	per_cpu: .[0].per_cpu, written: (map(.written) | max), shared: (map(.shared) | max)});

[group_by([.kernel, .backend])[]
| (.[] | select(.runs[0].cpus == 1)) as $one
| (.[] | select(.runs[0].cpus == $cpus)) as $many
| {
	kernel: .[0].kernel, backend: .[0].backend,
	modes: (["records", "counts"] | map(. as $name
		| ($one | run($name) | .per_fault) as $at_one
		| ($many | run($name) | .per_fault) as $at_many
		| {name: $name, one: $at_one, many: $at_many,
			difference: (($at_many / $at_one - 1) * 100)})),
	areas: ($many | all_areas),
	shared: [$many.runs[].shared[]],
	# Of what there is once: read on each fault or so, and written in the same run.
	mixed: [$many.runs[] | select(.name | IN("records", "counts")) | . as $run
		| (.areas[] | select(.area == "ring" and .written > 0)
			| {area, symbol: "cow_ring", by: "each fault"}),
		  (.reads[] | select(.writers > 0 and .count > $run.faults / 10))
		| .run = $run.name]
} | .bad = ([.shared[] | select(.of | IN("cowtrace", "unknown"))] | unique_by([.area, .line]))
  # A watch that sees nothing proves nothing.
  | .blind = [.areas[] | select(.of == "cowtrace" and .per_cpu and .written == 0).area]
] as $all
| (
	($all[] | . as $r
	| (.modes[] | claim((.difference | fabs) < 2;
		"\($r.kernel) cpus/\($r.backend)-\(.name) - a fault takes as many of cowtrace's instructions on \($cpus) CPUs as on 1, by 2 %")),
	claim((.bad == []) and (.blind == []);
		"\(.kernel) cpus/\(.backend)-lines - no cache line of cowtrace is written by two CPUs"),
	(.blind[] | "       | no CPU was seen to write any line of: \(.)"),
	(.bad[:20][] | "       | \(.area // "elsewhere") \(.symbol // "") at \(.line): "
		+ ([.writers[] | "CPU \(.cpu) in \(.by)"] | join(", "))),
	claim(.mixed == [];
		"\(.kernel) cpus/\(.backend)-reads - what each fault reads of the module is not written meanwhile"),
	(.mixed[] | "       | \(.symbol) in \(.area), by \(.by), while it \(.run)")),
	"",
	"Instructions of cowtrace's own a fault, half of them copies, half reuses",
	("kernel" | left(8)) + ("backend" | left(11)) + ("mode" | left(9)) + ("1 CPU" | right(9))
		+ ("\($cpus) CPUs" | right(9)) + ("difference" | right(12)),
	($all[] | . as $r | .modes[]
		| ($r.kernel | left(8)) + ($r.backend | left(11)) + (.name | left(9))
		+ (.one | digits(1) | right(9)) + (.many | digits(1) | right(9))
		+ (.difference | digits(2) + " %" | right(12))),
	"",
	"Cache lines that were written, and those of them that more than one of \($cpus) CPUs wrote",
	("kernel" | left(8)) + ("backend" | left(11)) + ("whose" | left(12)) + ("what" | left(20))
		+ ("lines" | right(7)) + ("shared" | right(8)) + "  by",
	($all[] | . as $r
		| ((.areas | sort_by(.of)[] | select(.written > 0)),
		   (["probe core", "unknown"][] as $of | [$r.shared[] | select(.area == null and .of == $of)]
			| select(. != []) | {area: null, of: $of, shared: ([.[].line] | unique | length)}))
		| . as $a
		| ([$r.shared[] | select(.area == $a.area and .of == $a.of) | .writers[].by] | unique | join(" ")) as $by
		| ($r.kernel | left(8)) + ($r.backend | left(11)) + (.of | left(12)) + (.area // "of a call" | left(20))
			+ (.written // "-" | right(7)) + (.shared | right(8)) + "  " + $by)
)
