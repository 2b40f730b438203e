# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What every scenario uses: TAP, waiting, namespaces, daemons, comparing what
# was before with what is left. Sourced first by a scenario, in the guest:
#
#	. ./lib.sh
#	. ./topology.sh
#	topo_up
#	check "it answers" on mob ping -c 1 -W 2 "$CA"
#	finish
#
# A scenario that ends before finish has failed, and cleans up all the same.

set -u
[ -z "${V:-}" ] || { PS4='# + '; exec 2>&1; set -x; }

OUT=${OUT:-$(mktemp -d)}
RUN=$(mktemp -d)	# configuration and state of daemons, not kept
ID=$(od -An -N2 -tx1 /dev/urandom | tr -d ' ')
tests=0
failures=0
finished=
declare -A DAEMON=()	# name -> pid
declare -a NAMESPACES=()
exec {never}<> <(:)	# a descriptor on which nothing ever arrives

# --- TAP ---

# ok NAME, not_ok NAME, skip NAME REASON: one test point
ok()
{
	tests=$((tests + 1))
	echo "ok $tests - $1"
}

not_ok()
{
	tests=$((tests + 1))
	failures=$((failures + 1))
	echo "not ok $tests - $1"
}

skip()
{
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# check NAME COMMAND...: ok if the command succeeds; else shows its output. The
# command runs in this shell, so functions may set variables.
check()
{
	local name=$1

	shift
	if "$@" >"$RUN/check" 2>&1; then
		ok "$name"
	else
		not_ok "$name"
		echo "#   $*"
		tail -n 20 "$RUN/check" | sed 's/^/#   /'
	fi
}

# refute NAME COMMAND...: ok if the command fails
refute()
{
	local name=$1

	shift
	if "$@" >/dev/null 2>&1; then
		not_ok "$name"
		echo "#   succeeded: $*"
	else
		ok "$name"
	fi
}

# equal NAME GOT WANTED
equal()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1"
		printf '#   got:    %s\n#   wanted: %s\n' "$2" "$3"
	fi
}

note()
{
	echo "# ${*//$'\n'/$'\n'# }"
}

# bail SENTENCE: nothing that follows would make sense
bail()
{
	echo "Bail out! $*"
	exit 1
}

# finish: the last line of a scenario
finish()
{
	finished=1
	echo "1..$tests"
	[ "$failures" = 0 ]
	exit
}

# --- time ---

# pause SECONDS: between two looks of a wait loop, without starting a process
pause()
{
	read -r -t "$1" -u "$never" _ || :
}

