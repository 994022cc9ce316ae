# ask_unfilled PATH PLACEHOLDER SECRET...: the digest of a file in which each secret stands as
# its placeholder again, in sha256sum's own form. A file that holds a placeholder itself was
# never filled in: it gets a digest that matches nothing.
ask_unfilled() {
	path=$1
	shift
	if [ -f "$path" ] && [ ! -L "$path" ]; then
		digest=unfilled
		holds_placeholder "$path" "$@" || digest=$(swap unfill "$@" <"$path" | sha256sum)
		printf '%s  %s\000' "${digest%% *}" "$path"
	fi
}

# holds_placeholder PATH PLACEHOLDER SECRET...
holds_placeholder() {
	held=$1
	shift
	while [ $# -gt 0 ]; do
		! grep -qF -e "$1" -- "$held" || return 0
		shift 2
	done
	return 1
}
