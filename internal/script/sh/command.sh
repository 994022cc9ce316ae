# Scripts of recipes, under time limits.

# bounded runs sh text under a time limit: bounded SECONDS TEXT. It goes through a pipe, for an
# argument may have 128 KiB at the most (execve(2), MAX_ARG_STRLEN), and a disk may be full.
bounded() {
	# shellcheck disable=SC2016 # of the inner sh
	printf '%s\n' "$2" | timeout -k 10 "$1" sh -c 'text=$(cat); exec <&7 7<&-; eval "$text"'
} 7<&0

# timed_out explains the status of a command under timeout(1), and returns it:
# timed_out STATUS SECONDS
timed_out() {
	case $1 in
	124) echo "stopped: it was not done after $2 s" >&2 ;;
	137) echo "killed: out of memory, or not done after $2 s" >&2 ;;
	esac
	return "$1"
}

# execute runs a command of a recipe: execute NUMBER SECONDS SCRIPT. Its input, where it has
# one, comes coded: a secret is never in argv.
execute() { base64 -d | bounded "$2" "$3" || timed_out $? "$2"; }
