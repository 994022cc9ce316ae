# What the host remembers of what tasks wanted: a text for each task in $state/wanted, and in
# $state/originals what stood at a path before any task wanted it.

# begin_memory makes the place of the texts. Runs up to the one that stands in .before were of a
# version that noted nothing: begin_memory LAST
begin_memory() {
	[ ! -d "$state/wanted" ] || return 0
	rm -rf "$state/wanted.new" && mkdir -m 0700 "$state/wanted.new" && printf '%s\n' "$1" >"$state/wanted.new/.before" &&
		sync "$state/wanted.new/.before" && mv -T "$state/wanted.new" "$state/wanted"
}

# remember notes what a task wants: remember NUMBER MEMORY [COPY PATH]... The text comes on
# standard input, coded. What stands at each PATH is kept first: it becomes the task's by this.
remember() {
	step=$1 memory=$2
	shift 2
	if [ $# -gt 0 ]; then
		mkdir -p "$state/originals/kept"
		# shellcheck disable=SC2016 # dpkg-query's own names
		conffiles=$(dpkg-query -W -f '${Conffiles}\n' 2>/dev/null) || :
		while [ $# -gt 0 ]; do
			(original "$1" "$2") </dev/null
			shift 2
		done
		sync -f "$state/originals"
	fi
	write_file "$step" "$memory" 00600 root:root
}

# original keeps what stands at a path, in the place of an older copy: original COPY PATH. What is
# too large for that (recipe.MostKept) is not kept, and then it cannot come back. Beside the copy of a
# conffile that is as its package has it stands its digest: when the package has another by then, the
# copy is an older version's.
original() {
	rm -rf "$1" "$1.shipped"
	at "$2" 2>/dev/null || return 0
	[ ! -f "./$name" ] || [ -L "./$name" ] || [ "$(stat -c %s -- "./$name")" -le 16777216 ] || return 0
	look "./$name"
	case $kind in file | link | directory) ;; *) return 0 ;; esac
	run=$state/originals
	copy "${1##*/}" "$2" || return
	[ "$kind" = 'file' ] || return 0
	digest=$(md5sum <"$1") && digest=${digest%% *}
	case "$conffiles " in *" $2 $digest"*) printf %s "$digest" >"$1.shipped" ;; esac
}

# restore_original NUMBER PATH COPY: what stood there before any task wanted it comes back.
restore_original() {
	at "$2"
	keep "$1" "$2"
	units_changed "$place"
	number=$1 path=$2
	look "$3"
	[ "$kind" != absent ] || { echo "$2: no copy of what it was is kept" >&2; return 1; }
	back "$kind" "$3"
}

# remove_empty NUMBER DIRECTORY: it stays where something has come into it.
remove_empty() {
	at "$2"
	keep "$1" "$2"
	[ ! -d "./$name" ] || [ -L "./$name" ] || rmdir --ignore-fail-on-non-empty -- "./$name"
}
