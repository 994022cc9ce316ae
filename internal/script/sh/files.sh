# The steps on files. Each keeps what was there, makes what is wanted where only root can come,
# and renames it. What is written comes on standard input, coded.

# write_file NUMBER PATH MODE OWNER:GROUP [PLACEHOLDER SECRET]...
write_file() {
	number=$1 path=$2 mode=$3 owner=$4
	shift 4
	secrets_there "$@"
	at "$path"
	keep "$number" "$path"
	private "$number"
	( umask 077; base64 -d | if [ $# -gt 0 ]; then swap fill "$@"; else cat; fi >"./$name" ) || room "$path" || discard || return
	put "$mode" "$owner" "./$name"
}

# secret notes, before it is kept, that what a step writes or takes away is one: secret PATH. Where
# it stands is known from then on, for its directory may go one day.
secret() {
	code "$1"
	append "$state/secrets" "$coded
"
	grep -q -x -F -e "$coded" -- "$state/secret-paths" 2>/dev/null || append "$state/secret-paths" "$coded
"
}

# secrets_in prints where secrets stand in a directory, or stood, each coded: secrets_in DIRECTORY
secrets_in() (
	[ -e "$state/secret-paths" ] || return 0
	while read -r coded; do
		decode "$coded"
		case $path in "$1"/*) printf '%s\n' "$coded" ;; esac
	done <"$state/secret-paths"
)

# secrets_there fails when one that is to be filled in is not: secrets_there PLACEHOLDER SECRET... A
# rehearsal does without what the run makes later: the placeholder stays.
secrets_there() {
	[ -z "${rehearsing-}" ] || return 0
	while [ $# -gt 0 ]; do
		[ -s "$2" ] || { echo "there is no secret in $2" >&2; return 1; }
		shift 2
	done
}

# write_files writes a set, of one directory, mode and owner: all copies, one sync, all files,
# one sync, one rename: write_files NUMBER DIRECTORY MODE OWNER:GROUP ./NAME... The steps are
# numbered on from the first. Where one cannot be renamed, those before it go back.
write_files() {
	first=$1 directory=${2%/} mode=$3 owner=$4
	shift 4
	into "${directory:-/}"
	number=$first copies='' entries=''
	for file; do
		copy "$number" "$directory/${file#./}"
		number=$((number + 1))
	done
	enter
	private "$first"
	( umask 077; base64 -d | tar -x -m -o -f - ) || room "$directory/" || discard || return
	put "$mode" "$owner" "$@" || all_back "$first" "$number"
}

# all_back takes a set back that failed, and fails: all_back FIRST END
all_back() {
	step=$1
	while [ "$step" -lt "$2" ]; do
		restore "$step" || :
		step=$((step + 1))
	done
	return 1
}

# make_directory NUMBER PATH MODE OWNER:GROUP
make_directory() {
	at "$2"
	keep "$1" "$2"
	private "$1"
	mkdir -m 0700 -- "./$name" || room "$2" || discard || return
	put "$3" "$4" "./$name"
}

# make_link NUMBER PATH TARGET
make_link() {
	at "$2"
	keep "$1" "$2"
	private "$1"
	ln -s -T -- "$3" "./$name" || room "$2" || discard || return
	move "./$name"
}

# make_secret NUMBER PATH MODE OWNER:GROUP LENGTH: of letters and digits. One that came there in
# between stays.
make_secret() {
	at "$2"
	private "$1"
	( umask 077; LC_ALL=C tr -dc A-Za-z0-9 </dev/urandom | head -c "$5" >"./$name" ) &&
		[ "$(wc -c <"./$name")" -eq "$5" ] && chown -- "$4" "./$name" && chmod "$3" "./$name" && sync "./$name" || room "$2" || discard || return
	mv -T -n -- "./$name" "../$name" && rm -f -- "./$name" && public || discard
}

# set_attributes NUMBER PATH MODE OWNER:GROUP [FOUND]. A file is taken hold of by a second name in a
# private directory: there it cannot become another one between a look and chmod(1), which
# follows links. What has come into its place since it was looked at is given to nobody: FOUND is
# the mode and OWNER:GROUP that it had then. In a directory of root's alone nobody puts anything.
set_attributes() {
	at "$2"
	inode=$(stat -c %d:%i -- "./$name") found=${5-}
	! ours || found=
	keep "$1" "$2"
	if [ -d "./$name" ]; then
		down "$name"
		same "$2" .
		chown -- "$4" . && chmod "$3" .
		return
	fi
	private "$1"
	ln -P -T -- "../$name" "./$name" && [ -f "./$name" ] && [ ! -L "./$name" ] && same "$2" "./$name" &&
		chown -- "$4" "./$name" && chmod "$3" "./$name" || discard || return
	rm -- "./$name" && public
}

# same fails when what set_attributes holds is not what it found: same PATH HELD
same() {
	[ "$(stat -c %d:%i -- "$2")" = "$inode" ] && { [ -z "$found" ] || [ "$(find "$2" -maxdepth 0 -printf '%m %u:%g')" = "$found" ]; } ||
		{ echo "$1: is not what it was when it was looked at" >&2; return 1; }
}

# remove NUMBER PATH: a file, a link or an empty directory.
remove() {
	at "$2"
	keep "$1" "$2"
	units_changed "$place"
	if [ -d "./$name" ] && [ ! -L "./$name" ]; then rmdir -- "./$name"; else rm -f -- "./$name"; fi
}

# place_upload NUMBER PATH MODE OWNER:GROUP SHA256: what was uploaded goes into its place.
place_upload() {
	at "$2"
	keep "$1" "$2"
	private "$1"
	mv -T -- "$state/uploads/$5" "./$name" || room "$2" || discard || return
	[ "$(sha256sum <"./$name")" = "$5  -" ] || { echo "$2: what arrived is not what was sent" >&2; discard; } || return
	put "$3" "$4" "./$name"
}

# restore_from NUMBER PATH STEP RUN: what a step of a run, whose directory is RUN, replaced; of this one without it.
restore_from() {
	at "$2"
	from=${4:-$run} keeping=''
	if changes_places "$3"; then keeping=$1; else keep "$1" "$2"; fi
	restore "$3"
}

# changes_places says whether the directory at $name goes as a whole when a step is taken back, and can
# be kept as one: changes_places STEP
changes_places() {
	[ -d "./$name" ] && [ ! -L "./$name" ] && [ "$(stat -c %d .)" = "$(stat -c %d "$run/kept")" ] || return
	while read -r number kind _; do
		case $number/$kind in
		"$1"/tree | "$1"/planted) return 0 ;;
		esac
	done <"$from/kept/index"
	return 1
}
