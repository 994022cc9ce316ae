# ask_users NAME...: of passwd(5), and then their primary groups, of group(5).
ask_users() {
	found=$(getent passwd "$@")
	printf '%s\000' "$found"
	# shellcheck disable=SC2046 # a number each
	set -- $(printf '%s\n' "$found" | cut -d : -f 4)
	[ $# -eq 0 ] || getent group "$@"
	printf '\000'
}
