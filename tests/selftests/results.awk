# SPDX-License-Identifier: GPL-2.0
# What one of the kernel's own tests said, as one line a result: "pass NAME", "fail
# NAME", "skip NAME" or "xfail NAME" (it knows that the kernel fails), in its order;
# the last is its exit status. TAP, and the ways in which khugepaged, uffd-unit-tests
# and userfaultfd write.

function result(verdict, name)
{
	gsub(/^[ \t:.-]+|[ \t:.-]+$/, "", name)
	print verdict, name
}

{
	sub(/^.*\r/, "")		# a line that was written over another
	if (/\033\[3[123]m|^# Run test: /)
		sub(/^# /, "")		# khugepaged, which on 7.2 speaks TAP too
}

# The names of TAP say what was expected, the lines before them of what.
/^# \[(RUN|INFO)\]/ {
	context = $0
	sub(/^# \[[A-Z]+\] */, "", context)
	next
}

/^# / {
	comment = $0
	sub(/^# */, "", comment)
	next
}

# Those of 7.2 say what was tested twice, and why not in the line before.
/^(not )?ok [0-9]+/ {
	verdict = /# SKIP/ ? "skip" : /# XFAIL/ ? "xfail" : /^not ok/ ? "fail" : "pass"
	sub(/^(not )?ok [0-9]+ */, "")
	sub(/^# (SKIP|XFAIL) */, "")
	said = $0 == context ? comment : $0
	comment = ""
	result(verdict, context " - " (verdict == "skip" ? "# SKIP " : "") said)
	next
}

# uffd-unit-tests: what else it says of a test may stand between name and verdict.
/^Testing .*\.\.\. / {
	context = $0
	sub(/\.\.\. .*/, "", context)
	sub(/.*\.\.\. /, "")
}

/^(done$|failed \[|skipped \[)/ {
	verdict = /^done/ ? "pass" : /^skipped/ ? "skip" : "fail"
	result(verdict, context " - " $0)
	next
}

/^Run test: / {
	context = $0
	sub(/^Run test: /, "", context)
	next
}

# khugepaged: a dot for each half second that it waited.
/\033\[3[123]m/ {
	verdict = /\033\[32m/ ? "pass" : /\033\[33m/ ? "skip" : "fail"
	gsub(/\033\[[0-9]*m/, "")
	gsub(/\.\.+/, "")
	result(verdict, context " - " $0)
	next
}

# userfaultfd: how many faults came differs each time.
/^testing [^:]*: *(done|userfaults)/ || /^bounces: .*userfaults/ {
	sub(/,? *userfaults:.*/, "")
	result("pass", $0)
	next
}

/^exit [0-9]+$/ {
	result($2 == 0 ? "pass" : $2 == 4 ? "skip" : "fail", "exit status " $2)
}
