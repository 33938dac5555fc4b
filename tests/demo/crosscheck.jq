# SPDX-License-Identifier: GPL-2.0
# Module and BPF on the faults of the demo. Input: an array of what cowtrace crosscheck
# says of each phase, with the kernel as .of.

def racing_allowed: 0.001;	# of a kernel's faults

def sum(f): map(f) | add;
def right($n): tostring | " " * ([$n - length, 0] | max) + .;
def left($n): . + " " * ([$n - length, 0] | max);
def share($n; $all): "\($n * 100000 / ([$all, 1] | max) | round / 1000) %";
# Causes of a side's losses, in all phases.
def losses($side): [.[] | .[$side].lost // {} | to_entries[] | select(.value > 0)]
	| group_by(.key) | map("\(.[0].key) \(sum(.value))") | join(", ")
	| if . == "" then "nothing" else . end;
def fields: [.[].fields | to_entries[] | select(.value > 0)]
	| group_by(.key) | map("\(.[0].key) \(sum(.value))") | join(", ");

def columns: ["kernel", "seen by both", "verdict", "fixed", "racing", "module alone", "bpf alone"];
def cells: [.[0].of, sum(.pairs), sum(.verdict), sum(.fixed), sum(.racing),
	    sum(.module.alone), sum(.bpf.alone)];
def row: [range(length) as $i | .[$i] | if $i == 0 then left(8) else right(14) end] | join("");

group_by(.of) as $kernels
| "Faults of the demo, by the module and by BPF at the same time",
  "(verdict: differ in outcome or page frame; fixed: in what stays; racing: in what may change between the samples)",
  "",
  (columns | row), ($kernels[] | cells | row),
  ([.[] | .of = "all"] | cells | row), "",
  ($kernels[] |
   "\(.[0].of): module missed \(losses("module")); bpf missed \(losses("bpf"))",
   (fields as $f | select($f != "") |
    "  differ, \(share(sum(.racing); sum(.pairs))) racing: \($f)")),
  "",
  ([ (.[] | select(.verdict + .fixed > 0) | "FAILED: \(.of): module and BPF differ"),
     ($kernels[] | select(sum(.racing) > racing_allowed * sum(.pairs))
      | "FAILED: \(.[0].of): more races than one fault in a thousand has"),
     ($kernels[] | select(sum(.module.given_up + .bpf.given_up) > 0)
      | "FAILED: \(.[0].of): not all faults could be paired"),
     ($kernels[] | select(sum(.pairs) < 5000) | "FAILED: \(.[0].of): too few faults") ] as $bad
   | $bad[], if $bad == [] then "They never differ where they must not." else ("" | halt_error(1)) end)
