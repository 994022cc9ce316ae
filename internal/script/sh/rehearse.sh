# A rehearsal tries steps on files on a copy of the directories that hold a service's
# configuration, mounted over the real ones where only this process sees it, and runs the
# service's check there. unshare(1) is in util-linux, which is Essential.

# rehearse NUMBER UNIT NAME: its script comes on standard input, coded. It is sh for a shell that
# has all functions of this one; NAME is the check's, for people.
rehearse() {
	mirrors=$run/rehearse$1
	mkdir -m 0700 "$mirrors"
	status=0
	{
		printf '%s\n' "$library" 'set -e' "rehearsing=yes state=$state run=$run runid=$runid salt=$salt mirrors=$mirrors"
		base64 -d
	} | unshare -m --propagation private sh || status=$?
	rm -rf "$mirrors"
	[ "$status" -eq 0 ] || echo "$2: the new configuration does not pass: $3" >&2
	return "$status"
}

# mirror puts a copy of a directory in its place: mirror NUMBER TREE NAME... Of its own
# directories only those named are copied; the others, which may be big, are there as they
# are, and cannot be written.
mirror() {
	mirrored=$mirrors/$1 tree=$2
	shift 2
	mkdir -- "$mirrored"
	chown --reference="$tree" -- "$mirrored"
	chmod --reference="$tree" -- "$mirrored"
	for entry in "$tree"/* "$tree"/.[!.]* "$tree"/..?*; do
		[ -e "$entry" ] || [ -L "$entry" ] || continue
		name=${entry##*/} how=copy
		if [ -d "$entry" ] && [ ! -L "$entry" ]; then
			how=mount
			for changed; do [ "$changed" != "$name" ] || how=copy; done
		fi
		if [ "$how" = copy ]; then cp -a -T -- "$entry" "$mirrored/$name"
		else
			mkdir -- "$mirrored/$name"
			mount -o bind,ro -- "$entry" "$mirrored/$name"
		fi
	done
	mount --rbind -- "$mirrored" "$tree"
}

# inside fails for a directory that is reached through a link, and may lie outside of the copies,
# in what is live: inside TREE DIRECTORY
inside() {
	[ -n "$1" ] || return
	case $(realpath -m -- "$2")/ in
	"$(realpath -- "$1")"/*) return ;;
	esac
	echo "$2: is a link out of $1: what it holds cannot be tried" >&2
	return 1
}

# in_memory makes the place of the copies one that only this process sees and that is on no disk.
# No service has its configuration in /boot, and every Debian has the directory.
in_memory() {
	mirrors=/boot
	mount -t tmpfs -o mode=0700 tmpfs "$mirrors"
}

# sealed makes all that is mounted here one that cannot be written, where only this process sees it: a plan changes
# nothing, whatever its check makes, as nginx -t the directories of caches and a file for its pid. /tmp stays as it is.
sealed() {
	mount --bind /tmp /tmp
	while read -r _ _ _ _ place _; do
		case $place in
		"$mirrors" | /tmp | /proc | /proc/* | /sys | /sys/* | /dev | /dev/*) ;;
		*) mount -o remount,bind,ro -- "$(printf %b "$place")" 2>/dev/null || : ;; # a mount below another, which is not seen
		esac
	done </proc/self/mountinfo
	mirror run /run
}

# tried runs a check on a host that is sealed, and fails as an untried one where it wants to write elsewhere than into
# what stands for its directories: tried CHECK
tried() {
	said=$(validate "$1" 2>&1)
	status=$?
	printf '%s\n' "$said"
	[ "$status" -eq 0 ] && return
	case $said in
	*[Rr]ead-only\ file\ system*) return 71 ;;
	esac
	return "$status"
}

# scratch puts an empty directory in the place of one that a check writes to, as its logs':
# scratch NUMBER DIRECTORY
scratch() {
	[ -d "$2" ] || return 0
	mkdir -- "$mirrors/scratch$1"
	chown --reference="$2" -- "$mirrors/scratch$1"
	chmod --reference="$2" -- "$mirrors/scratch$1"
	mount --bind -- "$mirrors/scratch$1" "$2"
}
