#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# features.sh PROBES OUTPUT: one #define for each probe that compiles.
# COW_CC and COW_CFLAGS: compiler and flags with which the kernel builds a module.
set -eu

probes=$1
output=$2
log=${output%.h}.log

compiles() {
	# shellcheck disable=SC2086 # the flags are many words
	$COW_CC $COW_CFLAGS -Werror -DMODULE -DKBUILD_MODNAME='"probe"' \
		-DKBUILD_BASENAME='"probe"' -fsyntax-only -x c "$1" 2>> "$log"
}

mkdir -p "$(dirname "$output")"
: > "$log"
# What says no to everything knows nothing of the kernel.
if ! echo '#include <linux/mm.h>' | compiles -; then
	cat "$log" >&2
	echo "cowtrace: the kernel's own headers do not compile with $COW_CC, see above" >&2
	exit 1
fi
{
	echo "/* SPDX-License-Identifier: GPL-2.0 */"
	for probe in "$probes"/*.c; do
		if compiles "$probe"; then
			echo "#define COW_HAVE_$(basename "$probe" .c) 1"
		fi
	done
} > "$output.new"
mv "$output.new" "$output"
