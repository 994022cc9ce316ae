# The host's side of a run: sourced into one root shell that holds the lock while it
# reads steps from its standard input. POSIX sh and Debian's Essential packages only.
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
umask 022
cd /
state=/var/lib/provision

# say tells the controller, on what was standard output; a step's own output goes to
# standard error, so that the two never mix.
exec 3>&1 1>&2
say() { printf '%s\n' "$*" >&3 2>/dev/null || :; }

# record appends to the run's journal, and returns only when it is on the disk.
record() {
	printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" >>"$run/journal" &&
		sync "$run/journal" || room "$run/journal"
}

# mark parts what one step prints from what the next one does. It stands on a line of its
# own and bears the run's nonce, which no step knows: output cannot forge it.
mark() { printf '\n\036%s %s\n' "$nonce" "$1" >&2; }

# room names the file system that is full, where a write failed for that, and fails:
# room PATH
room() {
	df --output=avail,iavail,target -- "${1%/*}/" 2>/dev/null | {
		read -r _
		read -r kilobytes inodes at || return
		[ "$kilobytes" -ge 256 ] && [ "$inodes" != 0 ] ||
			echo "$1: the file system at $at is full: $kilobytes KiB and $inodes inodes are left" >&2
	}
	return 1
}

# keep stores what stands at a path, before it is changed: keep NUMBER PATH
keep() {
	if [ -L "$2" ]; then kind='link'
	elif [ -f "$2" ]; then kind='file'
	elif [ -d "$2" ]; then kind=directory
	elif [ -e "$2" ]; then kind=other
	else kind=absent; fi
	case $kind in
	file) cp -a -T -- "$2" "$run/kept/$1" && sync "$run/kept/$1" "$run/kept" ;;
	link) cp -a -T -- "$2" "$run/kept/$1" && sync "$run/kept" ;;
	directory)
		# chown first: it takes set-group-ID away.
		mkdir "$run/kept/$1" &&
			chown --reference="$2" "$run/kept/$1" &&
			chmod --reference="$2" "$run/kept/$1" ;;
	other)
		echo "$2: neither a file nor a directory nor a link" >&2
		return 1 ;;
	esac || room "$run/kept/$1" || forget "$1" || return
	enter "$1" "$kind" "$2"
}

# enter notes in the run's index what was kept: enter NUMBER KIND PATH. A line that a full
# disk cuts short goes again: the next one would become part of it.
enter() {
	whole=$(stat -c %s "$run/kept/index") || return
	printf '%s %s %s\n' "$1" "$2" "$(printf %s "$3" | base64 -w 0)" >>"$run/kept/index" &&
		sync "$run/kept/index" || {
		truncate -s "$whole" "$run/kept/index"
		room "$run/kept/index"
	}
}

# kept says whether something was kept of a step of the run: kept NUMBER. A line without its
# end, of a host that lost power, is of a step that had not begun.
kept() {
	while read -r number _; do
		[ "$number" != "$1" ] || return 0
	done <"$run/kept/index"
	return 1
}

# forget drops a copy that is not whole, and fails.
forget() {
	rm -rf "$run/kept/$1"
	return 1
}

# keep_tree stores a whole directory before it is removed: keep_tree NUMBER PATH
keep_tree() {
	cp -a -T -- "$2" "$run/kept/$1" || room "$run/kept/$1" || forget "$1" || return
	enter "$1" tree "$2"
}

# beside names a temporary beside a path, and notes it, so that the next run sweeps it
# should this one die. The base name is dropped: it may be as long as a name can be.
beside() {
	new=${1%/*}/.provision-$runid-$2
	printf '%s\n' "$(printf %s "$new" | base64 -w 0)" >>"$state/temporaries" &&
		sync "$state/temporaries"
}

# put moves a finished temporary into its place: put MODE OWNER:GROUP PATH
put() {
	chown -- "$2" "$new" && chmod "$1" "$new" && sync "$new" || room "$3" || discard || return
	units_changed "$3"
	# -T: a link that came there is replaced, never followed, and a directory is an error.
	mv -f -T -- "$new" "$3" || discard
}

# discard takes away the temporary of a write that failed, and fails.
discard() {
	rm -rf -- "$new"
	return 1
}

# units_changed notes that systemd has to read its unit files again. The note goes before
# the change and outlives the run: should it die, the next one finds it.
units_changed() {
	case $1 in
	/etc/systemd/system/*) : >"$state/daemon-reload" ;;
	esac
}

daemon_reload() {
	[ -e "$state/daemon-reload" ] || return 0
	systemctl daemon-reload && rm -f "$state/daemon-reload"
}

# notify writes down that a unit has to take in a change: notify UNIT ACTION. By a rename,
# for a note that is there and lost its text in a crash would be no note.
notify() {
	printf '%s\n' "$2" >"$state/pending/.new" &&
		sync "$state/pending/.new" &&
		mv -f -T -- "$state/pending/.new" "$state/pending/$1" &&
		sync "$state/pending"
}

# timed_out explains the status of a command under timeout(1), and returns it:
# timed_out STATUS SECONDS
timed_out() {
	case $1 in
	124) echo "stopped: it was not done after $2 s" >&2 ;;
	137) echo "killed: out of memory, or not done after $2 s" >&2 ;;
	esac
	return "$1"
}

# restore puts back what keep stored: restore NUMBER
restore() {
	while read -r number kind name; do
		[ "$number" = "$1" ] || continue
		# The full stop keeps a newline at the end of the name.
		path=$(printf %s "$name" | base64 -d; printf .)
		path=${path%.}
		units_changed "$path"
		case $kind in
		absent)
			# In a directory that the run made there may be what others put there.
			if [ -d "$path" ] && [ ! -L "$path" ]; then
				rmdir --ignore-fail-on-non-empty -- "$path"
				[ ! -d "$path" ] || echo "$path: stays, for it is not empty" >&2
			else rm -f -- "$path"; fi ;;
		file | link | tree)
			# Where that cannot be noted, something may be left: better than not to go back.
			beside "$path" "restore$1" || :
			cp -a -T -- "$from/kept/$1" "$new" || room "$path" || discard || return
			[ "$kind" != 'file' ] || sync "$new"
			[ "$kind" != tree ] || rm -rf -- "$path"
			mv -f -T -- "$new" "$path" || discard ;;
		directory)
			[ -d "$path" ] || mkdir -- "$path"
			chown --reference="$from/kept/$1" "$path" && chmod --reference="$from/kept/$1" "$path" ;;
		esac
		return
	done <"$from/kept/index"
	echo "nothing was kept of step $1 of run ${from##*/}" >&2
	return 1
}

# property prints one property of a unit.
property() { systemctl show -p "$2" --value -- "$1"; }

# explain shows why a unit is not what it should be.
explain() {
	systemctl show -p ActiveState,SubState,Result,ExecMainCode,ExecMainStatus,NRestarts -- "$1" >&2
	journalctl -u "$1" -n 20 --no-pager -o cat >&2 2>/dev/null
	return 1
}

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

# settle waits until a unit is active, listens where it should, and stays so: a start of
# Type=simple succeeds as soon as the process is forked. settle UNIT LISTENER...
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
	# A timer or a socket is what it is at once; a process may die after a moment.
	case $unit in
	*.service) if [ $# -gt 0 ]; then sleep 0.4; else sleep 1; fi ;;
	*) return 0 ;;
	esac
	[ "$(property "$unit" ActiveState)" = active ] && [ "$(property "$unit" NRestarts)" = "$restarts" ] ||
		{ echo "$unit: did not stay up" >&2; explain "$unit"; }
}
