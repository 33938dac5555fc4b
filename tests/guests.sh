# shellcheck shell=bash
# Guests that run beside one another: sourced by matrix and check-debug.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# in_guest LOG KERNEL ARG...: tests/vm/run with these ARGs. Leaves what it prints in
# LOG.log and LOG.err, the kernel's messages in LOG.dmesg, its exit status in LOG.status.
in_guest()
{
	local log=$1 kernel=$2 run status=0
	shift 2
	"$top/tests/vm/run" --kernel "$kernel" --cpus 2 "$@" >"$log.log" 2>"$log.err" </dev/null &
	run=$!
	trap 'kill "$run" 2>/dev/null; exit 130' INT TERM
	wait "$run" || status=$?
	cp "$top"/build/vm/dmesg/*-"$kernel-$run" "$log.dmesg" 2>/dev/null || :
	echo "$status" >"$log.status"
}

# one_more JOBS: before each job in the background; waits while JOBS of them run.
running=0
one_more()
{
	if [[ $running -ge $1 ]]; then
		wait -n || :
	else
		running=$((running + 1))
	fi
}

# The harness must find the compiler's feature, not us: 5.10 and 6.1 have no fprobe.
backends_of()
{
	case $1 in
	5.10*|6.1|6.1.*|6.1-*) echo kretprobe ;;
	*) echo fprobe kretprobe ;;
	esac
}
