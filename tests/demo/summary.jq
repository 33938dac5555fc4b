# SPDX-License-Identifier: GPL-2.0
# The demo's end: kernels side by side, and the reconciliation.
# Input: an array with one object a kernel and phase, made by summary; the kernels
# are the arguments.

def need: 5000;			# write-protect faults of redis in a phase
def data: 67108864;		# bytes of data in redis
def unknown_allowed: 0.001;	# of the faults
def unattributed_allowed: 0.01;	# of the copies

def titles: {
	a: "a: BGSAVE under a write load",
	b: "b: no fork: half of the data to swap, read back, written",
	c: "c: the same under a BGSAVE"
};

# --- numbers as text ----------------------------------------------------------

def group: tostring | if length > 3 then (.[:-3] | group) + "," + .[-3:] else . end;
def mib: (. / 1048576 * 10 | round) as $t | "\($t / 10 | floor | group).\($t % 10) MiB";
def ms: (. / 1000000 | round | group) + " ms";
# Two digits, but never 0 for what is more.
def percent($n; $all): ($n * 10000 / ([$all, 1] | max) | round) as $p |
	if $p == 0 and $n > 0 then "<0.01 %" else "\($p / 100) %" end;
def of($n; $all; $what): "\($n | group) of \($all | group) \($what) (\(percent($n; $all)))";
def left($n): . + " " * ([$n - length, 0] | max);
def right($n): " " * ([$n - length, 0] | max) + .;

# --- what a run says ----------------------------------------------------------

