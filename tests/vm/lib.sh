# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What prepare, in-root, run and selftest share: where things are, how they
# speak, and how a program of the root is started without entering it.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=$(cd "$here/../.." && pwd -P)

# Prepared things may be shared by several clones; results never are. A relative name is one
# in the clone: who calls whom from where must not matter.
vm=${COWTRACE_VM_DIR:-build/vm}
[[ $vm == /* ]] || vm=$top/$vm
# shellcheck disable=SC2034 # run and selftest use it
out=$top/build/vm
root=$vm/root
me=tests/vm/$(basename "$0")

say() { printf '%s: %s\n' "$me" "$*" >&2; }
die() { say "$*"; exit 125; }

# A bare chroot may have no /proc, which bash and QEMU need.
if [[ ! -e /proc/self ]]; then
	[[ $(id -u) == 0 ]] || die "needs /proc: mount it, or run this as root"
	exec "$here/namespace" "$0" "$@"
fi

package_list() { sed 's/ *#.*//; /^$/d' "$here/packages"; }

# root_id: what the root is made of; another list makes another root.
root_id() { { echo trixie; package_list; } | sha256sum; }
root_prepared() { [[ -e $root/.done && $(<"$root/.done") == "$(root_id)" ]]; }

# The base image is made by prepare alone.
base_id() { sha256sum <"$here/prepare"; }
base_prepared() { [[ -e $vm/base.id && $(<"$vm/base.id") == "$(base_id)" ]]; }

# from_root PROGRAM ARG...: run a program of the root on this host, by the
# root's own loader and libraries: no chroot, no privilege, and the same
# version of it on every host.
from_root()
{
	local program=$1
	shift
	"$root/lib64/ld-linux-x86-64.so.2" --argv0 "${program##*/}" \
		--library-path "$root/usr/lib/x86_64-linux-gnu" \
		"$root/usr/$program" "$@"
}

# pack DIR FILE: DIR as one uncompressed cpio archive, all of it root's.
# Archives are simply put one behind the other to make an initramfs.
pack()
{
	(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		from_root bin/cpio --null --quiet -o -H newc -R +0:+0) >"$2"
}

is_elf() { [[ $(head -c 4 "$1" | tr -d '\0') == $'\177ELF' ]]; }

is_dynamic_elf()
{
	is_elf "$1" &&
		from_root bin/x86_64-linux-gnu-readelf -lW "$1" 2>/dev/null |
			grep -E '^ +(INTERP|DYNAMIC) ' >/dev/null
}

# libraries FILE: the libraries that FILE needs, as paths in the root, one a
# line. Fails when the root has not all of them, or not in the right version.
libraries()
{
	local list
	list=$("$root/lib64/ld-linux-x86-64.so.2" --library-path \
		"$root/usr/lib/x86_64-linux-gnu" --list "$1" 2>&1) || return 1
	# A version that a library lacks is no failure of --list.
	[[ $list != *'not found'* ]] || return 1
	# What the root lacks, the loader takes from the host.
	! grep ' => ' <<<"$list" | grep -qvF " => $root/" || return 1
	sed -n 's/^.* => \(\/.*\) (0x[0-9a-f]*)$/\1/p' <<<"$list"
}

# add_libraries DIR FILE...: copy into DIR, at their usual place, the
# libraries that the given files need; DIR's base has those of the base image.
add_libraries()
{
	local dir=$1 file lib
	shift
	for file; do
		is_dynamic_elf "$file" || continue
		libraries "$file" >"$dir.libs" || { rm -f "$dir.libs"; return 1; }
		while read -r lib; do
			lib=usr/lib/x86_64-linux-gnu/${lib##*/}
			[[ ! -e $dir/$lib ]] || continue
			mkdir -p "$dir/${lib%/*}"
			cp -L "$root/$lib" "$dir/$lib"
		done <"$dir.libs"
		rm -f "$dir.libs"
	done
}

# table_line NAME: compiler and suites of one line of the kernel table.
table_line()
{
	awk -v name="$1" '$1 == name { $1 = ""; sub(/^ +/, ""); print }' "$here/kernels"
}

table_names() { awk '!/^#/ && NF { print $1 }' "$here/kernels"; }

# is_built NAME: whether this line's kernel is built here, not fetched.
is_built() { [[ $(table_line "$1") == *' built='* ]]; }

# built_config NAME: the configuration of such a kernel. Its name is that of one of its
# files, with the series of its source behind it where there are several.
built_config()
{
	local kind=${1%%-*} source
	source=$(table_line "$1" | sed 's/.* built=linux-source-\([^ ]*\).*/\1/')
	echo "CONFIG_LOCALVERSION=\"-$kind\""
	cat "$here/built.config" "$here/$kind.config" "$here/$source.config"
}

# kernel_series NAME: the line of the table that a series, a release
# (6.12.107+deb13-amd64) or a package version (6.12.107-1) belongs to.
kernel_series()
{
	local name
	for name in $(table_names); do
		[[ $1 == "$name" || $1 == "$name".* || $1 == "$name"-* ]] || continue
		# "debug" is a beginning of "debug-7.2".
		[[ $1 == "$name" || -z $(table_line "$1") ]] || continue
		if [[ $1 != "$name" ]] && is_built "$name"; then
			say "of the kernel $name there is only the newest: name it $name"
			return 1
		fi
		echo "$name"
		return
	done
	say "no kernel '$1': known are $(table_names | paste -sd' '), and exact" \
		"package versions or releases of these series"
	return 1
}

# kernel_dir NAME: the prepared kernel of that name; nothing if there is none,
# or if one was built of another configuration.
kernel_dir()
{
	local dir
	for dir in "$vm/kernels/$1" "$vm"/kernels/*; do
		[[ -e $dir/done ]] || continue
		[[ ! -e $dir/config ]] || built_config "${dir##*/}" 2>/dev/null |
			cmp -s "$dir/config" || continue
		if [[ ${dir##*/} == "$1" || $(<"$dir/release") == "$1" ||
		      $(<"$dir/version") == "$1" ]]; then
			echo "$dir"
			return
		fi
	done
}
