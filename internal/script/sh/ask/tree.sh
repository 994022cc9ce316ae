# ask_trees PATH...: of each that is a directory, what is mounted there, and the kilobytes that it
# has where that is another file system than the one of the host's own copies.
ask_trees() {
	for tree; do
		[ -d "$tree" ] && [ ! -L "$tree" ] && cd -P -- "$tree" || continue
		here=$PWD kilobytes=0
		cd /
		mounts=$(mounted "$here")
		[ -n "$mounts" ] || [ "$(stat -c %d -- "$here")" = "$(stat -c %d /var/lib)" ] || kilobytes=$(du -s -k -x -- "$here" 2>/dev/null)
		printf '%s\000' "$tree" "$mounts" "${kilobytes%%[!0-9]*}"
	done
}
