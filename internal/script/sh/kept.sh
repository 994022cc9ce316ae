# The copies that a host keeps of what a run replaces, in $run/kept, and the way back to them.
# The index there has a line for each step: its number, what stood there, and its path.

# keep stores what stands at a path, before a step changes it: keep NUMBER PATH
keep() {
	copies='' entries=''
	copy "$1" "$2" && enter
}

# copy makes the copy of what stands at a path, whose directory is the working directory:
# copy NUMBER PATH. It stays for enter to note it. A rehearsal keeps nothing.
copy() {
	[ -z "${rehearsing-}" ] || return 0
	copied=$run/kept/$1 name=${2##*/}
	look "./$name"
	was=$kind
	case $kind in
	file | link) cp -a -T -- "./$name" "$copied" ;;
	directory)
		# chown first: it takes set-group-ID away.
		mkdir "$copied" && chown --reference="./$name" "$copied" && chmod --reference="./$name" "$copied" ;;
	other)
		echo "$2: neither a file nor a directory nor a link" >&2
		return 1 ;;
	esac || room "$copied" || forget "$1" || return
	look "$copied"
	[ "$kind" = "$was" ] || { echo "$2: became something else while it was copied" >&2; forget "$1"; } || return
	[ "$kind" != 'file' ] || copies="$copies $copied"
	code "$2"
	entries="$entries$1 $kind $coded
"
}

# look sets $kind to what a name is: look NAME
look() {
	if [ -L "$1" ]; then kind='link'
	elif [ -f "$1" ]; then kind='file'
	elif [ -d "$1" ]; then kind=directory
	elif [ -e "$1" ]; then kind=other
	else kind=absent; fi
}

# enter brings copies to the disk, and then notes them in the run's index.
enter() {
	[ -z "${rehearsing-}" ] || return 0
	# shellcheck disable=SC2086 # a list of our own names
	durable "$run/kept" $copies || room "$run/kept" || return
	append "$run/kept/index" "$entries"
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

# restore puts back what keep stored: restore NUMBER
restore() {
	while read -r number kind coded; do
		[ "$number" = "$1" ] || continue
		decode "$coded"
		# With its directory it is gone too.
		[ "$kind" != absent ] && [ "$kind" != planted ] || [ -e "${path%/*}/" ] || return 0
		at "$path" || return
		units_changed "$place" || return
		back "$kind" "$from/kept/$1"
		return
	done <"$from/kept/index"
	echo "nothing was kept of step $1 of run ${from##*/}" >&2
	return 1
}

# back makes of $path, in the working directory, what it was: back KIND COPY
back() {
	case $1 in
	absent)
		# In a directory that the run made there may be what others put there.
		if [ -d "./$name" ] && [ ! -L "./$name" ]; then
			rmdir --ignore-fail-on-non-empty -- "./$name" || return
			[ ! -d "./$name" ] || echo "$path: stays, for it is not empty" >&2
		else rm -f -- "./$name"; fi ;;
	file | link)
		# The copy of a secret goes when a run has converged (see forget_secrets).
		[ "$1" != 'file' ] || [ -e "$2" ] || { echo "$path: stays, for no copy of what it was is kept" >&2; return 0; }
		private "restore$number" anyway || return
		cp -a -T -- "$2" "./$name" && { [ "$1" = 'link' ] || sync "./$name"; } || room "$path" || discard || return
		move "./$name" ;;
	tree) whole "$2" ;;
	planted) uproot ;;
	directory)
		if [ ! -e "./$name" ] && [ ! -L "./$name" ]; then mkdir -m 0700 -- "./$name"; fi
		down "$name" && chown --reference="$2" . && chmod --reference="$2" . ;;
	esac
}
