# shellcheck shell=bash
# What prepares the VM and what prepares more for it share: steps with a log,
# and Debian's archives. Sourced behind lib.sh.
# shellcheck disable=SC2154 # lib.sh sets vm

# step WHAT CMD...: one line with the time it took; the tool's own words go
# to a log that is shown only when it fails.
step()
{
	local what=$1 log start=$SECONDS status
	shift
	log=$vm/log/$(tr -cs 'A-Za-z0-9.\n' - <<<"$what").log
	set +e # in an if, the function itself would not stop at an error
	(set -e; "$@") >"$log" 2>&1 </dev/null
	status=$?
	set -e
	if [[ $status -ne 0 ]]; then
		tail -n 20 "$log" >&2
		die "$what failed (log: $log)"
	fi
	printf 'vm: %-52s %4d s\n' "$what" $((SECONDS - start)) >&2
}

# mirror base|security: from the environment, else from the host's apt.
mirror()
{
	local uri
	if [[ $1 == base ]]; then
		uri=${COWTRACE_MIRROR-}
	else
		uri=${COWTRACE_SECURITY_MIRROR-}
	fi
	if [[ -z $uri ]]; then
		# shellcheck disable=SC2016
		uri=$(apt-get indextargets \
			--format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' |
			awk -v kind="$1" '
			$3 != "main" || (NF > 3 && $4 != "Debian") { next }
			{ security = $2 ~ /-security$/ }
			$2 !~ /^((old)*stable|testing|unstable|sid|bullseye|bookworm|trixie|forky|duke)(-[a-z]+)?$/ { next }
			(kind == "security") == security { print $1; exit }')
	fi
	echo "${uri%/}"
}

# apt_for SERIES: apt's options for a world in which only the suites of this
# series exist, so that no pin is needed and the host's apt is left alone.
apt_for()
{
	local dir=$vm/apt/$1 suite uri line signed
	signed='[arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
	line=$(table_line "$1")
	mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial"
	for suite in ${line#* }; do
		[[ $suite != built=* ]] || continue
		uri=$(mirror "${suite#*@}")
		[[ -z $uri ]] || echo "deb $signed $uri ${suite%@*} main"
	done >"$dir/sources.list"
	[[ -s $dir/sources.list ]] || {
		echo "no archive known for ${line#* }: name it in COWTRACE_MIRROR or COWTRACE_SECURITY_MIRROR"
		return 1
	} >&2
	# shellcheck disable=SC2034 # the callers use it
	apt=(-q -o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null
	     -o "Dir::State=$dir/state" -o "Dir::Cache=$dir/cache"
	     -o Dir::State::status=/dev/null -o APT::Architecture=amd64
	     -o APT::Architectures=amd64 -o Acquire::Languages=none
	     -o APT::Sandbox::User=root -o Acquire::Retries=3)
}

# What tests need of a kernel's source, a fiftieth of it: tests/selftests builds programs of
# it, tests/lint looks for faults by its scripts.
source_parts=('tools/testing/selftests/[mv]m' 'tools/testing/selftests/x86'
	'tools/testing/selftests/*.h' tools/testing/selftests/lib.mk tools/include
	scripts/subarch.include 'mm/gup*' scripts/checkpatch.pl scripts/spelling.txt
	scripts/const_structs.checkpatch scripts/coccinelle)

fetch_source()
{
	local series=$1 dir=$2 version
	apt_for "$series"
	apt-get "${apt[@]}" update
	version=$(apt-cache "${apt[@]}" show --no-all-versions "linux-source-$series" |
		sed -n 's/^Version: //p')
	[[ -n $version ]] || { echo "the archive has no package linux-source-$series"; return 1; } >&2
	echo "$version" >"$dir/version"
	(cd "$dir" && apt-get "${apt[@]}" download "linux-source-$series=$version" \
		"linux-libc-dev=$version")
}

unpack_source()
{
	local dir=$1
	dpkg-deb --fsys-tarfile "$dir"/linux-source-*.deb |
		tar -x -O --wildcards '*/linux-source-*.tar.xz' |
		from_root bin/xz -dc | tar -x -C "$dir" --strip-components=1 \
			--wildcards --no-wildcards-match-slash "${source_parts[@]/#/linux-source-*/}"
	dpkg-deb --fsys-tarfile "$dir"/linux-libc-dev_*.deb | tar -x -C "$dir" --no-same-owner
	rm "$dir"/*.deb
}

# kernel_source SERIES: leave the parts above of Debian's newest package of it, its version,
# and the headers for userspace of that version in build/vm/source/SERIES. What is there stays.
kernel_source()
{
	local series=$1 dir=$vm/source/$1
	[[ ! -e $dir/id || $(<"$dir/id") != "${source_parts[*]}" ]] || return 0
	rm -rf "$dir" "$dir.tmp"
	mkdir -p "$dir.tmp"
	step "source $series: fetching" fetch_source "$series" "$dir.tmp"
	step "source $series: unpacking $(<"$dir.tmp/version")" unpack_source "$dir.tmp"
	echo "${source_parts[*]}" >"$dir.tmp/id"
	mv "$dir.tmp" "$dir"
}
