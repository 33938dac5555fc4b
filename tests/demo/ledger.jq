# SPDX-License-Identifier: GPL-2.0
# The records between two readings, added up as tests/guest/ledger.h does: all but
# the first number are of PTEs, the only path of do_wp_page().
# Input: the records of a trace; $begin, $end: the readings.

def private: .vm_flags | test("[89a-f]$") | not;	# VM_SHARED is 0x8
def attempt: .outcome == "copy" or .outcome == "unshare" or
	((.outcome | IN("raced", "oom", "poison", "retry")) and private);

# The names of all numbers to which a record adds.
def adds:
	"records",
	if .path != "pte" then empty
	elif attempt then .outcome, (if .kind == "ksm" then "ksm" else empty end)
	# The kernel counts no pgreuse for FAULT_FLAG_UNSHARE.
	elif .outcome == "mkwrite" or (.outcome == "reuse" and .origin != "unshare") then .outcome
	else empty end;

reduce (inputs | select(.time_ns > $begin[0].time_ns and .time_ns < $end[0].time_ns) | adds)
	as $name ({}; .[$name] += 1)
