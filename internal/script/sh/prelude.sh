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
	printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" >>"$run/journal" || return
	sync "$run/journal"
}

# keep stores what stands at a path, before it is changed: keep NUMBER PATH
keep() {
	if [ -L "$2" ]; then kind=link
	elif [ -f "$2" ]; then kind=file
	elif [ -d "$2" ]; then kind=directory
	elif [ -e "$2" ]; then kind=other
	else kind=absent; fi
	case $kind in
	file | link) cp -a -T -- "$2" "$run/kept/$1" && sync "$run/kept" ;;
	directory)
		mkdir "$run/kept/$1"
		chmod --reference="$2" "$run/kept/$1"
		chown --reference="$2" "$run/kept/$1" ;;
	esac || return
	printf '%s %s %s\n' "$1" "$kind" "$(printf %s "$2" | base64 -w 0)" >>"$run/kept/index"
	sync "$run/kept/index"
}

# keep_tree stores a whole directory before it is removed: keep_tree NUMBER PATH
keep_tree() {
	cp -a -T -- "$2" "$run/kept/$1" || return
	printf '%s %s %s\n' "$1" tree "$(printf %s "$2" | base64 -w 0)" >>"$run/kept/index"
	sync "$run/kept/index"
}

# beside names a temporary beside a path, and notes it, so that the next run sweeps it
# should this one die. The base name is dropped: it may be as long as a name can be.
beside() {
	new=${1%/*}/.provision-$runid-$2
	printf '%s\n' "$(printf %s "$new" | base64 -w 0)" >>"$state/temporaries"
	sync "$state/temporaries"
}

# put moves a finished temporary into its place: put MODE OWNER:GROUP PATH
put() {
	chown -- "$2" "$new" && chmod "$1" "$new" && sync "$new" && mv -f -T -- "$new" "$3" || {
		rc=$?
		rm -f -- "$new"
		return $rc
	}
	units_changed "$3"
}

# units_changed notes that systemd has to read its unit files again.
units_changed() {
	case $1 in
	/etc/systemd/system/*) : >"$run/daemon-reload" ;;
	esac
}

daemon_reload() {
	[ -e "$run/daemon-reload" ] || return 0
	systemctl daemon-reload && rm -f "$run/daemon-reload"
}

# restore puts back what keep stored: restore NUMBER
restore() {
	while read -r number kind name; do
		[ "$number" = "$1" ] || continue
		path=$(printf '%s.' "$name" | { IFS=. read -r coded; printf %s "$coded" | base64 -d; printf .; })
		path=${path%.}
		units_changed "$path"
		case $kind in
		absent) rm -rf -- "$path" ;;
		file | link)
			beside "$path" "restore$1"
			cp -a -T -- "$from/kept/$1" "$new" && mv -f -T -- "$new" "$path" ;;
		directory)
			[ -d "$path" ] || mkdir -- "$path"
			chmod --reference="$from/kept/$1" "$path" && chown --reference="$from/kept/$1" "$path" ;;
		tree)
			rm -rf -- "$path" && cp -a -T -- "$from/kept/$1" "$path" ;;
		esac
		return
	done <"$from/kept/index"
}

# property prints one property of a unit.
property() { systemctl show -p "$2" --value -- "$1"; }

# explain shows why a unit is not what it should be.
explain() {
	systemctl show -p ActiveState,SubState,Result,ExecMainCode,ExecMainStatus,NRestarts -- "$1" >&2
	journalctl -u "$1" -n 20 --no-pager -o cat 2>/dev/null >&2
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
		[ $tries -lt 600 ] || { echo "$unit: still $active after 60 s" >&2; explain "$unit"; return 1; }
		sleep 0.1
	done
	restarts=$(property "$unit" NRestarts)
	for listener; do
		tries=0
		until listening "$listener"; do
			tries=$((tries + 1))
			[ "$(property "$unit" ActiveState)" = active ] && [ $tries -lt 300 ] || {
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
