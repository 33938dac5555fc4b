# SPDX-License-Identifier: GPL-2.0
# Of a schema, and then what "cowtrace events --json" prints, one line a fault: how
# many there are of each class, what it means and who caused them. "NO NAME" stands
# in a class of which a part has none in the schema, or is unknown.

function field(name)
{
	if (!match($0, "\"" name "\":\"[^\"]*"))
		return "-"
	return substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 4)
}

FNR == NR {
	if ($1 == "word") {
		sub(/^word [^ ]+ [^ ]+ /, $2 " ")
		name = $1 " " $2
		sub(/^[^ ]+ [^ ]+ /, "")
		sentence[name] = $0
	} else if ($1 == "kernel") {
		# hugetlb_cow() is not told the flags of the fault: see README.md, Limits.
		flagless = $2 ~ /^5\.10\./
	}
	next
}

{
	class = field("path") " " field("outcome") " " field("reason") " " field("kind") " " \
		field("origin")
	count[class]++
	comm = field("comm")
	if (!seen[class, comm]++)
		who[class] = who[class] (who[class] ? ", " : "") comm
}

function named(vocabulary, word)
{
	return word != "unknown" && (vocabulary " " word) in sentence
}

END {
	for (class in count) {
		split(class, c)
		reasoned = c[2] ~ /^(reuse|copy|unshare|split)$/
		good = named("path", c[1]) && named("outcome", c[2]) && named("reason", c[3]) &&
		       reasoned == (c[3] != "none") && named("kind", c[4]) &&
		       (named("origin", c[5]) || flagless && c[1] == "hugetlb")
		why = sentence[reasoned ? "reason " c[3] : "outcome " c[2]]
		printf "%7d  %-7s %-8s %-15s %-8s %-7s  %s (%s)\n", count[class],
		       c[1], c[2], c[3], c[4], c[5], good ? why : "NO NAME", who[class]
	}
}
