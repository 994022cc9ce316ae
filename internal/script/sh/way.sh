# The way to a path: its directory is entered first, and all is done there by a bare name, so that
# nobody can bend the way. For steps, and for questions that read a file.

# into makes a directory the working directory: into DIRECTORY. When the way that the kernel
# tells is the way that was asked for (getcwd(2)), there was no link on it.
into() {
	cd -P -- "$1" || return
	[ "$PWD" = "$1" ] || by_links "$1"
}

# by_links enters a directory that is reached through links, as /var/run is: each has to be one
# that only root could make.
by_links() {
	cd /
	rest=${1#/}/ links=0
	while [ -n "$rest" ]; do
		part=${rest%%/*} rest=${rest#*/} before=${PWD%/}
		if [ -L "./$part" ]; then
			links=$((links + 1))
			[ "$links" -le 40 ] && ours || { echo "$1: $before/$part is a link that another account may have made" >&2; return 1; }
			# The full stop keeps a newline at the end of the name.
			target=$(readlink -n -- "./$part"; printf .)
			rest=${target%.}/$rest
			case $rest in /*) cd / ;; esac
		elif [ "$part" = .. ]; then cd -P .. || return
		elif [ -n "$part" ] && [ "$part" != . ]; then
			down "$part" || return
		fi
	done
}

# ours says whether only root can make anything in the working directory.
ours() {
	case $(stat -c '%u %A' .) in
	0\ d????-??-?) ;;
	*) return 1 ;;
	esac
}

# down enters a directory of the working directory, and not what a link there names: down NAME
down() {
	above=${PWD%/}
	[ ! -L "./$1" ] && cd -P -- "./$1" && [ "$PWD" = "$above/$1" ] || { echo "$above/$1: is not the directory that was there" >&2; return 1; }
}

# at goes to where a path is: its directory is the working directory then, and $name its name
# there. at PATH
at() {
	name=${1##*/} place=${1%/*}
	into "${place:-/}"
}
