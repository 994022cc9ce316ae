# A directory with all that is in it that comes in the place of another, or of none. It is made whole
# where only root can come, and renamed from there.

# write_tree NUMBER PATH MOST MODE OWNER:GROUP: what is in it comes in an archive.
write_tree() {
	number=$1 path=$2 most=$3 mode=$4 owner=$5
	at "$path"
	unmounted
	private "$number"
	mkdir -m 0700 ./tree && base64 -d | tar -x -p -m -o -f - -C ./tree || room "$path" || discard || return
	instead
}

# unpack NUMBER PATH MOST OWNER:GROUP STRIP SHA256 URL: what is in it is fetched. Of it no set-user-ID
# remains, nor an owner, and no device is made.
unpack() {
	number=$1 path=$2 most=$3 mode=00755 owner=$4 strip=$5 digest=$6
	fetch "$7" "$digest"
	at "$path"
	unmounted
	private "$number"
	take_fetched ./fetched "$digest"
	mkdir -m 0700 ./tree && ( umask 022; tar -x -m --no-same-owner --no-same-permissions --strip-components="$strip" -f ./fetched -C ./tree ) &&
		[ -n "$(find ./tree -mindepth 1 -print -quit)" ] || { echo "$path: nothing can be unpacked there" >&2; room "$path"; } || discard || return
	[ -z "$(find ./tree ! -type f ! -type d ! -type l -print -quit)" ] || { echo "$path: in the archive is what is neither a file nor a directory nor a link" >&2; discard; } || return
	rm -f -- ./tree/.archive.sha256 ./fetched && printf '%s\n' "$digest" >./tree/.archive.sha256 && chmod 0644 ./tree/.archive.sha256 || discard || return
	instead
}

# check_out NUMBER PATH MOST OWNER:GROUP COMMIT URL: alone, where the server gives a single commit, and
# else with all that leads to it. Nobody is asked for a password.
check_out() {
	number=$1 path=$2 most=$3 mode=00755 owner=$4 commit=$5 url=$6
	at "$path"
	unmounted
	private "$number"
	export GIT_TERMINAL_PROMPT=0 GIT_SSH_COMMAND='ssh -o BatchMode=yes'
	( umask 022; git init -q ./tree && { in_git fetch -q --depth 1 "$url" "$commit" || in_git fetch -q "$url" '+refs/*:refs/provision/*'; } &&
		in_git checkout -q --detach "$commit" ) </dev/null >&2 || room "$path" || discard || return
	printf 'checked out by provision\n' >./tree/.git/provision && chmod 0644 ./tree/.git/HEAD ./tree/.git/provision || room "$path" || discard || return
	instead
}

# in_git runs git in ./tree: in_git COMMAND...
in_git() { git -C ./tree -c advice.detachedHead=false -c core.hooksPath=/dev/null "$@"; }

# instead puts ./tree of the private directory, with mode $mode and belonging to $owner, in the place of
# what is at $path: a directory, which is kept, or nothing. Of another file system it keeps no more than
# $most kilobytes.
instead() {
	chown -R -h -- "$owner" ./tree && chmod "$mode" ./tree && sync -f . || room "$path" || discard || return
	units_changed "$path" || discard || return
	before=there
	if [ -n "${rehearsing-}" ]; then rm -rf -- "../$name"
	elif [ -d "../$name" ] && [ ! -L "../$name" ]; then
		away || discard || return
	elif [ -e "../$name" ] || [ -L "../$name" ]; then
		echo "$path: is no directory" >&2
		discard || return
	else
		before=none
		enter_as planted || discard || return
	fi
	mv -T -- ./tree "../$name" || {
		discard || :
		[ "$before" = none ] || restore "$number" || :
		return 1
	}
	sync .. && rm -rf -- ./before && public
}

# away keeps the directory that is at $path, and takes it from there.
away() {
	# A second name can be had in the same mount alone (link(2), EXDEV).
	if ln -T -- "$run/kept/index" ./near 2>/dev/null; then
		rm -f -- ./near
		enter_tree && mv -T -- "../$name" "$run/kept/$number" && sync "$run/kept"
	else
		copy_tree "$most" && mv -T -- "../$name" ./before
	fi
}

# uproot takes away what came where nothing was: it has more in it than rmdir(1) would take.
uproot() {
	[ -d "./$name" ] && [ ! -L "./$name" ] || return 0
	unmounted || return
	private "restore$number" anyway || return
	mv -T -- "../$name" ./now || discard || return
	sync ..
	off
}
