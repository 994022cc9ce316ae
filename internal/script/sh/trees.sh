# Directories that go with all that is in them, and come back as a whole.

# remove_tree NUMBER PATH MOST: a directory with all that is in it is renamed to where the host
# keeps its copies, so that it is there or not, and never half. In another file system it is
# copied before, when it has no more than MOST kilobytes. What is mounted below is not its own.
remove_tree() {
	number=$1 path=$2
	at "$path"
	[ -z "${rehearsing-}" ] || { rm -rf -- "./$name"; return; }
	[ -d "./$name" ] && [ ! -L "./$name" ] || { echo "$path: is no directory" >&2; return 1; }
	unmounted || return
	units_changed "$place"
	lost=$(secrets_in "$path")
	[ -z "$lost" ] || append "$state/secrets" "$lost
"
	private "$number"
	# A second name can be had in the same mount alone (link(2), EXDEV).
	if ln -T -- "$run/kept/index" ./near 2>/dev/null; then
		rm -f -- ./near
		public
		enter_tree && mv -T -- "./$name" "$run/kept/$number" && sync . "$run/kept"
	else
		copy_tree "$3" || discard || return
		mv -T -- "../$name" "./$name" || discard || return
		rm -rf -- "./$name" && public || tree_back "$run/kept/$number"
	fi
}

# unmounted fails when something is mounted at $name, in the working directory, or below.
unmounted() {
	mounts=$(mounted "${PWD%/}/$name")
	[ -z "$mounts" ] || { echo "$path: is left alone, for something is mounted there: $mounts" >&2; return 1; }
}

# enter_tree notes that a directory is kept. The note comes first: without the copy it says that
# the directory has not gone.
enter_tree() { enter_as tree; }

# enter_as notes what stood at $path: enter_as KIND
enter_as() {
	code "$path"
	copies='' entries="$number $1 $coded
"
	enter
}

# copy_tree keeps a directory beside the working directory: copy_tree MOST
copy_tree() {
	kilobytes=$(du -s -k -x -- "../$name")
	kilobytes=${kilobytes%%[!0-9]*}
	[ "$kilobytes" -le "$1" ] || {
		echo "$path: its $((kilobytes / 1024)) MiB are not in the file system of $state, and more than $(($1 / 1024)) MiB are not copied there" >&2
		return 1
	}
	cp -a -T -- "../$name" "$run/kept/$number" && sync -f "$run/kept/$number" || room "$run/kept/$number" || forget "$number" || return
	enter_tree
}

# tree_back puts back what was half removed in the private directory, and fails: tree_back COPY
tree_back() {
	public 2>/dev/null || echo "$PWD/$scratch: is left, for not all of it can be removed" >&2
	back tree "$1"
	return 1
}

# forget_in drops the copy of a secret that a directory's copy holds, or that it is: forget_in COPY
# DIRECTORY SECRET, the last two coded. Links that are in it are not its own.
forget_in() (
	decode "$2"
	directory=$path
	decode "$3"
	case $path in
	"$directory") rm -rf -- "$1" ;;
	"$directory"/*)
		cd -P -- "$1" 2>/dev/null || return 0
		within=${path#"$directory"}
		parent=$PWD${within%/*}
		cd -P -- "$parent" 2>/dev/null && [ "$PWD" = "$parent" ] && rm -f -- "./${within##*/}" ;;
	esac
)

# whole makes a directory what it was: whole COPY. What stands there goes after it has come.
whole() {
	[ -e "$1" ] || return 0
	unmounted || return
	private "restore$number" anyway || return
	# Its own name may be as long as a name can be.
	cp -a -T -- "$1" ./then && sync -f . || room "$path" || discard || return
	if [ -e "../$name" ] || [ -L "../$name" ]; then mv -T -- "../$name" ./now || discard || return; fi
	mv -T -- ./then "../$name" || discard || return
	sync ..
	off
}

# off takes ./now away, whose place another directory has, or none. A step that keeps it has it among
# the run's copies then.
off() {
	if [ -n "${keeping-}" ] && [ -d ./now ]; then
		number=$keeping
		enter_tree && mv -T -- ./now "$run/kept/$keeping" || return
	fi
	rm -rf -- ./now && public
}
