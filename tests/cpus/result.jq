# SPDX-License-Identifier: GPL-2.0
# One guest's result, from the lines of the program in it (told), of the plugin (seen)
# and of names.awk. Arguments: kernel, backend.

# Whose memory an area is. Relay's buffers are the kernel's, and so is what a struct
# kretprobe has for itself, though it is allocated by the module.
def whose: if . == "rchan" or . == "rchan_buf" then "relay"
	elif IN("kretprobe", "rethook", "table-locks") then "probe core"
	else "cowtrace" end;

# Where the kernel hands the storage for a call from one list to all CPUs: the handlers at
# the entry fill it. On later kernels the same code must not write any such line.
def one_list: test("^(5[.]10|6[.]1)([.-]|$)");

[inputs | split(" ")] as $lines
| ($lines | map(select(.[0] == "name") | {(.[1]): .[2]}) | add // {}) as $names
| ($lines | map(select(.[0] == "area" and length == 6)
	| {(.[1]): {area: .[2], cpu: (.[3] | tonumber)}}) | add // {}) as $areas
| ([$areas[] | select(.cpu > 0).area] | unique) as $per_cpu
| ($lines | map(select(.[0] == "run" and length == 4)
	| {(.[1]): {cpus: (.[2] | tonumber), faults: (.[3] | tonumber)}}) | add // {}) as $told

| def writer(at): {cpu: (.[at] | tonumber), first: .[at + 1], by: $names[.[at + 2]]};
def shared: group_by(.line) | map({area: .[0].area, line: .[0].line, of: .[0].of,
	symbol: .[0].symbol, writers: map(.writer)});

reduce ($lines[] | select(.[0] != "name" and .[0] != "code" and (length != 6 or .[0] != "area")))
	as $l ({runs: [], seen: null};
	$l[0] as $what
	| if $what == "run" and ($l | length) == 2 then
		.seen = {name: $l[1], insns: [], by_cpu: [], areas: [], shared: [], reads: []}
	elif .seen == null then .
	elif $what == "cpu" then .seen.by_cpu += [$l[2] | tonumber]
	elif $what == "insn" then .seen.insns += [{f: $names[$l[1]], n: ($l[2] | tonumber)}]
	elif $what == "area" then
		.seen.areas += [$areas[$l[1]] + {written: ($l[2] | tonumber), shared: ($l[3] | tonumber)}]
	elif $what == "shared" then
		.seen.shared += [{area: $areas[$l[1]].area, line: $l[2], of: ($areas[$l[1]].area | whose),
			symbol: $names[$l[4]], writer: ($l | writer(3))}]
	elif $what == "read" then
		.seen.reads += [{area: $areas[$l[1]].area, line: $l[2], count: ($l[3] | tonumber),
			writers: ($l[4] | tonumber), symbol: $names[$l[5]], by: $names[$l[6]]}]
	elif $what == "other" then
		.seen.shared += [{area: null, line: $l[1], of: null, symbol: null,
			writer: ($l | writer(2))}]
	elif $what == "end" then .runs += [.seen] | .seen = null
	else . end)
| {
	kernel: $kernel, backend: $backend,
	runs: (.runs | map($told[.name] as $t | {
		name: {"1": "records", "2": "counts", "3": "records, read"}[.name],
		cpus: $t.cpus, faults: $t.faults,
		instructions: (.by_cpu | add),
		per_fault: ((.by_cpu | add) / $t.faults),
		by_cpu,
		functions: (.insns | group_by(.f) | map({key: .[0].f,
			value: ((map(.n) | add) / $t.faults * 100 | round / 100)}) | from_entries),
		areas: (.areas | group_by(.area) | map({area: .[0].area, of: (.[0].area | whose),
			per_cpu: (.[0].area | IN($per_cpu[])),
			written: (map(.written) | add), shared: (map(.shared) | add)})),
		reads: .reads,
		shared: (.shared | shared | map(if .of then . else
			.of = if $kernel | one_list then "probe core" else "unknown" end end))
	}))
}