def redis: [.report.processes[] | select(.comm == "redis-server")]
	| { faults: (map(.faults) | add // 0), copies: (map(.copies) | add // 0),
	    reuses: (map(.reuses) | add // 0), bytes: (map(.bytes_copied) | add // 0) };
def pair($outcome; $reason):
	[.report.reasons[] | select(.outcome == $outcome and .reason == $reason) | .faults]
	| add // 0;
def unknown: [.report.outcomes[] | select(.outcome == "unknown") | .faults] | add // 0;
def unattributed: [.report.reasons[] | select(.reason == "unattributed") | .faults] | add // 0;
def total(f): map(f) | add;
# Of several runs.
def unknown_text: "unknown " + of(total(unknown); total(.report.faults.faults); "faults");
def unattributed_text:
	"unattributed " + of(total(unattributed); total(.report.faults.copies); "copies");
def undecided_text: "\(unknown_text), \(unattributed_text)";
def lost: .report.lost.module.full + .report.lost.sequence_lost;
def missed: .report.lost.module | .missed_no_instance + .missed_recursion + .missed_witness;
# What the fork of a BGSAVE had copied: by_parent, by_child.
def bgsave($part):
	[.forks.forks[] | select(.parent_comm == "redis-server") | .[$part].bytes_copied]
	| add // 0;
# The memory that it shared: null where nobody looked in time.
def shared:
	[.forks.forks[] | select(.parent_comm == "redis-server") | .shared_bytes] | add;
def vmstat($name): .end.vmstat[$name] - .begin.vmstat[$name];
def swapped_in: vmstat("pswpin");
def swapped_out: vmstat("pswpout");

# --- the reconciliation -------------------------------------------------------

def stat($name): .end.stats[$name] - .begin.stats[$name];
def probe($name; $what): .end.kprobes[$name][$what] - .begin.kprobes[$name][$what];
def terms: map("\(.[0]) \(.[1] | group)") | join(" + ");
def equation($name; $theirs; $ours):
	($theirs | map(.[1]) | add) as $l | ($ours | map(.[1]) | add) as $r |
	{ name: $name, off: ($l - $r),
	  text: "\($theirs | terms) = \($ours | terms)" };

def term($text; $name): [$text, .ledger[$name] // 0];

def equations:
	# Calls inside a handler are among the entries already.
	((.report.lost.module | .missed_no_instance + .missed_recursion) - stat("nested")) as $missed |
	[ equation("calls";
		   [["kprobe hits", probe("calls"; "hits")], ["misses", probe("calls"; "misses")]];
		   [["entries of PTEs", stat("entries") - stat("pmd_entries") - stat("hugetlb_entries")],
		    ["proofs", stat("proofs")], ["missed", $missed]]),
	  equation("copies";
		   [["kprobe hits", probe("copies"; "hits")], ["misses", probe("copies"; "misses")]];
		   [term("copies"; "copy"), term("unshares"; "unshare"), term("raced"; "raced"),
		    term("oom"; "oom"), term("poison"; "poison"), term("retries"; "retry"),
		    ["proofs", stat("proofs")]]),
	  equation("reuses"; [["pgreuse", vmstat("pgreuse")]];
		   [term("reuses"; "reuse"), term("mkwrites"; "mkwrite")]),
	  (select(.end.vmstat | has("cow_ksm")) |
	   equation("ksm"; [["cow_ksm", vmstat("cow_ksm")]]; [term("attempts on KSM pages"; "ksm")])),
	  equation("forks"; [["copies", .forks.faults.copies]];
		   [["by forks", .forks.chosen.copies + .forks.other.copies],
		    ["by other causes", ([.forks.causes[].copies] | add)]]),
	  equation("trace"; [term("records"; "records")]; [["entries", stat("entries")]]) ];

# --- what went wrong ----------------------------------------------------------

# Kernels until 6.1 have to fault in each phase; where others do not, the pages were
# there to fault on.
def old: .report.trace.kernel | startswith("5.10.") or startswith("6.1.");
def few: redis.faults < need;
def few_allowed: .phase == "b" and (old | not) and swapped_in >= need;

def failures: . as $run | [
	(equations[] | select(.off != 0) |
	 "\(.name) off by \(.off): \(.text)"),
	(if lost != 0 then "\(lost) faults are lost" else empty end),
	(if missed != 0 then "\(missed) faults were missed" else empty end),
	(if (.redis.used_memory | tonumber) < data then "redis holds less than 64 MiB"
	 else empty end),
	(if few and (few_allowed | not) then
	 "redis-server took \(redis.faults) write-protect faults, \(need) are wanted"
	 else empty end)
	] | map("\($run.kernel), phase \($run.phase): \(.)");

# Over all phases of a kernel: in a phase of few faults one more or less means nothing.
def undecided: . as $runs | [
	(if total(unknown) > unknown_allowed * total(.report.faults.faults) then
	 "\(unknown_text), more than \(unknown_allowed * 100) %" else empty end),
	(if total(unattributed) > unattributed_allowed * total(.report.faults.copies) then
	 "\(unattributed_text), more than \(unattributed_allowed * 100) %" else empty end)
	] | map("\($runs[0].kernel): \(.)");

# What should be there and is not.
def absent: . as $runs |
	$ARGS.positional[] as $kernel | (titles | keys[]) as $phase |
	select(any($runs[]; .kernel == $kernel and .phase == $phase) | not) |
	"\($kernel), phase \($phase): there is no result to add up";

# --- side by side -------------------------------------------------------------

def row($name; value): map(value | right(16)) | ("  " + ($name | left(44))) + add;

def reason_rows($outcome):
	. as $runs |
	([.[].report.reasons[] | select(.outcome == $outcome)]
	 | group_by(.reason) | map({ reason: .[0].reason, n: (map(.faults) | add) })
	 | sort_by(-.n) | .[].reason) as $reason |
	$runs | row("    " + $reason; pair($outcome; $reason) | group);

def table:
	("Phase " + titles[.[0].phase]),
	row(""; .report.trace.kernel | sub("-amd64$"; "")),
	row("write-protect faults, whole system"; .report.faults.faults | group),
	row("  of redis-server and its child"; redis.faults | group),
	row("copies"; .report.faults.copies | group),
	reason_rows("copy"),
	row("reuses"; .report.faults.reuses | group),
	reason_rows("reuse"),
	row("bytes copied"; .report.faults.bytes_copied | mib),
	row("time inside these faults"; .report.faults.time_ns | ms),
	row("pages written to swap"; swapped_out | group),
	row("pages read from swap"; swapped_in | group),
	(if .[0].phase == "b" then empty else
	 row("bytes copied by redis-server and its child"; redis.bytes | mib),
	 row("  while BGSAVE's child lived, by the parent"; bgsave("by_parent") | mib),
	 row("  and by the child"; bgsave("by_child") | mib),
	 row("  of memory that both shared"; shared | if . then mib else "unknown" end),
	 row("redis's own rdb_last_cow_size"; .redis.rdb_last_cow_size | tonumber | mib) end),
	row("lost / missed"; "\(lost) / \(missed)");

# Why one reason can have other counts on another kernel, or another run.
def why: {
	"reuse exclusive":
		"Of pages that were swapped in for a read and that no other process can see: 5.10 does not know that they are exclusive, 6.1 maps them read-only, and the first write faults only to find that out, newer kernels map them writable at once (do_swap_page())",
	"copy mapped":
		"Such a page was still mapped by the child when it was written: how many are depends on how far the child had come, not on the kernel's decision",
	"copy file":
		"Most of these are of the commands that drive the phase: the longer it takes on this host, the more of them run",
	"reuse sole-ref":
		"The child had let go of such a page (it unmaps values that it has saved, and everything when it ends) before it was written: a matter of timing",
	"copy swapcache":
		"Nobody else maps such a page, but the swap cache refers to it. 5.10 takes that for another user; newer kernels free the swap cache first, which fails while the child owns the swap slot: how many are depends on how far the child had come",
	"reuse swapcache-freed":
		"Such a page was in the swap cache, and its slot had no other owner any more: how many are depends on how far the child had come",
	"copy large":
		"A page of a large folio that is not exclusive is copied without looking further (6.12); older kernels look at the folio's references and name who holds them"
};

# The counts of a pair in two runs that differ by more than noise.
def differences($one; $two):
	([$one, $two] | map(.report.faults.faults) | max) as $all |
	[[$one, $two][].report.reasons[] | select(.outcome == "copy" or .outcome == "reuse")
	 | { outcome, reason, sentence }]
	| unique_by(.outcome, .reason)
	| map(. + { one: (. as $p | $one | pair($p.outcome; $p.reason)),
		    two: (. as $p | $two | pair($p.outcome; $p.reason)) })
	| map(. + { off: ((.one - .two) | fabs) })
	| map(select(.off > $all / 20)) | sort_by(-.off) | .[:2];

def wrap($width):
	reduce splits(" +") as $word ([""];
		if (.[-1] | length) + ($word | length) < $width then
			.[-1] += (if .[-1] == "" then "" else " " end) + $word
		else . + [$word] end)
	| map("  " + .) | join("\n");

def comparison:
	range(1; length) as $i | .[$i - 1] as $one | .[$i] as $two | differences($one; $two) as $d |
	if ($d | length) == 0 then
		"\($one.kernel) and \($two.kernel) do the same here: no reason's count differs by more than a twentieth of the faults."
	else
		$d[] | "\(.outcome) \(.reason) (\(.sentence)): \(.one | group) on \($one.kernel), \(.two | group) on \($two.kernel). " +
		((why["\(.outcome) \(.reason)"] // "") | if . == "" then "" else . + "." end)
	end | wrap(92);

# Why there were hardly any faults, where there were.
def silence:
	.[] | select(few and few_allowed) |
	"\(.kernel) read \(swapped_in | group) pages from swap and redis-server then wrote to all of its data, but it took only \(redis.faults | group) write-protect faults: the pages had become writable when they were swapped in. The faults that are left are mostly those of the shells and clients that drive the phase."
	| wrap(92);

def reconciliation:
	"  \(.kernel), phase \(.phase)",
	(equations[] | "    \(.name | left(7)) \(.text)\(if .off == 0 then "" else "   OFF BY \(.off)" end)"),
	"    \([.] | undecided_text), lost \(lost), missed \(missed)";

. as $runs |
([$runs | absent] + [$runs[] | failures[]] + [$runs | group_by(.kernel)[] | undecided[]]) as $failures |
( ($runs | group_by(.phase)[] | (. as $phase | [$runs[] | select(.phase == $phase[0].phase)])
   | table, "", comparison, silence, ""),
  ("  Under an emulator times compare phases, not kernels. rdb_last_cow_size is the greatest amount of private memory (Private_Dirty) that the child found in itself while it saved. A page becomes private to the child when the parent writes it and gets the copy, or when the child does: these are the copies that cowtrace forks adds up. Redis counts beside them what the child touched for the first time, and does not count values that the child has saved and given back, pages on the swap disk, and on 5.10 copies of pages that only the swap cache held, which cowtrace forks calls unsettled." | wrap(92)),
  "",
  "Reconciliation, between two readings of all counters at rest; theirs = ours",
  "  calls:  a kprobe event on do_wp_page()",
  "  copies: a kprobe event on __delayacct_wpcopy_start(), which each attempt to copy calls;",
  "          on 5.10, where that is not, on wp_page_copy()",
  "  reuses: pgreuse of /proc/vmstat",
  "  ksm:    cow_ksm of /proc/vmstat, which 5.10 has not",
  "  trace:  the records between the readings, and the entries that the module counted",
  "  proofs: faults that the module provokes itself, to see whether its probes work",
  ($runs[] | reconciliation),
  ($runs | group_by(.kernel)[] | "  \(.[0].kernel), all phases", "    \(undecided_text)"),
  "",
  (if ($failures | length) == 0 then
   "All counts agree to the single fault; lost 0, missed 0; unknown at most \(unknown_allowed * 100) % of the faults, unattributed at most \(unattributed_allowed * 100) % of the copies."
   else ($failures[] | "FAILED: " + .),
	("" | halt_error(1)) end)
)
