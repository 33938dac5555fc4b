# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Debian roots in which packages are built and installed. Sourced by run, behind
# tests/vm/lib.sh and fetch.sh.
# shellcheck disable=SC2154 # lib.sh sets vm and here

roots=$vm/packaging

as_root()
{
	if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

# enter ROOT CMD...: run a command inside a root, by itself in namespaces of mounts
# and processes, so that nothing it mounts or starts outlives it. Packages that were
# fetched once are kept for the next root of the suite.
# shellcheck disable=SC2016
inside='
set -e
root=$1; shift
mount --make-rprivate / 2>/dev/null || :
mount --bind "$root" "$root"
mount --make-private "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
mount --bind "${root%/*}/archives" "$root/var/cache/apt/archives"
mount --bind "${root%/*}/exchange" "$root/mnt"
export HOME=/root LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin TMPDIR=/tmp
export DEBIAN_FRONTEND=noninteractive
unset LD_LIBRARY_PATH LD_PRELOAD
exec chroot "$root" "$@"'

enter()
{
	as_root unshare --mount --pid --fork --kill-child --propagation unchanged \
		/bin/bash -c "$inside" enter "$@"
}

# copy FROM TO: a root like another.
copy()
{
	as_root rm -rf --one-file-system "$2"
	as_root cp -a --reflink=auto "$1" "$2"
}

make_pristine()
{
	local suite=$1 dir=$roots/$1 base security signed suites=()
	base=$(mirror base)
	security=$(mirror security)
	signed='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
	suites=("deb $signed $base $suite main" "deb $signed $base $suite-updates main")
	[[ -z $security ]] || suites+=("deb $signed $security $suite-security main")
	as_root rm -rf --one-file-system "$dir/pristine" "$dir/pristine.tmp"
	as_root "$here/namespace" mmdebstrap --mode=root --variant=apt --architectures=amd64 \
		--aptopt='APT::Install-Recommends "false"' \
		--aptopt='Acquire::Retries "3"' --aptopt='APT::Sandbox::User "root"' \
		--include=debian-archive-keyring \
		"$suite" "$dir/pristine.tmp" "${suites[@]}"
	# What is fetched stays; nothing is started.
	as_root rm -f "$dir/pristine.tmp/etc/apt/apt.conf.d/docker-clean"
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$dir/pristine.tmp/usr/sbin/policy-rc.d" >/dev/null
	as_root chmod 755 "$dir/pristine.tmp/usr/sbin/policy-rc.d"
	as_root mv "$dir/pristine.tmp" "$dir/pristine"
}

# apt-get is to ask nothing and to keep what it has fetched; nobody needs these roots after
# a power failure.
apt_options=(-q -y -o Dpkg::Use-Pty=0 -o APT::Keep-Downloaded-Packages=true
	     -o Dpkg::Options::=--force-unsafe-io)

# apt ROOT ARG...
apt()
{
	local root=$1
	shift
	enter "$root" apt-get "${apt_options[@]}" "$@"
}

# What packages are built and looked at with, besides what debian/control asks for.
build_packages() { echo build-essential dpkg-dev lintian; }

# build_dependencies: as debian/control has them.
build_dependencies()
{
	sed -n '/^Build-Depends:/,/^[A-Z].*-Version/p' "$top/userspace/packaging/debian/control" |
		sed '1s/^[^:]*://; /^[A-Z]/d; s/([^)]*)//g; s/<[^>]*>//g; s/:any//; s/debhelper-compat/debhelper/; s/,//g'
}

make_build()
{
	local dir=$roots/$1
	as_root rm -rf --one-file-system "$dir/build"
	copy "$dir/pristine" "$dir/build.tmp"
	apt "$dir/build.tmp" update
	# shellcheck disable=SC2046 # lists
	apt "$dir/build.tmp" install $(build_packages) $(build_dependencies)
	as_root mv "$dir/build.tmp" "$dir/build"
}

# prepare_roots SUITE: a pristine root, and one for building, which is made anew when what
# the packages are built with changes.
prepare_roots()
{
	local suite=$1 dir=$roots/$1 id
	mkdir -p "$dir/archives/partial" "$dir/exchange"
	[[ -e $dir/pristine ]] || step "packaging: $suite root" make_pristine "$suite"
	id=$(build_packages; build_dependencies)
	if [[ ! -e $dir/build || ! -e $dir/build.id || $(<"$dir/build.id") != "$id" ]]; then
		step "packaging: $suite root for building" make_build "$suite"
		echo "$id" >"$dir/build.id"
	fi
}
