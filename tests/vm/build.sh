# shellcheck shell=bash
# The kernels that prepare builds itself. Sourced behind lib.sh and fetch.sh.
# shellcheck disable=SC2154 # lib.sh sets here, vm, root; apt_for sets apt
#
# Each step does nothing where an interrupted preparation has done it.

# source_package NAME DIR: the newest package of the kernel's source, unless
# an interrupted build left off with it.
source_package()
{
	local name=$1 dir=$2 package version
	package=$(table_line "$name" | sed 's/.* built=\([^ ]*\).*/\1/')
	apt_for "$name"
	apt-get "${apt[@]}" update
	version=$(apt-cache "${apt[@]}" show --no-all-versions "$package" |
		sed -n 's/^Version: //p')
	[[ -n $version ]] || { echo "the archive has no package $package"; return 1; } >&2
	if [[ ! -e $dir/version || $(<"$dir/version") != "$version" ]]; then
		rm -rf "$dir"
		mkdir -p "$dir/deb"
		(cd "$dir/deb" && apt-get "${apt[@]}" download "$package=$version")
		echo "$version" >"$dir/version"
	fi
}

unpack_source()
{
	local dir=$1
	[[ ! -e $dir/unpacked ]] || return 0
	rm -rf "$dir/source"
	mkdir "$dir/source"
	dpkg-deb --fsys-tarfile "$dir"/deb/*.deb |
		tar -x -O --wildcards '*/linux-source-*.tar.xz' |
		from_root bin/xz -dc | tar -x -C "$dir/source" --strip-components=1
	rm -rf "$dir/deb"
	touch "$dir/unpacked"
}

# build_make NAME ARG...: make, in the root, in the unpacked source. ccache makes a
# build after a change of a few lines of a configuration one of minutes.
build_make()
{
	local name=$1 compiler
	compiler=$(table_line "$name" | cut -d' ' -f1)
	shift
	# string.o: see debug.config; KCSAN_SANITIZE: see kcsan.config.
	"$here/in-root" env KBUILD_BUILD_USER=cowtrace KBUILD_BUILD_HOST="$name" \
		CCACHE_DIR=/build/ccache CCACHE_NOHASHDIR=1 \
		make -C "/build/$name/source" CC="ccache $compiler" HOSTCC="$compiler" \
		KASAN_SANITIZE_string.o=n KCSAN_SANITIZE=n "$@"
}

# configure NAME DIR: kconfig drops what it does not know, or what lacks
# something, without a word.
configure()
{
	local name=$1 dir=$2 missing
	built_config "$name" >"$dir/config"
	build_make "$name" "KCONFIG_ALLCONFIG=/build/$name/config" allnoconfig
	missing=$(grep -E '^(CONFIG_|# CONFIG_.* is not set$)' "$dir/config" |
		grep -vxFf "$dir/source/.config") || return 0
	echo "$dir/config has lines that the kernel's configuration did not take:"
	echo "$missing"
	return 1
} >&2

# compile NAME: says each minute how far it is.
compile()
{
	local name=$1 line count=0 next=$((SECONDS + 60))
	build_make "$name" "-j$(nproc)" bzImage modules 2>&1 |
		while IFS= read -r line; do
			echo "$line"
			[[ $line != '  CC '* && $line != '  AS '* ]] || count=$((count + 1))
			[[ $SECONDS -ge $next ]] || continue
			say "kernel $name: $count files compiled" 2>&"$stderr"
			next=$((SECONDS + 60))
		done
}

# install_built NAME BUILD DIR: leave in DIR and the root what a fetched
# kernel's packages would.
install_built()
{
	local name=$1 build=$2 dir=$3 release headers
	release=$(<"$build/source/include/config/kernel.release")
	headers=/usr/src/linux-headers-$release
	echo "$release" >"$dir/release"
	echo "$(<"$build/version")+$name" >"$dir/version"
	cp "$build/config" "$dir/config"
	cp "$build/source/arch/x86/boot/bzImage" "$dir/vmlinuz"
	rm -rf "$build/tree"
	mkdir -p "$build/tree/usr/lib"
	ln -s usr/lib "$build/tree/lib"
	build_make "$name" INSTALL_MOD_PATH="/build/$name/tree" DEPMOD=true modules_install
	mv "$build/tree" "$dir/tree"
	rm -rf "$root$headers" "$root/lib/modules/$release"
	build_make "$name" \
		KBUILD_RUN_COMMAND="\$(srctree)/scripts/package/install-extmod-build $headers" \
		run-command
	cp "$build/source/.config" "$root$headers/"
	mkdir "$root/lib/modules/$release"
	ln -s "$headers" "$root/lib/modules/$release/build"
	[[ -e $root$headers/Makefile && -e $root$headers/Module.symvers ]]
}

build_kernel()
{
	local name=$1 dir=$2 build=$vm/build/$1
	mkdir -p "$vm/build"
	step "kernel $name: fetching its source" source_package "$name" "$build"
	step "kernel $name: unpacking $(<"$build/version")" unpack_source "$build"
	step "kernel $name: configuring" configure "$name" "$build"
	step "kernel $name: compiling" compile "$name"
	step "kernel $name: installing" install_built "$name" "$build" "$dir"
	rm -rf "$build"
}
