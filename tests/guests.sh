# shellcheck shell=bash
# Guests that run beside one another: sourced by matrix and check-debug.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# 7.2's return_to_handler() calls itself to write its return address over: who unwinds in
# an interrupt between the two finds the address before it. The debug kernels' KASAN and
# kmemleak unwind often, and a return by fprobe goes this way.
expected_of_72=(--expect 'stack going in the wrong direction\? at return_to_handler\+0x')

# in_guest LOG KERNEL ARG...: tests/vm/run with these ARGs. Leaves what it prints in
# LOG.log and LOG.err, the kernel's messages in LOG.dmesg, its exit status in LOG.status;
# where GCOV is set, which lines of the module ran in LOG.gcov.
in_guest()
{
	local log=$1 kernel=$2 run status=0 expected=()
	shift 2
	[[ $kernel != *7.2* ]] || expected=("${expected_of_72[@]}")
	"$top/tests/vm/run" --kernel "$kernel" --cpus 2 ${GCOV:+--gcov "$log.gcov"} \
		"${expected[@]}" "$@" \
		>"$log.log" 2>"$log.err" </dev/null &
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

# fewer_rounds: what tests/matrix takes from the environment, for kernels that are many
# times slower; what is set stays.
fewer_rounds()
{
	export SLOW=${SLOW:-8} ROUNDS=${ROUNDS:-40} RACES=${RACES:-500}
	export CONTENTION=${CONTENTION:-128} STORM_SECONDS=${STORM_SECONDS:-10}
	export BESIDE_ROUNDS=${BESIDE_ROUNDS:-2} SAVES=${SAVES:-2} MANY_CPUS=${MANY_CPUS:-4}
	export LOAD_FAULTS=${LOAD_FAULTS:-50000} PLUG_ROUNDS=${PLUG_ROUNDS:-5} WRITES=${WRITES:-3000}
}

# The harness must find the compiler's feature, not us: 5.10 and 6.1 have no fprobe.
backends_of()
{
	case $1 in
	5.10*|6.1|6.1.*|6.1-*) echo kretprobe ;;
	*) echo fprobe kretprobe ;;
	esac
}

# known WHAT WORD LIST...: a word that was misspelt must not pass for no word.
known()
{
	local what=$1 word=$2
	shift 2
	[[ " $* " != *" $word "* ]] || return 0
	say "no $what '$word': they are $*"
	exit 2
}

# backends_asked KERNEL: those of them that BACKENDS names, all where it is empty.
backends_asked()
{
	local backend
	for backend in $(backends_of "$1"); do
		[[ " ${BACKENDS:-$backend} " != *" $backend "* ]] || echo "$backend"
	done
}
