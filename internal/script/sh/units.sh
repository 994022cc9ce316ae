# Units of systemd: told of changes, controlled, and looked at until they have settled.

# units_changed notes that systemd has to read its unit files again, when a step changes
# something in a directory of them (systemd.unit(5)). The note goes before the change and
# outlives the run: should it die, the next one finds it. units_changed DIRECTORY
units_changed() {
	[ -z "${rehearsing-}" ] || return 0
	case $1/ in
	/etc/systemd/system/* | /run/systemd/system/* | /usr/local/lib/systemd/system/* | /usr/lib/systemd/system/* | /lib/systemd/system/*)
		# Not with ":", of which a redirection that fails ends the shell (POSIX.1-2017, XCU 2.8.1).
		true >"$state/daemon-reload" ;;
	esac
}

daemon_reload() {
	[ -e "$state/daemon-reload" ] || return 0
	systemctl daemon-reload && rm -f "$state/daemon-reload"
}

# notify writes down that a unit has to take in a change: notify NUMBER UNIT ACTION
notify() { note "$state/pending" "$2" "$3"; }

# note writes a note on a unit: note DIRECTORY UNIT ACTION. By a rename, for one that is there and
# lost its text in a crash would be none.
note() {
	printf '%s\n' "$3" >"$1/.new" && sync "$1/.new" && mv -f -T -- "$1/.new" "$1/$2" && sync "$1"
}

# clear takes the note away: clear NUMBER UNIT
clear() { rm -f -- "$state/pending/$2"; }

# validate runs a service's validator, without input: validate TEXT. It reads files, and at worst
# asks a DNS server.
validate() { bounded 120 "$1" </dev/null; }

# control_unit NUMBER UNIT VERB RELOAD CHECK NAME READY NAME GUARD BACK KIND LISTENER... acts on a
# unit. RELOAD says that systemd holds an older unit file; CHECK is a validator, READY a question
# to the unit once it has settled, each with its name for people; GUARD is the seconds after
# which a change that may cut the connection is undone; BACK says that it takes in its old files
# again, and KIND is "oneshot" of what runs to its end, "watched" of what a step of its own sees
# staying up. A word that says nothing is empty.
control_unit() {
	unit=$2 verb=$3 reload=$4 check=$5 checked=$6 ready=$7 asked=$8 guard=$9
	shift 9
	back=$1 kind=$2
	shift 2
	[ -z "$reload" ] || : >"$state/daemon-reload"
	daemon_reload
	if [ -n "$check" ]; then
		validate "$check" || { echo "$unit: its check failed, and it was left alone: $checked" >&2; return 65; } # recipe.CheckFailed
	fi
	case $verb in
	enable | disable | stop)
		systemctl -q "$verb" -- "$unit"
		return ;;
	esac
	# Until it has settled, or has failed to, only who made the change can say what becomes of it.
	[ -z "$guard" ] || countdown "$unit" $((guard + 180))
	# shellcheck disable=SC2046 # a word each
	if [ -n "$back" ]; then set -- $(cat "$run/listens-$unit" 2>/dev/null)
	elif [ $# -gt 0 ]; then listened "$unit" "$@"; fi
	begun=$(date +%s)
	serve "$unit" "$@" || give_up "$unit"
	[ -z "$guard" ] || countdown "$unit" "$guard"
}

# serve makes the unit take in what changed and sees that it does what it is for, with the
# variables of control_unit: serve UNIT LISTENER...
serve() {
	refusal=$(take_in "$1" "$verb" 2>&1) || explain "$1" "$refusal" || return
	if [ "$kind" != oneshot ]; then
		settle "$@" || return
		[ "$kind" = watched ] || watch "" "$1" || return
	fi
	[ -z "$ready" ] || validate "$ready" || {
		echo "$1: runs, but does not answer: $asked" >&2
		explain "$1"
	}
}

# give_up stops what did not run before and could not be started, or it would be tried again for
# ever, and fails: give_up UNIT
give_up() {
	[ "$verb" != start ] || systemctl stop -- "$1" 2>/dev/null
	return 1
}

# take_in starts, restarts or reloads a unit: take_in UNIT VERB
take_in() {
	case $2 in
	reload)
		# nginx's reload returns before its new workers serve.
		systemctl reload-or-restart -- "$1" && sleep 0.2 ;;
	*)
		systemctl reset-failed -- "$1" 2>/dev/null || :
		systemctl "$2" -- "$1" ;;
	esac
}

# property prints one property of a unit.
property() { systemctl show -p "$2" --value -- "$1"; }

# explain shows why a unit is not what it should be, and fails: explain UNIT [REFUSAL]. First what
# it says itself since the step began, each line once, for it may have been started several
# times; where it has said nothing, what systemd says of it. REFUSAL is systemctl's.
explain() {
	# What a process said last may come to the journal when it is gone: --sync waits for it, journalctl(1).
	timeout 10 journalctl --sync >/dev/null 2>&1 || :
	said=$(journal "_SYSTEMD_UNIT=$1" | awk '!seen[$0]++' | tail -n 20)
	printf '%s\n' "${said:-$(journal -u "$1" | tail -n 20)}" >&2
	systemctl show -p ActiveState,SubState,Result,ExecMainCode,ExecMainStatus,NRestarts -- "$1" >&2
	[ -z "${2-}" ] || printf '%s\n' "$2" >&2
	return 1
}

# journal prints what the journal has since the step began: journal MATCH...
journal() { journalctl -q --no-pager -o cat --since "@${begun:-0}" "$@" 2>/dev/null; }

# listening succeeds when a socket is there: a path, or address:port as /proc/net/tcp
# writes them (proc_net_tcp(5)), where 0A is LISTEN.
listening() {
	case $1 in
	/*) [ -S "$1" ] ;;
	*) awk -v want="$1" '$4 == "0A" && index($2, want) { found = 1 } END { exit !found }' \
		/proc/net/tcp /proc/net/tcp6 2>/dev/null ;;
	esac
}

# listened notes at which of its listeners something listens before a unit changes: with its
# old files it has to listen there again, and nowhere else. listened UNIT LISTENER...
listened() {
	noted=$run/listens-$1
	shift
	for listener; do
		! listening "$listener" || printf '%s\n' "$listener"
	done >"$noted"
}

# settle waits until a unit is active and listens where it should, and notes for watch until when
# it has to stay so: a start of Type=simple succeeds as soon as the process is forked.
# settle UNIT LISTENER...
settle() {
	unit=$1
	shift
	tries=0
	while :; do
		active=$(property "$unit" ActiveState)
		case $active in
		active) break ;;
		failed | inactive) explain "$unit"; return 1 ;;
		esac
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || { echo "$unit: still $active after 60 s" >&2; explain "$unit"; return 1; }
		sleep 0.1
	done
	restarts=$(property "$unit" NRestarts)
	for listener; do
		tries=0
		until listening "$listener"; do
			tries=$((tries + 1))
			[ "$(property "$unit" ActiveState)" = active ] && [ "$tries" -lt 300 ] || {
				echo "$unit: does not listen on $listener" >&2
				explain "$unit"
				return 1
			}
			sleep 0.1
		done
	done
	# A timer or a socket is what it is at once; a process may die after a moment, the sooner if it
	# has not said by itself that it is ready (systemd.service(5), Type=notify).
	case $unit in
	*.service) ;;
	*) return 0 ;;
	esac
	uptime
	case $(property "$unit" Type),$# in
	notify*) stays=20 ;;
	*,0) stays=100 ;;
	*) stays=40 ;;
	esac
	printf '%s\n' "$verb $begun $restarts $((uptime + stays)) $(property "$unit" InvocationID)" "$@" >"$run/watch-$unit"
}

# watch sees that a unit which has settled stays up for as long as settle has noted; one that was
# restarted along with another meanwhile has to settle anew: watch NUMBER UNIT
watch() {
	unit=$2
	for _ in 1 2 3; do
		[ -e "$run/watch-$unit" ] || return 0
		{
			read -r verb begun restarts end invocation
			set --
			while IFS= read -r listener; do set -- "$@" "$listener"; done
		} <"$run/watch-$unit"
		rm -f -- "$run/watch-$unit"
		uptime
		stays=$((end - uptime))
		[ "$stays" -le 0 ] || sleep "$((stays / 100)).$(printf %02d $((stays % 100)))"
		# Of each start there is another invocation (systemd.exec(5), INVOCATION_ID).
		[ "$(property "$unit" ActiveState),$(property "$unit" InvocationID)" != "active,$invocation" ] || return 0
		taken_along "$unit" && [ "$(property "$unit" NRestarts)" -le "$restarts" ] || break
		settle "$unit" "$@" || { give_up "$unit"; return 1; }
	done
	echo "$unit: did not stay up" >&2
	explain "$unit" || give_up "$unit"
}

# taken_along waits while systemd has work to do on a unit, as with one that it needs or is a part of
# (systemd.unit(5), Requires=, PartOf=). It fails where a unit is down, or tries again by itself:
# taken_along UNIT
taken_along() {
	tries=0
	while [ "$tries" -lt 600 ]; do
		tries=$((tries + 1))
		case $(property "$1" SubState) in auto-restart*) return 1 ;; esac
		case $(property "$1" ActiveState),$(property "$1" Job) in
		active,*) return 0 ;;
		failed,* | inactive, | inactive,0) return 1 ;;
		esac
		sleep 0.1
	done
	return 1
}

# uptime sets $uptime to the hundredths of a second since the boot, which no clock that is set
# changes (proc_uptime(5)).
uptime() {
	read -r uptime _ </proc/uptime
	uptime=${uptime%.*}${uptime#*.}
	while [ "${uptime#0}" != "$uptime" ]; do uptime=${uptime#0}; done
}
