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
