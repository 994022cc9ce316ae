# Commands as users of the host.

# as_user runs sh text as a user, in his home: as_user USER TEXT. Of runuser(1), -c with no -l sets
# HOME and USER and leaves the rest. The text goes through a pipe, as in bounded: no argument may
# be that long, and everybody reads those.
as_user() {
	cd "$(getent passwd "$1" | cut -d: -f6)" 2>/dev/null || cd /
	# shellcheck disable=SC2016 # of the inner sh
	printf '%s\n' "$2" | runuser -s /bin/sh "$1" -c 'text=$(cat); exec <&7 7<&-; eval "$text"'
} 7<&0
