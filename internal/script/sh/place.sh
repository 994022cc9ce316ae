# Where a step works, once it has gone there (way.sh). A name in a directory that another account
# may write to can become anything at any moment: root opens, changes and trusts nothing by such a
# name. What is new is made in a directory that only root can enter, and is renamed from there into
# its place.

# code sets $coded to a path as a word of a list: a plain one as it is, any other in base64, where
# an absolute path begins with L.
code() {
	case $1 in
	*[!A-Za-z0-9/._@:+,-]*) coded=$(printf %s "$1" | base64 -w 0) ;;
	*) coded=$1 ;;
	esac
}

# decode sets $path to what a word of a list stands for. The full stop keeps a newline at the end.
decode() {
	case $1 in
	/*) path=$1 ;;
	*)
		path=$(printf %s "$1" | base64 -d; printf .)
		path=${path%.} ;;
	esac
}

# private makes a directory beside what a step changes, and enters it: private NUMBER [anyway].
# It is noted, so that the next run sweeps it should this one die; on the way back, where that
# cannot be noted, something may be left: better than not to go back. The name is not to be
# known before, and what came there in the meantime is not ours.
private() {
	scratch=.provision-$runid-$1-$salt place=${PWD%/}
	[ -n "${rehearsing-}" ] || {
		code "$place/$scratch"
		append "$state/temporaries" "$coded
" || [ $# -gt 1 ] || return
	}
	mkdir -m 0700 -- "./$scratch" || room "$place/$scratch" || return
	down "$scratch" || return
	# In a directory with set-group-ID it gets that too. One that is not empty is an older one, and
	# what is in it may lead anywhere.
	case $(find . -maxdepth 1 -printf '%U %m\n') in
	'0 700' | '0 2700') ;;
	*) echo "$PWD: another account has put something in its place" >&2; cd /; return 1 ;;
	esac
}

# public goes back from a private directory, which is empty by then.
public() { cd -P .. && rmdir -- "./$scratch"; }

# discard takes away what a step that failed made in its private directory, and fails.
discard() {
	find . -mindepth 1 -delete
	public
	return 1
}

# put gives what is in the private directory its mode and owner, and moves it into place:
# put MODE OWNER:GROUP ./NAME... The mode has five digits, for with fewer chmod(1) leaves a
# directory's set-user-ID and set-group-ID as they are; it comes after chown(1), which takes
# them from a file.
put() {
	mode=$1 owner=$2
	shift 2
	chown -- "$owner" "$@" && chmod "$mode" "$@" && durable "$@" || room "$PWD" || discard || return
	move "$@"
}

# durable brings files to the disk: durable FILE... Of many it is cheaper to bring all that is
# to be written.
durable() {
	if [ $# -le 8 ]; then sync "$@"; else sync -f "$1"; fi
}

# move renames what is in the private directory into its place. A link that stands there is
# replaced, never followed, and a directory is an error: move ./NAME...
move() {
	units_changed "$place" || discard || return
	mv -f -t .. -- "$@" && public || discard
}

# sweep takes away the private directories that a list names, and the list: sweep LIST PATTERN. What
# stands there may be another account's by now: rm(1) follows no link below a directory that was
# entered, and of another's it takes nothing but the name.
sweep() {
	[ -e "$1" ] || return 0
	while read -r coded; do
		decode "$coded"
		[ -e "$path" ] || [ -L "$path" ] || continue
		# shellcheck disable=SC2254 # a pattern
		case $path in
		$2) ( at "$path" 2>/dev/null && { [ -e "./$name" ] || [ -L "./$name" ]; } && take_away "$name" ) && swept=$((swept + 1)) ;;
		esac
	done <"$1"
	rm -f "$1"
}

# take_away removes a private directory of a run that died: take_away NAME
take_away() {
	# The version before made also files, and directories of any mode.
	if ours; then rm -rf -- "./$1"
	elif [ -d "./$1" ] && [ ! -L "./$1" ] && down "$1"; then
		case $(stat -c '%u %a' .) in
		'0 700' | '0 2700') find . -mindepth 1 -xdev -delete ;;
		esac
		cd -P .. && rmdir -- "./$1"
	else rm -f -- "./$1"; fi
}
