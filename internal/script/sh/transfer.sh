# A file that a person sends to a host, or asks it for: put and get. Root goes there as steps
# do (place.sh); who logs in as himself goes as the kernel lets him.

# near goes to where a path is, and sets $name: near PATH
near() {
	if [ "$(id -u)" = 0 ]; then
		at "$1"
		return
	fi
	name=${1##*/} place=${1%/*}
	cd -P -- "${place:-/}" || return
}

# receive puts standard input in a path's place, or does nothing where that is there already:
# receive PATH BASE MODE SIZE SHA256. In a directory it gets the name BASE. It says "send" when
# it wants the content, "same" when it has it, and "done" at the end. What arrives is kept
# where nobody else can enter, and is whole when it is renamed into its place. The owner stays.
receive() {
	target=$1 owner=
	[ ! -d "$target" ] || target=${target%/}/$2
	case $target in */) echo "$target: there is no such directory" >&2; return 1 ;; esac
	near "$target" || return
	if [ -L "./$name" ]; then
		echo "$target: is a link to $(readlink -- "./$name"): name that" >&2
		return 1
	elif [ -f "./$name" ]; then
		owner=$(stat -c %u:%g -- "./$name") || return
		[ "$(stat -c '%a %s' -- "./$name")" != "$3 $4" ] || [ "$(dd if="./$name" iflag=nofollow,nonblock bs=1M status=none | sha256sum)" != "$5  -" ] || { echo same; return; }
	elif [ -e "./$name" ]; then
		echo "$target: is no regular file" >&2
		return 1
	fi
	scratch=$(mktemp -d ./.provision-XXXXXXXXXX) || room "$target" || return
	scratch=${scratch#./}
	down "$scratch" || return
	case $(stat -c '%u %a' .) in
	"$(id -u) 700" | "$(id -u) 2700") ;;
	*) echo "$PWD: another account has put something in its place" >&2; return 1 ;;
	esac
	trap 'rm -f -- "./$name"; cd -P .. && rmdir -- "$scratch"' EXIT
	trap 'exit 1' HUP INT TERM
	umask 077
	echo send
	head -c "$4" >"./$name" || room "$target" || return
	[ "$(sha256sum <"./$name")" = "$5  -" ] || { echo "$target: what arrived is not what was sent" >&2; return 1; }
	[ -z "$owner" ] || chown -- "$owner" "./$name" || return
	chmod "$3" "./$name" && sync "./$name" && mv -f -T -- "./$name" "../$name" && sync .. && echo 'done'
}

# deliver prints a file's mode and size on a line, and then the file: deliver PATH. Root follows
# no link that another account may have made.
deliver() {
	near "$1" || return
	hops=0
	while [ -L "./$name" ]; do
		hops=$((hops + 1))
		case $(id -u),$hops,$(stat -c '%u %A' .) in
		0,?,0\ d????-??-? | 0,??,0\ d????-??-? | [!0]*,?,* | [!0]*,??,*) ;;
		*) echo "$PWD/$name: is a link that another account may have made" >&2; return 1 ;;
		esac
		link=$(readlink -n -- "./$name"; printf .)
		link=${link%.}
		case $link in /*) ;; *) link=$PWD/$link ;; esac
		near "$link" || return
	done
	[ -e "./$name" ] || { echo "$1: there is no such file" >&2; return 1; }
	[ ! -d "./$name" ] || { echo "$1: is a directory: only files are fetched" >&2; return 1; }
	[ -f "./$name" ] || { echo "$1: is no regular file" >&2; return 1; }
	# What came there in between is neither followed nor waited for.
	opened "./$name" | {
		read -r mode _ _ size || exit
		printf '%s %s\n' "$mode" "$size" && cat
	}
}