# now_ms: milliseconds of the clock that does not jump
now_ms()
{
	local up

	read -r up _ </proc/uptime
	echo $((10#${up/./} * 10))
}

# wait_for SECONDS COMMAND...: until it succeeds; false when the time is over,
# which is later on a machine that is busy with other things (SLOW)
wait_for()
{
	local limit=$1 end

	shift
	end=$((SECONDS + limit * ${SLOW:-1} + 1))
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		pause 0.05
	done
}

# --- namespaces ---

# ns NAME: the real name of a namespace, which is random
ns()
{
	echo "$1-$ID"
}

# How a command gets into a namespace: by src/within.c where that has been built,
# because ip(8) takes longer than most commands.
WITHIN=(within)
type -P within >/dev/null || WITHIN=(ip netns exec)

# on NAME COMMAND...: runs a command there
on()
{
	local name=$1

	shift
	"${WITHIN[@]}" "$name-$ID" "$@"
}

# on_sys NAME COMMAND...: likewise, and /sys is that namespace's, too
on_sys()
{
	local name=$1

	shift
	ip netns exec "$name-$ID" "$@"
}

# netns_add NAME...
netns_add()
{
	local name

	for name; do
		echo "netns add $name-$ID"
		NAMESPACES+=("$name")
	done >"$RUN/netns"
	ip -batch "$RUN/netns"
}

# no_link NAME DEVICE: there is none, its other end may have gone
no_link()
{
	! ip -n "$1-$ID" link show dev "$2"
}

# --- daemons ---

# start NAME NAMESPACE COMMAND...: in the background; output to OUT/NAME.log.
# The command must stay in the foreground.
start()
{
	local name=$1 where=$2

	shift 2
	"${WITHIN[@]}" "$where-$ID" "$@" >>"$OUT/$name.log" 2>&1 </dev/null &
	DAEMON[$name]=$!
}

# running NAME
running()
{
	[ -n "${DAEMON[$1]:-}" ] && kill -0 "${DAEMON[$1]}" 2>/dev/null
}

# stop NAME [SIGNAL]: false if it had to be killed
stop()
{
	local pid=${DAEMON[$1]:-} ret=0

	[ -n "$pid" ] || return 0
	unset "DAEMON[$1]"
	kill "-${2:-TERM}" "$pid" 2>/dev/null
	wait_for 5 gone "$pid" || { kill -KILL "$pid"; ret=1; }
	wait "$pid" 2>/dev/null
	return $ret
}

# gone PID: it ended (a zombie of ours counts)
gone()
{
	! kill -0 "$1" 2>/dev/null ||
		[ "$(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null)" = Z ]
}

# listens NAMESPACE PORT [tcp|udp]
listens()
{
	local flag=-t

	[ "${3:-tcp}" = tcp ] || flag=-u
	[ -n "$(ss -N "$1-$ID" -Hln "$flag" "sport = :$2")" ]
}

# --- nothing left over ---

# state_of NAMESPACE: what must be the same afterwards. Learned neighbours come
# and go by themselves; permanent and proxy ones do not.
state_of()
{
	ip -n "$1-$ID" -o -batch - <<-BATCH |
		addr show
		route show table all
		rule show
		neigh show nud permanent
		neigh show proxy
		link show type dummy
		xfrm state
		xfrm policy
	BATCH
		sed -E 's/ (valid|preferred)_lft [^ ]+//g'
	ip -n "$1-$ID" -6 -batch - <<-BATCH | sed 's/ expires [^ ]*//'
		route show table all
		rule show
	BATCH
	on "$1" nft -s list ruleset
	! grep -q '^hmmp ' /proc/modules || {
		on "$1" hmmpctl -j flows
		on "$1" hmmpctl -j bindings
	}
}

# state_save LABEL NAMESPACE...; state_same LABEL NAMESPACE... shows differences
state_save()
{
	local label=$1 name

	shift
	mkdir -p "$OUT/state/$label"
	for name; do
		state_of "$name" >"$OUT/state/$label/$name" 2>&1
	done
}

state_same()
{
	local label=$1

	shift
	state_save "$label-after" "$@"
	diff -ru "$OUT/state/$label" "$OUT/state/$label-after"
}

# kernel_quiet: no complaint in the kernel's log up to now
kernel_quiet()
{
	! dmesg | grep -E 'WARNING:|BUG:|Oops|refcount_t|rcu: INFO'
}

# --- the end ---

# keep_facts: what somebody needs who looks for the reason of a failure
keep_facts()
{
	local name

	mkdir -p "$OUT/facts"
	for name in "${NAMESPACES[@]}"; do
		{
			state_of "$name"
			ip -n "$name-$ID" -s link
			ip -n "$name-$ID" neigh
			on "$name" ss -tanpie
			on "$name" nstat -az
			on "$name" nft list ruleset
		} >"$OUT/facts/$name" 2>&1
	done
	cp -R /tmp/prepared "$RUN" "$OUT/facts/" 2>/dev/null
}

cleanup()
{
	local name

	set +x
	[ -n "$finished" ] || echo "# ended before finish"
	if [ -z "$finished" ] || [ "$failures" != 0 ]; then
		keep_facts
	fi
	# all at once first: many are slow to end
	kill "${DAEMON[@]}" 2>/dev/null
	for name in "${!DAEMON[@]}"; do
		stop "$name" || echo "# $name had to be killed"
	done
	for name in "${NAMESPACES[@]}"; do
		echo "netns del $name-$ID"
	done >"$RUN/netns"
	ip -batch "$RUN/netns"
	rm -rf "$RUN"
}
trap cleanup EXIT
trap 'exit 143' TERM
