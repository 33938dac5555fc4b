# SPDX-License-Identifier: GPL-2.0
# The lines that have an address which is to be named, as "name ADDRESS SYMBOL". Input,
# sorted: "ADDRESS 0 SYMBOL" of each symbol and "ADDRESS 1" of each such address. All
# addresses have 16 digits, so that their order is that of their text.
$2 == 0 {
	symbol = $3
	next
}

{
	print "name", $1, symbol
}
