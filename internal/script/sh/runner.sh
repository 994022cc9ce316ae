# The run itself: take the lock, sweep what a dead run left, then do step after step.
# Sourced after the functions, with $holder, $patience, $silence, $header, $leave and $question
# set.

# Where the root is mounted read-only, /var may be writable all the same, and the first steps
# would be done.
[ -w /etc ] || { echo "/etc: Read-only file system" >&2; exit 71; }

# holder names whose run holds the lock, and what of that is still at work: an apt-get may
# outlive its run.
holder() {
	cat "$state/holder" 2>/dev/null || printf 'a run that has ended'
	lock=$(readlink -f "$state/lock") # /var may be a link
	for process in /proc/[0-9]*; do
		[ "$(readlink "$process/fd/9" 2>/dev/null)" = "$lock" ] && read -r name 2>/dev/null <"$process/comm" || continue
		case $name in
		sh | timeout | head | tail | flock) ;;
		*) printf '; at work: %s' "$name"; return ;;
		esac
	done
}
mkdir -p "$state" && chmod 0700 "$state" && mkdir -p "$state/pending" "$state/runs" || exit 71
exec 9>>"$state/lock" || exit 71
if ! flock -n 9; then
	say "busy $(holder)"
	flock -w "$patience" 9 3>&- || { say "locked $(holder)"; exit 75; }
fi
# The number after the last one: under the lock, and whatever any clock says.
last=$(ls "$state/runs" | tail -n 1)
last=${last:-000000}
begin_memory "$last" || exit 71
while [ "${last#0}" != "$last" ]; do last=${last#0}; done
runid=$(printf %06d "$((${last:-0} + 1))")
run=$state/runs/$runid
from=$run
mkdir -m 0700 "$run" "$run/kept" || exit 71
: >"$run/kept/index"
printf '%s since %s' "$holder" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$state/holder"

# A run that has no end in its journal died: what it left beside files goes, and the
# services that it held are released. So does a note that was not whole.
swept=0
rm -f "$state/pending/.new" "$state/undo.new"
sweep "$state/temporaries" '*/.provision-*'
# Where the uploads are, the version before had a list of them.
[ -d "$state/uploads" ] || sweep "$state/uploads" '*/.provision-*'
mkdir -p "$state/uploads" || exit 71
release_services
# In names of its own, which nobody can know before.
salt=$(od -An -N 8 -tx1 /dev/urandom | tr -d ' \n')
adopt
unfinished=
for earlier in "$state"/runs/*; do
	[ "$earlier" = "$run" ] || [ ! -e "$earlier/open" ] || {
		unfinished="$unfinished ${earlier##*/}"
		rm -rf "$earlier/open" "$earlier"/rehearse*
	}
done
# With its process, for who takes over from it when the connection is cut: $$ may be the shell
# that this one is a part of.
read -r process _ </proc/self/stat
echo "$process" >"$run/open"
record "$header" || exit 71
# Made here and told to the controller alone: in no argv, in no environment.
nonce=$(od -An -N 16 -tx1 /dev/urandom | tr -d ' \n')
say "ready $runid $nonce $(boot_id) $swept$unfinished"

# answer says what the sh in $code prints, which has bytes that no line can bear. A question gets
# neither the lock nor the way to the controller.
answer() { say "answer $( (eval "$code") </dev/null 3>&- 9>&- | base64 -w 0)"; }
[ -z "$question" ] || {
	code=$question
	answer
}

# forget_secrets drops the copies of secrets that were replaced, once a run has converged, be
# it the one that did so or the next: what is rotated must be nowhere any more.
forget_secrets() {
	[ -e "$state/secrets" ] || return 0
	while read -r secret; do
		for index in "$state"/runs/*/kept/index; do
			while read -r number kind coded; do
				case $kind in
				file) [ "$coded" != "$secret" ] || rm -f "${index%/index}/$number" ;;
				tree) forget_in "${index%/index}/$number" "$coded" "$secret" ;;
				esac
			done <"$index"
		done
	done <"$state/secrets"
	rm -f "$state/secrets"
}

finish() {
	daemon_reload
	case $1 in
	*'"converged"'*) forget_secrets ;;
	esac
	disarm
	record "$1"
	# Uploads that are not whole by now: a run that died began them, and this one did not go on.
	rm -f "$state/uploads"/*
	# A step that was killed cleaned nothing up.
	sweep "$state/temporaries" "*/.provision-*-$salt"
	rm -f "$run/open" "$run/apt" "$run/apt-errors" "$run"/listens-* "$run"/watch-* "$run/apt-output" "$state/holder"
	forget_runs
}

# forget_runs takes away all but the newest runs, which can be looked at and taken back, and all but as
# many actions, of which nothing can be taken back: many of these push out no run.
forget_runs() {
	runs=0 actions=0
	ls -r "$state/runs" | while read -r old; do
		begun=''
		read -r begun 2>/dev/null <"$state/runs/$old/journal" || :
		case $begun in
		*'"does":"do '*) actions=$((actions + 1)) newer=$actions ;;
		*) runs=$((runs + 1)) newer=$runs ;;
		esac
		[ "$newer" -le "$leave" ] || rm -rf "$state/runs/$old"
	done
}

# receive reads sh of so many bytes into $code: receive BYTES. head(1) succeeds when the connection
# breaks off too; half a script must not run.
receive() {
	code=$(timeout --foreground 600 head -c "$1" 3>&- 9>&-; printf .)
	code=${code%.}
	[ "${#code}" -eq "$1" ]
}

# The controller speaks at least every 20 s; one that is silent for $silence seconds is
# gone, and its lock with it. A step inherits the lock: an orphaned one keeps it until it
# ends. What only waits for the controller does not, nor does a question.
# shellcheck disable=SC2016 # $line is of the inner sh
while line=$(timeout --foreground "$silence" sh -c 'IFS= read -r line && printf %s "$line"' 2>/dev/null 3>&- 9>&-); do
	case $line in
	alive) ;;
	run\ *)
		receive "${line#run }" || break
		(eval "$code") </dev/null
		status=$?
		say "batch $status"
		mark batch ;;
	ask\ *)
		receive "${line#ask }" || break
		answer ;;
	# What comes after a run that failed is another question.
	then\ *)
		receive "${line#then }" || break
		[ "$status" != 0 ] || answer ;;
	finish\ *)
		finish "${line#finish }"
		flock -u 9
		say finished
		exit 0 ;;
	*) say "unknown $line"; exit 70 ;;
	esac
	code=
done
# No step is under way: what one left in the background, a daemon, must not keep the lock.
flock -u 9
exit 74
