# The host's side of a run, in a root shell: what all of it stands on. POSIX sh and Debian's
# Essential packages only.
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
umask 022
cd /
state=/var/lib/provision

# record adds lines to the run's journal, and returns only when they are on the disk.
record() {
	now=$(date -u +%Y-%m-%dT%H:%M:%SZ) lines=''
	for line; do
		lines="$lines$now $line
"
	done
	append "$run/journal" "$lines"
}

# append adds lines to a file, and returns only when they are on the disk. One that a full disk
# cuts short goes again: the next one would become part of it. append FILE LINES
append() {
	printf %s "$2" >>"$1" && sync "$1" || { whole_lines "$1"; room "$1"; }
}

# whole_lines takes a last line without its end from a file: whole_lines FILE
whole_lines() { truncate -s "$(head -n "$(wc -l <"$1")" -- "$1" | wc -c)" -- "$1"; }

# ended notes the end of steps, and tells of them one after the other: ended STATUS NUMBER...
# The journal comes first. What it cannot note is told all the same, and nothing more is done.
ended() {
	status=$1
	shift
	numbers=$*
	set --
	for number in $numbers; do set -- "$@" "{\"event\":\"end\",\"step\":$number,\"status\":$status}"; done
	noted=0
	record "$@" || noted=71
	for number in $numbers; do
		[ "$number" = "${numbers%% *}" ] || say "begin $number"
		say "end $number $status"
		[ "$status" -eq 0 ] || return "$status"
	done
	return "$noted"
}

# room names the file system that is full, where a write failed for that, and fails:
# room PATH
room() {
	df --output=avail,iavail,target -- "${1%/*}/" 2>/dev/null | {
		read -r _
		read -r kilobytes inodes at || return
		[ "$kilobytes" -ge 256 ] && [ "$inodes" != 0 ] ||
			echo "$1: the file system at $at is full: $kilobytes KiB and $inodes inodes are left" >&2
	}
	return 1
}
