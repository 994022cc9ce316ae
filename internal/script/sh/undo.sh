# What a host runs, by a timer and at boot, while a change is armed: it undoes what nobody
# can confirm any more. Sourced after prelude.sh and guard.sh; with the name of a unit as its
# argument it undoes that one at once.

# One at a time, by a lock of its own: the run's may be held by one that was cut off.
exec 8<"$state" && flock 8 || exit 71

# nobody_runs takes the run's lock, and keeps it to the end.
nobody_runs() {
	exec 9>>"$state/lock"
	flock -n 9
}

# due says whether an armed change has to be undone: that was begun, the host was rebooted,
# the run that could confirm it is gone, or its time is over. Of a run that is gone only the
# connection may be, which the change has cut, and who made it confirms it over another one:
# for that there are ten seconds, when the change is live.
due() {
	[ -e "$1/open" ] || { [ -e "$1/undoing" ]; return; }
	[ "$(cat "$1/boot")" = "$(boot_id)" ] || return 0
	read -r uptime _ </proc/uptime
	uptime=${uptime%%.*}
	if nobody_runs; then
		[ -e "$1/live" ] || return 0
		[ -e "$1/alone" ] || echo $((uptime + 10)) >"$1/alone"
		[ "$uptime" -lt "$(cat "$1/alone")" ] || return 0
	fi
	[ -e "$1/live" ] && [ "$uptime" -ge "$(cat "$1/live")" ]
}

# put_back restores the files of the run's armed change, newest first. What it replaces is not
# kept: the disk may be full.
put_back() {
	status=0
	steps=$(tac "$1/index") || return
	for step in $steps; do
		# A step that was noted and not begun has nothing to put back.
		kept "$step" 2>/dev/null || continue
		if restore "$step"; then record "{\"event\":\"undo\",\"step\":$step}"; else status=1; fi
	done
	return $status
}

# tell_neighbours writes down that other units have to take in the files that come back.
tell_neighbours() {
	for note in "$1"/neighbours/*; do
		[ ! -e "$note" ] || mv -f -T -- "$note" "$state/pending/${note##*/}" || return
	done
	sync "$state/pending"
}

# again says what failed, and fails. The timer tries again; since a boot it does not run.
again() {
	echo "$1: this is tried again" >&2
	systemctl --no-block start provision-undo.timer
	return 1
}

# undo UNIT: at boot nothing may be waited for, for what is started waits for this. It may be
# cut off anywhere, and is then done again from the start.
undo() {
	armed=$state/armed/$1
	[ -e "$armed/undoing" ] || mv -T -- "$armed/open" "$armed/undoing" || return
	block=
	[ "$(cat "$armed/boot")" = "$(boot_id)" ] || block=--no-block
	read -r active enabled runid <"$armed/found"
	run=$state/runs/$runid from=$state/runs/$runid
	whole_lines "$run/journal" # which a power cut may have cut short
	salt=$(od -An -N 8 -tx1 /dev/urandom | tr -d ' \n')
	# What an undoing that was cut off has left beside files, too.
	if nobody_runs; then sweep "$state/temporaries" '*/.provision-*'; fi
	case $active in
	active | reloading | activating) ;;
	*) systemctl $block stop -- "$1" ;;
	esac
	case $enabled in
	enabled* | static | generated) ;;
	*) systemctl -q disable -- "$1" 2>/dev/null ;;
	esac
	# First, for it may be cut off; but nothing keeps the files from going back.
	tell_neighbours "$armed" || :
	put_back "$armed" || again "$1: not all is undone" || return
	daemon_reload
	case $active in
	active | reloading | activating)
		systemctl $block reload-or-restart -- "$1" || systemctl $block restart -- "$1" ||
			again "$1: does not take in its old files" || return ;;
	esac
	tell_neighbours "$armed" || again "$1: who else takes in its old files could not be noted" || return
	rm -f "$state/pending/$1"
	record "{\"event\":\"undone\",\"unit\":\"$1\"}"
	# First the name by which this would begin anew: what it needs for that goes in any order.
	mv -T -- "$armed/undoing" "$armed/undone"
	rm -rf "$armed"
}

for armed in "$state"/armed/*; do
	unit=${armed##*/}
	if [ "$#" -gt 0 ] && [ "$1" = "$unit" ] || due "$armed"; then undo "$unit"; fi
done
# Between the units of a change and the change itself a run is at work: it is left alone.
[ "$#" -gt 0 ] || ! nobody_runs || disarm
