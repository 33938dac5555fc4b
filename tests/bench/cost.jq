# SPDX-License-Identifier: GPL-2.0
# jq -nR --arg kernel KERNEL --rawfile contenders FILE -f cost.jq LOG: what a guest of
# tests/bench/cost has printed, as instructions per fault, and held against the limits.

def pages: 4096;
def mean: if length > 0 then add / length else null end;
def round_to($n): if . == null then null else . * $n | round / $n + 0 end;
def ratio($a; $b): if $a == null or $b == null or $b <= 0 then null else $a / $b | round_to(100) end;
def pair(f): { copy: ("copy" | f), reuse: ("reuse" | f) };

# Of the lines of one contender: words 1 to 5 are run SERIES WRITTEN BUSY TURN.
def of_series($s): map(select(.[1] == "run" and .[2] == $s));
def per_fault($s; $word): of_series($s) | map(.[$word] | tonumber / pages) | mean;
# What faults cause, without what the machine does when there are none.
def net($s): per_fault($s; 4) as $all | if $all == null then null else $all - per_fault("none"; 4) end;
def said($what): map(select(.[1] == $what) | .[2:] | join(" "));
# How far apart the turns of one contender lie.
def spread($s): of_series($s) | group_by(.[5]) | map(per_fault($s; 4)) | max - min;

# The cheapest of some contenders, for copies and for reuses: {name, added}.
def cheapest(f): map(select(f and .added.reuse)) as $some |
	pair(. as $s | $some | min_by(.added[$s]) // null |
		if . == null then null else { name, added: .added[$s] } end);

# $more: what else a copy may cost; null, nothing is said of it.
def limit($what; $of; $allowed; $more):
	{ limit: $what, contender: ($of.name // null), absent: ($of == null or $of.added.reuse == null) } +
	if $of == null or $of.added.reuse == null then {} else
		pair(. as $s | {
			allowed: ($allowed[$s] | round_to(10)),
			measured: $of.added[$s],
			holds: ($allowed[$s] == null or $of.added[$s] <= $allowed[$s])
		})
	end;
def limit($what; $of; $allowed): limit($what; $of; $allowed; null);

[$contenders | split("\n")[] | select(test("^[^#]")) |
	capture("^(?<name>\\S+) +(?<kind>\\S+) +(?<does>.*)$")] as $table |
[inputs | split(" ")] as $lines |
($lines | map(select(.[0] == "nothing"))) as $nothing |
if ($nothing | of_series("reuse")) == [] then error("nothing was not measured") else . end |

[$table[] | .name as $name | ($lines | map(select(.[0] == $name))) as $own |
	select($own != []) |
	. + {
		added: pair(. as $s | ($own | net($s)) as $net |
			if $net == null then null else $net - ($nothing | net($s)) | round_to(10) end),
		absent: ($own | said("absent")[0]),
		notes: ($own | said("note"))
	}] |
cheapest(.kind == "pair") as $floor |
cheapest(.kind == "entry") as $entry |
cheapest(.kind == "peer-record") as $peer |
($lines | map(select(.[1] == "default"))[0][2]) as $default |
def chosen($kind): map(select(.kind == $kind and (.name | endswith("-" + ($default // "?")))))[0];
chosen("record") as $record |
def times_floor($n; $plus): pair(. as $s | $floor[$s].added * $n + $plus);
def plus_entry: .copy += $entry.copy.added;
{
	kernel: $kernel,
	release: ($lines | map(select(.[1] == "release"))[0][2]),
	default_backend: $default,
	nothing: pair(. as $s | $nothing | {
		instructions: (per_fault($s; 3) | round_to(1)),
		spread: (spread($s) | round_to(10))
	}),
	floor: $floor, entry: $entry, peer: $peer,
	contenders: map(. as $c | . + {
		of_floor: pair(. as $s | ratio($c.added[$s]; $floor[$s].added)),
		of_record: pair(. as $s | ratio($c.added[$s]; $record.added[$s]))
	}),
	limits: (if $floor.reuse == null or $entry.reuse == null then [] else [
		limit("full record: 1.5 floors + 350, and an entry for a copy";
			$record; times_floor(1.5; 350) | plus_entry),
		limit("full record: a third of the cheapest peer that records";
			$record; pair(. as $s | $peer[$s] | if . then .added / 3 else null end)),
		limit("counting: 1.25 floors + 100"; chosen("counts"); times_floor(1.25; 100)),
		limit("counting with durations, policies, processes: 1.5 floors + 250";
			chosen("counts-all"); times_floor(1.5; 250)),
		limit("loaded but off: nothing"; map(select(.kind == "off"))[0];
			pair(. as $s | [$nothing | spread($s), 1] | max)),
		limit("a filter that lets nothing pass: floor + 60"; chosen("filtered"); times_floor(1; 60))
	] end)
}
